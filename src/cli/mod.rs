//! The command line: one file per command, one shape for all of them.
//!
//! A command is a `struct Args` (what a person may say) and a `run(Args, &Context) -> Result<Outcome, Failure>`. Data goes
//! to standard output, everything else to standard error; `failure` has the exit codes, `output` the ways to print.

#![warn(clippy::print_stdout)]
// The one shape: a command owns what was said to it, also where it only looks at it.
#![allow(clippy::needless_pass_by_value)]

mod completions;
mod config;
mod context;
mod dashboards;
mod failure;
mod generate;
mod logging;
mod man;
mod normalize;
mod opensearch;
mod output;
mod policy;
mod refusals;
mod setup;

#[cfg(feature = "embedded")]
mod adopt;
#[cfg(feature = "embedded")]
mod allow;
#[cfg(feature = "embedded")]
mod block;
#[cfg(feature = "embedded")]
mod clock;
#[cfg(feature = "embedded")]
mod consume;
#[cfg(feature = "embedded")]
mod demo;
#[cfg(feature = "embedded")]
mod list;
#[cfg(feature = "embedded")]
mod notify;
#[cfg(feature = "embedded")]
mod operator;
#[cfg(feature = "embedded")]
mod pause;
#[cfg(feature = "embedded")]
mod pin;
#[cfg(feature = "embedded")]
mod places;
#[cfg(feature = "embedded")]
mod reconcile;
#[cfg(feature = "embedded")]
mod respond;
#[cfg(feature = "embedded")]
mod serve;
#[cfg(feature = "embedded")]
mod status;
#[cfg(feature = "embedded")]
mod stop;
#[cfg(feature = "embedded")]
mod stream;
#[cfg(feature = "embedded")]
mod unblock;
#[cfg(feature = "embedded")]
mod upkeep;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

pub(crate) use context::Context;
#[cfg(feature = "embedded")]
pub(crate) use context::DataDir;
pub(crate) use failure::{Failure, Outcome};

const AFTER_HELP: &str = "\
Start here:
  portcullis demo                             watch it work, without AWS
  portcullis config init                      write a commented portcullis.toml
  portcullis serve --config portcullis.toml   the same on your own events
  portcullis normalize *.gz                   records in, documents out

Data goes to standard output, logs and messages to standard error. Times are
UTC. Exit codes: 0 done; 1 failed; 2 wrong usage or configuration; 3 done, but
some input was refused (each refusal is told on standard error). NO_COLOR is
honoured.";

/// Reads the security event streams of AWS accounts, makes them searchable, and closes the network ACL on an attacker
#[derive(Debug, Parser)]
#[command(name = "portcullis", version, after_help = AFTER_HELP, max_term_width = 100)]
#[command(arg_required_else_help = true, disable_help_subcommand = false)]
struct Cli {
    #[command(flatten)]
    context: Context,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show everything on generated events: pages open, findings arrive, the network ACL closes
    #[cfg(feature = "embedded")]
    Demo(demo::Args),
    /// Run on your own events: files and standard input in, pages and responses out
    #[cfg(feature = "embedded")]
    Serve(serve::Args),
    /// Turn records into documents: files, directories, .gz or standard input to NDJSON
    Normalize(Box<normalize::Args>),
    /// Write realistic events in AWS's own formats; the same seed gives the same bytes
    Generate(generate::Args),
    /// Decide on findings: what would be done, where, and why or why not; --apply does it
    #[cfg(feature = "embedded")]
    Respond(respond::Args),
    /// Read findings from a Kinesis data stream, and respond
    #[cfg(feature = "embedded")]
    Consume(consume::Args),
    /// List the ledger: every network ACL entry, its state and its findings
    #[cfg(feature = "embedded")]
    List(list::Args),
    /// Say how things stand: mode, slots used, what is pending, what was not blocked and why
    #[cfg(feature = "embedded")]
    Status(status::Args),
    /// Deny an address by hand; the guards bind a person too
    #[cfg(feature = "embedded")]
    Block(block::Args),
    /// Take a deny away and hold off from denying the address again
    #[cfg(feature = "embedded")]
    Unblock(unblock::Args),
    /// Keep the list of addresses that are never denied
    #[cfg(feature = "embedded")]
    Allow(allow::Args),
    /// Let findings deny nothing new, until a time or until `resume`
    #[cfg(feature = "embedded")]
    Pause(pause::Args),
    /// End a pause, or use a network ACL again where others kept removing entries
    #[cfg(feature = "embedded")]
    Resume(pause::ResumeArgs),
    /// Keep an entry: it is not evicted and does not expire
    #[cfg(feature = "embedded")]
    Pin(pin::Args),
    /// Let an entry go its way again
    #[cfg(feature = "embedded")]
    Unpin(pin::Args),
    /// Take over entries that another program made
    #[cfg(feature = "embedded")]
    Adopt(adopt::Args),
    /// Compare the ledger with the network ACLs and make them agree
    #[cfg(feature = "embedded")]
    Reconcile(reconcile::Args),
    /// Send a test message on each configured channel
    #[cfg(feature = "embedded")]
    Notify(notify::Args),
    /// Make what the ledger on AWS needs
    Setup(setup::Args),
    /// Put templates, retention, roles and indices onto a cluster of OpenSearch
    #[command(name = "opensearch")]
    OpenSearch(opensearch::Args),
    /// Write the files that OpenSearch Dashboards imports, or check them
    Dashboards(dashboards::Args),
    /// Write a commented configuration file, or check one
    Config(config::Args),
    /// Print the completion script of a shell
    Completions(completions::Args),
    /// Print the manual page, or write one per command
    Man(man::Args),
}

