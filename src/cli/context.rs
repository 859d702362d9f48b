//! What every command is given: the global options and, on demand, the configuration.

use std::path::{Path, PathBuf};

use super::failure::Failure;
use crate::config::{self, Config, Effective};

/// Options that stand before or after any command.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Context {
    /// Configuration file; without it ./portcullis.toml when it exists, else the defaults
    #[arg(long, global = true, value_name = "FILE", env = "PORTCULLIS_CONFIG", hide_env = true)]
    config: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) log: super::logging::Options,
}

impl Context {
    /// The configuration with where each value comes from. Read only by commands that need it, so that `normalize` or
    /// `completions` work beside a broken file.
    ///
    /// # Errors
    /// A usage failure (exit code 2) that names file, line, key and remedy.
    pub(crate) fn effective(&self) -> Result<Effective, Failure> {
        config::load(self.config.as_deref(), config::environment()).map_err(Failure::usage)
    }

    /// The configuration alone.
    ///
    /// # Errors
    /// As [`Context::effective`].
    pub(crate) fn config(&self) -> Result<Config, Failure> {
        self.effective().map(|effective| effective.config)
    }

    /// The file that `--config` named.
    pub(crate) fn config_file(&self) -> Option<&Path> {
        self.config.as_deref()
    }
}

/// `--data`, for commands that work on the data directory. Flatten it into a command's arguments.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct DataDir {
    /// Data directory: ledger, network ACL model and index; without it `data` of the configuration
    #[arg(long = "data", value_name = "DIR")]
    data: Option<PathBuf>,
}

impl DataDir {
    /// The directory that was asked for here, without looking at the configuration.
    pub(crate) fn given(&self) -> Option<&Path> {
        self.data.as_deref()
    }

    /// The directory asked for here, else the configuration's.
    pub(crate) fn or<'a>(&'a self, config: &'a Config) -> &'a Path {
        self.data.as_deref().unwrap_or(&config.data)
    }
}
