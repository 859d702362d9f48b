//! The body of the fuzz target `forms`: records wrapped in whatever way, with limits small enough that each is reached.
//!
//! The first byte of an input chooses the source and what is put around the rest.

use std::io::Write;

use flate2::{Compression, Crc, write::GzEncoder};
use portcullis_transforms::{
    RefusalKind, Source,
    forms::{self, Form, Limits},
};
use serde_json::json;

/// Reached by an input of a fuzzer's size, and of no use to a bomb.
const LIMITS: Limits = Limits {
    unpacked: 32 * 1024,
    ratio: 200,
    entries: 64,
};

/// For what was within the limits once: an entry without its neighbours may pack better than with them.
const WIDE: Limits = Limits {
    unpacked: 4 * 1024 * 1024,
    ratio: usize::MAX,
    entries: 64,
};

/// What a bomb unpacks to.
const BOMB: usize = 4 * LIMITS.unpacked;

/// Opens a record made from the input, and each of its entries alone.
pub(crate) fn forms(input: &[u8]) {
    let Some((&bits, body)) = input.split_first() else {
        return;
    };
    let source = Source::ALL.get(usize::from(bits & 7)).copied();
    let record = wrapped(bits >> 3, body);
    let opened = forms::open(source, &record, &LIMITS);
    if bits >> 3 == 5 {
        let kind = opened.map(drop).map_err(|refusal| refusal.kind);
        assert_eq!(kind, Err(RefusalKind::Size), "a bomb");
        return;
    }
    let Ok(Form::Entries(entries)) = opened else {
        return;
    };
    assert!((1..=LIMITS.entries).contains(&entries.len()), "{}", entries.len());
    // Each stands in the record or in what was unpacked, or was built with what is around it.
    let bytes: usize = entries.iter().map(|entry| entry.bytes().len()).sum();
    let most = 2 * record.len() + 3 * LIMITS.unpacked;
    assert!(bytes <= most, "{} bytes hold entries of {bytes}", record.len());
    for entry in entries.iter() {
        let alone = entry.alone();
        let again = forms::open(source, &alone, &WIDE);
        let Ok(Form::Entries(again)) = again else {
            panic!("an entry alone is {again:?}: {}", alone.escape_ascii());
        };
        assert_eq!(again.len(), 1, "an entry alone: {}", alone.escape_ascii());
        let bytes = again.iter().next().map(|entry| entry.bytes().into_owned());
        assert_eq!(bytes.as_deref(), Some(&*entry.bytes()), "an entry alone is another");
    }
}

/// A record with the body, or its lines, in one of AWS's forms.
fn wrapped(how: u8, body: &[u8]) -> Vec<u8> {
    let lines = || body.split(|byte| *byte == b'\n');
    match how {
        1 => stored(body),
        2 => stored(&stored(body)),
        3 => stored(&subscription(lines())),
        4 => [b"{\"detail\":{\"findings\":[", body, b"]}}"].concat(),
        5 => bomb(body),
        6 => [b"version account-id srcaddr\n", body].concat(),
        7 => {
            let mut whole = gzip(body);
            whole.truncate(whole.len() / 2);
            whole
        }
        8 => lines().flat_map(stored).collect(),
        9 => [b"{\"Records\":[", body, b"]}"].concat(),
        10 => json!({ "message": String::from_utf8_lossy(body) })
            .to_string()
            .into_bytes(),
        11 => subscription(lines()),
        _ => body.to_vec(),
    }
}

/// More than the limit out of next to nothing: in one member or several, in another gzip or not, by the body's first byte.
fn bomb(body: &[u8]) -> Vec<u8> {
    let (shape, fill) = (body.first().copied().unwrap_or(0), body.last().copied().unwrap_or(0));
    let filled = |bytes: usize| gzip(&[body, &vec![fill; bytes]].concat());
    let packed = match shape & 1 {
        0 => filled(BOMB),
        _ => filled(BOMB / 8).repeat(8),
    };
    match shape & 2 {
        0 => packed,
        _ => gzip(&packed),
    }
}

fn subscription<'t>(messages: impl Iterator<Item = &'t [u8]>) -> Vec<u8> {
    let events: Vec<_> = messages
        .map(|message| json!({ "id": "1", "timestamp": 1, "message": String::from_utf8_lossy(message) }))
        .collect();
    json!({ "messageType": "DATA_MESSAGE", "logGroup": "g", "logEvents": events })
        .to_string()
        .into_bytes()
}

/// `content` as gzip that packs nothing: what is packed takes a compressor, which takes as long as everything else together.
fn stored(content: &[u8]) -> Vec<u8> {
    const BLOCK: usize = 0xffff;
    let mut out = b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec();
    let mut blocks = content.chunks(BLOCK).peekable();
    loop {
        let block = blocks.next().unwrap_or_default();
        let size = block.len() as u16;
        out.push(u8::from(blocks.peek().is_none()));
        out.extend(size.to_le_bytes());
        out.extend((!size).to_le_bytes());
        out.extend(block);
        if blocks.peek().is_none() {
            break;
        }
    }
    let mut crc = Crc::new();
    crc.update(content);
    out.extend(crc.sum().to_le_bytes());
    out.extend(crc.amount().to_le_bytes());
    out
}

/// `content` as gzip.
pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).expect("memory");
    encoder.finish().expect("memory")
}
