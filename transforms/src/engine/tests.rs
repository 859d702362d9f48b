//! What a record becomes does not depend on the records before it, however it is written.

use std::{fs, path::Path};

use proptest::prelude::*;

use super::*;
use crate::sources::{cloudtrail::CloudTrail, dns::Dns, guardduty::GuardDuty, securityhub::SecurityHub, waf::Waf};

pub(super) const MAPS: [&dyn Map; 5] = [&CloudTrail, &Dns, &GuardDuty, &SecurityHub, &Waf];

/// Every sample of a source on one line.
pub(super) fn samples(map: &dyn Map) -> Vec<Vec<u8>> {
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

/// What a byte of a record is replaced by.
pub(super) fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => "[a-z0-9:.\\-]{0,12}".prop_map(String::into_bytes),
        2 => "[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}".prop_map(String::into_bytes),
        2 => prop::sample::select(vec!["\"", "\\", "\\n", "\\\"", "\\u0031", "\\ud800", " ", "\n", ",", ":", "{", "}", "[", "]", "null",
            "true", "false", "0", "-", "1e5", "1e999", ".5", "host", "name", "cookie", "ü", "\"a\":1,", "\"id\":\"1\","])
            .prop_map(|text| text.as_bytes().to_vec()),
    ]
}

/// A record with some of its values replaced: a text by another, or by one that stands elsewhere in it, or by none.
pub(super) fn with_other_values(text: &[u8], changes: &[(usize, Option<usize>, String)]) -> Vec<u8> {
    let mut text = text.to_vec();
    for (at, other, new) in changes {
        let quotes: Vec<usize> = (0..text.len()).filter(|at| text[*at] == b'"').collect();
        // Between the third quote and the fourth one stands a value, as a rule.
        let span = |number: usize| {
            let number = number % (quotes.len() / 4).max(1) * 4 + 2;
            Some(quotes.get(number)? + 1..*quotes.get(number + 1)?)
        };
        let Some(span_at) = span(*at) else { continue };
        let new = match other.and_then(span) {
            Some(other) => text[other].to_vec(),
            None => new.as_bytes().to_vec(),
        };
        text.splice(span_at, new);
    }
    text
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[ -!#-\\[\\]-~]{1,20}",
        "(\\\\n|\\\\\"|\\\\\\\\|é|a){1,6}",
        "[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}",
        "2026-1[0-3]-[0-3][0-9]T[0-9]{2}:00:[0-9]{2}\\.[0-9]{3}Z",
        "-?[0-9]{1,20}",
        prop::sample::select(vec![
            "true", "false", "NaN", "-", "0", "BLOCK", "OUTBOUND", "GROUP", "HTTP/1.1"
        ])
        .prop_map(str::to_owned),
    ]
}

/// The document, or that there is none.
fn document(mapper: &mut Mapper, text: &[u8]) -> Option<String> {
    let mut out = Vec::new();
    mapper.record(text, &mut out).ok()?;
    Some(String::from_utf8(out).expect("UTF-8"))
}

#[test]
fn most_records_are_written_by_script_when_their_kind_came_before() {
    for map in MAPS {
        let mut mapper = Mapper::new(map, &Options::default()).expect("options");
        let samples = samples(map);
        for sample in samples.iter().cycle().take(4 * samples.len()) {
            mapper.shapes.trust();
            document(&mut mapper, sample);
        }
        let mut out = Vec::new();
        let by_script = samples.iter().filter(|sample| {
            mapper.shapes.trust();
            let known = mapper
                .shapes
                .find(sample, mapper.redactor.names(), &mut mapper.found.addresses);
            let text = as_text(sample);
            known.is_some_and(|known| mapper.by_shape(known, text, text, &mut out))
        });
        let (by_script, all) = (by_script.count(), samples.len());
        assert!(
            by_script * 3 >= all * 2,
            "{}: {by_script} of {all}",
            map.source().name()
        );
    }
}

#[test]
fn values_that_are_the_same_as_others_where_they_were_not_before_are_each_written_once() {
    let finding = |triple: usize| {
        let [one, two, three] = [triple / 9, triple / 3 % 3, triple % 3];
        let name = |which: usize| ["a.internal", "b.internal", "c.internal"][which];
        let address = |which: usize| ["10.0.0.1", "198.51.100.2", "2001:db8::3"][which];
        let probe = |which: usize| {
            let (port, country) = ([22, 80, 443][which], ["India", "Peru", "Chad"][which]);
            format!(
                r#"{{"localPortDetails":{{"port":{port}}},"remoteIpDetails":{{"ipAddressV4":"{}","country":{{"countryName":"{country}"}}}}}}"#,
                address(which)
            )
        };
        format!(
            concat!(
                r#"{{"schemaVersion":"2.0","accountId":"111122223333","region":"eu-west-1","id":"1","severity":2,"#,
                r#""type":"Recon:EC2/PortProbeUnprotectedPort","updatedAt":"2026-11-20T10:00:00.000Z","#,
                r#""resource":{{"instanceDetails":{{"networkInterfaces":[{{"privateDnsName":"{}","privateIpAddress":"{}","#,
                r#""publicDnsName":"{}","publicIp":"{}","#,
                r#""privateIpAddresses":[{{"privateDnsName":"{}","privateIpAddress":"{}"}}]}}]}}}},"#,
                r#""service":{{"action":{{"actionType":"PORT_PROBE","portProbeAction":{{"portProbeDetails":[{},{},{}]}}}}}}}}"#,
            ),
            name(one),
            address(one),
            name(two),
            address(two),
            name(three),
            address(three),
            probe(one),
            probe(two),
            probe(three),
        )
    };
    let mapper = || Mapper::new(&GuardDuty, &Options::default()).expect("options");
    let mut alone = mapper();
    for before in 0..27 {
        let mut warm = mapper();
        for _ in 0..4 {
            assert!(document(&mut warm, finding(before).as_bytes()).is_some());
        }
        for now in 0..27 {
            let finding = finding(now);
            alone.shapes = Shapes::default();
            assert_eq!(
                document(&mut warm, finding.as_bytes()),
                document(&mut alone, finding.as_bytes()),
                "{finding}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_document_does_not_depend_on_the_records_before_it(
        source in 0..MAPS.len(),
        keep_original in any::<bool>(),
        records in prop::collection::vec(
            (any::<usize>(), prop::collection::vec((any::<usize>(), any::<Option<usize>>(), value()), 0..4),
                prop::collection::vec((any::<usize>(), 0_usize..6, piece()), 0..2)),
            1..8,
        ),
    ) {
        let options = Options { keep_original, ..Options::default() };
        let mapper = || Mapper::new(MAPS[source], &options).expect("options");
        let (mut warm, mut alone) = (mapper(), mapper());
        let samples = samples(MAPS[source]);
        for (sample, values, changes) in &records {
            let sample = &samples[sample % samples.len()];
            let mut text = with_other_values(sample, values);
            for (at, length, piece) in changes {
                let at = at % (text.len() + 1);
                let end = (at + length).min(text.len());
                text.splice(at..end, piece.iter().copied());
            }
            for text in [sample, sample, sample, &text, sample, &text, &text] {
                warm.shapes.trust();
                alone.shapes = Shapes::default();
                prop_assert_eq!(document(&mut warm, text), document(&mut alone, text), "{}", String::from_utf8_lossy(text));
            }
        }
    }
}