impl Command {
    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        match self {
            #[cfg(feature = "embedded")]
            Command::Demo(args) => wait(demo::run(args, context)),
            #[cfg(feature = "embedded")]
            Command::Serve(args) => wait(serve::run(args, context)),
            Command::Normalize(args) => normalize::run(*args, context),
            Command::Generate(args) => generate::run(args, context),
            #[cfg(feature = "embedded")]
            Command::Respond(args) => wait(respond::run(args, context)),
            #[cfg(feature = "embedded")]
            Command::Consume(args) => wait(consume::run(args, context)),
            #[cfg(feature = "embedded")]
            Command::List(args) => wait(list::run(args, context)),
            #[cfg(feature = "embedded")]
            Command::Status(args) => wait(status::run(args, context)),
            #[cfg(feature = "embedded")]
            Command::Block(args) => wait(block::run(args, context)),
            #[cfg(feature = "embedded")]
            Command::Unblock(args) => wait(unblock::run(args, context)),
            #[cfg(feature = "embedded")]
            Command::Allow(args) => wait(allow::run(args, context)),
            #[cfg(feature = "embedded")]
            Command::Pause(args) => wait(pause::run(args, context)),
            #[cfg(feature = "embedded")]
            Command::Resume(args) => wait(pause::resume(args, context)),
            #[cfg(feature = "embedded")]
            Command::Pin(args) => wait(pin::run(args, true, context)),
            #[cfg(feature = "embedded")]
            Command::Unpin(args) => wait(pin::run(args, false, context)),
            #[cfg(feature = "embedded")]
            Command::Adopt(args) => wait(adopt::run(args, context)),
            #[cfg(feature = "embedded")]
            Command::Reconcile(args) => wait(reconcile::run(args, context)),
            #[cfg(feature = "embedded")]
            Command::Notify(args) => wait(notify::run(args, context)),
            #[cfg(feature = "aws")]
            Command::Setup(args) => wait(setup::run(args, context)),
            #[cfg(not(feature = "aws"))]
            Command::Setup(args) => setup::run(args, context),
            Command::OpenSearch(args) => wait(opensearch::run(args, context)),
            Command::Dashboards(args) => dashboards::run(args, context),
            Command::Config(args) => config::run(args, context),
            Command::Completions(args) => completions::run(args, context),
            Command::Man(args) => man::run(args, context),
        }
    }
}

/// Runs a command that waits on the network or on timers; the others start no runtime.
fn wait<F: Future<Output = Result<Outcome, Failure>>>(command: F) -> Result<Outcome, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(command)
}

/// The definition that help, completions and manual pages are made from.
fn definition() -> clap::Command {
    Cli::command()
}

/// Parses the command line, runs the command and turns its outcome into an exit code.
#[must_use]
pub fn main() -> ExitCode {
    let Cli { context, command } = Cli::parse();
    match context.log.start().and_then(|()| command.run(&context)) {
        Ok(outcome) => outcome.into(),
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            output::tell(format_args!("portcullis: {}", output::printable(&failure.to_string())));
            failure.code()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_of_the_command_line_is_sound() {
        definition().debug_assert();
    }

    #[test]
    fn help_fits_a_terminal_of_eighty_columns() {
        fn check(command: &clap::Command) {
            let help = command.clone().term_width(80).render_long_help().to_string();
            for line in help.lines() {
                assert!(line.chars().count() <= 80, "{}: {line}", command.get_name());
            }
            command.get_subcommands().for_each(check);
        }
        check(&definition());
    }

    #[test]
    fn every_command_says_what_it_is_for() {
        for command in definition().get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
        }
    }
}
