//! What every target shares: the checks themselves, which are those of the tests.

#[path = "../../transforms/tests/support/mod.rs"]
mod support;

/// Runs the body of a target on one input.
pub fn run(target: &str, input: &[u8]) {
    support::fuzz::run_fast(target, input);
}
