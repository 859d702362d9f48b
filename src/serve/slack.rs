//! A Slack message as it appears in Slack: reads a Block Kit payload and draws it.
//!
//! The payload comes from our own outbox, but its words come from findings. So everything is escaped, only the marks that
//! mrkdwn knows are drawn, and only links into the AWS console are links.

use maud::{Markup, html};
use serde_json::Value;

use super::text::shown;

/// Blocks drawn of one message; Slack itself takes 50.
const MOST_BLOCKS: usize = 50;

/// Draws a whole payload: text, blocks, attachments with their coloured edge.
pub(super) fn message(payload: &Value) -> Markup {
    let attachments = payload["attachments"].as_array().map_or(&[][..], Vec::as_slice);
    let has_blocks = payload["blocks"].is_array() || attachments.iter().any(|a| a["blocks"].is_array());
    html! {
        div.slack {
            @if !has_blocks { @if let Some(text) = payload["text"].as_str() { div.block { (mrkdwn(text)) } } }
            (blocks(&payload["blocks"]))
            @for attachment in attachments.iter().take(MOST_BLOCKS) {
                div.attachment {
                    @if let Some(colour) = attachment["color"].as_str().filter(|c| is_colour(c)) {
                        svg.edge aria-hidden="true" { rect width="100%" height="100%" fill=(colour) {} }
                    }
                    @if let Some(text) = attachment["text"].as_str() { div.block { (mrkdwn(text)) } }
                    (blocks(&attachment["blocks"]))
                }
            }
        }
    }
}

fn is_colour(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn blocks(blocks: &Value) -> Markup {
    html! { @for block in blocks.as_array().into_iter().flatten().take(MOST_BLOCKS) { (one_block(block)) } }
}

fn one_block(block: &Value) -> Markup {
    let items = |name: &str| block[name].as_array().map_or(&[][..], Vec::as_slice);
    match block["type"].as_str().unwrap_or_default() {
        "header" => html! { h3.block { (text_object(&block["text"])) } },
        "section" => html! {
            div.block {
                @if !block["text"].is_null() { div { (text_object(&block["text"])) } }
                @if !items("fields").is_empty() { div.fields { @for f in items("fields") { div { (text_object(f)) } } } }
                @if !block["accessory"].is_null() { (button(&block["accessory"])) }
            }
        },
        "context" => html! { div.block.context { @for e in items("elements") { span { (text_object(e)) } } } },
        "actions" => html! { div.block { @for e in items("elements") { (button(e)) } } },
        "divider" => html! { hr; },
        other => html! { div.block.dim { "a block of type " code { (shown(other)) } " that is not shown here" } },
    }
}

fn button(element: &Value) -> Markup {
    let label = element["text"]["text"].as_str().unwrap_or("link");
    match element["url"].as_str() {
        Some(url) if is_console(url) => {
            html! { a.button href=(url) rel="noopener noreferrer" { (shown(label)) } }
        }
        _ => html! { span.button.off { (shown(label)) } },
    }
}

fn text_object(object: &Value) -> Markup {
    let text = object["text"].as_str().unwrap_or_default();
    if object["type"] == "mrkdwn" {
        mrkdwn(text)
    } else {
        html! { (shown(text)) }
    }
}

/// Only the consoles of the three AWS partitions.
pub(super) fn is_console(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://") else {
        return false;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_plain = host
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    is_plain
        && [
            "console.aws.amazon.com",
            "console.amazonaws-us-gov.com",
            "console.amazonaws.cn",
        ]
        .iter()
        .any(|console| {
            host.strip_suffix(console)
                .is_some_and(|region| region.is_empty() || region.ends_with('.'))
        })
}

/// A stretch of mrkdwn.
#[derive(Debug, PartialEq, Eq)]
enum Span {
    Text(String),
    Bold(String),
    Italic(String),
    Strike(String),
    Code(String),
    Link { url: String, label: String },
    Break,
}

fn mrkdwn(text: &str) -> Markup {
    html! {
        @for span in spans(text) {
            @match &span {
                Span::Text(text) => (shown(text)),
                Span::Bold(text) => strong { (shown(text)) },
                Span::Italic(text) => em { (shown(text)) },
                Span::Strike(text) => s { (shown(text)) },
                Span::Code(text) => code { (shown(text)) },
                Span::Link { url, label } if is_console(url) => a href=(url) rel="noopener noreferrer" { (shown(label)) },
                Span::Link { label, .. } => (shown(label)),
                Span::Break => br;,
            }
        }
    }
}

/// Reads mrkdwn once from left to right. A mark without its partner on the same line is text.
fn spans(text: &str) -> Vec<Span> {
    let mut out = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        let found = match c {
            '\n' => Some((Span::Break, 1)),
            '<' => link(rest),
            '`' if rest.starts_with("```") => marked(rest, "```", Span::Code),
            '`' => marked(rest, "`", Span::Code),
            '*' if !before.is_alphanumeric() => marked(rest, "*", Span::Bold),
            '_' if !before.is_alphanumeric() => marked(rest, "_", Span::Italic),
            '~' if !before.is_alphanumeric() => marked(rest, "~", Span::Strike),
            _ => None,
        };
        if let Some((span, used)) = found {
            if !plain.is_empty() {
                out.push(Span::Text(decoded(&std::mem::take(&mut plain))));
            }
            before = rest[..used].chars().next_back().unwrap_or(' ');
            rest = &rest[used..];
            out.push(span);
        } else {
            plain.push(c);
            before = c;
            rest = &rest[c.len_utf8()..];
        }
    }
    if !plain.is_empty() {
        out.push(Span::Text(decoded(&plain)));
    }
    out
}

