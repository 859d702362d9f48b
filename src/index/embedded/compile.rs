//! A clause into the engine's query. The field's type decides which column answers, and how a value is read.

use std::ops::Bound;

use portcullis_transforms::Type;
use tantivy::{
    Searcher, Term,
    query::{
        AllQuery, BooleanQuery, EmptyQuery, ExistsQuery, Occur, PhraseQuery, Query, RangeQuery, TermQuery, TermSetQuery,
    },
    schema::{Field, IndexRecordOption},
};

use super::{
    clause::{Clause, End, Scalar},
    dsl::unsupported,
    glob::{self, Glob},
    layout::{EVENT_ID, Layout},
    settled::Settled,
    values,
};
use crate::index::{
    Error,
    fields::{Fields, Kind},
};

type Boxed = Box<dyn Query>;

/// What a clause is compiled against.
pub(crate) struct Compiler<'i> {
    pub(crate) layout: &'i Layout,
    pub(crate) fields: &'i Fields,
    pub(crate) searcher: &'i Searcher,
}

impl Compiler<'_> {
    pub(crate) fn query(&self, clause: &Clause) -> Result<Boxed, Error> {
        match clause {
            Clause::All => Ok(Box::new(AllQuery)),
            Clause::None => Ok(Box::new(EmptyQuery)),
            Clause::Bool {
                must,
                should,
                must_not,
                minimum,
            } => self.boolean(must, should, must_not, *minimum),
            Clause::Terms { field, values } => {
                let each = values
                    .iter()
                    .map(|v| self.term(field, v))
                    .collect::<Result<Vec<_>, _>>()?;
                Ok(union(each))
            }
            Clause::Range { field, low, high } => self.range(field, low, high),
            Clause::Exists { field } => Ok(self.exists(field)),
            Clause::Glob { field, pattern } => self.glob(field.as_deref(), pattern),
            Clause::Words { field, text } => self.words(field.as_deref(), text),
        }
    }

    fn boolean(&self, must: &[Clause], should: &[Clause], must_not: &[Clause], minimum: usize) -> Result<Boxed, Error> {
        let mut parts: Vec<(Occur, Boxed)> = Vec::new();
        for clause in must {
            parts.push((Occur::Must, self.query(clause)?));
        }
        // Nothing is ranked here, so optional conditions matter only when some of them are required.
        if minimum > 0 {
            let each = should.iter().map(|c| self.query(c)).collect::<Result<Vec<_>, _>>()?;
            let chosen: Boxed = match (minimum, each.len()) {
                (least, count) if least > count => Box::new(EmptyQuery),
                (1, _) => union(each),
                (least, _) => Box::new(BooleanQuery::union_with_minimum_required_clauses(each, least)),
            };
            parts.push((Occur::Must, chosen));
        }
        if parts.is_empty() {
            parts.push((Occur::Must, Box::new(AllQuery)));
        }
        for clause in must_not {
            parts.push((Occur::MustNot, self.query(clause)?));
        }
        Ok(Box::new(BooleanQuery::new(parts)))
    }

    fn term(&self, field: &str, value: &Scalar) -> Result<Boxed, Error> {
        let text = value.text();
        match (field, self.fields.kind(field)) {
            ("_index", _) => Ok(exact(Term::from_field_text(self.layout.index, &text))),
            ("_id", _) => Ok(exact(Term::from_field_text(self.layout.id, &text))),
            (_, Kind::Flat | Kind::Known(Type::FlatObject)) => {
                Ok(exact(self.text_term(self.layout.flat, field, &text)))
            }
            (_, Kind::Known(Type::Text)) => self.words(Some(field), &text),
            (_, Kind::Known(Type::Keyword | Type::GeoPoint)) => {
                Ok(exact(self.text_term(self.layout.values, field, &text)))
            }
            (_, Kind::Known(Type::Ip)) => {
                let (low, high) =
                    values::block(&text).ok_or_else(|| not_a(field, &text, "an address or a CIDR block"))?;
                if low == high {
                    return Ok(exact(self.text_term(self.layout.values, field, &low.to_string())));
                }
                let (low, high) = (Scalar::Text(low.to_string()), Scalar::Text(high.to_string()));
                self.range(field, &End::Included(low), &End::Included(high))
            }
            (_, Kind::Known(Type::Long | Type::Float)) => {
                let term = self.number_term(self.layout.numbers, field, number(field, value)?);
                let only = Bound::Included(term);
                Ok(Box::new(Settled(RangeQuery::new(only.clone(), only))))
            }
            (_, Kind::Known(Type::Boolean)) => match text.as_str() {
                "true" | "false" => {
                    let mut term = self.path(self.layout.values, field);
                    term.append_type_and_fast_value(text == "true");
                    Ok(exact(term))
                }
                _ => Err(not_a(field, &text, "true or false")),
            },
            (_, Kind::Known(Type::Date)) => {
                self.range(field, &End::Included(value.clone()), &End::Included(value.clone()))
            }
            (_, Kind::Unknown) => {
                let mut each = vec![
                    exact(self.text_term(self.layout.values, field, &text)),
                    exact(self.text_term(self.layout.flat, field, &text)),
                ];
                if let Ok(number) = text.parse::<f64>()
                    && number.is_finite()
                {
                    each.push(exact(self.number_term(self.layout.values, field, number)));
                }
                if let Ok(truth) = text.parse::<bool>() {
                    let mut term = self.path(self.layout.values, field);
                    term.append_type_and_fast_value(truth);
                    each.push(exact(term));
                }
                Ok(union(each))
            }
        }
    }

    fn range(&self, field: &str, low: &End, high: &End) -> Result<Boxed, Error> {
        if matches!((low, high), (End::Open, End::Open)) {
            return Ok(self.exists(field));
        }
        let kind = self.fields.kind(field);
        let as_text = |value: &Scalar| Ok(self.text_term(self.layout.values, field, &value.text()));
        let column = match kind {
            Kind::Known(_) => self.layout.numbers,
            Kind::Flat | Kind::Unknown => self.layout.values,
        };
        // The engine panics when one end is whole and the other is not.
        let whole = is_whole(low) && is_whole(high);
        let as_number = |value: &Scalar| {
            let mut term = self.path(column, field);
            match value.text().parse::<i64>() {
                Ok(number) if whole => term.append_type_and_fast_value(number),
                _ => term.append_type_and_fast_value(number(field, value)?),
            }
            Ok(term)
        };
        let (low, high) = match kind {
            Kind::Known(Type::Ip) => return self.addresses(field, low, high),
            Kind::Known(Type::Date) => {
                let read = |value: &Scalar| {
                    let text = value.text();
                    let at = values::time(&text)
                        .ok_or_else(|| not_a(field, &text, "a time such as 2026-03-01T00:00:00Z"))?;
                    let at = values::instant(at);
                    if field == "@timestamp" {
                        return Ok(Term::from_field_date(self.layout.at, at));
                    }
                    let mut term = self.path(column, field);
                    term.append_type_and_fast_value(at);
                    Ok(term)
                };
                (bound(low, read)?, bound(high, read)?)
            }
            Kind::Known(Type::Long | Type::Float) => (bound(low, as_number)?, bound(high, as_number)?),
            Kind::Known(Type::Keyword) => (bound(low, as_text)?, bound(high, as_text)?),
            Kind::Unknown => {
                let is_number = |end: &End| match end {
                    End::Open => true,
                    End::Included(v) | End::Excluded(v) => v.text().parse::<f64>().is_ok_and(f64::is_finite),
                };
                if is_number(low) && is_number(high) {
                    (bound(low, as_number)?, bound(high, as_number)?)
                } else {
                    (bound(low, as_text)?, bound(high, as_text)?)
                }
            }
            Kind::Flat | Kind::Known(_) => {
                return Err(unsupported(
                    &format!("a range over `{field}`"),
                    "ranges work on times, numbers, addresses and keywords",
                ));
            }
        };
        Ok(Box::new(Settled(RangeQuery::new(low, high))))
    }

    /// A block as an end means its nearer edge for `>=` and `<`, its farther one for `>` and `<=`.
    fn addresses(&self, field: &str, low: &End, high: &End) -> Result<Boxed, Error> {
        let column = *self
            .layout
            .addresses
            .get(field)
            .ok_or_else(|| unsupported(&format!("a range over `{field}`"), "search for single addresses there"))?;
        let read = |value: &Scalar| {
            let text = value.text();
            let (first, last) =
                values::block(&text).ok_or_else(|| not_a(field, &text, "an address or a CIDR block"))?;
            Ok((u128::from(values::wide(first)), u128::from(values::wide(last))))
        };
        let low = match low {
            End::Open => Some(0),
            End::Included(value) => Some(read(value)?.0),
            End::Excluded(value) => read(value)?.1.checked_add(1),
        };
        let high = match high {
            End::Open => Some(u128::MAX),
            End::Included(value) => Some(read(value)?.1),
            End::Excluded(value) => read(value)?.0.checked_sub(1),
        };
        match (low, high) {
            (Some(low), Some(high)) if low <= high => {
                let end = |bits: u128| Bound::Included(Term::from_field_ip_addr(column, bits.into()));
                Ok(Box::new(Settled(RangeQuery::new(end(low), end(high)))))
            }
            _ => Ok(Box::new(EmptyQuery)),
        }
    }

    fn exists(&self, field: &str) -> Boxed {
        let column = |name: String| -> Boxed { Box::new(ExistsQuery::new(name, true)) };
        match self.fields.kind(field) {
            Kind::Known(Type::Text | Type::FlatObject) | Kind::Flat => {
                exact(Term::from_field_text(self.layout.present, field))
            }
            Kind::Known(_) => column(Layout::column(self.fields, field)),
            Kind::Unknown if field == "_index" || field == "_id" => Box::new(AllQuery),
            Kind::Unknown => union(vec![
                column(Layout::column(self.fields, field)),
                exact(Term::from_field_text(self.layout.present, field)),
            ]),
        }
    }

    fn glob(&self, field: Option<&str>, pattern: &str) -> Result<Boxed, Error> {
        let Some(field) = field else {
            let glob = Glob::new(&pattern.to_lowercase());
            let word = Term::from_field_text(self.layout.all, "");
            let words = self.expand(self.layout.all, &word, &glob, pattern)?;
            return Ok(union(vec![words, self.glob(Some(EVENT_ID), pattern)?]));
        };
        let (column, pattern) = match self.fields.kind(field) {
            Kind::Known(Type::Keyword) | Kind::Unknown => (self.layout.values, pattern.to_owned()),
            Kind::Flat => (self.layout.flat, pattern.to_owned()),
            Kind::Known(Type::Text) => (self.layout.words, pattern.to_lowercase()),
            Kind::Known(Type::Ip) => {
                return Err(unsupported(
                    &format!("a wildcard on the address field `{field}`"),
                    &format!("write a CIDR block, such as {field}:10.0.0.0/8"),
                ));
            }
            Kind::Known(_) => {
                return Err(unsupported(
                    &format!("a wildcard on `{field}`"),
                    "wildcards work on keywords; use a range",
                ));
            }
        };
        let mut path = self.path(column, field);
        path.append_type_and_str("");
        self.expand(column, &path, &Glob::new(&pattern), &pattern)
    }

    fn expand(&self, column: Field, prefix: &Term, glob: &Glob, pattern: &str) -> Result<Boxed, Error> {
        let terms = glob::expand(self.searcher, column, prefix, glob, pattern)?;
        Ok(if terms.is_empty() {
            Box::new(EmptyQuery)
        } else {
            Box::new(TermSetQuery::new(terms))
        })
    }

    fn words(&self, field: Option<&str>, text: &str) -> Result<Boxed, Error> {
        if field.is_none()
            && let Some((low, high)) = values::block(text)
        {
            let single = low == high;
            let (low, high) = (Scalar::Text(low.to_string()), Scalar::Text(high.to_string()));
            let each = self.fields.addresses().iter().map(|name| match single {
                true => self.term(name, &low),
                false => self.range(name, &End::Included(low.clone()), &End::Included(high.clone())),
            });
            return Ok(union(each.collect::<Result<Vec<_>, _>>()?));
        }
        let column = if field.is_some() {
            self.layout.words
        } else {
            self.layout.all
        };
        let mut analyzer = self
            .searcher
            .index()
            .tokenizer_for_field(column)
            .map_err(super::engine)?;
        let mut stream = analyzer.token_stream(text);
        let mut terms = Vec::new();
        while stream.advance() {
            let token = stream.token();
            let term = match field {
                Some(field) => self.text_term(column, field, &token.text),
                None => Term::from_field_text(column, &token.text),
            };
            terms.push((token.position, term));
        }
        let said: Boxed = match terms.len() {
            0 => Box::new(EmptyQuery),
            1 => exact(terms.remove(0).1),
            _ => Box::new(PhraseQuery::new_with_offset(terms)),
        };
        Ok(match field {
            Some(_) => said,
            None => union(vec![said, exact(self.text_term(self.layout.values, EVENT_ID, text))]),
        })
    }

    fn path(&self, column: Field, field: &str) -> Term {
        Term::from_field_json_path(column, field, true)
    }

    fn text_term(&self, column: Field, field: &str, text: &str) -> Term {
        let mut term = self.path(column, field);
        term.append_type_and_str(text);
        term
    }

    /// Whole numbers are indexed as such whatever their field's type, so they are looked for as such.
    fn number_term(&self, column: Field, field: &str, number: f64) -> Term {
        let mut term = self.path(column, field);
        if number.fract() == 0.0 && number.abs() < 9.0e15 {
            term.append_type_and_fast_value(number as i64);
        } else {
            term.append_type_and_fast_value(number);
        }
        term
    }
}

