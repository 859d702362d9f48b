//! Samples of every source, changed by structure and by byte, against everything that must hold for a record, the slow
//! reading of its table included.

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};

use portcullis_transforms::Source;
use support::{fuzz::mutated, invariants::Depth, random::Random, sample_inputs};

/// Records per source; `PORTCULLIS_MUTATIONS` asks for more.
fn count() -> u64 {
    std::env::var("PORTCULLIS_MUTATIONS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(150)
}

fn hold(source: Source) {
    let samples = sample_inputs(source);
    for number in 0..count() {
        let (record, _) = &samples[number as usize % samples.len()];
        let checked = catch_unwind(AssertUnwindSafe(|| {
            mutated(source, record, &mut Random::new(number), Depth::Full);
        }));
        assert!(checked.is_ok(), "record {number} of {source}; the reason stands above");
    }
}

#[test]
fn guardduty_records_hold() {
    hold(Source::GuardDuty);
}

#[test]
fn security_hub_records_hold() {
    hold(Source::SecurityHub);
}

#[test]
fn waf_records_hold() {
    hold(Source::Waf);
}

#[test]
fn flow_log_records_hold() {
    hold(Source::VpcFlow);
}

#[test]
fn cloudtrail_records_hold() {
    hold(Source::CloudTrail);
}

#[test]
fn dns_records_hold() {
    hold(Source::Dns);
}
