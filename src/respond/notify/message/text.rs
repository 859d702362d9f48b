//! Text for Slack: everything that comes from a finding or a person is cleaned, neutralised, escaped and cut here.
//!
//! Slack reads `&`, `<` and `>` as entities, links and mentions in every text, and `*`, `_`, `~` and backticks as
//! formatting in mrkdwn. A description written by an attacker must neither look like ours nor call anybody.

/// How a character is written, by where it stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Plain,
    Mrkdwn,
    Code,
}

/// For a `plain_text` object: no formatting there, but entities.
pub(super) fn plain(text: &str, limit: usize) -> String {
    write(text, limit, Place::Plain)
}

/// For running mrkdwn: formatting characters become look-alikes.
pub(super) fn mrkdwn(text: &str, limit: usize) -> String {
    write(text, limit, Place::Mrkdwn)
}

/// A code span, in which Slack neither formats nor links. Empty text shows as a dash.
pub(super) fn code(text: &str, limit: usize) -> String {
    let text = write(text, limit, Place::Code);
    if text.is_empty() {
        "-".to_owned()
    } else {
        format!("`{text}`")
    }
}

/// Writes at most `limit` characters, never half of an entity; `…` marks what was cut.
fn write(text: &str, limit: usize, place: Place) -> String {
    let mut out = String::new();
    let mut used = 0;
    let mut space = false;
    for c in text.chars() {
        if c.is_whitespace() {
            space = used > 0;
            continue;
        }
        if is_hidden(c) {
            continue;
        }
        let mut buffer = [0; 4];
        let piece = match (c, place) {
            ('&', _) => "&amp;",
            ('<', _) => "&lt;",
            ('>', _) => "&gt;",
            ('`', Place::Mrkdwn | Place::Code) => "\u{2cb}",
            ('*', Place::Mrkdwn) => "\u{2217}",
            ('_', Place::Mrkdwn) => "\u{2cd}",
            ('~', Place::Mrkdwn) => "\u{223c}",
            (':', Place::Mrkdwn) => "\u{2236}",
            _ => c.encode_utf8(&mut buffer),
        };
        let width = length(piece) + usize::from(space);
        if used + width + 1 > limit {
            out.push('…');
            break;
        }
        if std::mem::take(&mut space) {
            out.push(' ');
        }
        out.push_str(piece);
        used += width;
    }
    out
}

/// Slack counts as JavaScript does.
pub(super) fn length(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// Characters that are not seen or that reorder what is: controls, bidirectional marks, zero-width, tags, private use.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' |
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{e000}'..='\u{f8ff}' |
            '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formatting_links_and_mentions_cannot_be_forged() {
        let cases = [
            (
                "<!channel> & <https://evil|Console>",
                "&lt;!channel&gt; &amp; &lt;https∶//evil|Console&gt;",
            ),
            ("*Blocked* _by_ ~us~ `ok`", "∗Blocked∗ ˍbyˍ ∼us∼ ˋokˋ"),
            (":white_check_mark:", "∶whiteˍcheckˍmark∶"),
            ("a\u{202e}b\u{200b}c\u{1b}[1m\r\n  d\te", "abc[1m d e"),
            ("&lt;b&gt;", "&amp;lt;b&amp;gt;"),
        ];
        for (text, expected) in cases {
            assert_eq!(mrkdwn(text, 200), expected);
        }
        assert_eq!(code("a`b*c_d", 20), "`aˋb*c_d`");
        assert_eq!(code("\u{200b}", 20), "-");
    }

    #[test]
    fn text_is_cut_between_characters_and_entities() {
        assert_eq!(plain("äöü🦀x", 4), "äöü…");
        assert_eq!(plain("a&b", 6), "a…");
        assert_eq!(plain("abc", 4), "abc");
        for limit in 0..40 {
            let cut = plain("🦀<&>ä <b> & 🦀🦀🦀", limit);
            assert!(length(&cut) <= limit.max(1), "{limit}: {cut}");
        }
    }
}
