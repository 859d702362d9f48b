//! `portcullis dashboards`: the files that OpenSearch Dashboards imports, from the panels.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

use super::{Context, Failure, Outcome, output};
use crate::dashboards::{
    Dashboard,
    definition::parse,
    pages,
    saved::{files, problems},
};

/// Arguments of `dashboards`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Write the files
    #[command(after_help = "\
Examples:
  portcullis dashboards build
  portcullis dashboards build --panels my/panels --out my/saved_objects

In OpenSearch Dashboards: Dashboards Management, Saved objects, Import. Each
file can be imported alone; index-patterns.ndjson has every index pattern.")]
    Build(Places),
    /// Say whether the files hold and are the ones that the panels give
    Check(Places),
}

#[derive(Debug, clap::Args)]
struct Places {
    /// Directory with panel files; without it the pages that are built in
    #[arg(long, value_name = "DIR")]
    panels: Option<PathBuf>,

    /// Directory of the files
    #[arg(long, value_name = "DIR", default_value = "dashboards/saved_objects")]
    out: PathBuf,
}

/// Builds or checks.
pub(crate) fn run(args: Args, _: &Context) -> Result<Outcome, Failure> {
    let (places, build) = match args.what {
        What::Build(places) => (places, true),
        What::Check(places) => (places, false),
    };
    let own;
    let pages = match &places.panels {
        None => pages(),
        Some(folder) => {
            own = read(folder)?;
            &own
        }
    };
    let mut out = output::stdout();
    let mut wrong: Vec<String> = Vec::new();
    let files = files(pages);
    for (name, text) in &files {
        wrong.extend(problems(name, text).iter().map(ToString::to_string));
    }
    if wrong.is_empty() && build {
        fs::create_dir_all(&places.out).with_context(|| format!("cannot make {}", places.out.display()))?;
    }
    if wrong.is_empty() {
        for (name, text) in &files {
            let path = places.out.join(name);
            if build {
                fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
            } else if fs::read_to_string(&path).ok().as_ref() != Some(text) {
                wrong.push(format!(
                    "{} is stale; `portcullis dashboards build` renews it",
                    path.display()
                ));
            }
        }
    }
    for line in &wrong {
        output::tell(output::printable(line));
    }
    if !wrong.is_empty() {
        return Err(Failure::new(format_args!(
            "{} problems in the saved objects",
            wrong.len()
        )));
    }
    let objects: usize = files.iter().map(|(_, text)| text.lines().count()).sum();
    let word = if build { "written" } else { "hold" };
    output::line(
        &mut out,
        &format!("{} files with {objects} saved objects {word}", files.len()),
    )?;
    out.flush()?;
    Ok(Outcome::Done)
}

/// The pages of a directory of panel files, by name.
fn read(folder: &Path) -> Result<Vec<Dashboard>, Failure> {
    let entries = fs::read_dir(folder)
        .with_context(|| format!("cannot read the panels in {}", folder.display()))
        .map_err(Failure::usage)?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut pages = Vec::with_capacity(paths.len());
    for path in paths {
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        pages.push(parse(&path.to_string_lossy(), &text).map_err(Failure::usage)?);
    }
    if pages.is_empty() {
        return Err(Failure::usage(anyhow::anyhow!(
            "{} has no panel files (*.toml)",
            folder.display()
        )));
    }
    Ok(pages)
}
