//! The ledger on DynamoDB keeps the contract; beyond it, how it is set up, and several processes at once.
#![cfg(feature = "aws")]

mod dynamodb_local;

use chrono::{DateTime, TimeDelta};
use portcullis::ledger::dynamodb::DynamoDbLedger;
use portcullis::ledger::{Ask, AuditRow, Draft, Event, Ledger, Transaction};
use portcullis::network_acl::AclKey;
use portcullis_harness::contract;

use dynamodb_local::DynamoDbLocal;

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_on_dynamodb_keeps_the_contract() {
    let server = DynamoDbLocal::start();
    let make = || tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(server.ledger()));
    assert_eq!(contract::ledger::hold(make).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_setup_makes_the_table_and_a_second_time_it_changes_nothing() {
    let server = DynamoDbLocal::start();
    let (config, table) = (server.config(), server.table());

    let missing = DynamoDbLedger::open(&config, &table).await.expect_err("no table");
    let said = missing.to_string();
    for word in [table.as_str(), "eu-central-1", "portcullis setup ledger"] {
        assert!(said.contains(word), "{said}");
    }
    let planned = DynamoDbLedger::setup(&config, &table, true).await.expect("a plan");
    assert_eq!(planned.steps.len(), 3);
    DynamoDbLedger::open(&config, &table)
        .await
        .expect_err("a plan makes nothing");

    let made = DynamoDbLedger::setup(&config, &table, false).await.expect("set up");
    assert_eq!(made, planned);
    DynamoDbLedger::open(&config, &table).await.expect("a ledger");
    let again = DynamoDbLedger::setup(&config, &table, false).await.expect("set up");
    assert!(again.steps.is_empty(), "{again:?}");
}

/// What the ledger alone takes. A responder that reads before it plans adds the read to the plan.
#[tokio::test(flavor = "multi_thread")]
async fn each_step_takes_the_calls_that_it_needs_and_no_more() {
    let server = DynamoDbLocal::start();
    let ((config, wire), table) = (server.counted().await, server.table());
    DynamoDbLedger::setup(&config, &table, false).await.expect("set up");
    let ledger = DynamoDbLedger::open(&config, &table).await.expect("a ledger");
    let key = AclKey {
        account: "111122223333".to_owned(),
        region: "eu-central-1".to_owned(),
        acl: "acl-1".to_owned(),
    };
    let (now, until) = (DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH + TimeDelta::minutes(1));
    let known = [key.clone()];
    let ask = Ask {
        acls: &known,
        ..Ask::default()
    };
    let plan = |view| {
        let mut draft = Draft::new(view);
        draft.edit_meta(&key, |meta| meta.next_seq += 1).expect("a change");
        draft.audit(decided(0, 0));
        draft.into_transaction()
    };
    let view = ledger.read(ask).await.expect("a view");
    ledger.commit(&plan(view)).await.expect("a first commit");
    wire.calls();

    let view = ledger.read(ask).await.expect("a view");
    assert_eq!(wire.calls(), ["Query", "TransactGetItems"]);
    ledger.commit(&plan(view)).await.expect("a commit");
    assert_eq!(wire.calls(), ["TransactWriteItems"]);
    assert!(ledger.lease(&key, "one", now, until).await.expect("a lease"));
    assert_eq!(wire.calls(), ["UpdateItem"]);
    assert!(ledger.renew(&key, "one", until).await.expect("renewed"));
    assert_eq!(wire.calls(), ["UpdateItem"]);
    ledger.release(&key, "one").await.expect("given back");
    assert_eq!(wire.calls(), ["UpdateItem"]);
    ledger.set_position("shard", &7.into()).await.expect("a position");
    assert_eq!(wire.calls(), ["UpdateItem"]);
}

fn decided(writer: usize, number: usize) -> AuditRow {
    AuditRow {
        finding: Some(format!("{writer}/{number}")),
        ..AuditRow::new(Event::Decided, "responder", "matched", DateTime::UNIX_EPOCH)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_numbers_of_several_processes_have_neither_holes_nor_doubles() {
    const WRITERS: usize = 3;
    const COMMITS: usize = 20;

    let server = DynamoDbLocal::start();
    let (config, table) = (server.config(), server.table());
    DynamoDbLedger::setup(&config, &table, false).await.expect("set up");
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let ledger = DynamoDbLedger::open(&config, &table).await.expect("a ledger");
        writers.push(tokio::spawn(async move {
            for number in 0..COMMITS {
                let transaction = Transaction {
                    audit: vec![decided(writer, 2 * number), decided(writer, 2 * number + 1)],
                    ..Transaction::default()
                };
                // Too many others at once is told as a conflict, and nothing was written.
                while ledger.commit(&transaction).await.is_err() {}
            }
        }));
    }
    for writer in writers {
        writer.await.expect("a writer ends");
    }
    let ledger = DynamoDbLedger::open(&config, &table).await.expect("a ledger");
    let rows = ledger.audit(0, usize::MAX).await.expect("an audit");
    let numbers: Vec<u64> = rows.iter().map(|row| row.number).collect();
    let expected: Vec<u64> = (1..=2 * (WRITERS * COMMITS) as u64).collect();
    assert_eq!(numbers, expected);
    for writer in 0..WRITERS {
        let mine: Vec<&str> = rows.iter().filter_map(|row| row.finding.as_deref()).collect();
        let mine: Vec<&str> = mine
            .into_iter()
            .filter(|id| id.starts_with(&format!("{writer}/")))
            .collect();
        let expected: Vec<String> = (0..2 * COMMITS).map(|number| format!("{writer}/{number}")).collect();
        assert_eq!(mine, expected);
    }
    let counts = ledger.counts().await.expect("counts");
    assert_eq!(counts.decided.get("matched"), Some(&(rows.len() as u64)));
    let part = ledger.audit(7, 5).await.expect("a part");
    assert_eq!(part, rows[7..12]);
}
