//! The contract of [`Ledger`].

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use portcullis::ledger::{Ask, Draft, Error, Event, Filter, FindingRow, Ledger, Row, State, draft::Note};
use portcullis::network_acl::{AclKey, Direction};
use serde_json::{Value, json};

use super::records::{self, decided};
use super::{Broken, memory, must};
use crate::executor::time;
use crate::world::acl;

/// Holds a ledger to every sentence; `make` gives an empty one each time.
///
/// # Errors
/// The first sentence that it does not keep.
pub async fn hold<L: Ledger>(make: impl Fn() -> L) -> Result<(), Broken> {
    network_acl_versions(&make()).await?;
    finding_and_list_versions(&make()).await?;
    one_number_one_entry(&make()).await?;
    numbers_change_hands(&make()).await?;
    leases(&make()).await?;
    reads(&make()).await?;
    pending(&make()).await?;
    memory::hold(&make).await?;
    records::hold(make).await
}

pub(super) fn told(error: &Error) -> Broken {
    format!("a call failed: {error}")
}

pub(super) fn key() -> AclKey {
    acl("acl-1")
}

pub(super) fn net(last: u8) -> IpNet {
    IpNet::from(std::net::IpAddr::from([185, 220, 101, last]))
}

pub(super) fn row(last: u8, rule: Option<u16>, seq: u64) -> Row {
    let at = time(i64::try_from(seq).unwrap_or_default() * 1000);
    Row {
        acl: key(),
        direction: Direction::Ingress,
        cidr: net(last),
        state: State::Planned,
        rule,
        replaces: None,
        seq,
        since: at,
        planned_at: at,
        last_seen: at,
        hits: 1,
        expires: None,
        findings: vec!["f1".to_owned()],
        severity: 2.0,
        removal: None,
        gone_at: None,
        because: None,
        who: "responder".to_owned(),
        pinned: false,
        held: Vec::new(),
        doubt: None,
        repaired: None,
        allowed_at: None,
        about: json!({"note": "kept as it is"}).into(),
    }
}

pub(super) fn note(at: DateTime<Utc>) -> Note<'static> {
    Note {
        at,
        reason: "matched",
        finding: Some("f1"),
        who: "responder",
        about: Value::Null,
    }
}

pub(super) async fn draft<L: Ledger>(ledger: &L, findings: &[String]) -> Result<Draft, Broken> {
    let known = [key()];
    let asked = ledger.read(Ask {
        acls: &known,
        entries: &[],
        findings,
    });
    Ok(Draft::new(asked.await.map_err(|error| told(&error))?))
}

pub(super) async fn plan<L: Ledger>(ledger: &L, rows: Vec<Row>) -> Result<(), Error> {
    let known = [key()];
    let asked = ledger.read(Ask {
        acls: &known,
        ..Ask::default()
    });
    let mut draft = Draft::new(asked.await?);
    for row in rows {
        let at = row.planned_at;
        draft.transition(row, Event::Planned, note(at))?;
    }
    ledger.commit(&draft.into_transaction()).await.map(drop)
}

async fn network_acl_versions<L: Ledger>(ledger: &L) -> Result<(), Broken> {
    let mut watching = draft(ledger, &[]).await?;
    watching.holds_still(&key());
    watching.audit(decided(0));
    let mut first = draft(ledger, &[]).await?;
    let mut second = draft(ledger, &[]).await?;
    for (draft, last) in [(&mut first, 1), (&mut second, 2)] {
        let planned = draft.transition(row(last, Some(70 + u16::from(last)), 1), Event::Planned, note(time(0)));
        planned.map_err(|error| told(&error))?;
    }
    ledger
        .commit(&first.into_transaction())
        .await
        .map_err(|error| told(&error))?;
    let late = ledger.commit(&second.into_transaction()).await;
    must(
        matches!(late, Err(Error::Conflict)),
        "whoever commits on an old version of a network ACL is told so",
    )?;
    let late = ledger.commit(&watching.into_transaction()).await;
    must(
        matches!(late, Err(Error::Conflict)),
        "a condition holds for a network ACL that the commit does not write",
    )?;
    let rows = ledger.entries(Filter::All).await.map_err(|error| told(&error))?;
    must(
        rows == [row(1, Some(71), 1)],
        "a commit that conflicts writes nothing, and what is written reads back the same",
    )?;
    let audit = ledger.audit(0, 10).await.map_err(|error| told(&error))?;
    must(audit.len() == 1, "a commit that conflicts writes no audit row")
}

