//! Alerts that tell of the same thing, told once: one address and one finding, with every entry it led to.

use ipnet::IpNet;
use serde_json::{Value, json};

use super::text::{code, mrkdwn, plain};
use super::{Alert, AlertKind, link};
use crate::finding::{FindingSummary, severity_label};
use crate::respond::reason::Reason;

/// Characters of country and organisation in a header block: with the longest prefix they stay below Slack's 150.
const ORIGIN: usize = 40;

/// Entries that are listed one by one.
const MOST_PLACES: usize = 10;

/// Colours of the severity labels, and of what has none; the label is always written as well.
const COLOURS: &[(&str, &str)] = &[
    ("Critical", "#8b1a1a"),
    ("High", "#d1372c"),
    ("Medium", "#e08a00"),
    ("Low", "#2f6fb3"),
];
const NEUTRAL: &str = "#6b7280";

/// Consecutive alerts of one message that differ only in the entry.
pub(super) struct Story<'a> {
    alerts: Vec<&'a Alert>,
    first: &'a Alert,
}

/// Groups alerts, in the order in which each group began.
pub(super) fn group(alerts: &[Alert]) -> Vec<Story<'_>> {
    let mut stories: Vec<Story<'_>> = Vec::new();
    for alert in alerts {
        match stories.iter_mut().find(|story| same(story.first, alert)) {
            Some(story) => story.alerts.push(alert),
            None => stories.push(Story {
                alerts: vec![alert],
                first: alert,
            }),
        }
    }
    stories
}

fn same(a: &Alert, b: &Alert) -> bool {
    let id = |alert: &Alert| alert.finding.as_ref().map(|finding| finding.id.clone());
    a.kind == b.kind && a.reason == b.reason && a.address == b.address && id(a) == id(b) && a.who == b.who
}

/// `185.220.101.4`, or `185.220.101.0/24` when it is more than one address.
pub(super) fn shown(net: IpNet) -> String {
    if net.prefix_len() == net.max_prefix_len() {
        net.addr().to_string()
    } else {
        net.to_string()
    }
}

fn verb(kind: AlertKind) -> &'static str {
    match kind {
        AlertKind::Blocked => "Blocked",
        AlertKind::WouldBlock => "Would block",
        AlertKind::NotBlocked => "Not blocked",
        AlertKind::Unblocked => "Unblocked",
        AlertKind::Removed => "No longer blocked",
        AlertKind::Attention => "Attention",
        AlertKind::Test => "Test message",
    }
}

