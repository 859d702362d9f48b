//! Of a known shape or not, a record is read as the scanner reads it.

use proptest::prelude::*;

use super::*;
use crate::{
    engine::{
        Map, scan,
        table::Table,
        tests::{MAPS, piece, samples},
    },
    normalize::Options,
    schema::Schema,
};

impl Shapes {
    /// Whether there is patience and credit left is no subject of tests.
    pub(in crate::engine) fn trust(&mut self) {
        (self.missed, self.credit) = (0, MOST_CREDIT);
        for plan in &mut self.plans {
            plan.scripts.judge(true);
        }
    }
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
        self.shapes.trust();
        let table = &self.table;
        let scanned = scan::scan(text, &table.trie, &self.names, &mut self.plain, false);
        if let Some(known) = self.shapes.find(text, &self.names, &mut self.found.addresses) {
            self.shapes.fill(known, text, &mut self.found);
            self.known += 1;
            assert_eq!(scanned, Ok(()), "{}", String::from_utf8_lossy(text));
        } else if scan::scan(text, &table.trie, &self.names, &mut self.found, false).is_ok() {
            self.shapes.note(text, table, &self.names, &mut self.found);
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

#[test]
fn shapes_that_differ_in_the_keys_of_a_body_are_all_learnt() {
    let mut both = Both::new(&crate::sources::cloudtrail::CloudTrail, &[]);
    let keys = ["bucketName", "roleArn", "keyId", "groupName"];
    let read = |both: &mut Both| {
        for key in keys {
            let start =
                r#"{"eventVersion":"1.11","eventSource":"s3.amazonaws.com","eventName":"Call","requestParameters":"#;
            both.read(format!(r#"{start}{{"{key}":"value"}}}}"#).as_bytes());
        }
    };
    for _ in 0..3 {
        read(&mut both);
    }
    both.known = 0;
    read(&mut both);
    assert_eq!(both.known, keys.len());
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
