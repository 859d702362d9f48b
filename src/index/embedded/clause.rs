//! A query as the embedded index understands it: what the query DSL and the query string both become.

/// A value as the request wrote it; its field's type decides what it means.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar {
    /// Text, or anything that the query string holds.
    Text(String),
    /// A JSON integer.
    Integer(i64),
    /// A JSON number with a fraction.
    Float(f64),
    /// `true` or `false`.
    Boolean(bool),
}

impl Scalar {
    /// As a keyword holds it.
    pub(crate) fn text(&self) -> String {
        match self {
            Scalar::Text(text) => text.clone(),
            Scalar::Integer(number) => number.to_string(),
            Scalar::Float(number) => number.to_string(),
            Scalar::Boolean(truth) => truth.to_string(),
        }
    }
}

/// One end of a range.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum End {
    /// No limit.
    Open,
    /// The value belongs to the range.
    Included(Scalar),
    /// The value does not.
    Excluded(Scalar),
}

/// A condition on documents.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Clause {
    /// Every document.
    All,
    /// No document.
    None,
    /// All of `must`, none of `must_not`, and at least `minimum` of `should`.
    Bool {
        must: Vec<Clause>,
        should: Vec<Clause>,
        must_not: Vec<Clause>,
        minimum: usize,
    },
    /// The field has one of the values; an address field also takes CIDR blocks.
    Terms { field: String, values: Vec<Scalar> },
    /// The field has a value between the ends.
    Range { field: String, low: End, high: End },
    /// The field has any value.
    Exists { field: String },
    /// The field has a value that matches the pattern of `*` and `?`; without a field, a word of the full text does.
    Glob { field: Option<String>, pattern: String },
    /// The words follow each other in the field, or in any text; an address or a CIDR block is looked for in all address fields.
    Words { field: Option<String>, text: String },
}

impl Clause {
    /// All of them.
    pub(crate) fn every(mut clauses: Vec<Clause>) -> Clause {
        match clauses.len() {
            0 => Clause::All,
            1 => clauses.remove(0),
            _ => Clause::Bool {
                must: clauses,
                should: Vec::new(),
                must_not: Vec::new(),
                minimum: 0,
            },
        }
    }

    /// At least one of them.
    pub(crate) fn any(mut clauses: Vec<Clause>) -> Clause {
        match clauses.len() {
            0 => Clause::None,
            1 => clauses.remove(0),
            _ => Clause::Bool {
                must: Vec::new(),
                should: clauses,
                must_not: Vec::new(),
                minimum: 1,
            },
        }
    }

    /// Everything but it.
    pub(crate) fn not(clause: Clause) -> Clause {
        Clause::Bool {
            must: Vec::new(),
            should: Vec::new(),
            must_not: vec![clause],
            minimum: 0,
        }
    }
}