/// Text between a pair of marks, the closing one at the end of a word; the number of bytes used.
fn marked(rest: &str, mark: &str, span: fn(String) -> Span) -> Option<(Span, usize)> {
    let inner = &rest[mark.len()..];
    let line = if mark == "```" {
        inner
    } else {
        inner.split('\n').next()?
    };
    let end = line.find(mark).filter(|end| *end > 0)?;
    let after = inner[end + mark.len()..].chars().next();
    let is_code = mark.starts_with('`');
    if !is_code && (after.is_some_and(char::is_alphanumeric) || line.starts_with(' ') || line[..end].ends_with(' ')) {
        return None;
    }
    Some((span(decoded(&line[..end])), end + 2 * mark.len()))
}

/// `<https://...|label>`.
fn link(rest: &str) -> Option<(Span, usize)> {
    let end = rest.find('>')?;
    let inner = &rest[1..end];
    let (url, label) = inner.split_once('|').unwrap_or((inner, inner));
    (!inner.contains(['\n', '<'])).then(|| {
        (
            Span::Link {
                url: decoded(url),
                label: decoded(label),
            },
            end + 1,
        )
    })
}

/// The three characters that mrkdwn escapes.
fn decoded(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn mrkdwn_marks_are_read_as_slack_reads_them() {
        for (text, expected) in [
            (
                "*Blocked* `45.83.64.11`",
                "<strong>Blocked</strong> <code>45.83.64.11</code>",
            ),
            ("a*b*c", "a*b*c"),
            ("2 * 3 * 4", "2 * 3 * 4"),
            ("*open", "*open"),
            ("one\ntwo", "one<br>two"),
            ("&lt;b&gt; &amp;amp;", "&lt;b&gt; &amp;amp;"),
            ("_it_ ~gone~", "<em>it</em> <s>gone</s>"),
            ("```a\n*b*```", "<code>a\\u{a}*b*</code>"),
            ("<https://evil.example/|console>", "console"),
            ("<!channel>", "!channel"),
        ] {
            assert_eq!(mrkdwn(text).into_string(), expected, "{text}");
        }
    }

    #[test]
    fn only_the_aws_consoles_are_links() {
        for (url, expected) in [
            (
                "https://eu-west-1.console.aws.amazon.com/guardduty/home?region=eu-west-1#/findings",
                true,
            ),
            ("https://console.aws.amazon.com/", true),
            ("https://us-gov-west-1.console.amazonaws-us-gov.com/guardduty", true),
            ("http://console.aws.amazon.com/", false),
            ("https://evilconsole.aws.amazon.com/", false),
            ("https://console.aws.amazon.com.evil.example/", false),
            ("https://console.aws.amazon.com@evil.example/", false),
            ("https://console.aws.amazon.com\\@evil.example/", false),
            ("javascript:alert(1)", false),
        ] {
            assert_eq!(is_console(url), expected, "{url}");
        }
    }

    #[test]
    fn a_block_kit_payload_is_drawn_with_its_parts() {
        let out = message(&json!({"text": "fallback", "attachments": [{"color": "#d13212", "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "SSH brute force"}},
            {"type": "section", "text": {"type": "mrkdwn", "text": "*Blocked*"}, "fields": [{"type": "mrkdwn", "text": "*Account*\n1"}]},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "seen 3 times"}]},
            {"type": "video"}
        ]}]}))
        .into_string();
        for part in [
            "<h3 class=\"block\">SSH brute force</h3>",
            "<strong>Blocked</strong>",
            "fill=\"#d13212\"",
            "seen 3 times",
            "video",
        ] {
            assert!(out.contains(part), "{part} in {out}");
        }
        assert!(!out.contains("fallback"));
    }

    proptest! {
        #[test]
        fn whatever_the_text_no_markup_of_its_own_appears(text in "[<>*`_~|a &;\n\"]{0,60}") {
            let out = mrkdwn(&text).into_string();
            let known = ["<strong>", "</strong>", "<em>", "</em>", "<s>", "</s>", "<code>", "</code>", "<br>"];
            let rest = known.iter().fold(out, |out, tag| out.replace(tag, ""));
            prop_assert!(!rest.contains(['<', '>', '"']), "{}", rest);
        }
    }
}
