//! `portcullis opensearch`: puts templates, policy, roles and indices onto a cluster, or shows what is missing.

use std::io::{self, IsTerminal, Write};

use chrono::Utc;
use serde_json::json;

use super::{Context, Failure, Outcome, output};
use crate::{
    config::{AuthKind, Config, OpenSearch},
    dashboards::{pages, saved::files},
    opensearch::{
        Auth, Client, Flavour, Wish,
        apply::{self, Change, Plan, State},
        desired,
        import::{self, Standing},
        mapped::{self, WronglyMapped},
        reindex, roles, templates,
    },
};

/// Arguments of `opensearch`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Make the cluster as it should be; to call it again changes nothing
    #[command(after_help = "\
Examples:
  export PORTCULLIS_OPENSEARCH_USER=admin PORTCULLIS_OPENSEARCH_PASSWORD=...
  portcullis opensearch apply --endpoint https://search.example.com:9200
  portcullis opensearch apply --dry-run      the same as diff
  portcullis opensearch apply --force        also what somebody edited
  portcullis opensearch apply --dashboards https://search.example.com:5601
  portcullis opensearch apply --reindex      copy wrongly mapped old indices

Where to, as whom, and who gets the roles stands under [opensearch] in the
configuration. What somebody edited since Portcullis wrote it is left, unless a
person at the terminal says yes or --force is given.")]
    Apply {
        #[command(flatten)]
        place: Place,

        /// Replace also what somebody edited
        #[arg(long)]
        force: bool,

        /// Copy indices with wrong mappings into right ones, count, then delete them
        #[arg(long)]
        reindex: bool,

        /// Show what would change, and change nothing
        #[arg(long, conflicts_with_all = ["force", "reindex"])]
        dry_run: bool,
    },
    /// Show how the cluster differs from what it should be
    Diff {
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, clap::Args)]
struct Place {
    /// Address of the cluster; without it `opensearch.endpoint` of the configuration
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,

    /// Also the saved objects: address of OpenSearch Dashboards, such as https://search.example.com/_dashboards
    #[arg(long, value_name = "URL")]
    dashboards: Option<String>,

    /// Print one JSON object: {"changes":[..], "skipped":[..], "wrongly_mapped":[..], "applied":n, "left":n}
    #[arg(long)]
    json: bool,
}

/// Compares, and applies when asked to.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Outcome, Failure> {
    let (place, apply, force, reindex) = match args.what {
        What::Apply {
            place,
            force,
            reindex,
            dry_run,
        } => (place, !dry_run, force, reindex),
        What::Diff { place } => (place, false, false, false),
    };
    let config = context.config()?;
    let client = client(&config.opensearch, place.endpoint.as_deref()).await?;
    let wish = wish(&config);
    let desired = desired(&wish);
    let wrong = mapped::wrongly(&client, &desired).await?;
    let mut plan = apply::compare(&client, desired).await?;
    plan.skipped.extend(apply::left_out(wish.flavour));
    let saved = Saved::compare(&config.opensearch, place.dashboards.as_deref()).await?;
    let mut out = output::stdout();
    if !place.json {
        show(&mut out, &plan)?;
        show_wrong(&mut out, &wrong)?;
        if let Some(saved) = &saved {
            saved.show(&mut out)?;
        }
        out.flush()?;
    }
    let (mut applied, mut left) = (0_u64, 0_u64);
    for change in plan.changes.iter().filter(|change| change.state != State::Same) {
        if !apply {
            continue;
        }
        if change.state == State::Edited && !force && (place.json || !agreed(change)?) {
            left += 1;
            continue;
        }
        apply::put(&client, change).await?;
        applied += 1;
    }
    if let Some(saved) = &saved
        && apply
    {
        let force = force || (!place.json && saved.agreed()?);
        let (put, kept) = saved.put(force).await?;
        applied += put;
        left += kept;
    }
    let mut unfinished = 0;
    let mut copied = Vec::new();
    // After the templates, which the copies are made by.
    for index in wrong.iter().filter(|_| reindex) {
        let outcome = reindex::again(&client, &index.index, Utc::now()).await?;
        unfinished += u64::from(!matches!(outcome, reindex::Outcome::Copied { .. }));
        let line = told(&index.index, &outcome);
        if !place.json {
            for line in wrapped(&line) {
                output::line(&mut out, &line)?;
            }
        }
        copied.push(line);
    }
    if place.json {
        let mut said = plan.to_json();
        said["reindexed"] = json!(copied);
        if let (Some(saved), Some(changes)) = (&saved, said["changes"].as_array_mut()) {
            changes.extend(saved.to_json());
        }
        said["wrongly_mapped"] = json!(wrong);
        said["applied"] = json!(applied);
        said["left"] = json!(left);
        output::json_line(&mut out, &said)?;
    } else if apply {
        output::line(
            &mut out,
            &format!("{applied} applied, {left} left as somebody edited them"),
        )?;
    }
    out.flush()?;
    if unfinished > 0 {
        return Err(Failure::new(format_args!(
            "{unfinished} indices were not copied; nothing of them is lost, and `apply --reindex` goes on with them"
        )));
    }
    if left > 0 {
        return Err(Failure::new(format_args!(
            "{left} left as somebody edited them; look at `portcullis opensearch diff`, then `apply --force` replaces them"
        )));
    }
    Ok(Outcome::Done)
}

