//! The ledger on DynamoDB keeps the contract; beyond it, how it is set up, and several processes at once.
#![cfg(feature = "aws")]

mod dynamodb_local;

use chrono::DateTime;
use portcullis::ledger::dynamodb::DynamoDbLedger;
use portcullis::ledger::{AuditRow, Event, Ledger, Transaction};
use portcullis_harness::contract;
use serde_json::Value;

use dynamodb_local::DynamoDbLocal;

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_on_dynamodb_keeps_the_contract() {
    let server = DynamoDbLocal::start().await;
    let make = || tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(server.ledger()));
    assert_eq!(contract::ledger::hold(make).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_setup_makes_the_table_and_a_second_time_it_changes_nothing() {
    let server = DynamoDbLocal::start().await;
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

fn decided(writer: usize, number: usize) -> AuditRow {
    AuditRow {
        number: 0,
        at: DateTime::UNIX_EPOCH,
        event: Event::Decided,
        acl: None,
        direction: None,
        rule: None,
        cidr: None,
        reason: "matched".to_owned(),
        finding: Some(format!("{writer}/{number}")),
        who: "responder".to_owned(),
        about: Value::Null,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_numbers_of_several_processes_have_neither_holes_nor_doubles() {
    const WRITERS: usize = 3;
    const COMMITS: usize = 20;

    let server = DynamoDbLocal::start().await;
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