impl Story<'_> {
    /// One line of mrkdwn: for notifications, and for the rest of a burst.
    pub(super) fn line(&self) -> String {
        let mut line = verb(self.first.kind).to_owned();
        if let Some(net) = self.first.address {
            line = format!("{line} {}", code(&shown(net), 50));
        }
        if let Some(finding) = &self.first.finding {
            let label = severity_label(finding.severity);
            line = format!(
                "{line}: {} ({label} {:.1})",
                code(&finding.finding_type, 70),
                finding.severity
            );
        }
        if matches!(self.first.kind, AlertKind::NotBlocked | AlertKind::Attention) {
            line = format!("{line}, {}", self.first.reason.word());
        }
        line
    }

    pub(super) fn colour(&self) -> &'static str {
        let label = self
            .first
            .finding
            .as_ref()
            .map(|finding| severity_label(finding.severity));
        COLOURS
            .iter()
            .find(|(name, _)| Some(*name) == label)
            .map_or(NEUTRAL, |(_, colour)| colour)
    }

    /// The blocks that tell it whole; at most six.
    pub(super) fn blocks(&self) -> Vec<Value> {
        let mut blocks = vec![json!({"type": "header", "text": plain_text(&self.header())})];
        blocks.push(section(&self.what()));
        let fields = self.fields();
        if !fields.is_empty() {
            blocks.push(json!({"type": "section", "fields": fields}));
        }
        if let Some(finding) = &self.first.finding {
            let text = if finding.description.is_empty() {
                &finding.title
            } else {
                &finding.description
            };
            let text = plain(text, 600);
            if !text.is_empty() {
                blocks.push(json!({"type": "section", "text": plain_text(&text)}));
            }
        }
        if let Some(next) = self.next_step() {
            blocks.push(section(&next));
        }
        blocks.push(json!({"type": "context", "elements": [mrkdwn_text(&self.footer())]}));
        blocks
    }

    fn header(&self) -> String {
        let mut parts = vec![verb(self.first.kind).to_owned()];
        if let Some(net) = self.first.address {
            parts[0] = format!("{} {}", parts[0], shown(net));
        }
        let origin = &self.first.origin;
        for part in [&origin.country, &origin.organisation].into_iter().flatten() {
            let part = plain(part, ORIGIN);
            if !part.is_empty() {
                parts.push(part);
            }
        }
        parts.join(" · ")
    }

    /// The finding, and why nothing was done when nothing was.
    fn what(&self) -> String {
        let mut lines = Vec::new();
        if let Some(finding) = &self.first.finding {
            lines.push(finding_line(finding));
        }
        let (word, meaning) = (self.first.reason.word(), self.first.reason.meaning());
        match self.first.kind {
            AlertKind::NotBlocked => lines.push(format!("*Why not:* `{word}` · {meaning}")),
            AlertKind::WouldBlock => lines.push("*Shadow mode:* nothing was touched.".to_owned()),
            // Nobody asked for it: the note says why.
            AlertKind::Removed if self.first.reason == Reason::Manual => {}
            AlertKind::Removed => lines.push(format!("*Why:* `{word}` · {meaning}")),
            AlertKind::Attention => lines.push(format!("`{word}` · {meaning}")),
            AlertKind::Test => lines.push("This channel works: alerts will arrive here.".to_owned()),
            AlertKind::Blocked | AlertKind::Unblocked => {}
        }
        if let Some(who) = &self.first.who {
            let note = self.first.note.as_deref().unwrap_or("no reason given");
            lines.push(format!("*By* {}: {}", code(who, 80), mrkdwn(note, 500)));
        } else if let Some(note) = &self.first.note {
            lines.push(mrkdwn(note, 500));
        }
        if lines.is_empty() {
            lines.push(format!("`{word}` · {meaning}"));
        }
        lines.join("\n")
    }

    fn fields(&self) -> Vec<Value> {
        let mut fields = Vec::new();
        let mut field = |title: &str, value: String| fields.push(mrkdwn_text(&format!("*{title}*\n{value}")));
        let place = self.alerts.iter().find_map(|alert| alert.place.as_ref());
        let finding = self.first.finding.as_ref();
        let account = place
            .map(|place| &place.acl.account)
            .or(finding.map(|finding| &finding.account));
        let region = place
            .map(|place| &place.acl.region)
            .or(finding.map(|finding| &finding.region));
        if let Some(account) = account {
            field("Account", code(account, 30));
        }
        if let Some(region) = region {
            field("Region", code(region, 40));
        }
        let places: Vec<String> = self
            .alerts
            .iter()
            .filter_map(|alert| alert.place.as_ref())
            .map(|place| {
                let rule = place.rule.map(|rule| format!(", rule {rule}")).unwrap_or_default();
                format!("{} {}{rule}", code(&place.acl.acl, 40), place.direction)
            })
            .collect();
        if !places.is_empty() {
            field("Network ACL", listed(&places));
        }
        let evicted: Vec<String> = self
            .alerts
            .iter()
            .filter_map(|alert| alert.evicted)
            .map(shown)
            .collect();
        if !evicted.is_empty() {
            let evicted: Vec<String> = evicted.iter().map(|net| code(net, 50)).collect();
            field("Evicted for it, the oldest", listed(&evicted));
        }
        if let Some(resource) = finding.and_then(|finding| finding.resource.as_ref()) {
            field("Resource", code(resource, 120));
        }
        if let Some(asn) = self.first.origin.asn {
            field("Network", format!("AS{asn}"));
        }
        fields
    }

    /// The command that undoes it, or does it after all.
    fn next_step(&self) -> Option<String> {
        let net = shown(self.first.address?);
        let (title, command) = match self.first.kind {
            AlertKind::Blocked => ("Undo", "unblock"),
            AlertKind::Unblocked | AlertKind::Removed | AlertKind::WouldBlock => ("Block it", "block"),
            AlertKind::NotBlocked | AlertKind::Attention | AlertKind::Test => return None,
        };
        Some(format!("*{title}*\n```portcullis {command} {net} --reason \"...\"```"))
    }

    fn footer(&self) -> String {
        let mut parts = vec![self.first.at.format("%Y-%m-%d %H:%M:%S UTC").to_string()];
        if let Some(finding) = &self.first.finding {
            parts.push(match link::console(finding) {
                Some(url) => format!("<{}|Finding in the console>", url.replace('&', "&amp;")),
                None => format!("Finding {}", code(&finding.id, 80)),
            });
        }
        parts.join(" · ")
    }
}

fn finding_line(finding: &FindingSummary) -> String {
    let times = if finding.count == 1 {
        "once".to_owned()
    } else {
        format!("{} times", finding.count)
    };
    format!(
        "{}\n*{}* ({:.1}) · seen {times}, last {}",
        code(&finding.finding_type, 120),
        severity_label(finding.severity),
        finding.severity,
        finding.last_seen.format("%H:%M:%S UTC"),
    )
}

fn listed(items: &[String]) -> String {
    let mut lines: Vec<String> = items.iter().take(MOST_PLACES).cloned().collect();
    if items.len() > MOST_PLACES {
        lines.push(format!("and {} more", items.len() - MOST_PLACES));
    }
    lines.join("\n")
}

pub(super) fn section(text: &str) -> Value {
    json!({"type": "section", "text": mrkdwn_text(text)})
}

fn mrkdwn_text(text: &str) -> Value {
    json!({"type": "mrkdwn", "text": text, "verbatim": true})
}

fn plain_text(text: &str) -> Value {
    json!({"type": "plain_text", "text": text, "emoji": false})
}
