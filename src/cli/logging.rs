//! Logs: always on standard error, for people on a terminal, as JSON when asked for.

use std::io::{self, IsTerminal};

use tracing_subscriber::{EnvFilter, fmt, util::SubscriberInitExt};

use super::failure::Failure;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    Human,
    Json,
}

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// The options about logs.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// What to log: off, error, warn, info, debug, trace, or a filter such as warn,portcullis::index=debug
    #[arg(
        long,
        global = true,
        value_name = "LEVEL",
        env = "PORTCULLIS_LOG",
        default_value = "info"
    )]
    log_level: String,

    /// The same as --log-level debug; twice for trace
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,

    /// How log lines look: human, or json for one JSON object per line
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "FORMAT",
        default_value = "human",
        hide_possible_values = true
    )]
    log_format: Format,
}

impl Options {
    /// A plain level is about this program, and its dependencies stay at `warn`; anything else is taken as a filter.
    ///
    /// # Errors
    /// When it is neither: the filter's own grammar takes any word for the name of a module.
    fn filter(&self) -> Result<EnvFilter, Failure> {
        let level = match self.verbose {
            0 => self.log_level.as_str(),
            1 => "debug",
            _ => "trace",
        };
        let refuse = |why: &dyn std::fmt::Display| {
            Failure::usage(anyhow::anyhow!(
                "--log-level {level}: {why}; the levels are {}",
                LEVELS.join(", ")
            ))
        };
        let filter = match (LEVELS.contains(&level), level.contains('=')) {
            (true, _) => format!("warn,portcullis={level},portcullis_transforms={level}"),
            (false, true) => level.to_owned(),
            (false, false) => return Err(refuse(&"no such level")),
        };
        EnvFilter::builder().parse(filter).map_err(|error| refuse(&error))
    }

    /// Starts logging. Called once, before the command runs.
    ///
    /// # Errors
    /// When the level is not one that is understood.
    pub(crate) fn start(&self) -> Result<(), Failure> {
        let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let lines = fmt()
            .with_env_filter(self.filter()?)
            .with_writer(io::stderr)
            .with_ansi(colour);
        match self.log_format {
            Format::Human => lines.with_target(false).finish().try_init()?,
            Format::Json => lines.json().flatten_event(true).finish().try_init()?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(log_level: &str, verbose: u8) -> Options {
        Options {
            log_level: log_level.to_owned(),
            verbose,
            log_format: Format::Human,
        }
    }

    #[test]
    fn a_plain_level_is_about_this_program_and_a_filter_is_taken_as_it_is() {
        for (level, verbose, filter) in [
            ("info", 0, "portcullis_transforms=info,portcullis=info,warn"),
            ("info", 2, "portcullis_transforms=trace,portcullis=trace,warn"),
            ("portcullis::index=debug", 0, "portcullis::index=debug"),
        ] {
            assert_eq!(
                options(level, verbose).filter().expect("understood").to_string(),
                filter
            );
        }
    }

    #[test]
    fn an_unknown_level_is_wrong_usage() {
        for level in ["loud", "", "portcullis=loud"] {
            let failure = options(level, 0).filter().expect_err("no such level");
            assert!(failure.to_string().contains("error, warn, info"), "{failure}");
        }
    }
}
