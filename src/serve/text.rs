//! How values are written on a page: numbers with units, times in UTC, and log content that stays text.
//!
//! Everything that comes from a log goes through [`shown`]: it escapes HTML, turns control and bidirectional
//! characters into visible escapes (so that a name cannot hide what follows it), and bounds the length.

use chrono::{DateTime, Datelike, Utc};
use maud::{Markup, Render, html};

use crate::dashboards::data::Unit;

/// Longest value written out; the rest is counted.
const LONGEST: usize = 2_000;

/// Text from outside, ready to stand on a page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown<'a>(&'a str);

/// Wraps text from outside for a page.
pub(super) fn shown(text: &str) -> Shown<'_> {
    Shown(text)
}

impl Render for Shown<'_> {
    fn render_to(&self, out: &mut String) {
        let mut left = self.0.chars();
        for c in left.by_ref().take(LONGEST) {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                '\'' => out.push_str("&#39;"),
                c if is_hidden(c) => out.extend(c.escape_unicode()),
                c => out.push(c),
            }
        }
        let more = left.count();
        if more > 0 {
            out.push_str(&format!("… ({more} more characters)"));
        }
    }
}

/// The same as [`shown`] for places that escape HTML themselves, such as attributes built from several parts.
pub(super) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().take(LONGEST) {
        if is_hidden(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// Characters that a reader cannot see or that change the order in which others are read.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// A whole number with thin separators: `1 234 567`.
pub(super) fn count(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let whole = format!("{:.0}", value.abs());
    let mut out = String::new();
    if value <= -0.5 {
        out.push('−');
    }
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            out.push('\u{202f}');
        }
        out.push(c);
    }
    out
}

/// A number in its unit.
pub(super) fn number(value: f64, unit: Unit) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    match unit {
        Unit::Count if value.fract().abs() > 1e-9 && value.abs() < 100.0 => format!("{value:.1}"),
        Unit::Count => count(value),
        Unit::Bytes => bytes(value),
        Unit::Seconds => seconds(value),
        Unit::Percent => format!("{value:.1}\u{202f}%"),
    }
}

/// Like [`number`] where there is little room, such as an axis or a heat map's cell: `12.3k`.
pub(super) fn brief(value: f64, unit: Unit) -> String {
    if unit != Unit::Count || value.abs() < 10_000.0 {
        return number(value, unit);
    }
    let (scaled, suffix) = if value.abs() < 1e6 {
        (value / 1e3, "k")
    } else if value.abs() < 1e9 {
        (value / 1e6, "M")
    } else {
        (value / 1e9, "G")
    };
    if scaled.abs() < 100.0 {
        format!("{scaled:.1}{suffix}")
    } else {
        format!("{scaled:.0}{suffix}")
    }
}

fn bytes(value: f64) -> String {
    let mut scaled = value;
    let mut unit = "B";
    for next in ["KiB", "MiB", "GiB", "TiB", "PiB"] {
        if scaled.abs() < 1024.0 {
            break;
        }
        scaled /= 1024.0;
        unit = next;
    }
    if unit == "B" || scaled.abs() >= 100.0 {
        format!("{}\u{202f}{unit}", count(scaled))
    } else {
        format!("{scaled:.1}\u{202f}{unit}")
    }
}

fn seconds(value: f64) -> String {
    match value.abs() {
        s if s > 0.0 && s < 1.0 => format!("{:.0}\u{202f}ms", value * 1e3),
        s if s < 120.0 => format!("{value:.1}\u{202f}s"),
        s if s < 7_200.0 => format!("{:.0}\u{202f}min", value / 60.0),
        s if s < 172_800.0 => format!("{:.1}\u{202f}h", value / 3_600.0),
        _ => format!("{:.1}\u{202f}d", value / 86_400.0),
    }
}

/// `3 min ago`, `in 2 h`.
pub(super) fn relative(now: DateTime<Utc>, at: DateTime<Utc>) -> String {
    let seconds = (now - at).num_seconds();
    let size = seconds.abs();
    let words = match size {
        0..=1 => return "now".to_owned(),
        2..=119 => format!("{size}\u{a0}s"),
        120..=7_199 => format!("{}\u{a0}min", size / 60),
        7_200..=172_799 => format!("{}\u{a0}h", size / 3_600),
        _ => format!("{}\u{a0}d", size / 86_400),
    };
    if seconds > 0 {
        format!("{words} ago")
    } else {
        format!("in {words}")
    }
}

