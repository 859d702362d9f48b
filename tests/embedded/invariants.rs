//! Random sequences of findings, people's acts and faults: the invariants hold after every one of them.
//!
//! A failure prints the shortest sequence found and the seed line for `proptest-regressions`.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use crate::harness::findings::Kind;
use crate::harness::{Bug, Fault, Op, World};

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        6 => Just(Fault::None),
        1 => Just(Fault::Throttled),
        2 => Just(Fault::Lost),
        1 => Just(Fault::CrashBefore),
        1 => Just(Fault::CrashAfter),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let kind = prop_oneof![Just(Kind::Inbound), Just(Kind::Outbound), Just(Kind::Probe)];
    let addresses = prop::collection::vec(1..12_u8, 1..8);
    let subnets = prop::collection::vec(0..4_usize, 1..4);
    prop_oneof![
        10 => (0..12_u8, kind, addresses, subnets, 0..90_u8)
            .prop_map(|(id, kind, addresses, subnets, old)| Op::Finding { id, kind, addresses, subnets, old }),
        2 => any::<usize>().prop_map(Op::Again),
        1 => any::<u8>().prop_map(Op::Garbage),
        8 => Just(Op::Sweep),
        3 => (1..12_u8, 71..77_u8).prop_map(|(number, rule)| Op::Together(number, rule)),
        1 => (1..12_u8, prop::option::of(1..60_u8)).prop_map(|(address, minutes)| Op::Block { address, minutes }),
        2 => (1..12_u8).prop_map(Op::Unblock),
        1 => Just(Op::UnblockAll),
        1 => (1..12_u8, 1..90_u8).prop_map(|(address, minutes)| Op::Allow(address, minutes)),
        1 => (1..12_u8).prop_map(Op::Disallow),
        1 => (any::<bool>(), any::<bool>(), 70..78_u8).prop_map(|(acl, egress, rule)| Op::Foreign { acl, egress, rule }),
        3 => (1..120_u8).prop_map(Op::Minutes),
        4 => prop::collection::vec(fault(), 1..40).prop_map(Op::Faults),
    ]
}

async fn broken(ops: &[Op], bug: Bug) -> Vec<String> {
    let mut world = World::new(bug).await;
    for (at, op) in ops.iter().enumerate() {
        let broken = world.run(op).await;
        if !broken.is_empty() {
            return broken
                .iter()
                .map(|what| format!("after act {at}, {op:?}: {what}"))
                .collect();
        }
    }
    world.settle().await
}

fn search(cases: u32, bug: Bug) -> Result<(), String> {
    let config = Config {
        cases,
        max_shrink_iters: if bug == Bug::None { 1000 } else { 0 },
        failure_persistence: None,
        ..Config::default()
    };
    let seed = std::env::var("PORTCULLIS_SEED").ok();
    let rng = match &seed {
        Some(seed) => TestRng::from_seed(RngAlgorithm::ChaCha, blake(seed).as_slice()),
        None => TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    TestRunner::new_with_rng(config, rng)
        .run(&prop::collection::vec(op(), 1..60), |ops| {
            let broken = runtime.block_on(broken(&ops, bug));
            if broken.is_empty() {
                Ok(())
            } else {
                Err(TestCaseError::fail(broken.join("\n")))
            }
        })
        .map_err(|failure| failure.to_string())
}

fn blake(seed: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (at, byte) in seed.bytes().enumerate() {
        bytes[at % 32] ^= byte;
    }
    bytes
}

#[test]
fn the_invariants_hold_whatever_happens() {
    let cases = std::env::var("PORTCULLIS_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    if let Err(failure) = search(cases.unwrap_or(150), Bug::None) {
        panic!("{failure}");
    }
}

/// A check that cannot fail proves nothing.
#[test]
fn the_checks_find_planted_mistakes() {
    for (bug, sign) in [
        (Bug::NoConditions, ""),
        (Bug::CreateOverwrites, "4: "),
        (Bug::ReplaceAddsFirst, "1: "),
        (Bug::NoAlerts, "9: "),
    ] {
        let found = search(300, bug).expect_err(&format!("{bug:?} was not found"));
        assert!(found.contains(sign), "{bug:?} was found by something else: {found}");
    }
}
