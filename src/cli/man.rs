//! `portcullis man`: manual pages, made from the same definition as the help.

use std::{fs, io::Write as _, path::PathBuf};

use anyhow::Context as _;
use clap_mangen::Man;

use super::{Context, Failure, Outcome, output};

/// Arguments of `man`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  portcullis man | man -l -
  portcullis man --dir ~/.local/share/man/man1      one page per command")]
pub(crate) struct Args {
    /// Write one page per command into this directory instead of the main page to standard output
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Writes the page, or the pages.
pub(crate) fn run(args: Args, _context: &Context) -> Result<Outcome, Failure> {
    let mut definition = super::definition();
    definition.build();
    let Some(dir) = args.dir else {
        let mut page = Vec::new();
        Man::new(definition).render(&mut page)?;
        let mut out = output::stdout();
        out.write_all(&page)?;
        out.flush()?;
        return Ok(Outcome::Done);
    };
    fs::create_dir_all(&dir).with_context(|| format!("cannot make the directory {}", dir.display()))?;
    pages(&definition, "portcullis", &mut |name, page| {
        let path = dir.join(format!("{name}.1"));
        fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))
    })?;
    Ok(Outcome::Done)
}

/// Hands over `portcullis`, `portcullis-demo`, `portcullis-allow-add` and so on, each with its page.
fn pages(
    command: &clap::Command,
    name: &str,
    write: &mut dyn FnMut(&str, Vec<u8>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut page = Vec::new();
    Man::new(command.clone().name(name.to_owned())).render(&mut page)?;
    write(name, page)?;
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        pages(sub, &format!("{name}-{}", sub.get_name()), write)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_with_its_examples() {
        let mut definition = super::super::definition();
        definition.build();
        let mut seen = Vec::new();
        pages(&definition, "portcullis", &mut |name, page| {
            assert!(String::from_utf8(page)?.contains(".SH NAME"), "{name}");
            seen.push(name.to_owned());
            Ok(())
        })
        .expect("pages render");
        for name in ["portcullis", "portcullis-normalize", "portcullis-config-init"] {
            assert!(seen.iter().any(|page| page == name), "{name} is missing from {seen:?}");
        }
    }
}
