//! One folder per source, each with the same rooms in the same order: fields, map, tests.

pub mod cloudtrail;
pub mod common;
pub mod dns;
pub mod guardduty;
pub mod securityhub;
pub mod vpcflow;
pub mod waf;

use crate::{engine::Map as _, schema::Field, source::Source};

/// The closed list of fields of one source: its own rows, then the shared ones that it does not define itself.
#[must_use]
pub fn fields(source: Source) -> Vec<&'static Field> {
    let own = match source {
        Source::GuardDuty => guardduty::FIELDS,
        Source::SecurityHub => securityhub::FIELDS,
        Source::Waf => waf::FIELDS,
        Source::VpcFlow => vpcflow::FIELDS,
        Source::Dns => dns::FIELDS,
        Source::CloudTrail => cloudtrail::FIELDS,
    };
    with_shared(own).collect()
}

/// Paths of the timestamps that the `native` schema normalises; `a.{b,c}` stands for two.
pub(crate) fn native_times(source: Source) -> &'static [&'static str] {
    match source {
        Source::GuardDuty => guardduty::GuardDuty.native_times(),
        Source::SecurityHub => securityhub::SecurityHub.native_times(),
        Source::Waf => waf::Waf.native_times(),
        Source::VpcFlow => &["start", "end"],
        Source::Dns => dns::Dns.native_times(),
        Source::CloudTrail => cloudtrail::CloudTrail.native_times(),
    }
}

/// A source's own rows, then the shared ones that it does not define itself.
pub(crate) fn with_shared(own: &'static [Field]) -> impl Iterator<Item = &'static Field> {
    let shared = common::FIELDS
        .iter()
        .filter(|field| own.iter().all(|row| row.name != field.name));
    own.iter().chain(shared)
}
