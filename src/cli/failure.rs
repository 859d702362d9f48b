//! How a command ends: the exit codes that scripts rely on, and what a person is told.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done |
//! | 1 | failed |
//! | 2 | wrong usage or configuration |
//! | 3 | done, but some input was refused |

use std::{fmt, io, process::ExitCode};

/// A command came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Everything was done: exit code 0.
    Done,
    /// Done, but some input was refused and told on standard error: exit code 3.
    InputRefused,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => ExitCode::SUCCESS,
            Outcome::InputRefused => ExitCode::from(3),
        }
    }
}

/// A command could not be done. Every error converts into one with exit code 1; [`Failure::usage`] makes one with 2.
#[derive(Debug)]
pub(crate) struct Failure {
    error: anyhow::Error,
    code: u8,
}

impl Failure {
    /// Wrong usage or configuration, in words that name the remedy.
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self {
            error: error.into(),
            code: 2,
        }
    }

    /// A failure in plain words, such as a check that did not hold.
    pub(crate) fn new(message: impl fmt::Display) -> Self {
        Self {
            error: anyhow::anyhow!("{message}"),
            code: 1,
        }
    }

    /// Wrong usage of a program that was built without AWS: what it `cannot` do, and how to get one that can.
    #[cfg(not(feature = "aws"))]
    pub(crate) fn without_aws(cannot: impl fmt::Display) -> Self {
        Self::usage(anyhow::anyhow!(
            "this program was built without AWS, so it cannot {cannot}; `cargo build --release --features aws` builds one \
             that can"
        ))
    }

    /// The reader of our output went away (`portcullis ... | head`): not worth a word.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        self.error
            .chain()
            .filter_map(|cause| cause.downcast_ref::<io::Error>())
            .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The exit code.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self {
            error: error.into(),
            code: 1,
        }
    }
}

impl fmt::Display for Failure {
    /// The error and its causes on one line: `cannot read a.json: permission denied`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.error)
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn a_reader_that_went_away_is_recognised_under_any_context() {
        let broken = Err::<(), _>(io::Error::from(io::ErrorKind::BrokenPipe)).context("cannot write");
        assert!(Failure::from(broken.expect_err("made above")).is_broken_pipe());
        assert!(!Failure::new("broken pipe in name only").is_broken_pipe());
    }

    #[test]
    fn causes_are_told_on_one_line() {
        let error = anyhow::anyhow!("permission denied").context("cannot read a.json");
        assert_eq!(
            Failure::from(error).to_string(),
            "cannot read a.json: permission denied"
        );
    }
}