/// What became of an index that was to be copied.
fn told(index: &str, outcome: &reindex::Outcome) -> String {
    let index = output::clipped(index, 48);
    match outcome {
        reindex::Outcome::Copied { into, documents } => {
            format!(
                "copied   {index} into {}: {documents} documents; the old one is deleted",
                output::clipped(into, 56)
            )
        }
        reindex::Outcome::InUse => {
            format!("left     {index}: it may be written to today; again when the delivery stream has rotated")
        }
        reindex::Outcome::Incomplete {
            documents,
            copied,
            reason,
        } => {
            format!(
                "left     {index}: {copied} of {documents} documents were copied: {}",
                output::clipped(reason, 200)
            )
        }
    }
}

/// The saved objects of OpenSearch Dashboards beside ours.
struct Saved {
    client: Client,
    standing: Standing,
}

impl Saved {
    async fn compare(config: &OpenSearch, endpoint: Option<&str>) -> Result<Option<Self>, Failure> {
        let Some(endpoint) = endpoint else { return Ok(None) };
        let client = client(config, Some(endpoint)).await?;
        let standing = import::compare(&client, &files(pages())).await?;
        Ok(Some(Self { client, standing }))
    }

    fn show(&self, out: &mut impl Write) -> io::Result<()> {
        for name in self.standing.differing.keys() {
            output::line(out, &format!("edited   saved object {}", output::clipped(name, 57)))?;
        }
        output::line(
            out,
            &format!(
                "saved objects: {} new, {} edited or of another version, {} the same",
                self.standing.missing.len(),
                self.standing.differing.len(),
                self.standing.same
            ),
        )
    }

    /// Whether the person at the terminal wants those replaced that differ.
    fn agreed(&self) -> io::Result<bool> {
        let differing = self.standing.differing.len();
        Ok(differing > 0
            && asked(&format!(
                "{differing} saved objects were edited or are of another version; replace them?"
            ))?)
    }

    /// How many were put there, and how many were left as they are.
    async fn put(&self, force: bool) -> Result<(u64, u64), Failure> {
        let Standing { missing, differing, .. } = &self.standing;
        let mut objects: Vec<_> = missing.values().collect();
        if force {
            objects.extend(differing.values());
        }
        if !objects.is_empty() {
            import::put(&self.client, &objects).await?;
        }
        let left = if force { 0 } else { differing.len() };
        Ok((objects.len() as u64, left as u64))
    }

    fn to_json(&self) -> Vec<serde_json::Value> {
        let told = |name: &String, state: &str| json!({ "kind": "saved object", "name": name, "state": state, "differences": [] });
        let missing = self.standing.missing.keys().map(|name| told(name, "missing"));
        missing
            .chain(self.standing.differing.keys().map(|name| told(name, "edited")))
            .collect()
    }
}

/// The client that the configuration describes.
pub(crate) async fn client(config: &OpenSearch, endpoint: Option<&str>) -> Result<Client, Failure> {
    let Some(endpoint) = endpoint.or(config.endpoint.as_deref()) else {
        return Err(Failure::usage(anyhow::anyhow!(
            "no cluster is named; give --endpoint URL, or set opensearch.endpoint in the configuration"
        )));
    };
    let auth = match config.auth {
        AuthKind::None => Auth::None,
        AuthKind::Basic => Auth::from_variables(&config.user_env, &config.password_env).map_err(Failure::usage)?,
        #[cfg(feature = "aws")]
        AuthKind::SigV4 => {
            let signer = crate::sigv4::Signer::from_environment(config.service()).await;
            Auth::Signed(signer.map_err(|error| Failure::usage(crate::opensearch::Error::from(error)))?)
        }
        #[cfg(not(feature = "aws"))]
        AuthKind::SigV4 => return Err(Failure::without_aws("sign")),
    };
    Client::new(endpoint, config.ca.as_deref(), auth).map_err(Failure::usage)
}

/// What the configuration wants of a cluster.
pub(crate) fn wish(config: &Config) -> Wish {
    let opensearch = &config.opensearch;
    Wish {
        flavour: if opensearch.serverless {
            Flavour::Serverless
        } else {
            Flavour::Cluster
        },
        layout: templates::Layout {
            shards: opensearch.shards,
            replicas: opensearch.replicas,
        },
        days: config.retention.days,
        holders: roles::Holders {
            firehose: opensearch.firehose_roles.clone(),
            analysts: opensearch.analyst_roles.clone(),
            writers: opensearch.writer_roles.clone(),
        },
    }
}

