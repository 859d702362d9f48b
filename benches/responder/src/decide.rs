//! Findings a second on one core: deciding alone, and reading them first.

use std::hint::black_box;

use anyhow::{Result, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;
use portcullis::{
    finding::Finding,
    generate::Generator,
    respond::{decide::decide, guard::Knowledge, policy::Policy},
};
use portcullis_benches::cpu_nanoseconds;
use portcullis_transforms::Source;

/// Findings a second of CPU time, round by round.
pub(crate) struct Rates {
    pub(crate) findings: usize,
    /// Deciding on findings that were read.
    pub(crate) decided: Vec<f64>,
    /// Reading and deciding.
    pub(crate) read: Vec<f64>,
}

/// Measures both over the same findings, in turns.
pub(crate) fn rates(short: bool) -> Result<Rates> {
    let (count, rounds) = if short { (500, 3) } else { (20_000, 15) };
    let until: DateTime<Utc> = "2026-11-21T12:00:00Z".parse()?;
    let mut generator = Generator::new(Source::GuardDuty, 7, until - TimeDelta::hours(20), until, count);
    let mut records = Vec::new();
    let mut record = Vec::new();
    while generator.write_next(&mut record).is_some() {
        records.push(std::mem::take(&mut record));
    }
    let findings: Vec<Finding> = records
        .iter()
        .filter_map(|record| Finding::parse(record).ok())
        .collect();
    ensure!(
        findings.len() == records.len(),
        "{} of {} generated findings cannot be read",
        records.len() - findings.len(),
        records.len()
    );
    let policy = Policy::default();
    let knowledge = known(&policy);
    let mut rates = Rates {
        findings: findings.len(),
        decided: Vec::new(),
        read: Vec::new(),
    };
    let a_second = |began: i64| findings.len() as f64 / ((cpu_nanoseconds() - began) as f64 / 1e9);
    for _ in 0..rounds {
        let began = cpu_nanoseconds();
        for finding in &findings {
            black_box(decide(finding, &policy, &knowledge, until));
        }
        rates.decided.push(a_second(began));
        let began = cpu_nanoseconds();
        for record in &records {
            let finding = Finding::parse(record)?;
            black_box(decide(&finding, &policy, &knowledge, until));
        }
        rates.read.push(a_second(began));
    }
    Ok(rates)
}

/// What the guards know of a large estate: 2,000 addresses of its own, 300 networks, 400 of AWS services, 200 of partners.
fn known(policy: &Policy) -> Knowledge {
    let mut knowledge = Knowledge::of(policy);
    let networks = |count: u32, first: [u8; 4], step: u32, prefix: u8| {
        (0..count).filter_map(move |at| {
            let address = std::net::Ipv4Addr::from(u32::from_be_bytes(first) + at * step);
            IpNet::new(address.into(), prefix).ok()
        })
    };
    knowledge.own_addresses.extend(networks(2_000, [3, 64, 0, 1], 977, 32));
    knowledge.own_networks.extend(networks(300, [10, 0, 0, 0], 1 << 16, 16));
    knowledge
        .aws_services
        .extend(networks(400, [52, 92, 0, 0], 1 << 10, 22));
    knowledge.operator.extend(networks(200, [104, 16, 0, 0], 1 << 8, 24));
    knowledge
}
