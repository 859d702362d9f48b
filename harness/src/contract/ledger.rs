//! The contract of [`Ledger`].

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use portcullis::ledger::{
    AlertRow, Ask, AuditRow, Delivery, Draft, Error, Event, Filter, FindingRow, Ledger, MessageRow, Row, State,
    Transaction, Unreadable, draft::Note,
};
use portcullis::network_acl::{AclKey, Direction};
use serde_json::{Value, json};

use super::{Broken, must};
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
    leases(&make()).await?;
    reads(&make()).await?;
    pending(&make()).await?;
    audit_is_ordered(&make()).await?;
    outbox(&make()).await?;
    positions(&make()).await?;
    unreadable(&make()).await
}

fn told(error: &Error) -> Broken {
    format!("a call failed: {error}")
}

fn key() -> AclKey {
    acl("acl-1")
}

fn net(last: u8) -> IpNet {
    IpNet::from(std::net::IpAddr::from([185, 220, 101, last]))
}

fn row(last: u8, rule: Option<u16>, seq: u64) -> Row {
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
        about: json!({"note": "kept as it is"}),
    }
}

fn note(at: DateTime<Utc>) -> Note<'static> {
    Note {
        at,
        reason: "matched",
        finding: Some("f1"),
        who: "responder",
        about: Value::Null,
    }
}

async fn draft<L: Ledger>(ledger: &L, findings: &[String]) -> Result<Draft, Broken> {
    let known = [key()];
    let asked = ledger.read(Ask {
        acls: &known,
        cidrs: &[],
        findings,
    });
    Ok(Draft::new(asked.await.map_err(|error| told(&error))?))
}

