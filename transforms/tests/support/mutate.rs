//! Records made from others: changed by structure, so that they stay JSON and reach deep, and by byte.

use super::{
    json::{Json, Style},
    random::Random,
};

/// Texts that mean something to one field type or another, and do not belong where they are put.
const TEXTS: &[&str] = &[
    "",
    " ",
    "-",
    "198.51.100.9",
    "2001:DB8:0:0::9",
    "::ffff:192.0.2.1",
    "fe80::1%eth0",
    "10.0.0.256",
    "192.0.2.0/24",
    "AWS Internal",
    "1795170000",
    "1795170000123",
    "1795170000.25",
    "2026-11-20T10:00:00.123456789+05:30",
    "2026-11-20 10:00:00",
    "2026-02-30T00:00:00Z",
    "1969-12-31T23:59:59Z",
    "-1",
    "NaN",
    "Infinity",
    "1e400",
    "true",
    "false",
    "null",
    "OUTBOUND",
    "a \"quoted\" \\ text\nof two lines\t\u{1}",
    "ünï ☃ 𝄞",
    "\u{feff}\u{202e}",
    "<script>alert(1)</script>",
    "${jndi:ldap://192.0.2.1/a}",
];

const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "-0.0",
    "1",
    "-1",
    "8.0",
    "5.5",
    "1e2",
    "12E-1",
    "65536",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "123456789012345678901234567890",
    "1e308",
    "1e309",
    "-1e400",
    "1e-400",
    "0.1000000000000000055511151231257827",
    "1795170000",
    "1795170000.123",
    "1795170000123",
    "4133980800",
    "1.79517e9",
];

const KEYS: &[&str] = &[
    "",
    ".",
    "a.b",
    "a\"b\\",
    "\n",
    "k",
    "name",
    "value",
    "::",
    "ü",
    "constructor",
];

/// A record made from `record`: most often still JSON, written in whatever way.
pub(crate) fn mutate(record: &Json, random: &mut Random) -> Vec<u8> {
    let mut json = record.clone();
    for _ in 0..random.below(8) {
        change(&mut json, random);
    }
    let mut out = Vec::new();
    match random.below(3) {
        0 => json.write(&mut Style::Odd(random), &mut out),
        _ => json.write(&mut Style::Compact, &mut out),
    }
    if random.one_in(8) {
        damage(&mut out, random);
    }
    out
}

/// One change somewhere.
pub(crate) fn change(json: &mut Json, random: &mut Random) {
    let places = json.places();
    let other = random.below(places);
    let other = json.place(other).map_or(Json::Null, |value| value.clone());
    let at = random.below(places);
    let Some(value) = json.place(at) else {
        return;
    };
    match random.below(12) {
        0 => *value = other,
        1 => *value = odd(random),
        2 => *value = Json::Array(vec![value.clone()]),
        3 => *value = Json::Object(vec![(random.pick(KEYS).to_owned(), value.clone())]),
        4 => remove(value, random),
        5 => insert(value, random),
        6 => rename(value, random),
        7 => respell(value, random),
        8 => lengthen(value, random),
        _ => match value {
            Json::Array(values) if !values.is_empty() => {
                let copy = random.pick(values);
                values.push(copy);
            }
            Json::Object(_) => insert(value, random),
            leaf => *leaf = odd(random),
        },
    }
}

fn odd(random: &mut Random) -> Json {
    match random.below(14) {
        0 => Json::Null,
        1 => Json::Bool(random.one_in(2)),
        2..6 => Json::Number(random.pick(NUMBERS).to_owned()),
        6..11 => Json::Text(random.pick(TEXTS).to_owned()),
        11 => Json::Object(Vec::new()),
        12 => Json::Array(vec![odd(random), Json::Array(vec![odd(random)]), Json::Null]),
        _ => Json::Object(vec![
            ("lat".to_owned(), Json::Number(random.pick(NUMBERS).to_owned())),
            ("lon".to_owned(), Json::Number("10.5".to_owned())),
        ]),
    }
}

