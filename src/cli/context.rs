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
    /// The configuration with where each value comes from. Read only by commands that need it, so that
    /// `completions` works beside a broken file.
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

    /// The deployment's key of `event.id`, from `PORTCULLIS_ID_KEY`; zeros when it is not set. It is a secret, so it has no
    /// option and is never repeated.
    ///
    /// # Errors
    /// A usage failure when it is not 64 hexadecimal digits.
    pub(crate) fn id_key(&self) -> Result<[u8; 32], Failure> {
        match std::env::var_os("PORTCULLIS_ID_KEY") {
            Some(text) if !text.is_empty() => id_key(&text.to_string_lossy()).ok_or_else(|| {
                Failure::usage(anyhow::anyhow!(
                    "PORTCULLIS_ID_KEY must be 64 hexadecimal digits (`openssl rand -hex 32` writes some)"
                ))
            }),
            _ => Ok([0; 32]),
        }
    }

    /// The file that `--config` named.
    pub(crate) fn config_file(&self) -> Option<&Path> {
        self.config.as_deref()
    }
}

fn id_key(text: &str) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    if pairs.len() != key.len() {
        return None;
    }
    for (byte, [high, low]) in key.iter_mut().zip(pairs) {
        let digit = |digit: u8| {
            char::from(digit)
                .to_digit(16)
                .and_then(|value| u8::try_from(value).ok())
        };
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(key)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_64_hexadecimal_digits_and_nothing_else() {
        let key = id_key(&"0fA1".repeat(16)).expect("64 digits");
        assert_eq!(key[..4], [0x0f, 0xa1, 0x0f, 0xa1]);
        for text in [
            "",
            "0f",
            &"0g".repeat(32),
            &"0".repeat(63),
            &"0".repeat(66),
            &"+f".repeat(32),
        ] {
            assert_eq!(id_key(text), None, "{text}");
        }
    }
}
