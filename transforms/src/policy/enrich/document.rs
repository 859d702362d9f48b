//! Puts what databases and lists say into a written document.

use std::{io::Write as _, net::IpAddr, sync::Arc};

use super::{
    super::{
        is_private,
        view::{Value, Wanted},
    },
    Enrichment, Match,
    database::{Network, Place},
};
use crate::{
    document::{cut_text, push_integer, push_json_string},
    engine::unescape,
};

/// Most matches that one document names.
const MAX_MATCHES: usize = 16;

/// Fields of one end, in the order in which they are numbered.
const END: [&str; 10] = [
    "",
    ".ip",
    ".geo",
    ".geo.country_iso_code",
    ".geo.country_name",
    ".geo.city_name",
    ".geo.location",
    ".as",
    ".as.number",
    ".as.organization",
];
const IP: usize = 1;
const GEO: usize = 2;
const COUNTRY_CODE: usize = 3;
const COUNTRY_NAME: usize = 4;
const CITY_NAME: usize = 5;
const LOCATION: usize = 6;
const AS: usize = 7;
const AS_NUMBER: usize = 8;
const AS_ORGANIZATION: usize = 9;

const RELATED_IP: usize = 2 * END.len();
const RELATED_HOSTS: usize = RELATED_IP + 1;
const OWN: usize = RELATED_IP + 2;

/// Enriches documents. Keep it: its buffers are kept.
#[derive(Debug)]
pub(in super::super) struct Enricher {
    data: Arc<Enrichment>,
    wanted: Wanted,
    values: Vec<Value>,
    added: Vec<u8>,
    /// Places in the document, and up to where in `added` their texts go.
    insertions: Vec<(usize, usize, usize)>,
    rest: Vec<u8>,
}

impl Enricher {
    pub(in super::super) fn new(data: Arc<Enrichment>) -> Self {
        let mut wanted = Wanted::new();
        for end in ["source", "destination"] {
            for field in END {
                wanted.add(&format!("{end}{field}"));
            }
        }
        for field in ["related.ip", "related.hosts", "portcullis"] {
            wanted.add(field);
        }
        Self {
            data,
            wanted,
            values: Vec::new(),
            added: Vec::new(),
            insertions: Vec::new(),
            rest: Vec::new(),
        }
    }

    /// Adds to the document that begins at `start` of `out`.
    pub(in super::super) fn enrich(&mut self, out: &mut Vec<u8>, start: usize) {
        self.added.clear();
        self.insertions.clear();
        let document = out.get(start..).unwrap_or_default();
        self.wanted.read(document, &mut self.values);
        let data = Arc::clone(&self.data);
        if data.places.is_some() || data.networks.is_some() {
            self.end(&data, document, 0);
            self.end(&data, document, END.len());
        }
        if !data.lists.is_empty() {
            self.indicators(&data, document);
        }
        if self.insertions.is_empty() {
            return;
        }
        self.insertions.sort_by_key(|(at, ..)| *at);
        let Some(&(first, ..)) = self.insertions.first() else {
            return;
        };
        self.rest.clear();
        self.rest.extend_from_slice(&out[start + first..]);
        out.truncate(start + first);
        let mut from = 0;
        for &(at, text, end) in &self.insertions {
            out.extend_from_slice(&self.rest[from..at - first]);
            out.extend_from_slice(&self.added[text..end]);
            from = at - first;
        }
        out.extend_from_slice(&self.rest[from..]);
    }

