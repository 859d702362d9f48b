//! What was read counts: as a condition of what is written, and as what is remembered of it.

use chrono::TimeDelta;
use portcullis::ledger::{
    Ask, Draft, Error, Event, FindingRow, Ledger, Pause, Remembered, SupposedNew, Transaction, View,
};
use portcullis::network_acl::Direction;

use super::ledger::{draft, key, net, note, plan, row, told};
use super::records::decided;
use super::{Broken, must};
use crate::executor::time;

pub(super) async fn hold<L: Ledger>(make: impl Fn() -> L) -> Result<(), Broken> {
    what_was_only_read_holds_still(&make()).await?;
    our_own_writes_are_followed(&Remembered::new(make())).await?;
    what_is_supposed_new_has_to_be(&Remembered::new(make())).await
}

fn finding(versions: u64) -> FindingRow {
    FindingRow {
        id: "f1".to_owned(),
        version: versions - 1,
        updated_at: time(0),
        slots: 1,
        versions,
        told: Vec::new(),
    }
}

fn pause(draft: &mut Draft) {
    draft.pause(Some(Pause {
        who: "ada".to_owned(),
        reason: "a test".to_owned(),
        at: time(0),
        until: None,
    }));
}

fn move_on(draft: &mut Draft) -> Result<(), Error> {
    draft.edit_meta(&key(), |meta| meta.next_seq += 1)
}

type Change = fn(&mut Draft) -> Result<(), Error>;

async fn written<L: Ledger>(ledger: &L, change: Change) -> Result<(), Broken> {
    let mut draft = draft(ledger, &["f1".to_owned()]).await?;
    change(&mut draft).map_err(|error| told(&error))?;
    ledger
        .commit(&draft.into_transaction())
        .await
        .map(drop)
        .map_err(|error| told(&error))
}

/// A finding, a pause, a network ACL: one write to each.
const CHANGES: [(&str, Change); 4] = [
    ("a network ACL", move_on),
    ("a finding that is new", |draft| {
        draft.put_finding(finding(1));
        Ok(())
    }),
    ("a finding", |draft| {
        draft.put_finding(finding(2));
        Ok(())
    }),
    ("the lists", |draft| {
        pause(draft);
        Ok(())
    }),
];

async fn what_was_only_read_holds_still<L: Ledger>(ledger: &L) -> Result<(), Broken> {
    plan(ledger, vec![row(1, Some(71), 1)])
        .await
        .map_err(|error| told(&error))?;
    for (what, change) in CHANGES {
        let mut late = draft(ledger, &["f1".to_owned()]).await?;
        late.all_holds_still();
        late.audit(decided(0));
        written(ledger, change).await?;
        let late = ledger.commit(&late.into_transaction()).await;
        // What is not there has no version that could be a condition.
        let refused = matches!(late, Err(Error::Conflict)) || what == "a finding that is new";
        must(
            refused,
            &format!("whoever commits on the condition that {what} holds still is told when it moved"),
        )?;
    }
    let mut still = draft(ledger, &["f1".to_owned()]).await?;
    still.all_holds_still();
    still.audit(decided(0));
    let done = ledger.commit(&still.into_transaction()).await;
    must(done.is_ok(), "what holds still is no obstacle")
}

