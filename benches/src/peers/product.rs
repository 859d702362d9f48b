//! The product itself, as its Lambda functions call it.

use anyhow::{Result, anyhow};
use portcullis_transforms::{Normalizer, Options, Schema, firehose};

use super::Peer;
use crate::case::Case;

pub(super) struct Product {
    normalizer: Normalizer,
}

impl Product {
    pub(super) fn new(case: &Case, schema: Schema) -> Result<Self> {
        let options = Options {
            schema,
            ..Options::default()
        };
        let normalizer = Normalizer::new(case.source, options).map_err(|refusal| anyhow!("{refusal}"))?;
        Ok(Self { normalizer })
    }
}

impl Peer for Product {
    fn invoke(&mut self, event: &[u8]) -> Result<Vec<u8>> {
        let (response, report) = firehose::transform(&mut self.normalizer, event)?;
        if report.failed > 0 {
            return Err(anyhow!("refused: {:?}", report.reasons));
        }
        Ok(response)
    }
}
