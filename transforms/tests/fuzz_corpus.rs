//! The inputs that fuzzing found worth keeping, through the same checks, without a fuzzer.
//!
//! `fuzz/corpus/<target>/` holds them. A crash that `cargo xtask fuzz` reports belongs there once it is fixed.

mod support;

use std::{fs, path::Path};

use support::{
    fuzz::{TARGETS, run},
    invariants::Depth,
};

#[test]
fn every_committed_input_keeps_to_what_its_target_checks() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    let mut size = 0;
    for (target, _) in TARGETS {
        let folder = corpus.join(target);
        let mut inputs: Vec<_> = fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.expect("an entry").path())
            .collect();
        inputs.sort();
        assert!(!inputs.is_empty(), "{target} has no inputs");
        for path in inputs {
            let input = fs::read(&path).expect("an input");
            size += input.len();
            println!("{}", path.display());
            run(target, &input, Depth::Full);
        }
    }
    assert!(size < 300_000, "{size} bytes of inputs are too many to commit");
}
