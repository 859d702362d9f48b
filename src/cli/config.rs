//! `portcullis config init|check`: writes a commented configuration file; says what is effective and where it comes from.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use serde_json::json;

use super::{Context, Failure, Outcome, output};
use crate::config::{Effective, FILE, TEMPLATE};

/// Arguments of `config`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  portcullis config init      write ./portcullis.toml
  portcullis config check     what is effective, and where it comes from
  PORTCULLIS__SERVE__LISTEN=127.0.0.1:9000 portcullis config check

A configuration is found by --config FILE, else ./portcullis.toml, else the
defaults hold. A variable PORTCULLIS__SECTION__KEY overrides a key; its value is
read as TOML, else as plain text.")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Write a file with every setting, commented, at its default
    Init {
        /// Where to; `-` is standard output
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
        /// Write over a file that is there
        #[arg(long)]
        force: bool,
    },
    /// Read the configuration strictly and say what is effective and where each value comes from
    Check {
        /// One JSON document: {"file":..,"values":{key:{"value":..,"from":..}},"warnings":[..]}
        #[arg(long)]
        json: bool,
    },
}

/// Does what the action says.
pub(crate) fn run(args: Args, context: &Context) -> Result<Outcome, Failure> {
    match args.action {
        Action::Init { file, force } => {
            let file = file.or_else(|| context.config_file().map(Path::to_owned));
            init(&file.unwrap_or_else(|| PathBuf::from(FILE)), force)?;
        }
        Action::Check { json } => check(&context.effective()?, json)?,
    }
    Ok(Outcome::Done)
}

fn init(file: &Path, force: bool) -> Result<(), Failure> {
    if file == Path::new("-") {
        let mut out = output::stdout();
        out.write_all(TEMPLATE.as_bytes())?;
        out.flush()?;
        return Ok(());
    }
    let mut options = OpenOptions::new();
    options.write(true);
    if force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let mut opened = match options.open(file) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(Failure::usage(anyhow::anyhow!(
                "{} is there already and is left as it is; name another file, or --force to write over it",
                file.display()
            )));
        }
        opened => opened.with_context(|| format!("cannot write {}", file.display()))?,
    };
    opened
        .write_all(TEMPLATE.as_bytes())
        .with_context(|| format!("cannot write {}", file.display()))?;
    output::tell(format_args!(
        "wrote {}; change what you need and try `portcullis config check`",
        file.display()
    ));
    Ok(())
}

fn check(effective: &Effective, as_json: bool) -> Result<(), Failure> {
    let values = effective.values()?;
    let warnings = warnings(effective);
    let mut out = output::stdout();
    if as_json {
        let document = json!({
            "file": effective.file,
            "values": values
                .iter()
                .map(|(key, value)| (key.clone(), json!({"value": value, "from": effective.origin(key).to_string()})))
                .collect::<serde_json::Map<_, _>>(),
            "warnings": warnings,
        });
        output::json_line(&mut out, &document)?;
    } else {
        match &effective.file {
            Some(file) => writeln!(out, "{} is valid.\n", file.display())?,
            None => writeln!(out, "No file: {FILE} is not here and --config was not given.\n")?,
        }
        for (key, value) in &values {
            let setting = format!("{key} = {value}");
            let from = effective.origin(key).to_string();
            writeln!(
                out,
                "{:<52}  # {}",
                output::printable(&setting),
                output::printable(&from)
            )?;
        }
        for warning in &warnings {
            writeln!(out, "\nNote: {warning}")?;
        }
    }
    out.flush()?;
    Ok(())
}

/// What is allowed and may still surprise.
fn warnings(effective: &Effective) -> Vec<String> {
    let config = &effective.config;
    let mut notes = Vec::new();
    if !config.serve.listen.ip().is_loopback() {
        notes.push(format!(
            "serve.listen {} can be reached from other machines, and the pages have no login",
            config.serve.listen
        ));
    }
    if config.sources.is_empty() {
        notes.push("no [[sources]]: `serve` would wait for nothing".to_owned());
    }
    if std::env::var_os(&config.slack.webhook_env).is_none_or(|value| value.is_empty()) {
        notes.push(format!(
            "{} is not set: messages are written and shown, and none is sent",
            config.slack.webhook_env
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_there_is_written_over_only_by_force() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let file = folder.path().join("portcullis.toml");
        init(&file, false).expect("a new file");
        std::fs::write(&file, "mine").expect("writable");
        let failure = init(&file, false).expect_err("it is there");
        assert!(failure.to_string().contains("--force"), "{failure}");
        assert_eq!(std::fs::read_to_string(&file).expect("readable"), "mine");
        init(&file, true).expect("by force");
        assert_eq!(std::fs::read_to_string(&file).expect("readable"), TEMPLATE);
    }
}
