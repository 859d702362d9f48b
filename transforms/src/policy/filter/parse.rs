//! From the text of a filter to its condition, checked against the source's table.

use super::{
    super::network::{Network, PRIVATE},
    Condition, FilterError,
    test::{Number, Relation, Test},
};
use crate::{
    schema::{Field, Type},
    source::Source,
    time,
};

/// Longest expression in bytes.
const MAX_LENGTH: usize = 64 * 1024;
/// Most comparisons of one expression.
const MAX_COMPARISONS: usize = 256;
/// Most values in one list.
const MAX_VALUES: usize = 4096;
/// How deep parentheses and `not` may nest.
const MAX_DEPTH: usize = 32;

pub(super) struct Parsed {
    /// One, in a list that can be appended.
    pub(super) conditions: Vec<Condition>,
    pub(super) fields: Vec<&'static str>,
}

/// Reads one expression; `number` is asked for each field's number.
pub(super) fn parse(
    source: Source,
    expression: &str,
    number: impl FnMut(&'static str) -> usize,
) -> Result<Parsed, FilterError> {
    if expression.len() > MAX_LENGTH {
        return Err(FilterError {
            at: MAX_LENGTH,
            message: format!(
                "the expression has {} bytes; the limit is {MAX_LENGTH}",
                expression.len()
            ),
        });
    }
    let mut parser = Parser {
        tokens: tokens(expression)?,
        at: 0,
        end: expression.chars().count() + 1,
        source,
        fields: source.fields(),
        used: Vec::new(),
        number,
    };
    let condition = parser.any(0)?;
    if parser.at < parser.tokens.len() {
        return Err(parser.wrong("`and`, `or` or the end was expected"));
    }
    Ok(Parsed {
        conditions: vec![condition],
        fields: parser.used,
    })
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// A field, a keyword, a number, an address, or a text of one word.
    Word(String),
    /// In quotes.
    Text(String),
    Sign(&'static str),
}

fn tokens(expression: &str) -> Result<Vec<(usize, Token)>, FilterError> {
    const SIGNS: [&str; 11] = ["==", "!=", "<=", ">=", "<", ">", "(", ")", "[", "]", ","];
    let is_word = |c: char| c.is_alphanumeric() || "@._:/-+*?".contains(c);
    let mut tokens = Vec::new();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        let at = expression[..expression.len() - rest.len()].chars().count() + 1;
        if first.is_whitespace() {
            rest = &rest[first.len_utf8()..];
        } else if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            tokens.push((at, Token::Sign(sign)));
            rest = &rest[sign.len()..];
        } else if first == '"' || first == '\'' {
            let (text, after) = rest[1..].split_once(first).ok_or_else(|| FilterError {
                at,
                message: format!("the text has no closing {first}"),
            })?;
            tokens.push((at, Token::Text(text.to_owned())));
            rest = after;
        } else if is_word(first) {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            tokens.push((at, Token::Word(rest[..end].to_owned())));
            rest = &rest[end..];
        } else {
            return Err(FilterError {
                at,
                message: format!(
                    "`{}` is no part of the language; put texts in quotes",
                    first.escape_debug()
                ),
            });
        }
    }
    Ok(tokens)
}

struct Parser<F> {
    tokens: Vec<(usize, Token)>,
    at: usize,
    /// The place behind the last character.
    end: usize,
    source: Source,
    fields: Vec<&'static Field>,
    used: Vec<&'static str>,
    number: F,
}