async fn finding_and_list_versions<L: Ledger>(ledger: &L) -> Result<(), Broken> {
    let (id, long) = ("111122223333/eu-west-1/f1".to_owned(), "f".repeat(5000));
    let finding = FindingRow {
        id: id.clone(),
        version: 0,
        updated_at: time(0),
        slots: 2,
        versions: 1,
        told: vec!["private 10.0.0.1".to_owned()],
    };
    let mut drafts = Vec::new();
    for _ in 0..2 {
        let mut draft = draft(ledger, std::slice::from_ref(&id)).await?;
        draft.put_finding(finding.clone());
        drafts.push(draft.into_transaction());
    }
    let mut done = Vec::new();
    for transaction in &drafts {
        done.push(ledger.commit(transaction).await);
    }
    let once = matches!(done.as_slice(), [Ok(_), Err(Error::Conflict)]);
    must(
        once,
        "of two who process one finding at once, one is told to read again",
    )?;
    let known = draft(ledger, std::slice::from_ref(&id)).await?;
    let expected = FindingRow { version: 1, ..finding };
    must(
        known.finding(&id) == Some(&expected),
        "a finding reads back with its next version",
    )?;
    must(
        known.finding("f2").is_none(),
        "a finding that is not known is not made up",
    )?;
    let mut longer = draft(ledger, std::slice::from_ref(&long)).await?;
    longer.put_finding(FindingRow {
        id: long.clone(),
        version: 0,
        ..expected.clone()
    });
    ledger
        .commit(&longer.into_transaction())
        .await
        .map_err(|error| told(&error))?;
    must(
        draft(ledger, std::slice::from_ref(&long))
            .await?
            .finding(&long)
            .is_some(),
        "a finding is remembered however long its id is",
    )?;

    let mut pausing = draft(ledger, &[]).await?;
    let mut planning = draft(ledger, &[]).await?;
    pausing.pause(Some(portcullis::ledger::Pause {
        who: "ada".to_owned(),
        reason: "a test".to_owned(),
        at: time(0),
        until: None,
    }));
    let planned = planning.transition(row(1, Some(71), 1), Event::Planned, note(time(0)));
    planned.map_err(|error| told(&error))?;
    ledger
        .commit(&pausing.into_transaction())
        .await
        .map_err(|error| told(&error))?;
    let late = ledger.commit(&planning.into_transaction()).await;
    must(matches!(late, Err(Error::Conflict)), "nothing is planned on old lists")?;
    let lists = draft(ledger, &[]).await?.lists().clone();
    must(
        lists.version == 1 && lists.pause.is_some(),
        "lists read back with their next version",
    )
}

async fn one_number_one_entry<L: Ledger>(ledger: &L) -> Result<(), Broken> {
    plan(ledger, vec![row(1, Some(71), 1)])
        .await
        .map_err(|error| told(&error))?;
    let second = plan(ledger, vec![row(2, Some(71), 2)]).await;
    must(second.is_err(), "two entries cannot hold one rule number")?;
    let rows = ledger.entries(Filter::All).await.map_err(|error| told(&error))?;
    must(rows.len() == 1, "a commit that is refused writes nothing")
}

async fn numbers_change_hands<L: Ledger>(ledger: &L) -> Result<(), Broken> {
    let fails = |error: Error| told(&error);
    plan(ledger, vec![row(1, Some(71), 1), row(2, Some(72), 2)])
        .await
        .map_err(fails)?;
    let mut moving = draft(ledger, &[]).await?;
    moving.edit(row(2, Some(73), 2)).map_err(fails)?;
    moving.edit(row(1, Some(72), 1)).map_err(fails)?;
    let moved = ledger.commit(&moving.into_transaction()).await;
    must(
        moved.is_ok(),
        "an entry takes the number that another one gives up in the same commit",
    )?;
    let mut rows = ledger.entries(Filter::Active).await.map_err(fails)?;
    rows.sort_by_key(|row| row.seq);
    let numbers: Vec<Option<u16>> = rows.iter().map(|row| row.rule).collect();
    must(numbers == [Some(72), Some(73)], "numbers that changed hands read back")
}

async fn leases<L: Ledger>(ledger: &L) -> Result<(), Broken> {
    let fails = |error: Error| told(&error);
    plan(ledger, vec![row(1, Some(71), 1)]).await.map_err(fails)?;
    let key = key();
    let take = |owner: &'static str, now: i64, until: i64| ledger.lease(&key, owner, time(now), time(until));
    must(take("one", 0, 60_000).await.map_err(fails)?, "a free lease is given")?;
    must(
        !take("two", 59_999, 120_000).await.map_err(fails)?,
        "a lease that holds is not given to another",
    )?;
    let mut old = draft(ledger, &[]).await?;
    must(
        take("two", 60_001, 120_000).await.map_err(fails)?,
        "a lease that ran out is given to another",
    )?;
    old.edit_meta(&key, |meta| meta.next_seq = 99).map_err(fails)?;
    let late = ledger.commit(&old.into_transaction()).await;
    must(
        matches!(late, Err(Error::Conflict)),
        "whoever lost the lease commits nothing that was read before",
    )?;
    let meta = draft(ledger, &[]).await?.meta(&key).cloned();
    let unsure = meta.as_ref().and_then(|meta| meta.unsure);
    must(
        unsure == Some(time(60_001)),
        "a lease that was not given back leaves its work in doubt",
    )?;
    let owner = meta.and_then(|meta| meta.lease).map(|lease| (lease.owner, lease.until));
    must(
        owner == Some(("two".to_owned(), time(120_000))),
        "the lease says whose it is and until when",
    )?;
    must(
        !ledger.renew(&key, "one", time(200_000)).await.map_err(fails)?,
        "only the holder renews",
    )?;
    must(
        ledger.renew(&key, "two", time(180_000)).await.map_err(fails)?,
        "the holder renews",
    )?;
    let unsure = draft(ledger, &[]).await?.meta(&key).and_then(|meta| meta.unsure);
    must(unsure == Some(time(60_001)), "renewing puts nothing in doubt")?;
    ledger.release(&key, "one").await.map_err(fails)?;
    must(
        !take("three", 170_000, 230_000).await.map_err(fails)?,
        "only the holder gives back",
    )?;
    ledger.release(&key, "two").await.map_err(fails)?;
    must(
        take("three", 170_000, 230_000).await.map_err(fails)?,
        "a lease that was given back is free",
    )?;
    let unsure = draft(ledger, &[]).await?.meta(&key).and_then(|meta| meta.unsure);
    must(
        unsure == Some(time(60_001)),
        "a lease that was given back leaves nothing in doubt",
    )?;
    must(
        !ledger.renew(&acl("acl-9"), "two", time(0)).await.map_err(fails)?,
        "what was never leased is not renewed",
    )
}

