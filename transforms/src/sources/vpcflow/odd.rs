//! Lines that do not fit their columns: what is too long is cut, and a value that its column cannot hold goes to the rest
//! under the column's name. Rare, so made for clarity: the line and the layout are copied.

use super::{
    layout::Layout,
    row::{Problem, Row, Spans, bad_value},
};
use crate::{
    Refusal, RefusalKind,
    document::{CUT_MARK, cut_text},
};

/// A line and a layout that fit each other.
pub(super) struct Fitted {
    pub(super) line: Vec<u8>,
    pub(super) spans: Spans,
    pub(super) layout: Layout,
    /// How many values were cut.
    pub(super) cut: u64,
}

impl Fitted {
    /// The line as a row of the layout.
    pub(super) fn row(&self) -> Result<Row<'_>, Refusal> {
        Row::new(&self.line, &self.spans, &self.layout, usize::MAX).map_err(|problem| match problem {
            Problem::Refused(refusal) => refusal,
            Problem::Misfit(_) | Problem::Long => {
                Refusal::new(RefusalKind::Syntax, "", "the line fits no layout of its columns")
            }
        })
    }
}

/// Makes `line` fit its layout, with no value longer than `limit` bytes.
///
/// # Errors
/// A time that is none refuses the line; so does any misfit where the layout was only guessed.
pub(super) fn fit(line: &[u8], spans: &Spans, layout: &Layout, limit: usize) -> Result<Fitted, Refusal> {
    let mut fitted = Fitted {
        line: Vec::with_capacity(line.len()),
        spans: Spans::default(),
        layout: layout.clone(),
        cut: 0,
    };
    fitted.spans.begin(false);
    for value in spans.values(line) {
        let start = fitted.line.len();
        if value.len() > limit {
            let text = String::from_utf8_lossy(value);
            fitted.line.extend_from_slice(cut_text(&text).as_bytes());
            fitted.line.extend_from_slice(CUT_MARK.as_bytes());
            fitted.cut += 1;
        } else {
            fitted.line.extend_from_slice(value);
        }
        fitted.spans.push(start, fitted.line.len())?;
    }
    loop {
        match Row::new(&fitted.line, &fitted.spans, &fitted.layout, usize::MAX) {
            Ok(_) | Err(Problem::Long) => return Ok(fitted),
            Err(Problem::Refused(refusal)) => return Err(refusal),
            Err(Problem::Misfit(position)) => {
                if layout.is_guess {
                    let value = fitted.spans.values(&fitted.line).nth(position).unwrap_or_default();
                    return Err(bad_value(&layout.names[position], layout.kinds[position], value));
                }
                fitted.layout = fitted.layout.without(position);
            }
        }
    }
}
