//! Everything that is said of OpenSearch, on a real one with its security plugin: `cargo xtask e2e opensearch` starts it.
//!
//! In order: templates and roles are put there as a user who may do that and nothing else; the demo's documents go through the
//! writer; every panel's answer, and those of generated requests, are compared with the embedded index's; what is open now is counted
//! by hand; samples and hostile mutations are written as the Firehose role; each role is refused what it may not do; the Lambda
//! function writes log events; what goes wrong is told with its remedy; every panel is asked for as an analyst.

mod alike;
mod answers;
mod bad;
mod cluster;
mod documents;
mod function;
mod generated;
mod now;
#[path = "../../transforms/tests/firehose_lambda/runtime_api.rs"]
#[expect(dead_code, reason = "shared with the transforms' functions")]
mod runtime_api;
mod set_up;
#[path = "../program/subscription.rs"]
mod subscription;
mod told;

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use portcullis::dashboards::{Scope, pages};

use cluster::Cluster;
use told::Told;

fn main() -> ExitCode {
    let Some(cluster) = Cluster::from_environment() else {
        println!("skipped: `cargo xtask e2e opensearch` starts the server that this needs");
        return ExitCode::SUCCESS;
    };
    let mut told = Told::default();
    if let Err(error) = prove(&cluster, &mut told) {
        told.line("the proof itself", Err(error));
    }
    told.close()
}

fn prove(cluster: &Cluster, told: &mut Told) -> Result<(), String> {
    set_up::users(cluster)?;
    set_up::applied(cluster, told)?;

    let demo = documents::Demo::load()?;
    documents::write(cluster, &demo, told)?;
    answers::compare(cluster, &demo, told)?;
    generated::compare(cluster, &demo, told)?;
    now::prove(cluster, &demo, told)?;

    documents::deliver(cluster, told)?;
    set_up::refusals(cluster, told);
    function::prove(cluster, told)?;
    bad::prove(cluster, told)?;

    let at = |text: &str| text.parse::<DateTime<Utc>>().map_err(|error| error.to_string());
    let scope = Scope::between(at("1970-01-01T00:00:00Z")?, at("2101-01-01T00:00:00Z")?);
    let analyst = cluster.index("analyst")?;
    for page in pages() {
        for panel in &page.panels {
            told.line(
                &format!("{}/{}", page.id, panel.id),
                answers::asked(&analyst, panel, &scope),
            );
        }
    }
    Ok(())
}
