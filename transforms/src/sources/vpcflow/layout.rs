//! Which column stands where in a line: from a header line, from the configured format, or as AWS documents it.

use super::{
    fields::{COLUMNS, DOCUMENTED_PREFIXES, FLAG_SEQUENCE, Kind, TRANSIT_GATEWAY, column},
    forms::quote,
    push::Literal,
};
use crate::{Refusal, RefusalKind, Schema};

/// The most columns a line may have. AWS publishes 66; the limit keeps a line's spans in one small array.
pub(super) const MAX_COLUMNS: usize = 128;

/// `at` of a column that the layout does not have.
pub(super) const ABSENT: u8 = u8::MAX;

/// The columns of a line, in order, with what is worked out once per layout instead of once per line.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// Position in the line of each published column, by the column's number; [`ABSENT`] if it has none.
    pub(super) at: [u8; COLUMNS.len()],
    /// What each position holds.
    pub(super) kinds: Vec<Kind>,
    /// Name of each position, as it was given.
    pub(super) names: Vec<String>,
    /// Positions that are copied to a field of their own, with the key to write before the value.
    pub(super) copies: Vec<Copied>,
    /// Positions whose names AWS has not published; they go to the rest.
    pub(super) unknown: Vec<u8>,
    /// The key of each position in a `native` document, with the comma or brace before it.
    pub(super) native_keys: Vec<Literal>,
    /// Whether any column beyond the default format needs more than a copy.
    pub(super) is_extended: bool,
    /// Whether the layout was only told by the number of a line's values. A value that does not fit its column then
    /// says that it is another format, and there may be no more values than names.
    pub(super) is_guess: bool,
}

/// A column that is copied to a field of its own.
#[derive(Clone, Debug)]
pub(super) struct Copied {
    /// Position in the line.
    pub(super) position: u8,
    /// `"vpc_id":"` for text, `"version":` for numbers.
    pub(super) key: Literal,
    /// Whether the value is written in quotes.
    pub(super) is_text: bool,
}

impl Layout {
    pub(super) fn empty() -> Self {
        Self {
            at: [ABSENT; COLUMNS.len()],
            kinds: Vec::new(),
            names: Vec::new(),
            copies: Vec::new(),
            unknown: Vec::new(),
            native_keys: Vec::new(),
            is_extended: false,
            is_guess: false,
        }
    }

