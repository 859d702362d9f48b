//! The Slack message: what was blocked, why, and how to undo it, readable in ten seconds.
//!
//! The payload is Block Kit inside coloured attachments, the only way to give a message a colour. The colour repeats the
//! severity, which is also written. Everything that a finding says passes through `text`.

mod link;
mod story;
mod text;

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::finding::{FindingSummary, RemoteOrigin};
use crate::network_acl::{AclKey, Direction};
use crate::respond::reason::Reason;
use story::Story;

/// What happened, from a person's point of view. One alert tells of one transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// A deny entry was confirmed.
    Blocked,
    /// Shadow mode or a dry run: the entry would have been made.
    WouldBlock,
    /// Decided against, or not possible; the reason says why.
    NotBlocked,
    /// A person took the entry away.
    Unblocked,
    /// The entry went by itself, at the end of its time or because an allow-list entry covers it.
    Removed,
    /// Something that needs a person; the reason and the note say what.
    Attention,
    /// `portcullis notify test`.
    Test,
}

/// Where an entry stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Which network ACL.
    pub acl: AclKey,
    /// Which way.
    pub direction: Direction,
    /// Rule number, when one is or was taken.
    pub rule: Option<u16>,
}

/// One transition that a person should know of: one row of the outbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What happened.
    pub kind: AlertKind,
    /// Why.
    pub reason: Reason,
    /// The address or prefix, when there is one.
    pub address: Option<IpNet>,
    /// Where it is.
    pub origin: RemoteOrigin,
    /// The finding; `None` for what a person did.
    pub finding: Option<FindingSummary>,
    /// The entry, when one is concerned.
    pub place: Option<Place>,
    /// The prefix whose entry had to go for this one.
    pub evicted: Option<IpNet>,
    /// Who did it by hand.
    pub who: Option<String>,
    /// The person's words, or what went wrong.
    pub note: Option<String>,
}

impl Alert {
    /// That something happened, with nothing said yet of an address, an entry, a finding or a person.
    #[must_use]
    pub fn new(kind: AlertKind, reason: Reason, at: DateTime<Utc>) -> Self {
        Self {
            at,
            kind,
            reason,
            address: None,
            origin: RemoteOrigin::default(),
            finding: None,
            place: None,
            evicted: None,
            who: None,
            note: None,
        }
    }
}

/// The most alerts that one message tells of. Every address among them stands in the message.
pub const MOST_ALERTS: usize = 100;

/// Stories that are told whole: six blocks each, of the fifty that Slack takes.
const MOST_WHOLE: usize = 6;

/// Characters of one section block.
const SECTION: usize = 3000;

/// One Slack payload that tells of all the alerts, in their order: `{"text": .., "attachments": [{"color": .., "blocks": ..}]}`.
///
/// Alerts on the same address and finding are told together; the first few whole, the rest of a burst in one line each.
/// Give it at most [`MOST_ALERTS`]; it counts what is over and does not name it.
///
/// The limits are those of "Reference: blocks" in Slack's documentation.
#[must_use]
pub fn message(alerts: &[Alert]) -> Value {
    let told = &alerts[..alerts.len().min(MOST_ALERTS)];
    let stories = story::group(told);
    let (whole, rest) = stories.split_at(stories.len().min(MOST_WHOLE));
    let mut attachments: Vec<Value> = whole
        .iter()
        .map(|story| json!({"color": story.colour(), "blocks": story.blocks()}))
        .collect();
    let mut lines: Vec<String> = rest.iter().map(Story::line).collect();
    if alerts.len() > told.len() {
        lines.push(format!(
            "and {} more alerts: `portcullis list`",
            alerts.len() - told.len()
        ));
    }
    for part in paragraphs(&lines) {
        attachments.push(json!({"color": "#6b7280", "blocks": [story::section(&part)]}));
    }
    json!({"text": summary(&stories, alerts.len() - told.len()), "attachments": attachments})
}

/// The line that a notification shows.
fn summary(stories: &[Story<'_>], more: usize) -> String {
    match stories {
        [] => "Portcullis has nothing to tell".to_owned(),
        [one] if more == 0 => one.line(),
        [first, others @ ..] => format!("{}, and {} more", first.line(), others.len() + more),
    }
}

/// Joins lines into texts that fit a section.
fn paragraphs(lines: &[String]) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for line in lines {
        match parts.last_mut() {
            Some(part) if text::length(part) + text::length(line) < SECTION => {
                part.push('\n');
                part.push_str(line);
            }
            _ => parts.push(line.clone()),
        }
    }
    parts
}

#[cfg(test)]
mod tests;
