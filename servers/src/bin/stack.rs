//! Starts the servers that the responder stands on, and ends them at Enter. `cargo xtask stack` runs it.

use std::path::PathBuf;

use portcullis_servers::stack::Stack;

#[tokio::main]
async fn main() {
    let mut words = std::env::args().skip(1);
    let (Some(dir), Some(now)) = (words.next().map(PathBuf::from), words.next()) else {
        eprintln!("stack FOLDER TIME; `cargo xtask stack` says both");
        std::process::exit(2);
    };
    let stack = Stack::start(&dir, &now, |message| println!("Slack: {message}")).await;
    println!(
        "{} guards {}; a stream `findings` of two shards waits. In another terminal:\n\n  cd {} && . ./env\n\n\
         docs/consume.md goes on from there. Messages to Slack are shown here. Enter ends everything.",
        stack.acl,
        stack.subnet,
        dir.display()
    );
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    drop(ended.await);
}