    /// A layout of columns by name; `_` is read as `-`, as Athena's and Parquet's names have it.
    fn new<'a>(names: impl Iterator<Item = &'a str>) -> Result<Self, Refusal> {
        let mut layout = Self::empty();
        for name in names {
            layout.push(name)?;
        }
        if layout.names.is_empty() {
            return Err(Refusal::new(
                RefusalKind::Syntax,
                "",
                "the flow-log format names no column",
            ));
        }
        layout.settle();
        Ok(layout)
    }

    /// The same layout, with the column at `position` among those that AWS has not published: its value does not fit.
    pub(super) fn without(&self, position: usize) -> Self {
        let mut layout = self.clone();
        for at in &mut layout.at {
            if usize::from(*at) == position {
                *at = ABSENT;
            }
        }
        layout.kinds[position] = Kind::Text;
        layout.copies.retain(|copy| usize::from(copy.position) != position);
        layout.unknown.push(position as u8);
        layout.settle();
        layout
    }

    /// Works out what depends on the columns together.
    fn settle(&mut self) {
        const EXTENDED: [usize; 7] = [
            column("instance-id"),
            column("tcp-flags"),
            column("pkt-srcaddr"),
            column("pkt-dstaddr"),
            column("region"),
            column("traffic-path"),
            column("encryption-status"),
        ];
        self.is_extended = EXTENDED.iter().any(|&column| self.at[column] != ABSENT);
    }

    /// The layout of a JSON object's members: names in any spelling, those that are no column's or repeat one as
    /// unknown ones.
    pub(super) fn members<'a>(names: impl Iterator<Item = &'a str>) -> Result<Self, Refusal> {
        let mut layout = Self::empty();
        for name in names {
            let column = find_folded(name).filter(|&number| layout.at[number] == ABSENT);
            layout.place(name, column)?;
        }
        layout.settle();
        Ok(layout)
    }

    fn push(&mut self, name: &str) -> Result<(), Refusal> {
        let column = find(name);
        let repeated = match column {
            Some(number) => self.at[number] != ABSENT,
            None => self.names.iter().any(|known| *known == name),
        };
        if repeated {
            let message = format!("the flow-log format names the column {} twice", quote(name.as_bytes()));
            return Err(Refusal::new(RefusalKind::Syntax, name, message));
        }
        self.place(name, column)
    }

    /// Adds a position: of a published column, or of none.
    fn place(&mut self, name: &str, column: Option<usize>) -> Result<(), Refusal> {
        let position = self.names.len();
        if position == MAX_COLUMNS {
            let message = format!("the flow log has more than {MAX_COLUMNS} columns");
            return Err(Refusal::new(RefusalKind::Size, "", message));
        }
        match column {
            Some(number) => {
                self.at[number] = position as u8;
                self.kinds.push(COLUMNS[number].kind);
                if let Some(field) = COLUMNS[number].copy {
                    let is_text = COLUMNS[number].kind == Kind::Text;
                    let leaf = field.name.rsplit('.').next().unwrap_or(field.name);
                    let quote = if is_text { "\"" } else { "" };
                    self.copies.push(Copied {
                        position: position as u8,
                        key: Literal::new(format!("\"{leaf}\":{quote}")),
                        is_text,
                    });
                }
            }
            None => {
                self.kinds.push(Kind::Text);
                self.unknown.push(position as u8);
            }
        }
        let opening = if position == 0 { '{' } else { ',' };
        self.native_keys.push(Literal::new(format!("{opening}\"{name}\":")));
        self.names.push(name.to_owned());
        Ok(())
    }

    /// The configured format: `${version} ${account-id} ...`, or the same names without `${}`.
    ///
    /// A name that AWS has not published is accepted, because AWS adds columns; one that is a single letter away
    /// from a published name is a misspelling and refused.
    pub(super) fn configured(format: &str) -> Result<Self, Refusal> {
        let names: Vec<&str> = format
            .split_ascii_whitespace()
            .map(|token| {
                token
                    .strip_prefix("${")
                    .and_then(|t| t.strip_suffix('}'))
                    .unwrap_or(token)
            })
            .collect();
        for name in &names {
            if !is_name(name.as_bytes()) {
                let message = format!(
                    "{} is no name of a flow-log column; write the format as `${{version}} ${{srcaddr}} ...`",
                    quote(name.as_bytes())
                );
                return Err(Refusal::new(RefusalKind::Syntax, "flow_format", message));
            }
            if find(name).is_none()
                && let Some(meant) = COLUMNS.iter().find(|column| is_one_edit_away(column.name, name))
            {
                let message = format!("flow logs have no column `{name}`; did you mean `{}`?", meant.name);
                return Err(Refusal::new(RefusalKind::Syntax, "flow_format", message));
            }
        }
        Self::new(names.into_iter())
    }

    /// The layout that a header line gives, or nothing if the line is none.
    ///
    /// In a header every word is a name and at least half of them are published; a line of values always has
    /// a number, an address or `-` in it.
    pub(super) fn header(line: &[u8]) -> Option<Result<Self, Refusal>> {
        let words = || line.split(|&b| b == b' ').filter(|word| !word.is_empty());
        if !words().all(is_name) {
            return None;
        }
        let names: Vec<&str> = words().filter_map(|word| std::str::from_utf8(word).ok()).collect();
        let known = names.iter().filter(|name| find(name).is_some()).count();
        (known > 0 && known * 2 >= names.len()).then(|| Self::new(names.into_iter()))
    }

    /// The formats that AWS documents, shortest first; the first one is the default format.
    pub(super) fn documented() -> Vec<Self> {
        let prefixes = DOCUMENTED_PREFIXES.iter().map(|&count| {
            let names: Vec<&str> = COLUMNS[..count].iter().map(|column| column.name).collect();
            names
        });
        prefixes
            .chain([FLAG_SEQUENCE.to_vec(), TRANSIT_GATEWAY.to_vec()])
            .filter_map(|names| Self::new(names.into_iter()).ok())
            .map(|layout| Layout {
                is_guess: true,
                ..layout
            })
            .collect()
    }

    /// How many bytes a document may take beyond the line itself; a hint for the output's capacity.
    pub(super) fn document_overhead(&self, schema: Schema) -> usize {
        match schema {
            Schema::Ecs => 1024 + self.names.len() * 24,
            Schema::Native => 64 + self.native_keys.iter().map(|key| key.text().len()).sum::<usize>(),
        }
    }
}

/// The number of a published column.
fn find(name: &str) -> Option<usize> {
    let matches = |known: &str| {
        known.len() == name.len()
            && known
                .bytes()
                .zip(name.bytes())
                .all(|(k, n)| k == n || (k == b'-' && n == b'_'))
    };
    COLUMNS.iter().position(|column| matches(column.name))
}

/// The number of a published column, however shippers and query engines spell it: `srcAddr`, `account_id`, `startTime`.
pub(super) fn find_folded(name: &str) -> Option<usize> {
    if name.len() > 64 {
        return None;
    }
    let folded = |text: &str| -> String {
        let letters = text.chars().filter(|c| !matches!(c, '-' | '_'));
        letters.map(|c| c.to_ascii_lowercase()).collect()
    };
    let name = match folded(name).as_str() {
        "starttime" => "start".to_owned(),
        "endtime" => "end".to_owned(),
        other => other.to_owned(),
    };
    COLUMNS.iter().position(|column| folded(column.name) == name)
}

/// Lower-case letters, digits, `-`, `_` and `:`, starting with a letter; AWS's names and tag columns look like that.
fn is_name(word: &[u8]) -> bool {
    word.len() <= 64
        && word.first().is_some_and(u8::is_ascii_lowercase)
        && word
            .iter()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b':'))
}

/// One letter more, less or different, or two neighbours swapped.
fn is_one_edit_away(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let same = short.iter().zip(long).take_while(|(x, y)| x == y).count();
    let (s, l) = (&short[same..], &long[same..]);
    match long.len() - short.len() {
        0 => l.len() > 1 && s[1..] == l[1..] || l.len() == 1 || is_swapped(s, l),
        1 => *s == l[1..],
        _ => false,
    }
}

fn is_swapped(s: &[u8], l: &[u8]) -> bool {
    matches!((s, l), ([a, b, s @ ..], [c, d, l @ ..]) if a == d && b == c && s == l)
}
