//! What is measured: one source in one form, at the size of a delivery stream's buffer.

use anyhow::{Context, Result};
use portcullis_transforms::Source;

/// One kind of event.
#[derive(Debug)]
pub(crate) struct Case {
    /// The word for it in files and tables.
    pub(crate) name: &'static str,
    /// Heading of its column.
    pub(crate) title: &'static str,
    pub(crate) source: Source,
    /// Bytes of the whole event, less where the response would not fit into Lambda's limit.
    pub(crate) bytes: usize,
    /// Columns per line of a flow log; nothing for other sources.
    pub(crate) columns: Option<usize>,
}

const fn case(name: &'static str, title: &'static str, source: Source, bytes: usize) -> Case {
    let columns = None;
    Case {
        name,
        title,
        source,
        bytes,
        columns,
    }
}

/// Every case, in the order of the tables.
pub(crate) const ALL: &[Case] = &[
    case("waf", "WAF", Source::Waf, 4_000_000),
    case("guardduty", "GuardDuty", Source::GuardDuty, 4_000_000),
    Case {
        columns: Some(14),
        ..case("vpcflow-v2", "VPC v2", Source::VpcFlow, 2_600_000)
    },
    Case {
        columns: Some(29),
        ..case("vpcflow-v5", "VPC v5", Source::VpcFlow, 3_400_000)
    },
    case("securityhub", "Security Hub", Source::SecurityHub, 4_000_000),
    case("dns", "DNS", Source::Dns, 2_000_000),
    case("cloudtrail", "CloudTrail", Source::CloudTrail, 3_500_000),
];

/// The case of this name.
pub(crate) fn find(name: &str) -> Result<&'static Case> {
    let names = || ALL.iter().map(|case| case.name).collect::<Vec<_>>().join(", ");
    ALL.iter()
        .find(|case| case.name == name)
        .with_context(|| format!("there is no case `{name}`; the cases are {}", names()))
}

/// The first case of a source.
pub(crate) fn of(source: Source) -> Result<&'static Case> {
    ALL.iter()
        .find(|case| case.source == source)
        .with_context(|| format!("there is no case of {source}"))
}
