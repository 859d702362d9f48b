//! What holds for one record of any source and any options, whatever is in it. The fuzz targets, the replayed corpora and
//! the property tests all end here.

use std::net::IpAddr;

use portcullis_transforms::{Normalizer, Options, Outcome, Schema, Source};
use serde::de::IgnoredAny;
use serde_json::Value;

use super::{
    document,
    json::{Json, plain},
    moment,
    reference::{Reference, member},
    specs::Spec,
};

/// The most bytes of output for each byte of a record, and what every document has.
const GROWTH: usize = 64;
const FRAME: usize = 16 * 1024;

/// How much of it is checked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Depth {
    /// That it neither panics nor writes what is no line of JSON; a fuzzer's pace.
    Quick,
    /// The document too, against the slow reading.
    Compared,
    /// Everything: also that neither a neighbour nor the same record before changes anything.
    Full,
}

/// How often a record comes again: a shape is known from the third record on, and from the fourth on a document is written by
/// its script.
const AGAIN: usize = 4;

/// So many records are read by one of the second normalisers: no more than it learns the shapes of.
const LEARNT: usize = 32;

/// A normaliser that has seen many records before, and one that has seen few.
#[derive(Debug)]
pub(crate) struct Checked {
    source: Source,
    options: Options,
    first: Normalizer,
    second: Normalizer,
    /// Records that the second one has read.
    read: usize,
}

fn normalizer(source: Source, options: &Options) -> Normalizer {
    Normalizer::new(source, options.clone()).expect("options that are accepted")
}

impl Checked {
    pub(crate) fn new(source: Source, options: Options) -> Self {
        Self {
            source,
            first: normalizer(source, &options),
            second: normalizer(source, &options),
            read: 0,
            options,
        }
    }

    /// Normalises the record and checks what must hold; the answer is the document, if there is one.
    pub(crate) fn record(&mut self, record: &[u8], neighbour: &[u8], depth: Depth) -> Option<String> {
        let mut out = b"before\n".to_vec();
        self.first.begin();
        let outcome = self.first.record(record, &mut out);
        let line = out.strip_prefix(b"before\n").expect("what stood there stays");

        if depth == Depth::Quick {
            if outcome == Ok(Outcome::Document) {
                let line = line.strip_suffix(b"\n").expect("a document ends its line");
                assert!(!line.contains(&b'\n'), "not one line");
                serde_json::from_slice::<IgnoredAny>(line).expect("a document is JSON");
                assert!(line.len() <= record.len() * GROWTH + FRAME);
            }
            return None;
        }

        // The other one reads a neighbour first, and then the record more than once.
        if depth == Depth::Full {
            if self.read == LEARNT {
                (self.second, self.read) = (normalizer(self.source, &self.options), 0);
            }
            self.read += 1;
            self.second.begin();
            self.second.record(neighbour, &mut Vec::new()).ok();
            for time in 1..=AGAIN {
                self.second.begin();
                let mut again = Vec::new();
                let same = self.second.record(record, &mut again);
                assert_eq!(
                    same, outcome,
                    "a neighbour changed the outcome, or that it came {time} times"
                );
                assert_eq!(
                    again, line,
                    "a neighbour changed the document, or that it came {time} times"
                );
            }
        }

        match &outcome {
            Ok(Outcome::Document) => {}
            Ok(Outcome::Dropped) => assert!(line.is_empty(), "a dropped record wrote something"),
            Err(refusal) => {
                assert!(line.is_empty(), "a refused record wrote something");
                let text = refusal.to_string();
                assert!(text.len() < 2_000 && !refusal.message.is_empty(), "{text}");
                assert!(text.chars().all(|c| !c.is_control()), "{text:?}");
            }
        }
        if outcome != Ok(Outcome::Document) {
            return None;
        }
        assert!(
            line.len() <= record.len() * GROWTH + FRAME,
            "{} bytes became {}",
            record.len(),
            line.len()
        );
        let line = std::str::from_utf8(line).expect("a document is UTF-8").to_owned();
        match self.options.schema {
            Schema::Ecs => self.ecs(record, &line),
            Schema::Native => native(&line),
        }
        Some(line)
    }

    fn ecs(&self, record: &[u8], line: &str) {
        let document = document(self.source, line).unwrap_or_else(|violation| panic!("{violation}\n{line}"));
        let (Some(spec), true) = (Spec::of(self.source), self.options.redact.is_empty()) else {
            return;
        };
        let Some(json) = Json::parse(record.strip_prefix(b"\xef\xbb\xbf").unwrap_or(record).trim_ascii()) else {
            return;
        };
        let (json, long_keys) = plain(json);
        let Some(body) = spec.body(&json) else {
            return;
        };
        time_is_of_the_record(spec, &json, body, &document);
        if let Some(missing) = missing_address(body, &document) {
            panic!(
                "related.ip lacks {missing}\n{}\n{line}",
                String::from_utf8_lossy(&json.compact())
            );
        }
        let is_bare = std::ptr::eq(body, &raw const json);
        if let Some(difference) = Reference::new(spec, body, is_bare, long_keys).difference(&document) {
            panic!("{difference}\n{}\n{line}", String::from_utf8_lossy(&json.compact()));
        }
    }
}

/// One line of JSON by its grammar. Not every parser can read it: `native` keeps numbers beyond every double as they came, and
/// halves of surrogate pairs.
fn native(line: &str) {
    assert!(
        line.ends_with('\n') && line.matches(['\n', '\r']).count() == 1,
        "not one line: {line}"
    );
    serde_json::from_str::<IgnoredAny>(line).expect("native output is JSON");
}

/// `@timestamp` is what some value of the record says, in `chrono`'s reading, or the time of its envelope where the
/// table asks for that.
fn time_is_of_the_record(spec: &Spec, record: &Json, body: &Json, document: &Value) {
    let shown = document["@timestamp"].as_str().expect("every document has a time");
    let is_shown = |leaf: &Json| {
        leaf.plain()
            .and_then(moment::read)
            .is_some_and(|millis| moment::shown(millis) == shown)
    };
    let mut found = false;
    body.leaves("", &mut |_, leaf| found |= is_shown(leaf));
    let fields = &spec.tree().fields;
    if fields
        .iter()
        .any(|field| field.name == "@timestamp" && field.from.contains("^time"))
        && let Some(time) = record.get("time")
    {
        time.leaves("", &mut |_, leaf| found |= is_shown(leaf));
    }
    assert!(
        found,
        "no value of the record is the time {shown}\n{}",
        String::from_utf8_lossy(&record.compact())
    );
}

/// What the sender of a request claims, such as `X-Forwarded-For`, is no address of the record.
const CLAIMED: &str = "headers";

/// An address that is a value of the record but not in `related.ip`.
pub(crate) fn missing_address(body: &Json, document: &Value) -> Option<IpAddr> {
    let related: Vec<&str> = member(document, "related.ip")
        .and_then(Value::as_array)
        .map(|values| values.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let mut missing = None;
    body.leaves_but(CLAIMED, "", &mut |key, leaf| {
        if let Json::Text(text) = leaf
            && let Ok(address) = text.parse::<IpAddr>()
            && !key.ends_with("ersion")
            && !related.contains(&address.to_string().as_str())
        {
            missing = Some(address);
        }
    });
    missing
}
