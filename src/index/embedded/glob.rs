//! Patterns of `*` and `?` over the values of one field.

use tantivy::{Searcher, Term, schema::Field};

use crate::index::{Error, limits};

/// A pattern, ready to match.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Glob {
    parts: Vec<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Literal(char),
    One,
    Any,
}

impl Glob {
    /// Reads a pattern; a backslash takes the next character literally.
    pub(crate) fn new(pattern: &str) -> Self {
        let mut parts = Vec::with_capacity(pattern.len());
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            match c {
                '*' if parts.last() == Some(&Part::Any) => {}
                '*' => parts.push(Part::Any),
                '?' => parts.push(Part::One),
                '\\' => parts.push(Part::Literal(chars.next().unwrap_or('\\'))),
                other => parts.push(Part::Literal(other)),
            }
        }
        Self { parts }
    }

    /// What every match starts with.
    fn prefix(&self) -> String {
        self.parts
            .iter()
            .map_while(|part| if let Part::Literal(c) = part { Some(*c) } else { None })
            .collect()
    }

    /// Whether the whole text matches. Never worse than pattern times text: only the last `*` is tried again.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let (mut part, mut rest) = (0, text);
        let mut again: Option<(usize, &str)> = None;
        loop {
            let next = rest.chars().next();
            match (self.parts.get(part), next) {
                (None, None) => return true,
                (Some(Part::Any), _) => {
                    again = Some((part, rest));
                    part += 1;
                    continue;
                }
                (Some(Part::One), Some(c)) => {
                    rest = rest.get(c.len_utf8()..).unwrap_or_default();
                    part += 1;
                    continue;
                }
                (Some(Part::Literal(want)), Some(c)) if *want == c => {
                    rest = rest.get(c.len_utf8()..).unwrap_or_default();
                    part += 1;
                    continue;
                }
                _ => {}
            }
            let Some((star, from)) = again else { return false };
            let Some(skipped) = from.chars().next() else {
                return false;
            };
            rest = from.get(skipped.len_utf8()..).unwrap_or_default();
            again = Some((star, rest));
            part = star + 1;
        }
    }
}

/// The terms of a column that start with `prefix` (a path, or nothing) and whose value matches.
pub(crate) fn expand(
    searcher: &Searcher,
    column: Field,
    prefix: &Term,
    glob: &Glob,
    pattern: &str,
) -> Result<Vec<Term>, Error> {
    let path = prefix.serialized_value_bytes();
    let mut start = path.to_vec();
    start.extend_from_slice(glob.prefix().as_bytes());
    let mut found = std::collections::BTreeSet::new();
    for segment in searcher.segment_readers() {
        let inverted = segment.inverted_index(column).map_err(super::engine)?;
        let mut stream = inverted
            .terms()
            .range()
            .ge(&start)
            .into_stream()
            .map_err(super::engine)?;
        while stream.advance() {
            let key = stream.key();
            if !key.starts_with(&start) {
                break;
            }
            let value = key.get(path.len()..).and_then(|bytes| std::str::from_utf8(bytes).ok());
            if value.is_some_and(|value| glob.matches(value))
                && found.insert(key.to_vec())
                && found.len() > limits::WILDCARD_VALUES
            {
                return Err(Error::Query(format!(
                    "`{pattern}` matches more than {} different values; write a longer beginning",
                    limits::WILDCARD_VALUES
                )));
            }
        }
    }
    Ok(found
        .into_iter()
        .map(|bytes| {
            let mut term = prefix.clone();
            term.append_bytes(bytes.get(path.len()..).unwrap_or_default());
            term
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn stars_take_any_text_and_question_marks_one_character() {
        for (pattern, text, matches) in [
            ("", "", true),
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abcb", false),
            ("*a*b*", "xxaxxbxx", true),
            ("?", "ü", true),
            ("??", "ü", false),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("*ab", "aab", true),
            ("/admin*", "/admin/login", true),
        ] {
            assert_eq!(Glob::new(pattern).matches(text), matches, "{pattern} on {text}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_ends_soon() {
        assert!(!Glob::new(&"*a".repeat(200)).matches(&"a".repeat(150)));
    }
}
