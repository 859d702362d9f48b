//! A drop filter drops what its expression says, evaluated a second, slow and obvious time on the document itself.

mod support;

use std::net::IpAddr;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use portcullis_transforms::{Normalizer, Options, Outcome, Schema, Source, firehose};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{normalize, sample_records};

const FLOW: &str = "2 123456789012 eni-0a1 10.0.1.7 10.0.2.5 51234 443 6 9 720 1795258200 1795258260 ACCEPT OK";

/// Two flows under a header line of four columns.
const FLOW_LINES: [&str; 2] = [
    "10.0.0.1 10.0.0.2 1795258200 ACCEPT",
    "10.0.0.1 10.0.0.2 1795258200 REJECT",
];

fn with(drop: &str) -> Options {
    Options {
        drop: vec![drop.to_owned()],
        ..Options::default()
    }
}

fn drops(source: Source, record: &[u8], filter: &str) -> bool {
    let (outcome, document) = normalize(source, with(filter), record).expect(filter);
    assert_eq!(outcome == Outcome::Dropped, document.is_empty());
    outcome == Outcome::Dropped
}

#[test]
fn accepted_flows_between_own_addresses_are_dropped_and_counted() {
    let filter = "event.action == \"accept\" and source.ip in 10.0.0.0/8 and destination.ip in 10.0.0.0/8";
    let lines = [
        (FLOW.to_owned(), true),
        (FLOW.replace("ACCEPT", "REJECT"), false),
        (FLOW.replace("10.0.2.5", "198.51.100.7"), false),
        (FLOW.replace("10.0.1.7", "2001:db8::7"), false),
        (
            "2 123456789012 eni-0a1 - - - - - - - 1795258200 1795258260 - NODATA".to_owned(),
            false,
        ),
    ];
    for schema in [Schema::Ecs, Schema::Native] {
        let options = Options { schema, ..with(filter) };
        let mut normalizer = Normalizer::new(Source::VpcFlow, options).expect("a filter");
        let mut out = b"before\n".to_vec();
        for (line, dropped) in &lines {
            let before = out.len();
            let outcome = normalizer.record(line.as_bytes(), &mut out).expect("a flow");
            assert_eq!(outcome == Outcome::Dropped, *dropped, "{line}");
            assert_eq!(out.len() == before, *dropped, "{line}");
        }
        assert_eq!(normalizer.filtered(), 1);
    }
}

#[test]
fn a_filter_for_another_source_drops_nothing_of_this_one() {
    for (filter, dropped) in [
        ("vpcflow: not http.request.method exists", None),
        ("waf: not http.request.method exists", Some(false)),
        ("waf: event.action exists", Some(false)),
        ("vpcflow: event.action exists", Some(true)),
        ("event.action exists", Some(true)),
    ] {
        match dropped {
            Some(dropped) => assert_eq!(drops(Source::VpcFlow, FLOW.as_bytes(), filter), dropped, "{filter}"),
            None => assert!(Normalizer::new(Source::VpcFlow, with(filter)).is_err(), "{filter}"),
        }
    }
}

#[test]
fn a_header_line_holds_for_what_filters_look_at_too() {
    let options = Options {
        schema: Schema::Native,
        ..with("source.ip == 10.0.0.9")
    };
    let mut normalizer = Normalizer::new(Source::VpcFlow, options).expect("a filter");
    let mut out = Vec::new();
    for (line, dropped) in [
        ("dstaddr srcaddr end", true),
        ("10.0.0.1 10.0.0.9 1795258200", true),
        ("10.0.0.9 10.0.0.1 1795258200", false),
    ] {
        let outcome = normalizer.record(line.as_bytes(), &mut out).expect("a line");
        assert_eq!(outcome == Outcome::Dropped, dropped, "{line}");
    }
    assert_eq!(normalizer.filtered(), 1);
}

