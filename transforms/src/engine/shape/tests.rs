//! Of a known shape or not, a record is read as the scanner reads it.

use std::{fs, path::Path};

use proptest::prelude::*;

use super::*;
use crate::{
    engine::{Map, table::Table},
    normalize::Options,
    schema::Schema,
    sources::{cloudtrail::CloudTrail, dns::Dns, guardduty::GuardDuty, securityhub::SecurityHub, waf::Waf},
};

const MAPS: [&dyn Map; 5] = [&CloudTrail, &Dns, &GuardDuty, &SecurityHub, &Waf];

/// Every sample of a source on one line.
fn samples(map: &dyn Map) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples");
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder.join(map.source().name())).expect("samples") {
        let path = entry.expect("an entry").path();
        if path.to_string_lossy().contains(".in.json") {
            let text = fs::read(&path).expect("a sample");
            let values = serde_json::Deserializer::from_slice(&text).into_iter::<serde_json::Value>();
            texts.extend(values.flatten().map(|value| value.to_string().into_bytes()));
        }
    }
    texts.sort_unstable();
    texts
}

struct Both {
    table: Table,
    names: Names,
    shapes: Shapes,
    found: Found,
    plain: Found,
    known: usize,
}

impl Both {
    fn new(map: &dyn Map, names: &[String]) -> Self {
        let names = Names::new(names).expect("names");
        let table = Table::new(map, Schema::Ecs, &names);
        Self {
            shapes: Shapes::default(),
            found: Found::new(&table.trie),
            plain: Found::new(&table.trie),
            known: 0,
            table,
            names,
        }
    }

    /// Reads a record with and without what is known of shapes, and learns from it.
    fn read(&mut self, text: &[u8]) {
        // Whether there is patience and credit left is no subject here.
        (self.shapes.missed, self.shapes.credit) = (0, MOST_CREDIT);
        let trie = &self.table.trie;
        let scanned = scan::scan(text, trie, &self.names, &mut self.plain, false);
        scan::start(text, &mut self.found);
        if !self.shapes.find(text, &self.names, &mut self.found) {
            if scan::walk(text, trie, &self.names, &mut self.found, false).is_ok() {
                self.shapes.note(text, trie, &self.names, &mut self.found);
            }
        } else {
            self.known += 1;
            assert_eq!(scanned, Ok(()), "{}", String::from_utf8_lossy(text));
        }
        assert_eq!(
            seen(&self.found, text, self.table.trie.slots()),
            seen(&self.plain, text, self.table.trie.slots()),
            "{}",
            String::from_utf8_lossy(text)
        );
    }
}

/// All that the writer may look at. Whether there are escapes is only asked of texts.
fn seen(found: &Found, text: &[u8], slots: usize) -> String {
    let is_text = |hit: &Hit| hit.value.of(text).starts_with(b"\"");
    let hits = found.hits.iter().map(|hit| Hit {
        escaped: hit.escaped && is_text(hit),
        ..*hit
    });
    let ends: Vec<_> = (0..slots).map(|slot| found.ends(slot as Slot)).collect();
    format!(
        "{:?}\n{:?}\n{:?}\n{:?}\n{ends:?}",
        hits.collect::<Vec<_>>(),
        found.unknown,
        found.addresses,
        (found.bodies, found.wrapped, found.unusual, found.sensitive, &found.keys),
    )
}

#[test]
fn most_records_are_of_a_shape_that_came_twice() {
    for map in MAPS {
        let mut both = Both::new(map, &[]);
        let samples = samples(map);
        for _ in 0..3 {
            for sample in &samples {
                both.read(sample);
            }
        }
        let source = map.source().name();
        assert!(
            both.known * 3 >= samples.len() * 2,
            "{source}: {} of {}",
            both.known,
            samples.len()
        );
    }
}

/// What a byte of a record is replaced by.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => "[a-z0-9:.\\-]{0,12}".prop_map(String::into_bytes),
        2 => "[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}".prop_map(String::into_bytes),
        2 => prop::sample::select(vec!["\"", "\\", "\\n", "\\\"", "\\u0031", "\\ud800", " ", "\n", ",", ":", "{", "}", "[", "]", "null",
            "true", "false", "0", "-", "1e5", "1e999", ".5", "host", "name", "cookie", "ü", "\"a\":1,", "\"id\":\"1\","])
            .prop_map(|text| text.as_bytes().to_vec()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn a_record_of_a_known_shape_is_read_as_the_scanner_reads_it(
        source in 0..MAPS.len(),
        redact in any::<bool>(),
        records in prop::collection::vec((any::<usize>(), prop::collection::vec((any::<usize>(), 0_usize..6, piece()), 0..3)), 1..12),
    ) {
        let names = if redact { Options::default().redact } else { Vec::new() };
        let mut both = Both::new(MAPS[source], &names);
        let samples = samples(MAPS[source]);
        for (sample, changes) in &records {
            let sample = &samples[sample % samples.len()];
            both.read(sample);
            both.read(sample);
            let mut text = sample.clone();
            for (at, length, piece) in changes {
                let at = at % (text.len() + 1);
                let end = (at + length).min(text.len());
                text.splice(at..end, piece.iter().copied());
            }
            both.read(&text);
            both.read(&text);
            both.read(&text);
            both.read(sample);
        }
    }
}
