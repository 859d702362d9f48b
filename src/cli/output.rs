//! What goes to the terminal. Text of events is written by attackers: nothing of it reaches a terminal unescaped.
//!
//! Commands write through [`stdout`], never through `println!`, which panics when the reader went away.

use std::{
    borrow::Cow,
    fmt::{self, Write as _},
    io::{self, BufWriter, IsTerminal, StdoutLock, Write},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

/// Standard output with one large buffer. Flush it at the end, and give its errors on with `?`.
pub(crate) fn stdout() -> BufWriter<StdoutLock<'static>> {
    BufWriter::with_capacity(256 * 1024, io::stdout().lock())
}

/// One JSON value on a line of its own.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn json_line(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

/// A line for the person on standard output, made [`printable`].
///
/// # Errors
/// When it cannot be written.
pub(crate) fn line(out: &mut impl Write, text: &str) -> io::Result<()> {
    writeln!(out, "{}", printable(text))
}

/// A line for the person on standard error. A closed standard error is nobody to tell.
pub(crate) fn tell(line: impl fmt::Display) {
    let told = writeln!(io::stderr().lock(), "{line}");
    drop(told);
}

/// The text with every character escaped that could move the cursor, colour or reorder a terminal's line: controls,
/// line breaks, bidirectional marks, zero-width and tag characters.
///
/// `"\u{1b}[31mred"` becomes `\u{1b}[31mred` in visible characters.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_deceptive) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_deceptive(c) {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// As [`printable`], cut to `limit` characters, with an ellipsis when something was cut.
pub(crate) fn clipped(text: &str, limit: usize) -> Cow<'_, str> {
    match text.char_indices().nth(limit) {
        None => printable(text),
        Some((end, _)) => {
            let mut cut = printable(&text[..end]).into_owned();
            cut.push('…');
            Cow::Owned(cut)
        }
    }
}

fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' |
            '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// `1 234 567`: counts as people read them, with no-break thin spaces left to the pages and plain ones here.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

/// A table for people: fitted to the terminal, or to 80 columns when standard output is none. Cells are made printable.
#[derive(Debug)]
pub(crate) struct Table(comfy_table::Table);

impl Table {
    /// A table with these column titles.
    pub(crate) fn new<const N: usize>(titles: [&str; N]) -> Self {
        let mut table = comfy_table::Table::new();
        table
            .load_style(comfy_table::presets::NOTHING)
            .set_content_arrangement(comfy_table::ContentArrangement::Dynamic)
            .set_header(titles);
        if !io::stdout().is_terminal() {
            table.set_width(80);
        }
        Self(table)
    }

    /// Adds a row; it should have as many cells as there are titles.
    pub(crate) fn row<I, T>(&mut self, cells: I)
    where
        I: IntoIterator<Item = T>,
        T: AsRef<str>,
    {
        self.0
            .add_row(cells.into_iter().map(|cell| printable(cell.as_ref()).into_owned()));
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.0.lines() {
            f.write_str(line.trim_end())?;
            f.write_char('\n')?;
        }
        Ok(())
    }
}

/// A progress bar over `length` steps on standard error; it draws nothing when that is no terminal.
pub(crate) fn progress(length: u64, what: &'static str) -> ProgressBar {
    let target = if io::stderr().is_terminal() {
        ProgressDrawTarget::stderr_with_hz(10)
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(length), target);
    if let Ok(style) = ProgressStyle::with_template("{msg:<28} {wide_bar} {human_pos}/{human_len} {eta}") {
        bar.set_style(style.progress_chars("━╸ "));
    }
    bar.set_message(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_deceive_a_terminal_is_escaped_and_the_rest_is_left() {
        for (text, shown) in [
            ("plain", "plain"),
            ("Grüße, 世界 🦀", "Grüße, 世界 🦀"),
            ("\u{1b}[2Jgone", "\\u{1b}[2Jgone"),
            ("a\r\nb\tc", "a\\r\\nb\\tc"),
            ("\u{202e}gpj.exe", "\\u{202e}gpj.exe"),
            ("zero\u{200b}width", "zero\\u{200b}width"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("tag\u{e0041}", "tag\\u{e0041}"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(clipped("äöü", 2), "äö…");
        assert_eq!(clipped("äöü", 3), "äöü");
    }

    #[test]
    fn counts_are_grouped_by_thousands() {
        for (number, shown) in [(0, "0"), (999, "999"), (1000, "1 000"), (1_234_567, "1 234 567")] {
            assert_eq!(count(number), shown);
        }
    }

    #[test]
    fn a_table_keeps_to_80_columns_and_escapes_its_cells() {
        let mut table = Table::new(["address", "finding"]);
        table.row(["198.51.100.7", &"word ".repeat(60)]);
        table.row(["203.0.113.9", "\u{1b}[31m"]);
        let shown = table.to_string();
        assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
        assert!(!shown.contains('\u{1b}'), "{shown}");
    }
}
