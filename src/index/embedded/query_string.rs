//! What people type into the search box.
//!
//! ```text
//! source.ip:10.0.0.0/8 AND NOT event.action:allow
//! rule.name:"SQL injection" (url.path:/admin* OR url.path:/login)
//! event.severity:>=7  @timestamp:[2026-03-01 TO 2026-03-02}  _exists_:user.name
//! ```
//!
//! Words without a field are looked for in all text; an address or CIDR block without a field in every address
//! field. `NOT` (also `-`, `!`) binds tightest, then `AND`, then `OR`; words side by side are joined by the request's
//! default operator. A backslash takes the next character literally.

use super::clause::{Clause, End, Scalar};
use crate::index::{Error, limits};

/// Reads a query string; `all` joins words side by side with AND, otherwise with OR.
pub(crate) fn parse(text: &str, all: bool) -> Result<Clause, Error> {
    if text.len() > limits::QUERY_BYTES {
        return Err(Error::Query(format!(
            "search: {} bytes; at most {} are read",
            text.len(),
            limits::QUERY_BYTES
        )));
    }
    let mut parser = Parser {
        text,
        at: 0,
        all,
        left: limits::CLAUSES,
    };
    parser.blank();
    if parser.is_done() {
        return Ok(Clause::All);
    }
    let clause = parser.either(limits::DEPTH)?;
    if parser.is_done() {
        Ok(clause)
    } else {
        Err(parser.error("a `)` without its `(`", "remove it, or put it in quotes"))
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    all: bool,
    left: usize,
}

/// A piece of text, and whether it may be a pattern.
struct Word {
    /// With escapes resolved.
    plain: String,
    /// With `*`, `?` and escapes as written.
    pattern: String,
    quoted: bool,
    wild: bool,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn is_done(&self) -> bool {
        self.at >= self.text.len()
    }

    fn blank(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    /// Takes an operator written as a word of its own.
    fn operator(&mut self, names: [&str; 2]) -> bool {
        self.blank();
        for name in names {
            let Some(after) = self.rest().strip_prefix(name) else {
                continue;
            };
            let is_word = name.starts_with(|c: char| c.is_ascii_alphabetic());
            if !is_word || after.is_empty() || after.starts_with(|c: char| c.is_whitespace() || c == '(' || c == ')') {
                self.at += name.len();
                self.blank();
                return true;
            }
        }
        false
    }

    fn error(&self, what: &str, remedy: &str) -> Error {
        let position = self.text.get(..self.at).map_or(0, |before| before.chars().count()) + 1;
        Error::Query(format!("search, character {position}: {what}; {remedy}"))
    }

    fn deeper(&self, depth: usize) -> Result<usize, Error> {
        depth
            .checked_sub(1)
            .ok_or_else(|| self.error("parentheses too deep", "use fewer of them"))
    }

    fn either(&mut self, depth: usize) -> Result<Clause, Error> {
        let mut clauses = vec![self.both(depth)?];
        loop {
            self.blank();
            if self.is_done() || self.peek() == Some(')') {
                return Ok(Clause::any(clauses));
            }
            if self.operator(["OR", "||"]) || !self.all {
                clauses.push(self.both(depth)?);
            } else {
                return Err(self.error("a word is not expected here", "put AND or OR before it"));
            }
        }
    }

    fn both(&mut self, depth: usize) -> Result<Clause, Error> {
        let mut clauses = vec![self.unary(depth)?];
        loop {
            if self.operator(["AND", "&&"]) {
                clauses.push(self.unary(depth)?);
                continue;
            }
            let at = self.at;
            let ends = self.is_done() || self.peek() == Some(')') || self.operator(["OR", "||"]);
            self.at = at;
            if ends || !self.all {
                return Ok(Clause::every(clauses));
            }
            clauses.push(self.unary(depth)?);
        }
    }

    fn unary(&mut self, depth: usize) -> Result<Clause, Error> {
        let depth = self.deeper(depth)?;
        self.left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| self.error("too many conditions", "ask for less at once"))?;
        if self.operator(["NOT", "!"]) || (self.peek() == Some('-') && self.take("-")) {
            return Ok(Clause::not(self.unary(depth)?));
        }
        self.take("+");
        if self.take("(") {
            return self.group(depth);
        }
        self.condition(depth)
    }

    fn group(&mut self, depth: usize) -> Result<Clause, Error> {
        self.blank();
        let clause = self.either(depth)?;
        if self.take(")") {
            Ok(clause)
        } else {
            Err(self.error("a `(` is not closed", "add `)`"))
        }
    }

    fn condition(&mut self, depth: usize) -> Result<Clause, Error> {
        for name in ["AND", "OR"] {
            if self.operator([name, name]) {
                return Err(self.error(
                    &format!("`{name}` joins nothing"),
                    "put a condition on both sides, or write it in quotes",
                ));
            }
        }
        if let Some(field) = self.field() {
            return self.values(&field, depth);
        }
        let start = self.at;
        let word = self.word(true)?;
        if word.wild && !word.quoted {
            let names_fields = word.pattern.split_once(':').map(|(name, _)| name.contains(['*', '?']));
            if names_fields == Some(true) && word.pattern != "*:*" {
                self.at = start;
                return Err(self.error(
                    "a pattern stands for the name of a field",
                    "write the whole name, or leave it out to look everywhere",
                ));
            }
            return Ok(if matches!(word.pattern.as_str(), "*" | "*:*") {
                Clause::All
            } else {
                Clause::Glob {
                    field: None,
                    pattern: word.pattern,
                }
            });
        }
        Ok(Clause::Words {
            field: None,
            text: word.plain,
        })
    }

    /// A field's name and its colon, unless the whole word is an IPv6 address.
    fn field(&mut self) -> Option<String> {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '@' | '-' | '/')))?;
        let (name, after) = rest.split_at(end);
        if name.is_empty() || !after.starts_with(':') {
            return None;
        }
        let whole = rest
            .split(|c: char| c.is_whitespace() || c == ')')
            .next()
            .unwrap_or_default();
        if whole.parse::<std::net::IpAddr>().is_ok() || whole.parse::<ipnet::IpNet>().is_ok() {
            return None;
        }
        let name = name.to_owned();
        self.at += end + 1;
        Some(name)
    }

    fn values(&mut self, field: &str, depth: usize) -> Result<Clause, Error> {
        self.blank();
        if self.take("(") {
            let mut values = Vec::new();
            loop {
                self.blank();
                if self.take(")") {
                    return Ok(Clause::any(values));
                }
                if self.is_done() {
                    return Err(self.error("a `(` is not closed", "add `)`"));
                }
                if self.operator(["AND", "&&"]) {
                    return Err(self.error("AND between values of one field", "repeat the field: a:x AND a:y"));
                }
                if !self.operator(["OR", "||"]) {
                    self.left = self
                        .left
                        .checked_sub(1)
                        .ok_or_else(|| self.error("too many values", "ask for less at once"))?;
                    values.push(self.values(field, self.deeper(depth)?)?);
                }
            }
        }
        if matches!(self.peek(), Some('[' | '{')) {
            return self.range(field);
        }
        for (sign, included) in [(">=", true), ("<=", true), (">", false), ("<", false)] {
            if self.take(sign) {
                self.blank();
                let value = Scalar::Text(self.word(false)?.plain);
                let end = if included {
                    End::Included(value)
                } else {
                    End::Excluded(value)
                };
                let (low, high) = if sign.starts_with('>') {
                    (end, End::Open)
                } else {
                    (End::Open, end)
                };
                return Ok(Clause::Range {
                    field: field.to_owned(),
                    low,
                    high,
                });
            }
        }
        let word = self.word(true)?;
        Ok(match word {
            Word {
                plain, quoted: false, ..
            } if field == "_exists_" => Clause::Exists { field: plain },
            Word {
                plain,
                quoted: false,
                wild: true,
                ..
            } if plain == "*" => Clause::Exists {
                field: field.to_owned(),
            },
            Word {
                pattern,
                quoted: false,
                wild: true,
                ..
            } => Clause::Glob {
                field: Some(field.to_owned()),
                pattern,
            },
            Word { plain, .. } => Clause::Terms {
                field: field.to_owned(),
                values: vec![Scalar::Text(plain)],
            },
        })
    }

    fn range(&mut self, field: &str) -> Result<Clause, Error> {
        let low_included = self.take("[");
        if !low_included {
            self.take("{");
        }
        let mut ends = Vec::with_capacity(2);
        for part in 0..2 {
            self.blank();
            let word = self.word(false)?;
            ends.push((word.plain != "*" || word.quoted).then_some(Scalar::Text(word.plain)));
            self.blank();
            if part == 0 && !self.operator(["TO", "to"]) {
                return Err(self.error("a range without TO", "write [low TO high]"));
            }
        }
        let high_included = self.take("]");
        if !high_included && !self.take("}") {
            return Err(self.error(
                "a range is not closed",
                "write [low TO high], or [low TO high} without the upper end",
            ));
        }
        let end = |value: Option<Scalar>, included: bool| match value {
            None => End::Open,
            Some(value) if included => End::Included(value),
            Some(value) => End::Excluded(value),
        };
        let high = ends.pop().flatten();
        let low = ends.pop().flatten();
        Ok(Clause::Range {
            field: field.to_owned(),
            low: end(low, low_included),
            high: end(high, high_included),
        })
    }

    /// A quoted text, or everything up to a blank or a closing bracket.
    fn word(&mut self, may_be_wild: bool) -> Result<Word, Error> {
        let start = self.at;
        let quoted = self.take("\"");
        let mut word = Word {
            plain: String::new(),
            pattern: String::new(),
            quoted,
            wild: false,
        };
        while let Some(c) = self.peek() {
            if quoted && c == '"' {
                self.at += 1;
                return Ok(word);
            }
            if !quoted && (c.is_whitespace() || matches!(c, '(' | ')' | '[' | ']' | '{' | '}' | '"')) {
                break;
            }
            self.at += c.len_utf8();
            if c == '\\' {
                let Some(next) = self.peek() else {
                    return Err(self.error("a backslash at the end", "remove it, or double it"));
                };
                self.at += next.len_utf8();
                word.plain.push(next);
                word.pattern.extend(['\\', next]);
                continue;
            }
            word.wild |= may_be_wild && matches!(c, '*' | '?');
            word.plain.push(c);
            word.pattern.push(c);
        }
        if quoted {
            self.at = start;
            return Err(self.error("a quote is not closed", "add `\"`"));
        }
        if word.plain.is_empty() {
            return Err(self.error("a value is missing", "write a word, or a text in quotes"));
        }
        Ok(word)
    }
}
