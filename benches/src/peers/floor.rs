//! What no implementation can do without: find the records, decode them, see that they are UTF-8, encode documents,
//! write the response. And what is below even that: copying as many bytes.
//!
//! It is a yardstick: its base64 is that of the day when the bars were made from its time, not the product's.

use anyhow::{Context, Result};
use portcullis_transforms::{Schema, firehose};

use super::{Peer, product::Product};
use crate::case::Case;

/// Writes the product's documents, made beforehand.
pub(super) struct Floor {
    case: &'static Case,
    documents: Vec<Vec<u8>>,
}

impl Floor {
    pub(super) fn new(case: &'static Case) -> Self {
        Self {
            case,
            documents: Vec::new(),
        }
    }
}

impl Peer for Floor {
    fn prepare(&mut self, event: &[u8]) -> Result<()> {
        let response = Product::new(self.case, Schema::Ecs)?.invoke(event)?;
        let mut rest = response.as_slice();
        self.documents.clear();
        while let Some((_, data, after)) = next(rest) {
            self.documents.push(base64_simd::STANDARD.decode_to_vec(data)?);
            rest = after;
        }
        Ok(())
    }

    fn invoke(&mut self, event: &[u8]) -> Result<Vec<u8>> {
        let mut out = Vec::with_capacity(firehose::RESPONSE_LIMIT);
        out.extend_from_slice(b"{\"records\":[");
        let mut record = Vec::new();
        let mut rest = event;
        let mut documents = self.documents.iter();
        while let Some((id, data, after)) = next(rest) {
            rest = after;
            record.clear();
            base64_simd::STANDARD.decode_append(data, &mut record)?;
            simdutf8::basic::from_utf8(&record)?;
            let document = documents.next().context("fewer documents than records")?;
            out.extend_from_slice(b"{\"recordId\":\"");
            out.extend_from_slice(id);
            out.extend_from_slice(b"\",\"result\":\"Ok\",\"data\":\"");
            base64_simd::STANDARD.encode_append(document, &mut out);
            out.extend_from_slice(b"\",\"metadata\":{\"partitionKeys\":{}}},");
        }
        out.pop();
        out.extend_from_slice(b"]}");
        Ok(out)
    }
}

/// Id and data of the next record, and what follows it.
#[inline]
fn next(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    const ID: &[u8] = b"\"recordId\":\"";
    const DATA: &[u8] = b"\"data\":\"";
    let at = memchr::memmem::find(text, ID)? + ID.len();
    let text = &text[at..];
    let end = memchr::memchr(b'"', text)?;
    let (id, text) = text.split_at(end);
    let at = memchr::memmem::find(text, DATA)? + DATA.len();
    let text = &text[at..];
    let end = memchr::memchr(b'"', text)?;
    Some((id, &text[..end], &text[end..]))
}

/// Copies the event, and as many bytes as the response has.
pub(super) struct Memcpy {
    case: &'static Case,
    response: Vec<u8>,
}

impl Memcpy {
    pub(super) fn new(case: &'static Case) -> Self {
        Self {
            case,
            response: Vec::new(),
        }
    }
}

impl Peer for Memcpy {
    fn prepare(&mut self, event: &[u8]) -> Result<()> {
        self.response = Product::new(self.case, Schema::Ecs)?.invoke(event)?;
        Ok(())
    }

    fn invoke(&mut self, event: &[u8]) -> Result<Vec<u8>> {
        std::hint::black_box(event.to_vec());
        Ok(self.response.clone())
    }
}
