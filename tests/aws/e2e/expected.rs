//! What came of the events, beside what had to.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::NetworkAcl;
use portcullis::ledger::dynamodb::DynamoDbLedger;
use portcullis::ledger::{Ask, Filter, Ledger as _, Row, State};
use portcullis::respond::policy::Policy;
use portcullis::respond::report::Mode;
use portcullis::respond::verify;

use super::Stage;
use super::events::{Entry, Expected};
use crate::account::ACCOUNT;

/// Findings that are read at once.
const AT_ONCE: usize = 90;

/// What was found.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) planned: usize,
    pub(crate) standing: usize,
    pub(crate) lost: u64,
    /// Everything that is wrong, in words.
    pub(crate) problems: Vec<String>,
}

/// Compares everything.
pub(crate) async fn compare(expected: &Expected, stage: &Stage, ledger: &DynamoDbLedger) -> Found {
    let mut found = Found::default();
    findings(expected, ledger, &mut found).await;
    let rows = ledger.entries(Filter::All).await.expect("the table");
    entries(expected, &rows, &mut found);
    stands(stage, &rows, &mut found).await;
    told(stage, &rows, &mut found);
    let most = expected.unreadable.len() + AT_ONCE;
    let kept = ledger.unreadable(most).await.expect("the table");
    let kept: BTreeSet<String> = kept.into_iter().map(|row| row.digest).collect();
    if kept != expected.unreadable {
        let differs = kept.symmetric_difference(&expected.unreadable).count();
        let problem = format!("{differs} records that cannot be read are not kept, or were readable");
        found.problems.push(problem);
    }
    let problems = verify(ledger, &stage.ec2().await, &policy()).await;
    found.problems.extend(problems.expect("a comparison"));
    found
}

/// Every finding stands at its newest version, and every version was processed once.
async fn findings(expected: &Expected, ledger: &DynamoDbLedger, found: &mut Found) {
    let ids: Vec<String> = expected.findings.keys().cloned().collect();
    for ids in ids.chunks(AT_ONCE) {
        let asked = Ask {
            findings: ids,
            ..Ask::default()
        };
        let view = ledger.read(asked).await.expect("the table");
        for id in ids {
            let (updated, versions) = expected.findings[id];
            let Some(row) = view.findings.iter().find(|row| row.id == *id) else {
                found.problems.push(format!("{id} was never decided on"));
                found.lost += versions;
                continue;
            };
            if row.updated_at.timestamp_millis() != updated.timestamp_millis() {
                found.problems.push(format!("{id} is at another version"));
            }
            if row.versions > versions {
                let problem = format!("{id}: {} versions of {versions}", row.versions);
                found.problems.push(problem);
            }
            found.lost += versions.saturating_sub(row.versions);
        }
    }
}

/// Each address that attacked has one entry where it attacked, in each direction meant, and nobody else has one.
fn entries(expected: &Expected, rows: &[Row], found: &mut Found) {
    found.planned = rows.len();
    let place = |row: &Row| -> Entry { (row.acl.acl.clone(), row.direction, row.cidr.to_string()) };
    let planned: BTreeSet<Entry> = rows.iter().map(place).collect();
    if planned.len() != rows.len() {
        found.problems.push("an entry is doubled".to_owned());
    }
    let missing = expected.entries.difference(&planned);
    let words = missing.take(20).map(|entry| format!("{entry:?} was never planned"));
    found.problems.extend(words);
    let others = planned.difference(&expected.entries).take(20);
    let words = others.map(|entry| format!("{entry:?} should not have been planned"));
    found.problems.extend(words);
    let pending = rows.iter().filter(|row| row.state.is_pending());
    found
        .problems
        .extend(pending.map(|row| format!("{row:?} is still pending")));
}

/// EC2 has what is applied, each once, and no other deny.
async fn stands(stage: &Stage, rows: &[Row], found: &mut Found) {
    let client = aws_sdk_ec2::Client::new(&super::reached(stage.front.url()).await);
    for gate in &stage.gates {
        let of = rows.iter().filter(|row| row.acl.acl == gate.acl);
        let mut applied: Vec<(bool, Option<i32>, String)> = of
            .filter(|row| row.state == State::Applied)
            .map(|row| {
                let egress = row.direction == portcullis::network_acl::Direction::Egress;
                (egress, row.rule.map(i32::from), row.cidr.to_string())
            })
            .collect();
        applied.sort();
        let described = client.describe_network_acls().network_acl_ids(&gate.acl).send().await;
        let described = described.expect("described");
        let entries = described.network_acls().iter().flat_map(NetworkAcl::entries);
        let mut stands: Vec<(bool, Option<i32>, String)> = entries
            .filter(|entry| entry.rule_number().is_some_and(|rule| (1..32_767).contains(&rule)))
            .map(|entry| {
                let cidr = entry.cidr_block().unwrap_or_default().to_owned();
                (entry.egress() == Some(true), entry.rule_number(), cidr)
            })
            .collect();
        stands.sort();
        found.standing += stands.len();
        if stands != applied {
            let problem = format!("{}: the ledger has {applied:?}, EC2 has {stands:?}", gate.acl);
            found.problems.push(problem);
        }
    }
}

/// People were told of every address, by a message that Slack took.
fn told(stage: &Stage, rows: &[Row], found: &mut Found) {
    let told: String = stage.webhook.messages().iter().map(ToString::to_string).collect();
    // The addresses in it, so that looking for thousands takes no minutes.
    let told: BTreeSet<&str> = told
        .split(|letter: char| !(letter.is_ascii_digit() || letter == '.'))
        .map(|word| word.trim_matches('.'))
        .collect();
    let untold = rows
        .iter()
        .filter(|row| !told.contains(row.cidr.addr().to_string().as_str()));
    found
        .problems
        .extend(untold.map(|row| format!("nobody was told of {}", row.cidr)));
}

fn policy() -> Policy {
    let mut policy = Policy {
        mode: Mode::Enforce,
        accounts: vec![ACCOUNT.to_owned()],
        ..Policy::default()
    };
    policy.limits.evictions_per_hour = 3600;
    policy
}
