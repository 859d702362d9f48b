//! What docs/consume.md tells a stranger to do, word for word.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use chrono::{SecondsFormat, TimeDelta, Utc};
use portcullis_servers::front::Fault;
use portcullis_servers::stack::Stack;
use serde_json::Value;

use crate::consume::Consumer;

const PATIENCE: Duration = Duration::from_secs(60);

/// The longer lines of the page.
const CONSUME: &str = "portcullis consume --stream findings --from TRIM_HORIZON";
const AGAIN: &str =
    r#"sed "s/\"updatedAt\":\"[^\"]*/\"updatedAt\":\"$(date -u +%Y-%m-%dT%H:%M:%SZ)/" probe.json > again.json"#;

/// Of a shell in the folder that `cargo xtask stack` made, with the program on its path.
struct Shell {
    dir: tempfile::TempDir,
}

impl Shell {
    fn command(&self, line: &str) -> Command {
        let program = std::path::Path::new(env!("CARGO_BIN_EXE_portcullis"));
        let path = std::env::var("PATH").unwrap_or_default();
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &format!(". ./env && {line}")])
            .current_dir(self.dir.path())
            .env_clear()
            .env(
                "PATH",
                format!("{}:{path}", program.parent().expect("a folder").display()),
            )
            .stdin(Stdio::null());
        shell
    }

    fn run(&self, line: &str) -> String {
        let done = self.command(line).output().expect("a shell");
        let (out, err) = (
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr),
        );
        assert!(done.status.success(), "{line}: {out}{err}");
        out.into_owned()
    }

    /// Entries as `list --json` tells of them.
    fn entries(&self) -> Vec<Value> {
        let listed = self.run("portcullis list --json");
        let parse = |line: &str| serde_json::from_str(line).expect("a line of JSON");
        listed.lines().map(parse).collect()
    }
}

async fn until<T>(what: &str, mut answer: impl AsyncFnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match answer().await {
            Ok(answer) => return answer,
            Err(so_far) => assert!(Instant::now() < deadline, "{what}: {so_far}"),
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

/// The command blocks that the page shows under *Try it*.
fn told() -> Vec<String> {
    let page = include_str!("../../docs/consume.md");
    let section = page.split("## Try it").nth(1).expect("a section");
    let section = section.split("\n## ").next().expect("a section");
    let blocks = section.split("```sh\n").skip(1);
    blocks
        .filter_map(|block| block.split("```").next())
        .flat_map(str::lines)
        .map(str::to_owned)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_that_a_stranger_puts_as_the_page_says_becomes_three_entries_and_one_message_and_again_only_hits() {
    let dir = tempfile::tempdir().expect("a folder");
    let now = (Utc::now() - TimeDelta::seconds(2)).to_rfc3339_opts(SecondsFormat::Secs, true);
    let stack = Stack::start(dir.path(), &now, |_| ()).await;
    let shell = Shell { dir };
    let lines = told();
    let says = |line: &str| assert!(lines.iter().any(|told| told == line), "docs/consume.md says `{line}`");
    for line in [
        "cargo xtask stack",
        "portcullis setup ledger",
        CONSUME,
        "sh put probe.json",
        AGAIN,
        "sh put again.json",
        "portcullis list",
        "portcullis status",
    ] {
        says(line);
    }
    shell.run("portcullis setup ledger");
    drop(stack.front.calls());
    stack.front.fail("DescribeNetworkAcls", Fault::Throttled, 1);
    let consumer = shell.command(&format!("exec {CONSUME} --metrics 127.0.0.1:0"));
    let consumer = Consumer::listening(consumer, "portcullis: metrics on ");
    shell.run("sh put probe.json");
    let entries = until("three entries", async || {
        let entries = shell.entries();
        let stand = entries.len() == 3 && entries.iter().all(|entry| entry["state"] == "applied");
        let told = stack.messages().len() == 1;
        if stand && told {
            Ok(entries)
        } else {
            Err(format!("{entries:?}, {:?}", stack.messages()))
        }
    })
    .await;
    assert!(
        entries
            .iter()
            .all(|entry| entry["nacl"] == stack.acl.as_str() && entry["hits"] == 1)
    );
    for last in 4..7 {
        assert!(
            stack.messages()[0].contains(&format!("185.220.101.{last}")),
            "{:?}",
            stack.messages()
        );
    }
    shell.run("sh put probe.json");
    shell.run(AGAIN);
    shell.run("sh put again.json");
    until("hits", async || {
        let entries = shell.entries();
        if entries.iter().all(|entry| entry["hits"] == 2) {
            Ok(())
        } else {
            Err(format!("{entries:?}"))
        }
    })
    .await;
    assert_eq!(shell.entries().len(), 3);
    assert_eq!(stack.messages().len(), 1, "{:?}", stack.messages());
    let mut asked = 0;
    until("every call of EC2 is counted", async || {
        asked += stack.front.calls().len() as u64;
        let calls = consumer.metric("portcullis_api_calls_total{service=\"ec2\"}").await;
        let retries = consumer.metric("portcullis_api_retries_total{service=\"ec2\"}").await;
        if (calls + retries, retries) == (asked, 1) {
            Ok(())
        } else {
            Err(format!("{calls} and {retries} of {asked}"))
        }
    })
    .await;
    let others = consumer
        .metric("portcullis_api_calls_total{service=\"dynamodb\"}")
        .await;
    assert!(others > 0);
    assert_eq!(consumer.metric("portcullis_acl_managed").await, 3);
    assert!(stack.front.calls().is_empty(), "a scrape asks EC2 nothing");
    consumer.stop();
    let status = shell.run("portcullis status --json");
    let status: Value = serde_json::from_str(&status).expect("JSON");
    assert_eq!(status["applied"], 3, "{status}");
}
