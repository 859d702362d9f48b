//! The rest of the contract of [`Ledger`]: audit, outbox, positions and records that cannot be read.

use chrono::{DateTime, Utc};
use portcullis::ledger::{
    AlertRow, AuditRow, Delivery, Error, Event, Ledger, MessageRow, Position, Transaction, Unreadable,
};
use serde_json::json;

use super::ledger::{net, told};
use super::{Broken, must};
use crate::executor::time;

/// Holds a ledger to every sentence here.
pub(super) async fn hold<L: Ledger>(make: impl Fn() -> L) -> Result<(), Broken> {
    audit_is_ordered(&make()).await?;
    outbox(&make()).await?;
    first_attempts(&make()).await?;
    positions(&make()).await?;
    unreadable(&make()).await
}

pub(super) fn decided(number: usize) -> AuditRow {
    let reason = if number == 0 { "private" } else { "matched" };
    AuditRow {
        cidr: Some(net(1)),
        finding: Some(format!("f{number}")),
        ..AuditRow::new(Event::Decided, "responder", reason, time(0))
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
    ledger
        .put_message(&numbers, &message(1000), None)
        .await
        .map_err(fails)?;
    let twice = ledger.put_message(&numbers[..1], &message(1000), None).await;
    must(matches!(twice, Err(Error::Conflict)), "an alert is in one message")?;
    let left = ledger.alerts_waiting(9).await.map_err(fails)?;
    must(
        left.len() == 1 && left[0].address == Some(net(3)),
        "alerts in a message do not wait",
    )?;
    ledger
        .put_message(&[left[0].number], &message(2000), None)
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
    for slower in [None, Some(9600), None, Some(9600)] {
        ledger.delivered(second, &failed(slower)).await.map_err(fails)?;
    }
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

/// A message that was sent before it was written down, or tried.
async fn first_attempts<L: Ledger>(ledger: &L) -> Result<(), Broken> {
    let fails = |error: Error| told(&error);
    let mut numbers = Vec::new();
    for last in 1..4 {
        let transaction = Transaction {
            alerts: vec![AlertRow {
                number: 0,
                at: time(0),
                address: Some(net(last)),
                body: json!({}),
            }],
            ..Transaction::default()
        };
        let written = ledger.commit(&transaction).await.map_err(fails)?;
        numbers.extend(written.first_alert);
    }
    let waiting = ledger.alerts_waiting(9).await.map_err(fails)?;
    let stand: Vec<u64> = waiting.iter().map(|alert| alert.number).collect();
    must(numbers == stand, "a commit says under which numbers its alerts are")?;
    let nothing = ledger.commit(&Transaction::default()).await.map_err(fails)?;
    must(nothing.first_alert.is_none(), "a commit of no alerts says no number")?;
    let failed = |next: Option<i64>| Delivery::Failed {
        error: "down".to_owned(),
        next: next.map(time),
    };
    let outcomes = [Delivery::Sent(time(1500)), failed(Some(9000)), failed(None)];
    let mut put = Vec::new();
    for (number, outcome) in numbers.iter().zip(&outcomes) {
        put.push(
            ledger
                .put_message(&[*number], &message(1000), Some(outcome))
                .await
                .map_err(fails)?,
        );
    }
    let twice = ledger
        .put_message(&numbers[..1], &message(1000), Some(&outcomes[0]))
        .await;
    must(
        matches!(twice, Err(Error::Conflict)),
        "an alert is in one message, also in one that was sent already",
    )?;
    let counts = ledger.counts().await.map_err(fails)?;
    must(
        (counts.sent, counts.waiting, counts.dead) == (1, 1, 1),
        "messages are counted with the outcome of their first attempt",
    )?;
    let unsent = ledger.unsent(time(9000), 9).await.map_err(fails)?;
    let waits = unsent.first().filter(|_| unsent.len() == 1);
    must(
        waits.is_some_and(|row| (row.number, row.attempts, row.next) == (put[1], 1, time(9000))),
        "a first attempt that failed waits for its next",
    )
}

async fn positions<L: Ledger>(ledger: &L) -> Result<(), Broken> {
    let fails = |error: Error| told(&error);
    must(
        ledger.position("shard-0").await.map_err(fails)? == Position::default(),
        "a reader begins at the beginning",
    )?;
    // As long as sequence numbers of Kinesis are.
    let long = |last: char| format!("4959033827149025660855969253836157109592157598913658889{last}");
    let places = [("5", "5"), ("3", "5"), ("10", "10"), ("9", "10")]
        .map(|(set, expected)| (set.to_owned(), expected.to_owned()));
    let longer = [('4', '4'), ('2', '4'), ('7', '7')].map(|(set, expected)| (long(set), long(expected)));
    for (set, expected) in places.into_iter().chain(longer) {
        let parsed = |text: String| text.parse::<Position>().map_err(|error| error.to_string());
        let (set, expected) = (parsed(set)?, parsed(expected)?);
        ledger.set_position("shard-0", &set).await.map_err(fails)?;
        let position = ledger.position("shard-0").await.map_err(fails)?;
        must(position == expected, "a position only moves forward")?;
    }
    must(
        ledger.position("shard-1").await.map_err(fails)? == Position::default(),
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
    for together in [&[("a", 1000)][..], &[("b", 2000), ("b", 2000)], &[("a", 3000)]] {
        let transaction = Transaction {
            unreadable: together.iter().map(|(digest, at)| record(digest, *at)).collect(),
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
        kept == [
            first,
            Unreadable {
                times: 2,
                ..record("b", 2000)
            },
        ],
        "a record that cannot be read is kept once, and counted",
    )
}