/// Most places of one object that are shown.
const PLACES: usize = 8;

fn show(out: &mut impl Write, plan: &Plan) -> io::Result<()> {
    for skipped in &plan.skipped {
        for line in wrapped(&format!("skipped  {}: {}", skipped.what, skipped.why)) {
            output::line(out, &line)?;
        }
    }
    for change in &plan.changes {
        let word = match change.state {
            State::Same => continue,
            State::Missing => "new     ",
            State::Outdated => "changed ",
            State::Edited => "edited  ",
        };
        let name = output::clipped(&change.object.name, 48);
        output::line(out, &format!("{word} {} {name}", change.object.kind.word()))?;
        for difference in change.differences.iter().take(PLACES) {
            let side = |side: &Option<String>| match side {
                None => "nothing".to_owned(),
                Some(text) => output::clipped(text, 60).into_owned(),
            };
            output::line(out, &format!("         {}", output::clipped(&difference.path, 68)))?;
            output::line(out, &format!("           now   {}", side(&difference.now)))?;
            output::line(out, &format!("           then  {}", side(&difference.then)))?;
        }
        if change.differences.len() > PLACES {
            output::line(
                out,
                &format!("         and {} more places", change.differences.len() - PLACES),
            )?;
        }
    }
    let of = |state| plan.changes.iter().filter(|change| change.state == state).count();
    output::line(
        out,
        &format!(
            "{} new, {} changed, {} edited by somebody, {} as they should be",
            of(State::Missing),
            of(State::Outdated),
            of(State::Edited),
            of(State::Same)
        ),
    )
}

fn show_wrong(out: &mut impl Write, wrong: &[WronglyMapped]) -> io::Result<()> {
    for index in wrong {
        let name = output::clipped(&index.index, 48);
        output::line(out, &format!("wrong    index {name}: {} fields", index.count))?;
        for (field, now, then) in &index.fields {
            let now = now.as_deref().unwrap_or("not mapped");
            output::line(
                out,
                &format!("         {}: {now}, not {then}", output::clipped(field, 44)),
            )?;
        }
    }
    if !wrong.is_empty() {
        let remedy = "An index keeps the mapping that it was made with. New ones are right; `apply --reindex` copies the old \
                      one into one of another name and deletes it, or let retention remove it.";
        for line in wrapped(remedy) {
            output::line(out, &line)?;
        }
    }
    Ok(())
}

/// Lines of at most 80 columns, the later ones below the text of the first.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        if lines[last].chars().count() + 1 + word.chars().count() > 80 {
            lines.push("        ".to_owned());
        }
        let last = lines.len() - 1;
        if !lines[last].is_empty() {
            lines[last].push(' ');
        }
        lines[last].push_str(word);
    }
    lines
}

/// Whether the person at the terminal wants an edited object replaced; nobody there is a no.
fn agreed(change: &Change) -> io::Result<bool> {
    let name = output::clipped(&change.object.name, 48);
    asked(&format!(
        "somebody edited {} {name}; replace it?",
        change.object.kind.word()
    ))
}

/// A question at the terminal; nobody there is a no.
fn asked(question: &str) -> io::Result<bool> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(false);
    }
    write!(io::stderr(), "{question} [y/N] ")?;
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::opensearch::{Kind, Object, apply::Skipped, object::Difference};

    #[test]
    fn what_is_shown_fits_eighty_columns_and_reaches_no_terminal_unescaped() {
        let nasty = "\u{1b}[31m".repeat(60);
        let mut plan = Plan::default();
        plan.skipped.push(Skipped {
            what: "ISM policies".to_owned(),
            why: "word ".repeat(40),
        });
        let differences = vec![
            Difference {
                path: nasty.clone(),
                now: Some(nasty.clone()),
                then: None
            };
            20
        ];
        plan.changes.push(Change::shown(
            Object::new(Kind::Role, nasty.clone(), json!({})),
            State::Edited,
            differences,
        ));
        let mut out = Vec::new();
        show(&mut out, &plan).expect("memory");
        let wrong = WronglyMapped {
            index: nasty.clone(),
            count: 1,
            fields: vec![(nasty.clone(), None, "ip".to_owned())],
        };
        show_wrong(&mut out, &[wrong]).expect("memory");
        let text = String::from_utf8(out).expect("text");
        assert!(!text.contains('\u{1b}'));
        for line in text.lines().filter(|line| !line.contains("u{1b}")) {
            assert!(line.chars().count() <= 80, "{line}");
        }
        assert!(
            text.contains("and 12 more places") && text.contains("1 edited by somebody"),
            "{text}"
        );
    }
}