/// Absolute UTC as short as it can be and still be read without doubt.
pub(super) fn absolute(now: DateTime<Utc>, at: DateTime<Utc>) -> String {
    if at.date_naive() == now.date_naive() {
        at.format("%H:%M:%S").to_string()
    } else if at.year() == now.year() {
        at.format("%-d %b %H:%M").to_string()
    } else {
        at.format("%Y-%m-%d %H:%M").to_string()
    }
}

/// RFC 3339 with milliseconds, as everywhere in the documents.
pub(super) fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// A moment: relative, with the absolute time beside it.
pub(super) fn moment(now: DateTime<Utc>, at: DateTime<Utc>) -> Markup {
    html! {
        time.moment datetime=(rfc3339(at)) title=(rfc3339(at)) {
            (relative(now, at)) " " span.abs { (absolute(now, at)) }
        }
    }
}

/// A sentence in which commands stand between backticks.
pub(super) fn sentence(text: &str) -> Markup {
    html! {
        @for (place, part) in text.split('`').enumerate() {
            @if place % 2 == 1 { code { (shown(part)) } } @else { (shown(part)) }
        }
    }
}

/// `1 hit`, `2 hits`.
pub(super) fn plural(n: u64, one: &str, many: &str) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a count on a page; 2^53 is far away")]
    let number = count(n as f64);
    format!("{number}\u{a0}{}", if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_hidden_characters_of_a_log_become_visible_text() {
        let out = html! { (shown("<b>\u{202e}evil\u{0}'\"&\u{200b}")) }.into_string();
        assert_eq!(out, "&lt;b&gt;\\u{202e}evil\\u{0}&#39;&quot;&amp;\\u{200b}");
    }

    #[test]
    fn a_long_value_is_cut_and_says_by_how_much() {
        let out = html! { (shown(&"x".repeat(LONGEST + 7))) }.into_string();
        assert!(out.ends_with("… (7 more characters)"));
    }

    #[test]
    fn numbers_carry_their_unit_and_thin_separators() {
        for (value, unit, expected) in [
            (0.0, Unit::Count, "0"),
            (1_234_567.0, Unit::Count, "1\u{202f}234\u{202f}567"),
            (-1_000.0, Unit::Count, "−1\u{202f}000"),
            (7.25, Unit::Count, "7.2"),
            (f64::NAN, Unit::Count, "–"),
            (1_023.0, Unit::Bytes, "1\u{202f}023\u{202f}B"),
            (1_536.0, Unit::Bytes, "1.5\u{202f}KiB"),
            (0.25, Unit::Seconds, "250\u{202f}ms"),
            (0.0, Unit::Seconds, "0.0\u{202f}s"),
            (600.0, Unit::Seconds, "10\u{202f}min"),
            (12.34, Unit::Percent, "12.3\u{202f}%"),
        ] {
            assert_eq!(number(value, unit), expected, "{value} {unit:?}");
        }
        assert_eq!(brief(123_456.0, Unit::Count), "123k");
        assert_eq!(brief(1_234_567.0, Unit::Count), "1.2M");
    }

    #[test]
    fn a_moment_says_how_long_ago_and_when() {
        let now = DateTime::parse_from_rfc3339("2026-05-04T12:00:00Z")
            .expect("literal")
            .to_utc();
        for (seconds, expected) in [
            (0, "now"),
            (59, "59\u{a0}s ago"),
            (300, "5\u{a0}min ago"),
            (-10_800, "in 3\u{a0}h"),
            (604_800, "7\u{a0}d ago"),
        ] {
            assert_eq!(relative(now, now - chrono::TimeDelta::seconds(seconds)), expected);
        }
        assert_eq!(absolute(now, now), "12:00:00");
        assert_eq!(absolute(now, now - chrono::TimeDelta::days(1)), "3 May 12:00");
    }
}