/// After each of our own writes, what is remembered is what stands, or nothing is.
async fn our_own_writes_are_followed<L: Ledger>(ledger: &Remembered<L>) -> Result<(), Broken> {
    let fails = |error: Error| told(&error);
    let (key, owner) = (key(), "one");
    must(
        ledger.recall(Ask::default()).is_none(),
        "nothing is remembered before it was read",
    )?;
    plan(ledger, vec![row(1, Some(71), 1)]).await.map_err(fails)?;
    for (what, change) in CHANGES {
        written(ledger, change).await?;
        as_it_stands(ledger, what).await?;
    }
    for (what, at) in [("a lease", 0), ("a lease that was not given back", 600_000)] {
        let (now, until) = (time(at), time(at) + TimeDelta::minutes(1));
        must(
            ledger.lease(&key, owner, now, until).await.map_err(fails)?,
            "a lease is free",
        )?;
        as_it_stands(ledger, what).await?;
    }
    let until = time(700_000);
    must(
        ledger.renew(&key, owner, until).await.map_err(fails)?,
        "a lease is kept",
    )?;
    as_it_stands(ledger, "a lease that was kept").await?;
    must(
        !ledger.renew(&key, "two", until).await.map_err(fails)?,
        "a lease is not another's",
    )?;
    as_it_stands(ledger, "a lease that another wanted").await?;
    ledger.release(&key, owner).await.map_err(fails)?;
    as_it_stands(ledger, "a lease that was given back").await?;
    plan(ledger, vec![row(2, Some(72), 2)]).await.map_err(fails)?;
    as_it_stands(ledger, "a second entry").await
}

/// What nobody remembers is planned on without a read, and not when it was there after all.
async fn what_is_supposed_new_has_to_be<L: Ledger>(ledger: &Remembered<L>) -> Result<(), Broken> {
    let fails = |error: Error| told(&error);
    let (acls, findings) = ([key()], ["f1".to_owned()]);
    plan(ledger, vec![row(1, Some(71), 1)]).await.map_err(fails)?;
    let supposing = |last: u8| {
        let entries = [Direction::Egress, Direction::Ingress].map(|way| (key(), way, net(last)));
        let view = ledger.recall(Ask {
            acls: &acls,
            entries: &entries,
            findings: &findings,
        });
        let view = view.ok_or("what nobody heard of is supposed to be new")?;
        must(
            view.supposed_new.findings == findings && view.supposed_new.entries.len() == 2,
            "what is supposed to be new is named",
        )?;
        let mut draft = Draft::new(view);
        draft.all_holds_still();
        draft.put_finding(finding(1));
        draft.audit(decided(0));
        Ok::<Draft, Broken>(draft)
    };
    let mut first = supposing(2)?;
    let second = supposing(2)?;
    first
        .transition(row(2, Some(72), 2), Event::Planned, note(time(2000)))
        .map_err(fails)?;
    ledger.commit(&first.into_transaction()).await.map_err(fails)?;
    let late = ledger.commit(&second.into_transaction()).await;
    must(
        matches!(late, Err(Error::Conflict)),
        "whoever supposes to be new what is not is told so",
    )?;
    // Nothing but that the entry is there: the condition alone refuses.
    let alone = Transaction {
        expect_new: vec![(key(), Direction::Ingress, net(2))],
        audit: vec![decided(1)],
        ..Transaction::default()
    };
    let late = ledger.commit(&alone).await;
    must(
        matches!(late, Err(Error::Conflict)),
        "an entry that is there is not new",
    )?;
    let still = Transaction {
        expect_new: vec![(key(), Direction::Egress, net(2)), (key(), Direction::Ingress, net(3))],
        ..alone
    };
    must(
        ledger.commit(&still).await.is_ok(),
        "an entry that is not there is new, whatever is there in the other direction",
    )
}

async fn as_it_stands<L: Ledger>(ledger: &Remembered<L>, after: &str) -> Result<(), Broken> {
    let (acls, findings) = ([key()], ["f1".to_owned()]);
    let entries = [1, 2].map(|last| (key(), Direction::Ingress, net(last)));
    let ask = Ask {
        acls: &acls,
        entries: &entries,
        findings: &findings,
    };
    let recalled = ledger.recall(ask);
    let stands = ledger.read(ask).await.map_err(|error| told(&error))?;
    let sorted = |mut view: View| {
        // What is supposed is no memory.
        view.supposed_new = SupposedNew::default();
        for acl in &mut view.acls {
            acl.rows.sort_by_key(|row| row.seq);
        }
        view
    };
    must(
        recalled.is_none_or(|recalled| sorted(recalled) == sorted(stands.clone())),
        &format!("after {after}, what is remembered is what stands"),
    )?;
    must(
        stands.findings.is_empty() || ledger.recall(ask).is_some(),
        "what was just read is remembered",
    )
}
