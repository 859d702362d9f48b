//! What is taken out of documents, which are not kept, and what is added: options of `normalize`.

use std::{path::PathBuf, sync::Arc};

use portcullis_transforms::{
    Options,
    policy::{enrich, redact},
};

use super::Failure;

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
}

impl Policy {
    /// Puts them into the normaliser's options, and opens the files.
    ///
    /// # Errors
    /// A usage failure that names the option or the file, and the remedy.
    pub(crate) fn apply(self, options: &mut Options) -> Result<(), Failure> {
        if let Some(list) = &self.redact {
            options.redact = redact::names(list).map_err(Failure::usage)?;
        }
        options.drop = self.drop;
        let files = enrich::Files {
            geoip: self.geoip_db,
            asn: self.asn_db,
            indicators: self.indicators,
        };
        options.enrichment = files.open().map_err(Failure::usage)?.map(Arc::new);
        Ok(())
    }
}
