//! How far ahead the product has to be (gate: below it the run fails) and is meant to be (goal).

/// A bar for one case: how many times another peer's CPU time the product's has to fit into.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bar {
    pub(crate) case: &'static str,
    /// The peer compared with. For `floor` the ratio is below one: the share of the product's time that no implementation
    /// can do without. Both keep their memory from one invocation to the next; where these bars come from stands in ADR 17.
    pub(crate) peer: &'static str,
    pub(crate) gate: f64,
    pub(crate) goal: f64,
}

const fn bar(case: &'static str, peer: &'static str, gate: f64, goal: f64) -> Bar {
    Bar { case, peer, gate, goal }
}

/// Every bar.
#[rustfmt::skip]
pub(crate) const ALL: &[Bar] = &[
    bar("waf", "workshop", 17.0, 25.0),
    bar("waf", "vrl", 11.0, 16.0),
    bar("waf", "value", 6.5, 10.0),
    bar("waf", "floor", 0.26, 0.51),
    bar("guardduty", "workshop", 17.0, 25.0),
    bar("guardduty", "vrl", 11.0, 16.0),
    bar("guardduty", "value", 6.0, 9.0),
    bar("guardduty", "floor", 0.23, 0.47),
    bar("vpcflow-v2", "workshop", 20.0, 30.0),
    bar("vpcflow-v2", "vrl", 19.0, 29.0),
    bar("vpcflow-v2", "value", 11.0, 17.0),
    bar("vpcflow-v2", "floor", 0.33, 0.48),
    bar("vpcflow-v5", "workshop", 21.0, 31.0),
    bar("vpcflow-v5", "vrl", 21.0, 31.0),
    bar("vpcflow-v5", "value", 12.0, 18.0),
    bar("vpcflow-v5", "floor", 0.32, 0.47),
    bar("securityhub", "json", 13.0, 20.0),
    bar("securityhub", "floor", 0.18, 0.33),
    bar("dns", "json", 13.0, 20.0),
    bar("dns", "floor", 0.18, 0.33),
    bar("cloudtrail", "json", 13.0, 20.0),
    bar("cloudtrail", "floor", 0.18, 0.33),
];

/// How many times as fast as `ecs` the schema `native` has to be.
pub(crate) const NATIVE: f64 = 1.3;

/// Memory: the most that one invocation may take beyond what was resident before, for an event and its response.
pub(crate) fn memory(event: u64, response: u64) -> u64 {
    (event + response) * 11 / 10 + 1_000_000
}

/// End to end: how many times the workshop's handler, under `awslambdaric`, has to take the CPU time of the function. Why flow
/// logs have no higher bar stands in ADR 28.
pub(crate) const LAMBDA: &[(&str, f64)] = &[
    ("waf", 14.0),
    ("guardduty", 14.0),
    ("vpcflow-v2", 14.0),
    ("vpcflow-v5", 14.0),
];

/// The most milliseconds from the start of a function to its first question for an event.
pub(crate) const COLD_START: f64 = 3.0;

/// The most bytes of a function's binary: without the feature `put-back`, and with it.
pub(crate) const BINARY: [u64; 2] = [5 * 1024 * 1024 / 2, 8 * 1024 * 1024];

/// Memory under Lambda's runtime, as [`memory`].
pub(crate) fn memory_in_lambda(event: u64, response: u64) -> u64 {
    (event + response) * 18 / 10
}

/// How far the time per record of the largest event may be from that of a small one.
pub(crate) const GROWTH: std::ops::RangeInclusive<f64> = 0.85..=1.15;

/// The most that memory may grow from the first invocations to the thousandth, as a share of what is resident.
pub(crate) const FLAT: f64 = 0.10;