    /// The JSON of a field's first value.
    fn first<'d>(&self, document: &'d [u8], field: usize) -> Option<&'d [u8]> {
        let value = self.values.iter().find(|value| value.field == field)?;
        document.get(value.start..value.end)
    }

    fn start_of(&self, field: usize) -> Option<usize> {
        self.values
            .iter()
            .find(|value| value.field == field)
            .map(|value| value.start)
    }

    /// The end's only address, when it is a public one.
    fn address(&self, document: &[u8], field: usize) -> Option<IpAddr> {
        let mut addresses = self.values.iter().filter(|value| value.field == field);
        let one = addresses.next()?;
        if addresses.next().is_some() {
            return None;
        }
        address(document.get(one.start..one.end)?)
    }

    fn end(&mut self, data: &Enrichment, document: &[u8], base: usize) {
        let (Some(address), Some(object)) = (self.address(document, base + IP), self.start_of(base)) else {
            return;
        };
        if let Some(place) = data.places.as_ref().and_then(|database| database.place(address)) {
            self.place(document, base, object, &place);
        }
        if let Some(network) = data.networks.as_ref().and_then(|database| database.network(address)) {
            self.network(document, base, object, &network);
        }
    }

    fn place(&mut self, document: &[u8], base: usize, object: usize, place: &Place<'_>) {
        let differs = |field: usize, value: Option<&str>| {
            self.first(document, base + field)
                .is_some_and(|own| text(own).as_deref() != value)
        };
        // Names of a country differ between databases, so they tell only where there is no code.
        let has_code = self.start_of(base + COUNTRY_CODE).is_some();
        if differs(COUNTRY_CODE, place.country.iso_code)
            || (!has_code && differs(COUNTRY_NAME, place.country.names.en))
            || differs(CITY_NAME, place.city.names.en)
        {
            return;
        }
        let texts = [
            (COUNTRY_CODE, "country_iso_code", place.country.iso_code),
            (COUNTRY_NAME, "country_name", place.country.names.en),
            (CITY_NAME, "city_name", place.city.names.en),
        ];
        let from = self.added.len();
        let group = self.start_of(base + GEO);
        if group.is_none() {
            self.added.extend_from_slice(b"\"geo\":{");
        }
        let members = self.added.len();
        for (field, key, value) in texts {
            if let Some(value) = value.filter(|value| !value.is_empty())
                && self.start_of(base + field).is_none()
            {
                self.member(key, value);
            }
        }
        if let Some((latitude, longitude)) = place.location.degrees()
            && self.start_of(base + LOCATION).is_none()
        {
            // Writing to a Vec cannot fail.
            let written = write!(self.added, "\"location\":{{\"lat\":{latitude},\"lon\":{longitude}}},");
            debug_assert!(written.is_ok());
        }
        self.insert(from, members, object, group);
    }

    fn network(&mut self, document: &[u8], base: usize, object: usize, network: &Network<'_>) {
        let Some(number) = network.autonomous_system_number else {
            return;
        };
        let group = self.start_of(base + AS);
        let own = self.first(document, base + AS_NUMBER);
        let says_another = own.is_some_and(|own| own != number.to_string().as_bytes());
        if says_another || (group.is_some() && own.is_none()) {
            return;
        }
        let from = self.added.len();
        if group.is_none() {
            self.added.extend_from_slice(b"\"as\":{");
        }
        let members = self.added.len();
        if own.is_none() {
            self.added.extend_from_slice(b"\"number\":");
            push_integer(&mut self.added, i64::from(number));
            self.added.push(b',');
        }
        if let Some(name) = network.autonomous_system_organization.filter(|name| !name.is_empty())
            && self.start_of(base + AS_ORGANIZATION).is_none()
        {
            self.added.extend_from_slice(b"\"organization\":{");
            self.member("name", name);
            self.added.pop();
            self.added.extend_from_slice(b"},");
        }
        self.insert(from, members, object, group);
    }

    /// `"key":"value",`
    fn member(&mut self, key: &str, value: &str) {
        self.added.push(b'"');
        self.added.extend_from_slice(key.as_bytes());
        self.added.extend_from_slice(b"\":");
        push_json_string(&mut self.added, cut_text(value));
        self.added.push(b',');
    }

    /// Puts what was added since `from` into the group that the document has, or the new group into its parent; takes it
    /// back when it has no members.
    fn insert(&mut self, from: usize, members: usize, parent: usize, group: Option<usize>) {
        if self.added.len() == members {
            self.added.truncate(from);
            return;
        }
        if group.is_none() {
            self.added.pop();
            self.added.extend_from_slice(b"},");
        }
        // No object of a document is empty, so a member always follows.
        self.insertions
            .push((group.unwrap_or(parent) + 1, from, self.added.len()));
    }

    fn indicators(&mut self, data: &Enrichment, document: &[u8]) {
        let mut found: Vec<(Indicator, Match<'_>)> = Vec::new();
        for value in &self.values {
            let Some(raw) = document.get(value.start..value.end) else {
                continue;
            };
            for list in &data.lists {
                let matched = match value.field {
                    RELATED_IP => {
                        address(raw).and_then(|address| Some((Indicator::Address(address), list.address(address)?)))
                    }
                    RELATED_HOSTS => text(raw).and_then(|host| {
                        let matched = list.host(&host)?;
                        Some((Indicator::Domain(host.into_owned()), matched))
                    }),
                    _ => None,
                };
                if found.len() < MAX_MATCHES {
                    found.extend(matched);
                }
            }
        }
        if !found.is_empty() {
            self.threat(&found);
        }
    }

    /// `threat`, which no source writes itself, before `portcullis`, which every document has.
    fn threat(&mut self, found: &[(Indicator, Match<'_>)]) {
        const OWN_KEY: &str = "\"portcullis\":";
        let Some(before) = self.start_of(OWN).and_then(|own| own.checked_sub(OWN_KEY.len())) else {
            return;
        };
        let lists = || found.iter().map(|(_, matched)| Some(matched.list.to_owned()));
        let labels = found.iter().map(|(_, matched)| matched.label.to_owned());
        let from = self.added.len();
        self.added.extend_from_slice(b"\"threat\":{\"feed\":{");
        self.each("name", lists());
        self.added.pop();
        self.added.extend_from_slice(b"},\"indicator\":{");
        self.each("type", found.iter().map(|(value, _)| Some(value.kind().to_owned())));
        self.each("ip", found.iter().map(|(value, _)| value.ip()));
        if found.iter().any(|(value, _)| value.domain().is_some()) {
            self.added.extend_from_slice(b"\"url\":{");
            self.each("domain", found.iter().map(|(value, _)| value.domain()));
            self.added.pop();
            self.added.extend_from_slice(b"},");
        }
        self.each("name", found.iter().map(|(_, matched)| Some(matched.entry.clone())));
        self.each(
            "description",
            labels.map(|label| Some(label).filter(|label| !label.is_empty())),
        );
        self.each("provider", lists());
        self.added.pop();
        self.added.extend_from_slice(b"}},");
        self.insertions.push((before, from, self.added.len()));
    }

    /// A member with each distinct value once: `"key":"one",` or `"key":["one","two"],`, or nothing.
    fn each(&mut self, key: &str, values: impl Iterator<Item = Option<String>>) {
        let mut distinct: Vec<String> = Vec::new();
        for value in values.flatten() {
            if !distinct.contains(&value) {
                distinct.push(value);
            }
        }
        match distinct.as_slice() {
            [] => {}
            [one] => self.member(key, one),
            several => {
                self.added.push(b'"');
                self.added.extend_from_slice(key.as_bytes());
                self.added.extend_from_slice(b"\":[");
                for value in several {
                    push_json_string(&mut self.added, cut_text(value));
                    self.added.push(b',');
                }
                self.added.pop();
                self.added.extend_from_slice(b"],");
            }
        }
    }
}

/// A value of the document that a list names.
enum Indicator {
    Address(IpAddr),
    Domain(String),
}

impl Indicator {
    /// The word of STIX, as the Elastic Common Schema wants it.
    fn kind(&self) -> &'static str {
        match self {
            Indicator::Address(IpAddr::V4(_)) => "ipv4-addr",
            Indicator::Address(IpAddr::V6(_)) => "ipv6-addr",
            Indicator::Domain(_) => "domain-name",
        }
    }

    fn ip(&self) -> Option<String> {
        match self {
            Indicator::Address(address) => Some(address.to_string()),
            Indicator::Domain(_) => None,
        }
    }

    fn domain(&self) -> Option<String> {
        match self {
            Indicator::Address(_) => None,
            Indicator::Domain(host) => Some(host.clone()),
        }
    }
}

/// A public address.
fn address(raw: &[u8]) -> Option<IpAddr> {
    let address: IpAddr = text(raw)?.parse().ok()?;
    let address = address.to_canonical();
    (!is_private(address)).then_some(address)
}

fn text(raw: &[u8]) -> Option<std::borrow::Cow<'_, str>> {
    match raw {
        [b'"', inside @ .., b'"'] => unescape(inside),
        _ => None,
    }
}
