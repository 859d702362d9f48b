//! Indicator lists: addresses, networks and domains that others have seen doing harm.
//!
//! One entry a line, with a label after a tab (here `→`) if there is one; `#` begins a comment. A file may be compressed with gzip.
//!
//! ```text
//! # seen by our own honeypots
//! 203.0.113.7→ssh scanner
//! 198.51.100.0/24
//! 2001:db8:bad::/48
//! evil.example→phishing
//! ```
//!
//! A domain stands for itself and everything below it; of entries inside each other, the smallest counts. A million
//! addresses take about 16 MB, a million IPv6 networks 40 MB, a million domains about 30 MB and their own bytes.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read},
    net::IpAddr,
};

use flate2::bufread::MultiGzDecoder;

use super::{
    super::network::Network,
    domains::{Domains, MAX_LENGTH},
    ranges::Ranges,
};

/// Most entries of one list.
pub const MAX_ENTRIES: usize = 4_000_000;
/// Longest line in bytes.
const MAX_LINE: usize = 1024;
/// Longest label in bytes.
const MAX_LABEL: usize = 256;
/// Most different labels of one list; their numbers share 32 bits with a prefix length.
const MAX_LABELS: usize = 1 << 20;
/// Most bytes of one list, uncompressed.
const MAX_BYTES: u64 = 1 << 29;

/// A list cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// The file cannot be read.
    #[error("{list}: cannot be read ({problem}); check its path and who may read it")]
    Read {
        /// Name of the list.
        list: String,
        /// Why.
        problem: std::io::Error,
    },
    /// A line is no entry.
    #[error("{list}:{line}: {problem}")]
    Line {
        /// Name of the list.
        list: String,
        /// Which line, counted from 1.
        line: u64,
        /// What is wrong, and what to write instead.
        problem: String,
    },
}

/// One list, compiled for looking up.
#[derive(Debug)]
pub struct IndicatorList {
    name: String,
    v4: Ranges<u32>,
    v6: Ranges<u128>,
    domains: Domains,
    labels: Vec<Box<str>>,
    entries: usize,
}

/// An entry of a list that a value matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match<'a> {
    /// Name of the list.
    pub list: &'a str,
    /// The entry: an address, a network or a domain.
    pub entry: String,
    /// Its label, or empty.
    pub label: &'a str,
}

impl IndicatorList {
    /// Reads a list, compressed or not.
    ///
    /// # Errors
    /// [`ListError`] names the list, the line and the remedy.
    pub fn read(name: &str, input: impl Read) -> Result<Self, ListError> {
        let unreadable = |problem| ListError::Read {
            list: name.to_owned(),
            problem,
        };
        let mut input = BufReader::with_capacity(64 * 1024, input);
        let is_gzip = input.fill_buf().map_err(unreadable)?.starts_with(&[0x1f, 0x8b]);
        if is_gzip {
            return Self::lines(name, BufReader::new(MultiGzDecoder::new(input)));
        }
        Self::lines(name, input)
    }

    fn lines(name: &str, input: impl BufRead) -> Result<Self, ListError> {
        let mut builder = Builder::default();
        let mut input = input.take(MAX_BYTES);
        let mut text = Vec::with_capacity(MAX_LINE);
        let mut line = 0;
        loop {
            line += 1;
            text.clear();
            let wrong = |problem| ListError::Line {
                list: name.to_owned(),
                line,
                problem,
            };
            let read = (&mut input)
                .take(MAX_LINE as u64 + 1)
                .read_until(b'\n', &mut text)
                .map_err(|problem| ListError::Read {
                    list: name.to_owned(),
                    problem,
                })?;
            if read == 0 {
                break;
            }
            if read > MAX_LINE {
                return Err(wrong(format!(
                    "the line is longer than {MAX_LINE} bytes; write one entry a line"
                )));
            }
            let text = std::str::from_utf8(&text).map_err(|_| wrong("the line is not UTF-8 text".to_owned()))?;
            builder.line(text.trim_start_matches('\u{feff}')).map_err(wrong)?;
        }
        if input.limit() == 0 {
            return Err(ListError::Line {
                list: name.to_owned(),
                line,
                problem: format!("the list has more than {MAX_BYTES} bytes; split it"),
            });
        }
        Ok(builder.build(name))
    }

    /// The same list under another name.
    #[must_use]
    pub fn called(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Its name, as documents show it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many entries were read.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.entries
    }

    /// Bytes that it holds in memory.
    #[must_use]
    pub fn memory(&self) -> usize {
        let labels: usize = self
            .labels
            .iter()
            .map(|label| label.len() + size_of::<Box<str>>())
            .sum();
        self.v4.memory() + self.v6.memory() + self.domains.memory() + labels
    }

