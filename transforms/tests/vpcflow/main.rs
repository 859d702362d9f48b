//! VPC flow logs from the outside: samples, the table, an independent reference, and hostile input.

mod hostile;
mod members;
mod reference;
mod samples;

use portcullis_transforms::{Options, Outcome, Refusal, Schema, sources::vpcflow::Mapper};
use serde_json::Value;

/// A mapper for one schema and an optional format.
fn mapper(schema: Schema, format: Option<&str>) -> Mapper {
    let options = Options {
        schema,
        flow_format: format.map(str::to_owned),
        ..Options::default()
    };
    Mapper::new(&options).expect("a format that is accepted")
}

/// One record's document, or nothing where it is dropped.
fn document(mapper: &mut Mapper, record: &[u8]) -> Result<Option<Value>, Refusal> {
    let mut out = b"before".to_vec();
    let outcome = mapper
        .record(record, &mut out)
        .inspect_err(|_| assert_eq!(out, b"before"))?;
    let line = out.strip_prefix(b"before").expect("what stood there stays");
    match outcome {
        Outcome::Dropped => {
            assert!(line.is_empty());
            Ok(None)
        }
        Outcome::Document => {
            assert_eq!(line.iter().filter(|b| **b == b'\n').count(), 1);
            assert_eq!(line.last(), Some(&b'\n'));
            Ok(Some(serde_json::from_slice(line).expect("valid JSON")))
        }
    }
}