impl<F: FnMut(&'static str) -> usize> Parser<F> {
    fn wrong(&self, message: impl Into<String>) -> FilterError {
        self.wrong_at(self.at, message)
    }

    fn wrong_at(&self, token: usize, message: impl Into<String>) -> FilterError {
        FilterError {
            at: self.tokens.get(token).map_or(self.end, |(at, _)| *at),
            message: message.into(),
        }
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let is_next = matches!(self.tokens.get(self.at), Some((_, Token::Word(next))) if next == word);
        self.at += usize::from(is_next);
        is_next
    }

    fn takes_sign(&mut self, sign: &str) -> bool {
        let is_next = matches!(self.tokens.get(self.at), Some((_, Token::Sign(next))) if *next == sign);
        self.at += usize::from(is_next);
        is_next
    }

    fn any(&mut self, depth: usize) -> Result<Condition, FilterError> {
        let mut parts = vec![self.all(depth)?];
        while self.takes_word("or") {
            parts.push(self.all(depth)?);
        }
        Ok(Condition::Any(parts))
    }

    fn all(&mut self, depth: usize) -> Result<Condition, FilterError> {
        let mut parts = vec![self.one(depth)?];
        while self.takes_word("and") {
            parts.push(self.one(depth)?);
        }
        Ok(Condition::All(parts))
    }

    fn one(&mut self, depth: usize) -> Result<Condition, FilterError> {
        if depth > MAX_DEPTH {
            return Err(self.wrong(format!("nested more than {MAX_DEPTH} deep")));
        }
        if self.takes_word("not") {
            return Ok(Condition::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.takes_sign("(") {
            let inside = self.any(depth + 1)?;
            if !self.takes_sign(")") {
                return Err(self.wrong("`)` was expected"));
            }
            return Ok(inside);
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Condition, FilterError> {
        let place = self.at;
        let Some((_, Token::Word(name))) = self.tokens.get(place).cloned() else {
            return Err(self.wrong("the name of a field was expected, such as event.action"));
        };
        let field = self.field(&name)?;
        self.at += 1;
        if self.used.len() >= MAX_COMPARISONS {
            return Err(self.wrong_at(place, format!("more than {MAX_COMPARISONS} comparisons")));
        }
        self.used.push(field.name);
        let number = (self.number)(field.name);
        let test = self.test(field)?;
        Ok(Condition::Is(number, test))
    }

    fn field(&self, name: &str) -> Result<&'static Field, FilterError> {
        if let Some(field) = self.fields.iter().find(|field| field.name == name) {
            return Ok(field);
        }
        let title = self.source.title();
        let last = name.rsplit('.').next().unwrap_or_default();
        let near: Vec<&str> = self
            .fields
            .iter()
            .map(|field| field.name)
            .filter(|known| known.rsplit('.').next() == Some(last) || known.starts_with(&format!("{name}.")))
            .take(3)
            .collect();
        let name: String = name.chars().take(80).collect();
        let hint = match near.as_slice() {
            [] => format!("docs/fields/{}.md lists its fields.", self.source),
            near => format!("is it {}?", near.join(" or ")),
        };
        Err(self.wrong(format!(
            "documents of {title} have no field `{name}`; {hint} A filter for one source alone begins with its name and \
             a colon, such as `vpcflow: ...`"
        )))
    }

    fn test(&mut self, field: &Field) -> Result<Test, FilterError> {
        if self.takes_word("exists") {
            return Ok(Test::Exists);
        }
        let place = self.at;
        if self.takes_word("in") {
            let values = self.values()?;
            return self.equal(field, place, values, true);
        }
        if self.takes_word("like") {
            let pattern = self.value()?;
            return match field.ty {
                Type::Keyword => Ok(Test::Like(pattern)),
                _ => Err(self.unfit(field, place, "like")),
            };
        }
        for (sign, relation) in [
            ("==", Relation::Equal),
            ("!=", Relation::Different),
            ("<=", Relation::AtMost),
            (">=", Relation::AtLeast),
            ("<", Relation::Less),
            (">", Relation::More),
        ] {
            if self.takes_sign(sign) {
                let value = self.value()?;
                return self.related(field, place, sign, relation, value);
            }
        }
        Err(self.wrong(format!(
            "after {}, one of == != < <= > >= in, like, exists was expected",
            field.name
        )))
    }

    fn related(
        &self,
        field: &Field,
        place: usize,
        sign: &str,
        relation: Relation,
        value: String,
    ) -> Result<Test, FilterError> {
        match (field.ty, relation) {
            (Type::Date, _) => match time::parse(value.as_bytes()) {
                Ok(millis) => {
                    let mut text = Vec::new();
                    time::push_rfc3339(millis, &mut text);
                    Ok(Test::DateIs(relation, String::from_utf8_lossy(&text).into_owned()))
                }
                Err(error) => Err(self.wrong_at(place + 1, format!("`{value}` is no date: {error}"))),
            },
            (Type::Boolean, Relation::Equal | Relation::Different) => match value.as_str() {
                "true" | "false" => Ok(Test::Boolean((value == "true") == (relation == Relation::Equal))),
                _ => Err(self.wrong_at(place + 1, format!("{} is true or false", field.name))),
            },
            (_, Relation::Equal | Relation::Different) => {
                self.equal(field, place, vec![value], relation == Relation::Equal)
            }
            (Type::Long | Type::Float, _) => Ok(Test::NumberIs(relation, self.number(field, place, &value)?)),
            _ => Err(self.unfit(field, place, sign)),
        }
    }

    /// One of these values, or none of them.
    fn equal(&self, field: &Field, place: usize, values: Vec<String>, equal: bool) -> Result<Test, FilterError> {
        match field.ty {
            Type::Keyword => Ok(Test::Text { any_of: values, equal }),
            Type::Ip => {
                let mut networks = Vec::with_capacity(values.len());
                for value in &values {
                    if value == "private" {
                        networks.extend(PRIVATE.iter().filter_map(|text| Network::parse(text).ok()));
                        continue;
                    }
                    let network = Network::parse(value)
                        .map_err(|problem| self.wrong_at(place + 1, format!("`{value}` {problem}")))?;
                    networks.push(network);
                }
                Ok(Test::Inside { networks, equal })
            }
            Type::Long | Type::Float => {
                let numbers: Result<Vec<Number>, FilterError> =
                    values.iter().map(|value| self.number(field, place, value)).collect();
                Ok(Test::Number {
                    any_of: numbers?,
                    equal,
                })
            }
            _ => Err(self.unfit(field, place, "in")),
        }
    }

    fn number(&self, field: &Field, place: usize, value: &str) -> Result<Number, FilterError> {
        Number::parse(value)
            .ok_or_else(|| self.wrong_at(place + 1, format!("{} is a number, and `{value}` is none", field.name)))
    }

    fn unfit(&self, field: &Field, place: usize, sign: &str) -> FilterError {
        let instead = match field.ty {
            Type::Keyword => "== != in, like or exists",
            Type::Ip => "== != in or exists, with addresses and networks",
            Type::Boolean => "== != or exists, with true or false",
            Type::Date => "== != < <= > >= or exists",
            Type::Long | Type::Float => "== != < <= > >= in or exists",
            Type::Text | Type::GeoPoint | Type::FlatObject => "exists",
        };
        let (name, kind) = (field.name, field.ty.name());
        self.wrong_at(
            place,
            format!("{name} is a {kind}, to which `{sign}` does not apply; use {instead}"),
        )
    }

    fn value(&mut self) -> Result<String, FilterError> {
        match self.tokens.get(self.at) {
            Some((_, Token::Word(text) | Token::Text(text))) => {
                self.at += 1;
                Ok(text.clone())
            }
            _ => Err(self.wrong("a value was expected: a text in quotes, a number or an address")),
        }
    }

    /// One value, or several in brackets.
    fn values(&mut self) -> Result<Vec<String>, FilterError> {
        if !self.takes_sign("[") {
            return Ok(vec![self.value()?]);
        }
        let mut values = Vec::new();
        loop {
            if values.len() >= MAX_VALUES {
                return Err(self.wrong(format!("more than {MAX_VALUES} values in one list")));
            }
            values.push(self.value()?);
            if self.takes_sign("]") {
                return Ok(values);
            }
            if !self.takes_sign(",") {
                return Err(self.wrong("`,` or `]` was expected"));
            }
        }
    }
}