    /// The smallest network of the list around an address.
    #[must_use]
    pub fn address(&self, address: IpAddr) -> Option<Match<'_>> {
        let mark = match address.to_canonical() {
            IpAddr::V4(address) => self.v4.find(address.to_bits())?,
            IpAddr::V6(address) => self.v6.find(address.to_bits())?,
        };
        let network = Network::around(address.to_canonical(), (mark & 0xff) as u8);
        Some(self.matched(network.to_string(), mark))
    }

    /// The longest domain of the list that a host is, or is below; a port behind it does not matter.
    #[must_use]
    pub fn host(&self, host: &str) -> Option<Match<'_>> {
        let host = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let host = host.strip_suffix('.').unwrap_or(host);
        let mut lower = [0; MAX_LENGTH];
        let lower = lower.get_mut(..host.len())?;
        lower.copy_from_slice(host.as_bytes());
        lower.make_ascii_lowercase();
        let (length, mark) = self.domains.find(lower)?;
        let entry = String::from_utf8_lossy(lower.get(lower.len() - length..)?).into_owned();
        Some(self.matched(entry, mark))
    }

    fn matched(&self, entry: String, mark: u32) -> Match<'_> {
        Match {
            list: &self.name,
            entry,
            label: self.labels.get((mark >> 8) as usize).map_or("", |label| label),
        }
    }
}

#[derive(Default)]
struct Builder {
    v4: Vec<(u32, u32, u32)>,
    v6: Vec<(u128, u128, u32)>,
    domains: Domains,
    labels: HashMap<Box<str>, u32>,
    entries: usize,
}

impl Builder {
    fn line(&mut self, line: &str) -> Result<(), String> {
        let (entry, label) = line.split_once('\t').unwrap_or((line, ""));
        let entry = entry.split('#').next().unwrap_or_default().trim();
        if entry.is_empty() {
            return Ok(());
        }
        if self.entries >= MAX_ENTRIES {
            return Err(format!("more than {MAX_ENTRIES} entries; split the list"));
        }
        self.entries += 1;
        let label = self.label(label.trim())?;
        if entry.contains('/') && !entry.contains("//") || entry.parse::<IpAddr>().is_ok() {
            self.network(entry, label)
        } else {
            self.domain(entry, label)
        }
    }

    /// The label's number, in the upper 24 bits of a mark.
    fn label(&mut self, label: &str) -> Result<u32, String> {
        if label.len() > MAX_LABEL {
            return Err(format!("the label is longer than {MAX_LABEL} bytes"));
        }
        let next = self.labels.len();
        if let Some(number) = self.labels.get(label) {
            return Ok(number << 8);
        }
        if next >= MAX_LABELS {
            return Err(format!(
                "more than {MAX_LABELS} different labels; leave out what differs in each line"
            ));
        }
        self.labels.insert(label.into(), next as u32);
        Ok((next as u32) << 8)
    }

    fn network(&mut self, entry: &str, label: u32) -> Result<(), String> {
        let network = Network::parse(entry).map_err(|problem| format!("`{}` {problem}", shown(entry)))?;
        let narrowest = if network.first.is_ipv4() { 8 } else { 16 };
        if network.prefix < narrowest {
            return Err(format!(
                "`{}` would match a large part of the internet; the widest network of a list is /{narrowest}",
                shown(entry)
            ));
        }
        let mark = label | u32::from(network.prefix);
        match (network.first, network.last) {
            (IpAddr::V4(first), IpAddr::V4(last)) => self.v4.push((first.to_bits(), last.to_bits(), mark)),
            (IpAddr::V6(first), IpAddr::V6(last)) => self.v6.push((first.to_bits(), last.to_bits(), mark)),
            _ => {}
        }
        Ok(())
    }

    fn domain(&mut self, entry: &str, label: u32) -> Result<(), String> {
        let wrong = |problem: &str| format!("`{}` {problem}", shown(entry));
        if entry.contains("://") {
            return Err(wrong("is a URL; write its host alone"));
        }
        if !entry.is_ascii() {
            return Err(wrong("is not ASCII; write an international name in its `xn--` form"));
        }
        let domain = entry.strip_prefix("*.").unwrap_or(entry);
        let domain = domain.strip_suffix('.').unwrap_or(domain).to_ascii_lowercase();
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        };
        let last = domain.rsplit('.').next().unwrap_or_default();
        if domain.len() > MAX_LENGTH
            || !domain.split('.').all(is_label)
            || last.bytes().all(|byte| byte.is_ascii_digit())
        {
            return Err(wrong(
                "is no address, network or domain; write one of them a line, a label after a tab, comments after `#`",
            ));
        }
        if !domain.contains('.') {
            return Err(wrong(
                "would match everything below it; write a domain of at least two parts",
            ));
        }
        if self.domains.text_length() + domain.len() > u32::MAX as usize {
            return Err("the list is too long; split it".to_owned());
        }
        self.domains.push(&domain, label);
        Ok(())
    }

    fn build(mut self, name: &str) -> IndicatorList {
        self.domains.close();
        let mut labels = vec![Box::<str>::default(); self.labels.len()];
        for (label, number) in self.labels {
            labels[number as usize] = label;
        }
        IndicatorList {
            name: name.to_owned(),
            v4: Ranges::new(self.v4),
            v6: Ranges::new(self.v6),
            domains: self.domains,
            labels,
            entries: self.entries,
        }
    }
}

/// An entry for a message: bounded.
fn shown(entry: &str) -> String {
    entry.escape_debug().take(80).collect()
}
