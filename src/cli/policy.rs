//! What is taken out of documents, which are not kept, what is added, and how much a record may hold: options of
//! `normalize`, over those of the configuration.

use std::{ops::RangeInclusive, path::PathBuf};

use clap::builder::RangedU64ValueParser;
use portcullis_transforms::{Options, policy::limits};

use super::Failure;
use crate::config::Normalize;

/// Options that decide about documents. Flatten them into a command's arguments.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "What documents hold")]
pub(crate) struct Policy {
    /// Headers whose values are not kept, beside the default list of credentials and cookies; ?NAME for a query
    /// parameter; none first leaves the default list out
    #[arg(long, value_name = "NAMES", env = "PORTCULLIS_REDACT", hide_env = true)]
    redact: Option<String>,

    /// Do not keep documents like this, such as 'vpcflow: event.action == "accept" and related.ip in private'
    #[arg(
        long,
        value_name = "FILTER",
        env = "PORTCULLIS_DROP",
        hide_env = true,
        value_delimiter = '\n'
    )]
    drop: Vec<String>,

    /// City or Country database in MaxMind's format, for source.geo and destination.geo
    #[arg(long, value_name = "FILE", env = "PORTCULLIS_GEOIP_DB", hide_env = true)]
    geoip_db: Option<PathBuf>,

    /// ASN database in MaxMind's format, for source.as and destination.as
    #[arg(long, value_name = "FILE", env = "PORTCULLIS_ASN_DB", hide_env = true)]
    asn_db: Option<PathBuf>,

    /// Indicator lists (addresses, networks, domains; gzip or not), for threat.indicator
    #[arg(
        long,
        value_name = "FILE",
        env = "PORTCULLIS_INDICATORS",
        hide_env = true,
        value_delimiter = ','
    )]
    indicators: Vec<PathBuf>,

    /// The most bytes that one gzip record may unpack to; 33554432 (32 MiB) when nothing is configured
    #[arg(long, value_name = "BYTES", env = "PORTCULLIS_UNPACKED_LIMIT", hide_env = true, value_parser = from(&limits::UNPACKED))]
    unpacked_limit: Option<usize>,

    /// How many times its size it may unpack to, above 1 MiB; 200 when nothing is configured
    #[arg(long, value_name = "TIMES", env = "PORTCULLIS_RATIO_LIMIT", hide_env = true, value_parser = from(&limits::RATIO))]
    ratio_limit: Option<usize>,

    /// The most entries of one record; 100000 when nothing is configured
    #[arg(long, value_name = "N", env = "PORTCULLIS_ENTRIES_LIMIT", hide_env = true, value_parser = from(&limits::ENTRIES))]
    entries_limit: Option<usize>,
}

impl Policy {
    /// The normaliser's options: what was chosen here, else what is configured. Opens the files.
    ///
    /// # Errors
    /// A usage failure that names the option or the file, and the remedy.
    pub(crate) fn options(self, configured: Normalize) -> Result<Options, Failure> {
        let chosen = Normalize {
            redact: self.redact.map_or(configured.redact, |list| vec![list]),
            drop: any_of(self.drop, configured.drop),
            geoip_db: self.geoip_db.or(configured.geoip_db),
            asn_db: self.asn_db.or(configured.asn_db),
            indicators: any_of(self.indicators, configured.indicators),
            unpacked_limit: self.unpacked_limit.unwrap_or(configured.unpacked_limit),
            ratio_limit: self.ratio_limit.unwrap_or(configured.ratio_limit),
            entries_limit: self.entries_limit.unwrap_or(configured.entries_limit),
        };
        chosen.options().map_err(Failure::usage)
    }
}

/// Those that were chosen, else those that are configured.
fn any_of<T>(chosen: Vec<T>, configured: Vec<T>) -> Vec<T> {
    if chosen.is_empty() { configured } else { chosen }
}

fn from(range: &RangeInclusive<usize>) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(*range.start() as u64..=*range.end() as u64)
}