async fn reads<L: Ledger>(ledger: &L) -> Result<(), Broken> {
    let fails = |error: Error| told(&error);
    plan(ledger, vec![row(2, Some(72), 2), row(1, Some(71), 1)])
        .await
        .map_err(fails)?;
    let mut gone = draft(ledger, &[]).await?;
    let mut removed = Row {
        state: State::Removed,
        because: Some("unblocked".to_owned()),
        gone_at: Some(time(5)),
        ..row(1, Some(71), 1)
    };
    removed.leave_number(time(5));
    gone.transition(removed.clone(), Event::Unblocked, note(time(5)))
        .map_err(fails)?;
    ledger.commit(&gone.into_transaction()).await.map_err(fails)?;
    let live = draft(ledger, &[]).await?;
    must(
        live.rows(&key()) == [row(2, Some(72), 2)],
        "a read has every live entry and no other",
    )?;
    let known = [key()];
    let reading = async |way: Direction| {
        let entries = [1, 9].map(|last| (key(), way, net(last)));
        let asked = ledger.read(Ask {
            acls: &known,
            entries: &entries,
            findings: &[],
        });
        Ok::<Draft, Broken>(Draft::new(asked.await.map_err(fails)?))
    };
    let asked = reading(Direction::Ingress).await?;
    must(
        reading(Direction::Egress).await?.rows(&key()) == live.rows(&key()),
        "an entry that went is not read for one of the other direction",
    )?;
    must(
        asked.row(&key(), Direction::Ingress, net(1)) == Some(&removed),
        "an entry asked for is read in any state",
    )?;
    must(
        asked.rows(&key()).len() == 2,
        "an entry that is not known is not made up",
    )?;
    let all = ledger.entries(Filter::All).await.map_err(fails)?;
    must(
        all.len() == 2 && all[0].seq < all[1].seq,
        "entries come in the order of planning",
    )?;
    let known = ledger.acls().await.map_err(fails)?;
    must(known == [key()], "the network ACLs that were written to are known")
}

async fn pending<L: Ledger>(ledger: &L) -> Result<(), Broken> {
    let fails = |error: Error| told(&error);
    let other = acl("acl-2");
    let both = [key(), other.clone()];
    let asked = ledger.read(Ask {
        acls: &both,
        ..Ask::default()
    });
    let mut draft = Draft::new(asked.await.map_err(fails)?);
    draft
        .transition(row(1, Some(71), 9), Event::Planned, note(time(0)))
        .map_err(fails)?;
    let elder = Row {
        acl: other.clone(),
        expires: Some(time(3_600_000)),
        ..row(1, Some(71), 1)
    };
    draft
        .transition(elder.clone(), Event::Planned, note(time(0)))
        .map_err(fails)?;
    ledger.commit(&draft.into_transaction()).await.map_err(fails)?;
    let found = ledger.pending(time(0)).await.map_err(fails)?;
    must(found == [other.clone(), key()], "who waits longest comes first")?;
    let asked = ledger.read(Ask {
        acls: &both,
        ..Ask::default()
    });
    let mut draft = Draft::new(asked.await.map_err(fails)?);
    for row in [row(1, Some(71), 9), elder] {
        let stands = Row {
            state: State::Applied,
            ..row
        };
        draft.transition(stands, Event::Applied, note(time(0))).map_err(fails)?;
    }
    ledger.commit(&draft.into_transaction()).await.map_err(fails)?;
    let found = ledger.pending(time(3_599_999)).await.map_err(fails)?;
    must(found.is_empty(), "what stands is not pending")?;
    let found = ledger.pending(time(3_600_000)).await.map_err(fails)?;
    must(found == [other], "an entry whose time is up is pending")
}
