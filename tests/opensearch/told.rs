//! One line for each thing that was looked at, and the count of what failed at the end.

use std::process::ExitCode;

/// What was looked at so far.
#[derive(Default)]
pub(crate) struct Told {
    passed: usize,
    failed: Vec<String>,
}

impl Told {
    /// A line with what was found, or with what is wrong.
    pub(crate) fn line(&mut self, what: &str, found: Result<String, String>) {
        match found {
            Ok(found) => {
                self.passed += 1;
                println!("{what:<52} {found}");
            }
            Err(error) => {
                println!("{what:<52} FAILED: {error}");
                self.failed.push(what.to_owned());
            }
        }
    }

    /// Ends with what failed.
    pub(crate) fn close(self) -> ExitCode {
        println!();
        for what in &self.failed {
            println!("FAILED {what}");
        }
        println!("{} passed, {} failed", self.passed, self.failed.len());
        if self.failed.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}
