//! Whether a record costs the same in a small event and in the largest, and a byte the same in a large record.
//!
//! The same records are answered in one large event and in many small ones, by this process, in turns.

use std::hint::black_box;

use anyhow::{Context, Result, anyhow};
use portcullis_benches::cpu_nanoseconds;
use portcullis_transforms::{Normalizer, Options, Source, firehose};

use crate::{case::Case, drive::Settings, events};

/// Bytes of a small event.
const SMALL: usize = 60_000;

/// Bytes of the largest event.
const LARGE: usize = 6_000_000;

/// What was compared.
pub(crate) struct Growth {
    pub(crate) what: String,
    /// What the nanoseconds are of: `record` or `byte`.
    pub(crate) per: &'static str,
    /// Nanoseconds, round by round.
    pub(crate) small: Vec<f64>,
    pub(crate) large: Vec<f64>,
}

/// Records of a case, in events of 60 KB and in one as large as Lambda's limits let it be.
pub(crate) fn of_case(settings: &Settings, case: &'static Case) -> Result<Growth> {
    let records = events::records(&settings.portcullis, case, LARGE)?;
    let fitting = events::fitting(case.source, Options::default(), &records, LARGE)?;
    let small = events::split(&records[..fitting], SMALL);
    let large = events::whole(&records[..fitting]);
    let growth = compare(case.source, Options::default(), &small, &large, settings.short)?;
    Ok(growth.of(
        format!("{}, {:.1} MB", case.title, large.len() as f64 / 1e6),
        "record",
        fitting,
    ))
}

/// Records of 20 bytes, and one record of 4 MB.
pub(crate) fn of_extremes(settings: &Settings) -> Result<Vec<Growth>> {
    let mut all = Vec::new();
    let format = Options {
        flow_format: Some("${end} ${srcaddr}".to_owned()),
        ..Options::default()
    };
    let lines: Vec<Vec<u8>> = (0..12_000)
        .map(|number| format!("17952{number:05} 10.0.{}.1{}", number % 10, number / 10 % 10).into_bytes())
        .collect();
    let fitting = events::fitting(Source::VpcFlow, format.clone(), &lines, LARGE)?;
    let refused: Vec<Vec<u8>> = (100_000..130_000)
        .map(|number| format!("{{\"timestamp\":{number}}}").into_bytes())
        .collect();
    for (what, source, options, records) in [
        ("flow logs of 20 bytes", Source::VpcFlow, format, &lines[..fitting]),
        (
            "20 bytes that are no WAF log",
            Source::Waf,
            Options::default(),
            &refused[..],
        ),
    ] {
        let small = events::split(records, SMALL);
        let growth = compare(source, options, &small, &events::whole(records), settings.short)?;
        all.push(growth.of(what.to_owned(), "record", records.len()));
    }
    for source in [Source::Waf, Source::GuardDuty, Source::CloudTrail] {
        let case = crate::case::of(source)?;
        let record = events::records(&settings.portcullis, case, SMALL)?
            .into_iter()
            .next()
            .context("no record")?;
        let padded = |bytes| vec![pad(&record, bytes)];
        let small: Vec<Vec<u8>> = std::iter::repeat_n(events::whole(&padded(40_000)), 75).collect();
        let large = events::whole(&padded(3_000_000));
        let growth = compare(source, Options::default(), &small, &large, settings.short)?;
        all.push(growth.of(format!("{} in one record of 4 MB", case.title), "byte", 3_000_000));
    }
    Ok(all)
}

/// A record with members that no table knows, `bytes` long.
fn pad(record: &[u8], bytes: usize) -> Vec<u8> {
    let mut padded = record.to_vec();
    padded.pop();
    padded.extend_from_slice(b",\"unknownMembers\":[");
    let mut number = 0;
    while padded.len() < bytes {
        padded.extend_from_slice(format!("{{\"name\":\"member-{number}\",\"value\":{number}}},").as_bytes());
        number += 1;
    }
    padded.pop();
    padded.extend_from_slice(b"]}");
    padded
}

/// CPU nanoseconds of all small events, and of the large one.
struct Compared {
    small: Vec<f64>,
    large: Vec<f64>,
}

impl Compared {
    fn of(self, what: String, per: &'static str, units: usize) -> Growth {
        let each = |rounds: Vec<f64>| {
            rounds
                .into_iter()
                .map(|nanoseconds| nanoseconds / units as f64)
                .collect()
        };
        Growth {
            what,
            per,
            small: each(self.small),
            large: each(self.large),
        }
    }
}

fn compare(source: Source, options: Options, small: &[Vec<u8>], large: &[u8], short: bool) -> Result<Compared> {
    let mut normalizer = Normalizer::new(source, options).map_err(|refusal| anyhow!("{refusal}"))?;
    let mut answer = |event: &[u8]| -> Result<()> {
        black_box(firehose::transform(&mut normalizer, black_box(event))?);
        Ok(())
    };
    let mut compared = Compared {
        small: Vec::new(),
        large: Vec::new(),
    };
    for round in 0..if short { 3 } else { 61 } {
        for turn in 0..2 {
            let start = cpu_nanoseconds();
            if (round + turn) % 2 == 0 {
                small.iter().try_for_each(|event| answer(event))?;
                compared.small.push((cpu_nanoseconds() - start) as f64);
            } else {
                answer(large)?;
                compared.large.push((cpu_nanoseconds() - start) as f64);
            }
        }
    }
    Ok(compared)
}