fn remove(value: &mut Json, random: &mut Random) {
    match value {
        Json::Array(values) if !values.is_empty() => drop(values.swap_remove(random.below(values.len()))),
        Json::Object(members) if !members.is_empty() => drop(members.remove(random.below(members.len()))),
        leaf => *leaf = Json::Null,
    }
}

fn insert(value: &mut Json, random: &mut Random) {
    match value {
        Json::Array(values) => values.push(odd(random)),
        // Half of the time a key that is there already, which makes it a repeated one.
        Json::Object(members) => {
            let key = match members.is_empty() || random.one_in(2) {
                true => random.pick(KEYS).to_owned(),
                false => random.pick(members).0,
            };
            members.push((key, odd(random)));
        }
        leaf => *leaf = odd(random),
    }
}

/// A key in another spelling.
fn rename(value: &mut Json, random: &mut Random) {
    let Json::Object(members) = value else {
        return respell(value, random);
    };
    if members.is_empty() {
        return;
    }
    let at = random.below(members.len());
    let key = &mut members[at].0;
    let first = key.chars().next().map_or(0, char::len_utf8);
    let (start, end) = key.split_at(first);
    *key = match random.below(5) {
        0 => key.to_uppercase(),
        1 => key.to_lowercase(),
        2 => format!("{}{end}", start.to_uppercase()),
        3 => format!("{}{end}", start.to_lowercase()),
        _ => format!("{key}{}", "k".repeat(random.below(600))),
    };
}

/// The same value as another type or in other words.
fn respell(value: &mut Json, random: &mut Random) {
    *value = match value {
        Json::Number(text) if random.one_in(2) => Json::Text(text.clone()),
        Json::Number(text) if text.contains(['.', 'e', 'E']) => {
            Json::Number(format!("-{}", text.trim_start_matches('-')))
        }
        Json::Number(text) => Json::Number(format!("{text}{}", random.pick(&[".0", "e0", "E+2", "0", ".000001"]))),
        Json::Text(text) => match random.below(4) {
            0 => Json::Text(text.to_uppercase()),
            1 => Json::Text(format!(" {text}")),
            2 => Json::Text(format!("{text}{}", random.pick(TEXTS))),
            _ => Json::Text(text.chars().rev().collect()),
        },
        Json::Bool(on) => Json::Text(on.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => odd(random),
    };
}

/// Texts around and beyond the limits of a keyword.
fn lengthen(value: &mut Json, random: &mut Random) {
    let unit = random.pick(&["x", "ü", "☃", "𝄞", "\"", "\u{1}"]);
    let bytes = random.pick(&[250, 8_180, 8_188, 8_191, 8_192, 8_195, 9_000, 40_000]);
    *value = Json::Text(unit.repeat(bytes / unit.len() + random.below(2)));
}

/// A few bytes changed, left out or put in, or the end cut off.
pub(crate) fn damage(record: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(3) {
        if record.is_empty() {
            return;
        }
        let at = random.below(record.len());
        match random.below(5) {
            0 => record[at] = random.next() as u8,
            1 => drop(record.remove(at)),
            2 => record.insert(at, random.pick(b"\"\\{}[],:\n\x00\xff0-e.")),
            3 => record[at] = random.pick(b"\"\\{}[],: \n0"),
            _ => record.truncate(at),
        }
    }
}

/// A line of text with some of its words changed, left out or put in.
pub(crate) fn line(record: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..random.below(4) {
        let text = String::from_utf8_lossy(record).into_owned();
        let mut words: Vec<&str> = text.split(' ').collect();
        let at = random.below(words.len());
        match random.below(6) {
            0 => words[at] = "-",
            1 => words[at] = random.pick(NUMBERS),
            2 => words[at] = random.pick(TEXTS),
            3 => drop(words.remove(at)),
            4 => words.insert(at, random.pick(TEXTS)),
            _ => {
                let other = random.below(words.len());
                words.swap(at, other);
            }
        }
        *record = words.join(" ").into_bytes();
    }
    if random.one_in(6) {
        damage(record, random);
    }
}