#[test]
fn a_batch_answers_dropped_and_its_report_counts_what_filters_took() {
    let mut normalizer = Normalizer::new(Source::VpcFlow, with("event.action == accept")).expect("a filter");
    let records: Vec<Value> = ["srcaddr dstaddr end action", FLOW_LINES[0], FLOW_LINES[1]]
        .iter()
        .enumerate()
        .map(|(number, line)| json!({"recordId": number.to_string(), "data": STANDARD.encode(line)}))
        .collect();
    let event = json!({ "invocationId": "1", "records": records }).to_string();
    for _ in 0..2 {
        let (response, report) = firehose::transform(&mut normalizer, event.as_bytes()).expect("an event");
        let response: Value = serde_json::from_slice(&response).expect("JSON");
        let results: Vec<&Value> = (0..3).map(|at| &response["records"][at]["result"]).collect();
        assert_eq!(json!(results), json!(["Dropped", "Dropped", "Ok"]));
        assert_eq!((report.ok, report.dropped, report.filtered), (1, 2, 1));
        assert_eq!(
            report.log_lines(&[("source", "vpcflow")]),
            [r#"{"level":"INFO","source":"vpcflow","filtered":1}"#]
        );
    }
}

#[test]
fn each_comparison_says_what_the_page_says() {
    for (filter, expected) in [
        ("event.action == accept", true),
        ("event.action == 'ACCEPT'", false),
        ("event.action != \"reject\"", true),
        ("event.action in [reject, accept]", true),
        ("event.action like \"acc*\"", true),
        ("event.action exists", true),
        ("cloud.region exists", false),
        ("cloud.region != \"eu-west-1\"", false),
        ("not cloud.region == \"eu-west-1\"", true),
        ("destination.port == 443", true),
        ("destination.port in [80, 443]", true),
        ("destination.port < 1024 and source.port >= 1024", true),
        ("source.bytes > 720 or source.packets <= 8", false),
        ("source.ip in private", true),
        ("source.ip in [192.168.0.0/16, 10.0.1.0/24]", true),
        ("source.ip != 10.0.1.7", false),
        ("source.ip == 10.0.1.7", true),
        ("related.ip in 10.0.0.0/8", true),
        ("related.ip in 10.0.1.0/24", false),
        ("event.type == connection", false),
        ("event.type in [connection, allowed]", true),
        ("event.end >= \"2026-11-21T10:51:00Z\"", true),
        ("event.end < \"2026-11-21T11:51:00+01:00\"", false),
        ("not (event.action == accept and destination.port == 80)", true),
        (
            "event.action == accept and (destination.port == 80 or destination.port == 443)",
            true,
        ),
        ("vpcflow: event.action == accept", true),
        ("waf: event.action == accept", false),
    ] {
        assert_eq!(drops(Source::VpcFlow, FLOW.as_bytes(), filter), expected, "{filter}");
    }
}

#[test]
fn an_expression_that_is_wrong_is_refused_with_place_and_remedy() {
    let deep = format!("{}event.action == a{}", "(".repeat(40), ")".repeat(40));
    let long = format!("event.action in [{}]", "abc,".repeat(30_000));
    let many = vec!["event.action == a"; 300].join(" or ");
    for (filter, place, said) in [
        ("event.acton == accept", 1, "no field `event.acton`"),
        ("http.request.method == GET", 1, "no field `http.request.method`"),
        ("ip == 10.0.0.1", 1, "is it "),
        ("waf: aws.vpcflow.version == 2", 2, "documents of WAF"),
        ("event.action", 13, "== != <"),
        ("event.action == ", 17, "a value was expected"),
        ("event.action < 3", 14, "is a keyword"),
        ("source.ip == 10.0.0.1/8", 14, "write 10.0.0.0/8"),
        ("source.ip in [10.0.0.0/8", 25, "`,` or `]`"),
        ("source.port == https", 16, "is a number"),
        ("event.end < yesterday", 13, "is no date"),
        ("event.action == \"accept", 17, "no closing"),
        ("event.action == a b", 19, "`and`, `or` or the end"),
        ("(event.action == a", 19, "`)` was expected"),
        ("event.action == a;", 18, "put texts in quotes"),
        ("aws.vpcflow.rest == a", 18, "use exists"),
        ("and", 1, "no field `and`"),
        (deep.as_str(), 0, "nested more than"),
        (long.as_str(), 0, "the limit is"),
        (many.as_str(), 0, "more than 256 comparisons"),
    ] {
        let refusal = Normalizer::new(Source::VpcFlow, with(filter))
            .map(drop)
            .expect_err(filter);
        assert_eq!((refusal.kind.word(), refusal.field.as_str()), ("option", "drop"));
        assert!(refusal.message.contains(said), "{filter}: {refusal}");
        let character = format!("at character {place} ");
        assert!(
            place == 0 || refusal.message.contains(&character),
            "{filter}: {refusal}"
        );
    }
}

/// An expression as a tree, to be written down and to be evaluated.
#[derive(Clone, Debug)]
enum Tree {
    All(Vec<Tree>),
    Any(Vec<Tree>),
    Not(Box<Tree>),
    Is(&'static str, &'static str, &'static str),
}

impl Tree {
    fn text(&self) -> String {
        let join = |parts: &[Tree], word: &str| {
            let parts: Vec<String> = parts.iter().map(Tree::text).collect();
            format!("({})", parts.join(word))
        };
        match self {
            Tree::All(parts) => join(parts, " and "),
            Tree::Any(parts) => join(parts, " or "),
            Tree::Not(part) => format!("not {}", part.text()),
            Tree::Is(field, "in", value) => format!("{field} in [{value}]"),
            Tree::Is(field, "exists", _) => format!("{field} exists"),
            Tree::Is(field, sign, value) => format!("{field} {sign} {value}"),
        }
    }

    fn holds(&self, document: &Value) -> bool {
        match self {
            Tree::All(parts) => parts.iter().all(|part| part.holds(document)),
            Tree::Any(parts) => parts.iter().any(|part| part.holds(document)),
            Tree::Not(part) => !part.holds(document),
            Tree::Is(field, sign, wanted) => {
                let value = field.split('.').fold(document, |value, key| &value[key]);
                match value {
                    Value::Null => false,
                    Value::Array(values) => values.iter().all(|value| accepts(value, sign, wanted)),
                    one => accepts(one, sign, wanted),
                }
            }
        }
    }
}

fn accepts(value: &Value, sign: &str, wanted: &str) -> bool {
    let any = |same: &dyn Fn(&str) -> bool| wanted.split(", ").any(same);
    let (equal, order) = match value {
        Value::Number(number) => {
            let number = number.as_f64().expect("a double");
            let bound: f64 = wanted.split(", ").next().expect("one").parse().unwrap_or(f64::NAN);
            (any(&|known| known.parse() == Ok(number)), number.partial_cmp(&bound))
        }
        Value::String(text) => match text.parse::<IpAddr>() {
            Ok(address) if wanted.contains(['.', ':']) => {
                let inside = |known: &str| match known.parse::<ipnet::IpNet>() {
                    Ok(network) => network.contains(&address),
                    Err(_) => known.parse() == Ok(address),
                };
                (any(&inside), None)
            }
            _ => (any(&|known| known == text), None),
        },
        other => panic!("no such value in a document: {other}"),
    };
    match sign {
        "exists" => true,
        "==" | "in" => equal,
        "!=" => !equal,
        "<" => order.is_some_and(std::cmp::Ordering::is_lt),
        ">=" => order.is_some_and(std::cmp::Ordering::is_ge),
        other => panic!("{other}"),
    }
}

fn comparison() -> impl Strategy<Value = Tree> {
    let keywords = prop::sample::select(vec![
        "event.action",
        "event.kind",
        "event.type",
        "cloud.region",
        "rule.id",
        "tags",
    ]);
    let words = prop::sample::select(vec![
        "block",
        "event",
        "alert",
        "denied",
        "info",
        "eu-west-1",
        "us-east-1",
        "allowed",
    ]);
    let addresses = prop::sample::select(vec!["source.ip", "related.ip", "destination.ip"]);
    let networks = prop::sample::select(vec![
        "10.0.0.0/8",
        "198.51.100.0/24",
        "0.0.0.0/0",
        "2001:db8::/32",
        "203.0.113.0/24, 192.0.2.0/24",
    ]);
    let numbers = prop::sample::select(vec!["event.severity", "source.port", "source.as.number"]);
    let bounds = prop::sample::select(vec!["0", "5", "8.0", "443", "64500"]);
    prop_oneof![
        (keywords, prop::sample::select(vec!["==", "!=", "in", "exists"]), words),
        (addresses, Just("in"), networks),
        (
            numbers,
            prop::sample::select(vec!["==", "!=", "in", "<", ">=", "exists"]),
            bounds
        ),
    ]
    .prop_map(|(field, sign, value)| Tree::Is(field, sign, value))
}

fn tree() -> impl Strategy<Value = Tree> {
    comparison().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Tree::All),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Tree::Any),
            inner.prop_map(|part| Tree::Not(Box::new(part))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_filter_drops_exactly_the_documents_that_its_expression_describes(tree in tree()) {
        let filter = tree.text();
        for source in support::JSON_SOURCES {
            let Ok(mut normalizer) = Normalizer::new(source, with(&filter)) else {
                panic!("{filter} has a field that {source} lacks");
            };
            let mut plain = Normalizer::new(source, Options::default()).expect("no options");
            for record in sample_records(source) {
                let (mut out, mut document) = (Vec::new(), Vec::new());
                let outcome = normalizer.record(&record, &mut out).expect("a sample");
                plain.record(&record, &mut document).expect("a sample");
                let expected = tree.holds(&serde_json::from_slice(&document).expect("JSON"));
                prop_assert_eq!(outcome == Outcome::Dropped, expected, "{} on {}", filter, String::from_utf8_lossy(&document));
                prop_assert!(expected || out == document);
            }
        }
    }
}
