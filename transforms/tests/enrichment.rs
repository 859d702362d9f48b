//! Documents are enriched with what databases and lists say, what the record says itself wins, and no file is trusted.

#![cfg(feature = "enrich")]

mod support;

use std::{collections::HashMap, io::Write as _, net::IpAddr, sync::Arc, time::Instant};

use flate2::{Compression, write::GzEncoder};
use mmdb_writer::{Value as Data, Writer};
use portcullis_transforms::{
    Options, Outcome, Schema, Source,
    policy::enrich::{Database, DatabaseKind, Enrichment, Files, IndicatorList},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{normalize, schema_violation};

fn text(text: &str) -> Data {
    Data::String(text.to_owned())
}

fn place(code: &str, country: &str, city: &str, latitude: f64, longitude: f64) -> Data {
    Data::map([
        (
            "country",
            Data::map([
                ("iso_code", text(code)),
                ("names", Data::map([("en", text(country)), ("de", text("?"))])),
            ]),
        ),
        ("city", Data::map([("names", Data::map([("en", text(city))]))])),
        (
            "location",
            Data::map([
                ("latitude", Data::Double(latitude)),
                ("longitude", Data::Double(longitude)),
                ("time_zone", text("UTC")),
            ]),
        ),
    ])
}

fn places() -> Vec<u8> {
    let mut writer = Writer::new("Test-City");
    for (network, data) in [
        ("198.51.100.0/24", place("SE", "Sweden", "Linköping", 58.4167, 15.6167)),
        ("203.0.113.0/24", place("JP", "Japan", "", 91.0, 0.0)),
        ("2001:db8::/32", place("FR", "France", "Paris", 48.85, 2.35)),
        ("10.0.0.0/8", place("XX", "Nowhere", "None", 0.0, 0.0)),
    ] {
        writer
            .insert_value(network.parse::<ipnet::IpNet>().expect("a network"), data)
            .expect("inserted");
    }
    writer.to_bytes().expect("a database")
}

fn networks() -> Vec<u8> {
    let mut writer = Writer::new("Test-ASN");
    for (network, number, name) in [
        ("198.51.100.0/24", 64_500, "Example Networks"),
        ("2001:db8::/32", 64_501, ""),
    ] {
        let data = Data::map([
            ("autonomous_system_number", Data::U32(number)),
            ("autonomous_system_organization", text(name)),
        ]);
        writer
            .insert_value(network.parse::<ipnet::IpNet>().expect("a network"), data)
            .expect("inserted");
    }
    writer.to_bytes().expect("a database")
}

fn list(name: &str, text: &str) -> IndicatorList {
    IndicatorList::read(name, text.as_bytes()).expect("a list")
}

fn enrichment() -> Enrichment {
    Enrichment {
        places: Some(Database::from_bytes("places", places(), DatabaseKind::Places).expect("a database")),
        networks: Some(Database::from_bytes("networks", networks(), DatabaseKind::Networks).expect("a database")),
        lists: vec![
            list(
                "scanners",
                "# comment\n198.51.100.0/24\tnoisy # not\n198.51.100.7\tssh scanner\n10.0.0.5\n",
            ),
            list("own", "198.51.100.7 # seen here\nevil.example\tphishing\n"),
        ],
    }
}

fn enriched(source: Source, record: &str) -> Value {
    let options = Options {
        enrichment: Some(Arc::new(enrichment())),
        ..Options::default()
    };
    let (_, document) = normalize(source, options, record.as_bytes()).expect(record);
    assert_eq!(schema_violation(source, &document), None, "{document}");
    serde_json::from_str(&document).expect("JSON")
}

fn flow(source: &str, destination: &str) -> String {
    format!("2 123456789012 eni-0a1 {source} {destination} 51234 443 6 9 720 1795258200 1795258260 ACCEPT OK")
}

#[test]
fn both_ends_get_their_place_and_network_and_private_ones_get_none() {
    let document = enriched(Source::VpcFlow, &flow("198.51.100.7", "10.0.0.5"));
    let source = &document["source"];
    assert_eq!(
        source["geo"],
        json!({"country_iso_code": "SE", "country_name": "Sweden", "city_name": "Linköping", "location": {"lat": 58.4167, "lon": 15.6167}})
    );
    assert_eq!(
        source["as"],
        json!({"number": 64500, "organization": {"name": "Example Networks"}})
    );
    assert_eq!(
        (source["port"].as_i64(), source["ip"].as_str()),
        (Some(51_234), Some("198.51.100.7"))
    );
    assert_eq!(
        (&document["destination"]["geo"], &document["destination"]["as"]),
        (&Value::Null, &Value::Null)
    );
    let document = enriched(Source::VpcFlow, &flow("10.0.0.5", "2001:db8::1"));
    assert_eq!(document["destination"]["geo"]["city_name"], "Paris");
    assert_eq!(document["destination"]["as"], json!({"number": 64501}));
    let document = enriched(Source::VpcFlow, &flow("192.0.2.1", "203.0.113.9"));
    assert_eq!(
        document["destination"]["geo"],
        json!({"country_iso_code": "JP", "country_name": "Japan"})
    );
    assert_eq!(document["source"]["geo"], Value::Null);
}

fn waf(client: &str, country: &str, more: &str, host: &str) -> String {
    format!(
        r#"{{"timestamp":1795170001000,"webaclId":"arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/a/b",{more}"action":"ALLOW","httpRequest":{{"clientIp":"{client}","country":"{country}","httpMethod":"GET","uri":"/","headers":[{{"name":"Host","value":"{host}"}}]}}}}"#
    )
}

#[test]
fn what_the_record_says_itself_wins() {
    let same = enriched(
        Source::Waf,
        &waf("198.51.100.7", "SE", r#""clientAsn":64500,"#, "a.example"),
    );
    assert_eq!(same["source"]["geo"]["country_iso_code"], "SE");
    assert_eq!(same["source"]["geo"]["city_name"], "Linköping");
    assert_eq!(
        same["source"]["as"],
        json!({"number": 64500, "organization": {"name": "Example Networks"}})
    );
    let other = enriched(
        Source::Waf,
        &waf("198.51.100.7", "US", r#""clientAsn":1,"#, "a.example"),
    );
    assert_eq!(other["source"]["geo"], json!({"country_iso_code": "US"}));
    assert_eq!(other["source"]["as"], json!({"number": 1}));
    for (details, expected) in [
        (
            r#","country":{"countryName":"Sweden"}"#,
            json!({"country_iso_code": "SE", "country_name": "Sweden", "city_name": "Linköping", "location": {"lat": 58.4167, "lon": 15.6167}}),
        ),
        (
            r#","country":{"countryName":"Norway"}"#,
            json!({"country_name": "Norway"}),
        ),
        (r#","city":{"cityName":"Kiruna"}"#, json!({"city_name": "Kiruna"})),
    ] {
        let record = format!(
            r#"{{"schemaVersion":"2.0","accountId":"111122223333","region":"eu-west-1","id":"a1","type":"Recon:EC2/Portscan","severity":2,"updatedAt":"2026-11-21T10:00:00Z","service":{{"action":{{"actionType":"NETWORK_CONNECTION","networkConnectionAction":{{"remoteIpDetails":{{"ipAddressV4":"198.51.100.7"{details}}}}}}}}}}}"#
        );
        assert_eq!(
            enriched(Source::GuardDuty, &record)["source"]["geo"],
            expected,
            "{details}"
        );
    }
}

#[test]
fn an_ipv4_address_in_ipv6_spelling_is_the_same_address() {
    let document = enriched(Source::VpcFlow, &flow("::ffff:198.51.100.7", "::ffff:10.0.0.5"));
    assert_eq!(document["source"]["geo"]["country_iso_code"], "SE");
    assert_eq!(document["source"]["as"]["number"], 64_500);
    assert_eq!(document["threat"]["indicator"]["ip"], "198.51.100.7");
    assert_eq!(document["destination"]["geo"], Value::Null, "a private one");
}

#[test]
fn filters_speak_of_what_enrichment_adds() {
    let line = flow("198.51.100.7", "10.0.0.5");
    for schema in [Schema::Ecs, Schema::Native] {
        for (drop, drops) in [
            ("threat.indicator.type exists", true),
            ("threat.feed.name == own", false),
            ("source.geo.country_iso_code == SE", true),
            ("source.as.number == 64500", true),
            ("source.as.number == 64501", false),
            ("not threat.indicator.type exists", false),
        ] {
            let options = Options {
                schema,
                drop: vec![drop.to_owned()],
                enrichment: Some(Arc::new(enrichment())),
                ..Options::default()
            };
            let (outcome, _) = normalize(Source::VpcFlow, options, line.as_bytes()).expect("a flow");
            assert_eq!(outcome == Outcome::Dropped, drops, "{schema:?} {drop}");
        }
    }
}

#[test]
fn every_list_that_names_a_value_is_told_with_entry_and_label() {
    let document = enriched(Source::VpcFlow, &flow("198.51.100.7", "198.51.100.8"));
    assert_eq!(
        document["threat"],
        json!({
            "feed": {"name": ["scanners", "own"]},
            "indicator": {
                "type": "ipv4-addr",
                "ip": ["198.51.100.7", "198.51.100.8"],
                "name": ["198.51.100.7", "198.51.100.0/24"],
                "description": ["ssh scanner", "noisy # not"],
                "provider": ["scanners", "own"],
            },
        })
    );
    assert_eq!(
        enriched(Source::VpcFlow, &flow("10.0.0.5", "192.0.2.1"))["threat"],
        Value::Null
    );
}

#[test]
fn a_document_tells_no_more_than_sixteen_matches() {
    let answers: Vec<_> = (100..150)
        .map(|host| json!({ "Rdata": format!("198.51.100.{host}"), "Type": "A", "Class": "IN" }))
        .collect();
    let record = json!({
        "query_timestamp": "2026-11-21T10:51:00Z", "query_name": "a.example.", "srcaddr": "10.0.0.1", "answers": answers,
    });
    let document = enriched(Source::Dns, &record.to_string());
    assert_eq!(document["related"]["ip"].as_array().map(Vec::len), Some(51));
    assert_eq!(document["threat"]["indicator"]["ip"].as_array().map(Vec::len), Some(16));
}

#[test]
fn a_domain_names_itself_and_what_is_below_it() {
    let list = list("own", "Evil.Example.\tphishing\n*.bad.example\nx.y.evil.example\n");
    for (host, entry) in [
        ("evil.example", Some("evil.example")),
        ("EVIL.example.", Some("evil.example")),
        ("www.evil.example:8443", Some("evil.example")),
        ("a.b.evil.example", Some("evil.example")),
        ("y.evil.example", Some("evil.example")),
        ("a.x.y.evil.example", Some("x.y.evil.example")),
        ("notevil.example", None),
        ("example", None),
        ("bad.example", Some("bad.example")),
        ("", None),
        (&"a.".repeat(2_000), None),
    ] {
        assert_eq!(list.host(host).map(|found| found.entry).as_deref(), entry, "{host}");
    }
}

#[test]
fn a_list_of_any_length_says_no_to_a_host_that_it_does_not_hold() {
    for length in 0..70 {
        let text: String = (0..length).map(|number| format!("n{number}.example\n")).collect();
        let list = list("short", &text);
        assert_eq!(list.host("www.other.example"), None, "{length}");
        assert_eq!(list.host("n0.example").is_some(), length > 0);
    }
}

#[test]
fn a_compressed_list_is_told_by_its_content() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(b"\xef\xbb\xbf# list\r\n203.0.113.7\tscanner\r\n")
        .expect("written");
    let list = IndicatorList::read("list", gzip.finish().expect("finished").as_slice()).expect("a list");
    let found = list
        .address("203.0.113.7".parse().expect("an address"))
        .expect("listed");
    assert_eq!((found.label, list.entries()), ("scanner", 1));
    assert!(IndicatorList::read("list", &[0x1f, 0x8b, 8, 0, 0][..]).is_err());
}

#[test]
fn a_line_that_is_wrong_is_named_with_the_remedy() {
    for (line, said) in [
        ("203.0.113.7/24", "write 203.0.113.0/24"),
        ("203.0.113.0/40", "prefix length"),
        ("0.0.0.0/0", "widest network"),
        ("2000::/3", "widest network"),
        ("https://evil.example/x", "write its host alone"),
        ("evil.example/path", "no address"),
        ("1.2.3", "no address, network or domain"),
        ("com", "at least two parts"),
        ("b\u{fc}cher.example", "xn--"),
        ("a b", "label after a tab"),
        ("a..example", "no address, network or domain"),
        (&format!("203.0.113.7\t{}", "x".repeat(300)), "label is longer"),
        (&"x".repeat(2_000), "longer than 1024"),
    ] {
        let error = IndicatorList::read("feed.txt", format!("# ok\n\n{line}\n").as_bytes())
            .map(drop)
            .expect_err(line);
        let error = error.to_string();
        assert!(
            error.starts_with("feed.txt:3: ") && error.contains(said),
            "{line}: {error}"
        );
    }
}

#[test]
fn a_file_that_cannot_be_used_is_named() {
    let folder = std::env::temp_dir().join(format!("portcullis-enrichment-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).expect("written");
        path
    };
    let files = |geoip: Option<&std::path::Path>, asn: Option<&std::path::Path>| Files {
        geoip: geoip.map(Into::into),
        asn: asn.map(Into::into),
        indicators: vec![path("tor.exits.txt", b"203.0.113.7\n")],
    };
    let (city, asn) = (path("city.mmdb", &places()), path("asn.mmdb", &networks()));
    let empty = path("empty.mmdb", b"");
    let opened = files(Some(&city), Some(&asn)).open().expect("all good").expect("some");
    assert_eq!(opened.lists[0].name(), "tor");
    assert!(Files::default().open().expect("nothing to open").is_none());
    for (files, said) in [
        (files(Some(&asn), None), "not of countries or cities"),
        (files(None, Some(&city)), "not of autonomous systems"),
        (files(Some(&empty), None), "is no MaxMind database"),
        (
            files(Some(&folder.join("missing.mmdb")), None),
            "missing.mmdb: cannot be read",
        ),
    ] {
        let error = files.open().map(drop).expect_err(said).to_string();
        assert!(error.contains(said), "{error}");
    }
    std::fs::remove_dir_all(folder).expect("removed");
}

/// Every address that a database could be asked for, and what a document would get.
fn ask_all(bytes: &[u8]) {
    for kind in [DatabaseKind::Places, DatabaseKind::Networks] {
        let Ok(database) = Database::from_bytes("hostile", bytes.to_vec(), kind) else {
            continue;
        };
        let (places, networks) = match kind {
            DatabaseKind::Places => (Some(database), None),
            DatabaseKind::Networks => (None, Some(database)),
        };
        let options = Options {
            enrichment: Some(Arc::new(Enrichment {
                places,
                networks,
                lists: Vec::new(),
            })),
            ..Options::default()
        };
        for (source, destination) in [("198.51.100.7", "203.0.113.9"), ("2001:db8::1", "192.0.2.1")] {
            let (_, document) =
                normalize(Source::VpcFlow, options.clone(), flow(source, destination).as_bytes()).expect("a flow");
            assert_eq!(schema_violation(Source::VpcFlow, &document), None, "{document}");
        }
    }
}

#[test]
fn a_database_that_is_cut_short_anywhere_is_refused_or_says_less() {
    let whole = places();
    for end in 0..whole.len() {
        ask_all(&whole[..end]);
    }
}

#[test]
fn a_database_whose_data_points_at_itself_is_refused_or_says_less() {
    let whole = places();
    let data = whole
        .windows(16)
        .position(|window| window == [0; 16])
        .expect("the separator")
        + 16;
    for at in data..whole.len() - 2 {
        // A pointer of the data section, to itself and to its start.
        let offset = u16::try_from(at - data).expect("a small database");
        for to in [offset, 0] {
            let mut looped = whole.clone();
            looped[at] = 0x20 | (to >> 8) as u8;
            looped[at + 1] = to as u8;
            ask_all(&looped);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_damaged_database_never_panics_and_no_document_is_spoiled(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        networks_instead in any::<bool>(),
    ) {
        let mut bytes = if networks_instead { networks() } else { places() };
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        ask_all(&bytes);
    }
}

#[test]
fn a_million_entries_are_small_and_found_at_once() {
    // Without optimisation a million takes so long that the other tests wait for it.
    const MANY: u32 = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };
    /// Spread over the whole space, without two alike.
    fn spread(number: u32) -> u32 {
        number.wrapping_mul(2_654_435_761)
    }
    type Entry = fn(u32) -> String;
    // With the most bytes that an entry may take.
    let kinds: [(&str, usize, Entry); 3] = [
        ("IPv4 addresses", 17, |number| {
            std::net::Ipv4Addr::from_bits(spread(number)).to_string()
        }),
        ("IPv6 addresses", 41, |number| {
            std::net::Ipv6Addr::from_bits((0x2001 << 112) | (u128::from(spread(number)) << 64) | 1).to_string()
        }),
        ("domains", 60, |number| format!("host-{number:07}.some-domain.example")),
    ];
    for (kind, most, entry) in kinds {
        let text: String = (0..MANY).map(|number| entry(number) + "\n").collect();
        let list = IndicatorList::read("many", text.as_bytes()).expect("a list");
        assert_eq!(list.entries(), MANY as usize);
        assert!(
            list.memory() <= most * MANY as usize + (1 << 20),
            "{kind}: {} bytes",
            list.memory()
        );
        let known: HashMap<u32, String> = (0..MANY)
            .step_by(97)
            .map(|number| (number, entry(spread(number) % MANY)))
            .collect();
        let addresses: Vec<Option<IpAddr>> = known.values().map(|value| value.parse().ok()).collect();
        let started = Instant::now();
        let found = known
            .values()
            .zip(&addresses)
            .filter(|(host, address)| match address {
                Some(address) => list.address(*address).is_some(),
                None => list.host(host).is_some(),
            })
            .count();
        let each = started.elapsed().as_nanos() / known.len() as u128;
        println!("{kind}: {each} ns a look-up, {} bytes", list.memory());
        assert_eq!(found, known.len(), "{kind}");
        // Well above what optimised code takes on a busy machine.
        assert!(cfg!(debug_assertions) || each < 5_000, "{kind}: {each} ns");
    }
}