fn exact(term: Term) -> Boxed {
    Box::new(TermQuery::new(term, IndexRecordOption::Basic))
}

fn union(mut queries: Vec<Boxed>) -> Boxed {
    match queries.len() {
        0 => Box::new(EmptyQuery),
        1 => queries.remove(0),
        _ => Box::new(BooleanQuery::union(queries)),
    }
}

fn bound(end: &End, read: impl Fn(&Scalar) -> Result<Term, Error>) -> Result<Bound<Term>, Error> {
    Ok(match end {
        End::Open => Bound::Unbounded,
        End::Included(value) => Bound::Included(read(value)?),
        End::Excluded(value) => Bound::Excluded(read(value)?),
    })
}

fn is_whole(end: &End) -> bool {
    match end {
        End::Open => true,
        End::Included(value) | End::Excluded(value) => value.text().parse::<i64>().is_ok(),
    }
}

fn number(field: &str, value: &Scalar) -> Result<f64, Error> {
    let text = value.text();
    text.parse()
        .ok()
        .filter(|n: &f64| n.is_finite())
        .ok_or_else(|| not_a(field, &text, "a number"))
}

fn not_a(field: &str, text: &str, what: &str) -> Error {
    let shown: String = text.chars().take(40).collect();
    Error::Query(format!("`{field}` takes {what}, not `{}`", shown.escape_debug()))
}
