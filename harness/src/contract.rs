//! What every store behind the responder's traits must do. One suite: the stores in memory that the schedules run on, those of
//! one machine, and those of AWS are held to the same sentences, so that what the harness proves holds for each.

pub mod ledger;
mod memory;
pub mod network_acls;
mod records;

/// The sentence that a store does not keep.
pub type Broken = String;

/// Says what is broken unless something holds.
fn must(holds: bool, sentence: &str) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(sentence.to_owned()) }
}
