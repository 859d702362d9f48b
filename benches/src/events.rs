//! The events: what `portcullis generate` writes, in the envelope in which Firehose hands records over.
//!
//! The same program writes the same bytes each time, and every peer reads the same file.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use portcullis_transforms::{Normalizer, Options, Source, firehose};

use crate::case::Case;

/// Share of [`firehose::RESPONSE_LIMIT`] that the responses may take, in percent.
const FULL: usize = 98;

/// What stands before the records.
const HEAD: &[u8] = br#"{"invocationId":"8f1b2c3d-0a4e-4c55-9a77-2f64d1c0b9e1","deliveryStreamArn":"arn:aws:firehose:eu-west-1:111122223333:deliverystream/security","region":"eu-west-1","records":["#;

/// The records of a case, enough of them for an event of `bytes`.
pub(crate) fn records(portcullis: &Path, case: &Case, bytes: usize) -> Result<Vec<Vec<u8>>> {
    // No record that is measured takes less than this in an event.
    let count = (bytes / 150).to_string();
    let output = Command::new(portcullis)
        .args(["generate", "--source", case.source.name(), "--count", &count])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {}", portcullis.display()))?;
    if !output.status.success() {
        bail!("`{} generate` ended with {}", portcullis.display(), output.status);
    }
    let lines = output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    Ok(match case.columns {
        Some(29) => lines.map(version_5).collect(),
        _ => lines.map(<[u8]>::to_vec).collect(),
    })
}

/// As many of the records as an event of `bytes` holds and a response can answer.
pub(crate) fn event(case: &Case, records: &[Vec<u8>], bytes: usize) -> Result<Vec<u8>> {
    let fitting = fitting(case.source, Options::default(), records, bytes)?;
    Ok(whole(&records[..fitting]))
}

/// How many of the records an event of `bytes` holds and a response can answer.
pub(crate) fn fitting(source: Source, options: Options, records: &[Vec<u8>], bytes: usize) -> Result<usize> {
    let mut normalizer = Normalizer::new(source, options).map_err(|refusal| anyhow::anyhow!("{refusal}"))?;
    let mut document = Vec::new();
    let mut answered = 0;
    let holding = holding(records, bytes);
    for (number, record) in records[..holding].iter().enumerate() {
        document.clear();
        normalizer
            .record(record, &mut document)
            .map_err(|refusal| anyhow::anyhow!("a generated record is refused: {refusal}"))?;
        answered += base64_simd::STANDARD.encoded_length(document.len()) + 150;
        if answered > firehose::RESPONSE_LIMIT / 100 * FULL {
            return Ok(number);
        }
    }
    Ok(holding)
}

/// How many of the records an event of `bytes` holds, whatever the response will be.
pub(crate) fn holding(records: &[Vec<u8>], bytes: usize) -> usize {
    let mut size = HEAD.len() + 2;
    let fits = |(number, record): &(usize, &Vec<u8>)| {
        size += member(*number, record).len();
        size <= bytes
    };
    records.iter().enumerate().take_while(fits).count()
}

/// One event of these records.
pub(crate) fn whole(records: &[Vec<u8>]) -> Vec<u8> {
    let mut event = HEAD.to_vec();
    for (number, record) in records.iter().enumerate() {
        event.extend_from_slice(&member(number, record));
    }
    event.pop();
    event.extend_from_slice(b"]}");
    event
}

/// Events of about `bytes` that have all of these records.
pub(crate) fn split(records: &[Vec<u8>], bytes: usize) -> Vec<Vec<u8>> {
    let mut events = Vec::new();
    let mut rest = records;
    while !rest.is_empty() {
        let (some, after) = rest.split_at(holding(rest, bytes).max(1));
        events.push(whole(some));
        rest = after;
    }
    events
}

/// One record as Firehose writes it, with a comma after it.
fn member(number: usize, record: &[u8]) -> Vec<u8> {
    let id = 49_546_986_683_135_544_286_507_457_u128 + number as u128;
    let arrival = 1_793_404_800_000 + number as u64 / 7;
    let mut member = format!(
        r#"{{"recordId":"{id}936321625675700192471156000000","approximateArrivalTimestamp":{arrival},"data":""#
    )
    .into_bytes();
    base64_simd::STANDARD.encode_append(record, &mut member);
    member.extend_from_slice(b"\"},");
    member
}

/// A line of the default format as one of version 5, with the columns that follow told by what stands in it.
fn version_5(line: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(line);
    let words: Vec<&str> = text.split(' ').collect();
    let &[_, _, interface, source, destination, _, port, protocol, ..] = words.as_slice() else {
        return line.to_vec();
    };
    let hash = blake3::hash(interface.as_bytes()).to_hex();
    let hash = hash.as_str();
    let traffic = source != "-";
    let inbound = destination.starts_with("10.");
    let dash = |value: &'static str, shown: bool| if shown { value } else { "-" };
    let rest = [
        format!("vpc-0{}", &hash[..16]),
        format!("subnet-0{}", &hash[16..32]),
        if hash.as_bytes()[32] < b'b' {
            format!("i-0{}", &hash[32..48])
        } else {
            "-".to_owned()
        },
        match (traffic, protocol) {
            (false, _) => "-",
            (_, "6") if port.len() % 2 == 0 => "19",
            (_, "6") => "2",
            _ => "0",
        }
        .to_owned(),
        dash(if source.contains(':') { "IPv6" } else { "IPv4" }, traffic).to_owned(),
        source.to_owned(),
        destination.to_owned(),
        "eu-west-1".to_owned(),
        format!("euw1-az{}", 1 + hash.as_bytes()[48] % 3),
        "-".to_owned(),
        "-".to_owned(),
        dash("AMAZON", traffic && source.starts_with("52.")).to_owned(),
        dash("S3", traffic && destination.starts_with("52.")).to_owned(),
        dash(if inbound { "ingress" } else { "egress" }, traffic).to_owned(),
        dash("8", traffic && !inbound).to_owned(),
    ];
    format!("5{} {}", &text[1..], rest.join(" ")).into_bytes()
}
