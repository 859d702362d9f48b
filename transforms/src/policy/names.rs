//! The names whose values are not kept, compiled so that a scanner can ask about every text it passes.

use std::borrow::Cow;

use crate::engine::spelled_out;

/// Headers whose values are not kept unless the policy says otherwise: they carry credentials and sessions.
pub const DEFAULT: &[&str] = &[
    "authorization",
    "cookie",
    "proxy-authorization",
    "set-cookie",
    "x-amz-security-token",
    "x-api-key",
    "x-auth-token",
];

/// Longest name in bytes.
const MAX_NAME: usize = 63;
/// Most names of one policy.
const MAX_NAMES: usize = 256;

/// Words that say which part of a request a WAF rule matched: where a header or a query parameter matched without its
/// name being told, the text may be a secret's.
pub(super) const HEADER_PARTS: &[&str] = &["header", "headers", "all_headers"];
pub(super) const COOKIE_PARTS: &[&str] = &["cookie", "cookies", "all_cookies"];
pub(super) const QUERY_PARTS: &[&str] = &["query_string", "all_query_args", "single_query_arg"];

/// The list of names cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// One name is no name.
    #[error(
        "`{0}` is no header name; write the names without values or colons, such as `authorization`, a query parameter \
         as `?token`, and `none` first to leave out the default list"
    )]
    Malformed(String),
    /// There are too many.
    #[error("{0} names are too many; the limit is {MAX_NAMES}")]
    TooMany(usize),
}

/// Reads a list such as `x-session,?token`: these names beside the [`DEFAULT`] ones, or alone after `none`.
///
/// ```
/// use portcullis_transforms::policy::redact;
///
/// assert!(redact::names("X-Session,?token").expect("two names").contains(&"cookie".to_owned()));
/// assert_eq!(redact::names("none, x-session").expect("one name"), ["x-session"]);
/// assert!(redact::names("none").expect("no name").is_empty());
/// ```
///
/// # Errors
/// Names the first entry that is no name.
pub fn names(list: &str) -> Result<Vec<String>, NameError> {
    let mut words = list
        .split([',', '\n'])
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .peekable();
    let mut names: Vec<String> = match words.next_if(|word| word.eq_ignore_ascii_case("none")) {
        Some(_) => Vec::new(),
        None => default_names(),
    };
    for word in words {
        let name = word.to_ascii_lowercase();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Names::new(&names)?;
    Ok(names)
}

/// The [`DEFAULT`] names as an option takes them.
#[must_use]
pub fn default_names() -> Vec<String> {
    DEFAULT.iter().map(|&name| name.to_owned()).collect()
}

/// The names of one policy.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// In lower case.
    headers: Vec<Box<[u8]>>,
    parameters: Vec<Box<[u8]>>,
    /// What a scanner looks for, by length: the names, and the words for parts of a request.
    words: Vec<Vec<Box<[u8]>>>,
    /// By length: the first letters that a word of this length has, one bit each.
    first: [u32; MAX_NAME + 1],
    /// Texts with escapes up to this length may spell a word.
    escaped: usize,
}

impl Names {
    pub(crate) fn new(list: &[String]) -> Result<Self, NameError> {
        if list.len() > MAX_NAMES {
            return Err(NameError::TooMany(list.len()));
        }
        let mut names = Self {
            headers: Vec::new(),
            parameters: Vec::new(),
            words: vec![Vec::new(); MAX_NAME + 1],
            first: [0; MAX_NAME + 1],
            escaped: 0,
        };
        for entry in list {
            let (name, group) = match entry.strip_prefix('?') {
                Some(name) => (name, &mut names.parameters),
                None => (entry.as_str(), &mut names.headers),
            };
            let name = name.to_ascii_lowercase().into_bytes();
            let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~[]".contains(byte);
            if name.is_empty() || name.len() > MAX_NAME || !name.iter().all(is_token) {
                return Err(NameError::Malformed(entry.chars().take(80).collect()));
            }
            group.push(name.clone().into());
            names.word(&name);
        }
        if !names.headers.is_empty() {
            for part in HEADER_PARTS.iter().chain(COOKIE_PARTS) {
                names.word(part.as_bytes());
            }
        }
        Ok(names)
    }

    fn word(&mut self, word: &[u8]) {
        self.first[word.len()] |= bit(word[0]);
        self.escaped = self.escaped.max(word.len() * 6);
        self.words[word.len()].push(word.into());
    }

    pub(crate) fn has_any(&self) -> bool {
        self.has_headers() || self.has_parameters()
    }

    pub(super) fn has_headers(&self) -> bool {
        !self.headers.is_empty()
    }

    pub(crate) fn has_parameters(&self) -> bool {
        !self.parameters.is_empty()
    }

    /// Whether the inside of a JSON text is one of the names, or a word for a part of the request.
    #[inline]
    pub(crate) fn suspects(&self, inside: &[u8], escaped: bool) -> bool {
        self.may_be_word(inside, escaped) && self.is_word(&plain(inside, escaped))
    }

    /// Whether the inside of a key is one of the names. The words for parts are values only: `headers` as a key stands in
    /// every WAF log.
    #[inline]
    pub(crate) fn suspects_key(&self, inside: &[u8], escaped: bool) -> bool {
        self.may_be_word(inside, escaped) && self.is_name(&plain(inside, escaped))
    }

    #[inline]
    fn may_be_word(&self, inside: &[u8], escaped: bool) -> bool {
        let Some(&first) = inside.first() else {
            return false;
        };
        if escaped {
            return inside.len() <= self.escaped;
        }
        self.first
            .get(inside.len())
            .is_some_and(|letters| letters & bit(first) != 0)
    }

    #[cold]
    fn is_name(&self, text: &[u8]) -> bool {
        let mut names = self.headers.iter().chain(&self.parameters);
        names.any(|name| name.eq_ignore_ascii_case(text))
    }

    #[cold]
    fn is_word(&self, text: &[u8]) -> bool {
        let words = self.words.get(text.len()).map_or(&[][..], Vec::as_slice);
        words.iter().any(|word| word.eq_ignore_ascii_case(text))
    }

    pub(super) fn is_header(&self, name: &str) -> bool {
        self.headers
            .iter()
            .any(|header| header.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// Whether this is a parameter's name, percent signs resolved.
    pub(super) fn is_parameter(&self, name: &str) -> bool {
        let plain = percent_decoded(name);
        self.parameters.iter().any(|known| known.eq_ignore_ascii_case(&plain))
    }
}

/// The inside of a JSON text as what it says.
#[inline]
fn plain(inside: &[u8], escaped: bool) -> Cow<'_, [u8]> {
    match escaped {
        true => spelled_out(inside),
        false => Cow::Borrowed(inside),
    }
}

/// One bit for a letter in either case; other characters share bits, which only costs a comparison.
const fn bit(letter: u8) -> u32 {
    1 << (letter & 31)
}

/// `%74oken` as `token`.
fn percent_decoded(text: &str) -> Cow<'_, [u8]> {
    if !text.contains('%') {
        return Cow::Borrowed(text.as_bytes());
    }
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    while let Some(&byte) = bytes.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                plain.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                plain.push(byte);
                at += 1;
            }
        }
    }
    Cow::Owned(plain)
}
