//! The list of sources. Mappings, command-line values, Lambda binaries, samples and tests follow from it.

use std::{fmt, str::FromStr};

use crate::schema::Field;

/// A kind of AWS security event that Portcullis normalises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// Amazon GuardDuty findings.
    GuardDuty,
    /// AWS Security Hub findings (ASFF).
    SecurityHub,
    /// AWS WAF web ACL logs.
    Waf,
    /// Amazon VPC flow logs.
    VpcFlow,
    /// Amazon Route 53 Resolver query logs.
    Dns,
    /// AWS CloudTrail events.
    CloudTrail,
}

impl Source {
    /// Every source, in the order in which people read of them.
    pub const ALL: &'static [Source] = &[
        Source::GuardDuty,
        Source::SecurityHub,
        Source::Waf,
        Source::VpcFlow,
        Source::Dns,
        Source::CloudTrail,
    ];

    /// The word used on the command line, in configuration and in file names.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Source::GuardDuty => "guardduty",
            Source::SecurityHub => "securityhub",
            Source::Waf => "waf",
            Source::VpcFlow => "vpcflow",
            Source::Dns => "dns",
            Source::CloudTrail => "cloudtrail",
        }
    }

    /// The name a person reads: `GuardDuty`, `Security Hub`, `WAF` and so on.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Source::GuardDuty => "GuardDuty",
            Source::SecurityHub => "Security Hub",
            Source::Waf => "WAF",
            Source::VpcFlow => "VPC flow logs",
            Source::Dns => "Route 53 Resolver query logs",
            Source::CloudTrail => "CloudTrail",
        }
    }

    /// The closed list of fields that an `ecs` document of this source may carry.
    #[must_use]
    pub fn fields(self) -> Vec<&'static Field> {
        crate::sources::fields(self)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown source `{0}`; the sources are guardduty, securityhub, waf, vpcflow, dns, cloudtrail")]
pub struct UnknownSource(pub String);

impl FromStr for Source {
    type Err = UnknownSource;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Source::ALL
            .iter()
            .copied()
            .find(|s| s.name() == text)
            .ok_or_else(|| UnknownSource(text.to_owned()))
    }
}