async fn plan<L: Ledger>(ledger: &L, rows: Vec<Row>) -> Result<(), Error> {
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
    ledger.commit(&draft.into_transaction()).await
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
    let id = "111122223333/eu-west-1/f1".to_owned();
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
    let once = matches!(done.as_slice(), [Ok(()), Err(Error::Conflict)]);
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
    let (known, two) = ([key()], [net(1), net(9)]);
    let asked = ledger.read(Ask {
        acls: &known,
        cidrs: &two,
        findings: &[],
    });
    let asked = Draft::new(asked.await.map_err(fails)?);
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

fn decided(number: usize) -> AuditRow {
    AuditRow {
        number: 0,
        at: time(0),
        event: Event::Decided,
        acl: None,
        direction: None,
        rule: None,
        cidr: Some(net(1)),
        reason: if number == 0 { "private" } else { "matched" }.to_owned(),
        finding: Some(format!("f{number}")),
        who: "responder".to_owned(),
        about: Value::Null,
    }
}

async fn audit_is_ordered<L: Ledger>(ledger: &L) -> Result<(), Broken> {
    let fails = |error: Error| told(&error);
    for numbers in [0..2, 2..3] {
        let transaction = Transaction {
            audit: numbers.map(decided).collect(),
            ..Transaction::default()
        };
        ledger.commit(&transaction).await.map_err(fails)?;
    }
    let all = ledger.audit(0, 10).await.map_err(fails)?;
    let order: Vec<_> = all.iter().filter_map(|row| row.finding.clone()).collect();
    must(order == ["f0", "f1", "f2"], "the audit is in the order of the commits")?;
    must(
        all.windows(2).all(|two| two[0].number < two[1].number),
        "numbers of the audit grow",
    )?;
    let after = ledger.audit(all[0].number, 1).await.map_err(fails)?;
    must(after == all[1..2], "the audit is read from a place on")?;
    let newest = ledger.audit_newest(1).await.map_err(fails)?;
    must(newest == all[2..], "the newest audit row comes first")?;
    let counts = ledger.counts().await.map_err(fails)?;
    let decided = (counts.events.get("decided"), counts.decided.get("private"));
    must(decided == (Some(&3), Some(&1)), "audit rows and decisions are counted")
}

fn message(at: i64) -> MessageRow {
    MessageRow {
        number: 0,
        at: time(at),
        addresses: vec![net(1)],
        payload: json!({"text": "blocked"}),
        next: time(at),
        sent: None,
        attempts: 0,
        last_error: None,
    }
}

async fn outbox<L: Ledger>(ledger: &L) -> Result<(), Broken> {
    let fails = |error: Error| told(&error);
    let alert = |last: u8| AlertRow {
        number: 0,
        at: time(0),
        address: Some(net(last)),
        body: json!({"kind": "blocked"}),
    };
    let transaction = Transaction {
        alerts: (1..4).map(alert).collect(),
        ..Transaction::default()
    };
    ledger.commit(&transaction).await.map_err(fails)?;
    let waiting = ledger.alerts_waiting(2).await.map_err(fails)?;
    must(
        waiting.len() == 2 && waiting[0].address == Some(net(1)),
        "alerts wait in their order",
    )?;
    let numbers: Vec<u64> = waiting.iter().map(|alert| alert.number).collect();
    ledger.put_message(&numbers, &message(1000)).await.map_err(fails)?;
    let twice = ledger.put_message(&numbers[..1], &message(1000)).await;
    must(matches!(twice, Err(Error::Conflict)), "an alert is in one message")?;
    let left = ledger.alerts_waiting(9).await.map_err(fails)?;
    must(
        left.len() == 1 && left[0].address == Some(net(3)),
        "alerts in a message do not wait",
    )?;
    ledger
        .put_message(&[left[0].number], &message(2000))
        .await
        .map_err(fails)?;

    must(
        ledger.unsent(time(999), 9).await.map_err(fails)?.is_empty(),
        "a message waits for its time",
    )?;
    let unsent = ledger.unsent(time(2000), 9).await.map_err(fails)?;
    must(
        unsent.len() == 2 && unsent[0].number < unsent[1].number,
        "messages go in their order",
    )?;
    let (first, second) = (unsent[0].number, unsent[1].number);
    let failed = |next: Option<i64>| Delivery::Failed {
        error: "down".to_owned(),
        next: next.map(time),
    };
    ledger.delivered(first, &failed(Some(9000))).await.map_err(fails)?;
    let unsent = ledger.unsent(time(8999), 9).await.map_err(fails)?;
    must(
        unsent.iter().all(|row| row.number == second),
        "a message that failed waits until it is told to",
    )?;
    let again = ledger.unsent(time(9000), 1).await.map_err(fails)?;
    let row = again.first();
    must(
        row.is_some_and(|row| (row.attempts, row.next) == (1, time(9000))),
        "attempts are counted",
    )?;
    ledger
        .delivered(first, &Delivery::Sent(time(9500)))
        .await
        .map_err(fails)?;
    ledger.delivered(first, &failed(Some(9600))).await.map_err(fails)?;
    ledger.delivered(second, &failed(None)).await.map_err(fails)?;
    let unsent = ledger.unsent(DateTime::<Utc>::MAX_UTC, 9).await.map_err(fails)?;
    must(
        unsent.is_empty(),
        "what was sent or given up does not wait, whatever a slower attempt says",
    )?;
    let counts = ledger.counts().await.map_err(fails)?;
    must(
        (counts.sent, counts.waiting, counts.dead) == (1, 0, 1),
        "messages are counted",
    )?;
    let newest = ledger.messages(1).await.map_err(fails)?;
    must(
        newest.first().is_some_and(|row| row.number == second),
        "the newest message comes first",
    )
}

async fn positions<L: Ledger>(ledger: &L) -> Result<(), Broken> {
    let fails = |error: Error| told(&error);
    must(
        ledger.position("shard-0").await.map_err(fails)? == 0,
        "a reader begins at the beginning",
    )?;
    for (set, expected) in [(5, 5), (3, 5), (9, 9)] {
        ledger.set_position("shard-0", set).await.map_err(fails)?;
        let position = ledger.position("shard-0").await.map_err(fails)?;
        must(position == expected, "a position only moves forward")?;
    }
    must(
        ledger.position("shard-1").await.map_err(fails)? == 0,
        "each reader has its own position",
    )
}

async fn unreadable<L: Ledger>(ledger: &L) -> Result<(), Broken> {
    let fails = |error: Error| told(&error);
    let record = |digest: &str, at: i64| Unreadable {
        digest: digest.to_owned(),
        at: time(at),
        times: 1,
        reason: "no JSON".to_owned(),
        length: 3,
        bytes: vec![0, 255, 7],
    };
    for (digest, at) in [("a", 1000), ("b", 2000), ("a", 3000)] {
        let transaction = Transaction {
            unreadable: vec![record(digest, at)],
            ..Transaction::default()
        };
        ledger.commit(&transaction).await.map_err(fails)?;
    }
    let mut kept = ledger.unreadable(9).await.map_err(fails)?;
    kept.sort_by(|a, b| a.digest.cmp(&b.digest));
    let first = Unreadable {
        times: 2,
        ..record("a", 1000)
    };
    must(
        kept == [first, record("b", 2000)],
        "a record that cannot be read is kept once, and counted",
    )
}
