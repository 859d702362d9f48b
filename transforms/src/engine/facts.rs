//! What is found out about a record before its document is written: whether it is one, its moment, its name. And the `native`
//! document, in which only the moments are written anew.

use highway::{HighwayHash, HighwayHasher, Key};

use super::{Input, Mapper, RowId, found, value};
use crate::{
    document::hex,
    envelope,
    normalize::{Refusal, RefusalKind, excerpt},
    time,
};

impl Mapper {
    /// Whether the record is of this source and has what a document needs.
    pub(super) fn check(&self, input: Input<'_>, text: &[u8]) -> Result<(), Refusal> {
        for any_of in self.map.required() {
            if any_of.iter().any(|&row| input.has(row)) {
                continue;
            }
            return Err(match envelope::recognise(text) {
                Some(seen) if seen != self.map.source().title() => Refusal::new(
                    RefusalKind::WrongSource,
                    "",
                    format!("this is no {} record: it looks like {seen}", self.map.source().title()),
                ),
                _ => {
                    let names: Vec<&str> = any_of.iter().map(|row| self.path(*row)).collect();
                    Refusal::new(
                        RefusalKind::MissingField,
                        names.first().copied().unwrap_or_default(),
                        format!("the record has no {}", names.join(" and no ")),
                    )
                }
            });
        }
        Ok(())
    }

    fn path(&self, row: RowId) -> &'static str {
        self.map.fields().get(row.0).map_or("", |field| field.from)
    }

    /// The first of the table's timestamps that can be read, and the hit that it came from.
    pub(super) fn timestamp(&self, input: Input<'_>) -> Result<(i64, usize), Refusal> {
        let row = RowId(self.table.timestamp);
        let mut failure = None;
        for (hit, text) in input.numbered(row) {
            match time::parse(text.as_bytes()) {
                Ok(millis) => return Ok((millis, hit)),
                Err(error) => failure = failure.or(Some((error, excerpt(text.as_bytes())))),
            }
        }
        let path = self.path(row);
        Err(match failure {
            Some((error, text)) => Refusal::new(
                RefusalKind::Time,
                path,
                format!("the timestamp `{text}` cannot be read: {error}"),
            ),
            None => Refusal::new(RefusalKind::Time, path, "the record has no timestamp"),
        })
    }

    /// Names this version of the record: from source, native id and version time, or from the whole of it.
    pub(super) fn event_id(&self, record: &[u8], input: Input<'_>, timestamp: i64) -> [u8; 32] {
        let mut id = [0; 16];
        match self.map.native_id().and_then(|row| input.text(row)) {
            Some(native) => {
                let mut hasher = blake3::Hasher::new();
                hasher.update(self.map.source().name().as_bytes());
                hasher.update(&(native.len() as u64).to_le_bytes());
                hasher.update(native.as_bytes());
                hasher.update(&timestamp.to_le_bytes());
                id.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
            }
            None => {
                let [first, second] = HighwayHasher::new(Key(self.id_key)).hash128(record);
                id[..8].copy_from_slice(&first.to_be_bytes());
                id[8..].copy_from_slice(&second.to_be_bytes());
            }
        }
        hex(&id)
    }

    /// The record with its timestamps rewritten in place, on one line.
    pub(super) fn native(&self, text: &[u8], out: &mut Vec<u8>) {
        let mut times: Vec<(found::Span, i64)> = Vec::new();
        for &slot in &self.table.native_times {
            for (_, hit) in self.found.hits_of(slot) {
                let raw = hit.value.of(text);
                if let Some(Ok(millis)) = value::plain_text(raw).map(|text| time::parse(text.as_bytes())) {
                    times.push((hit.value, millis));
                }
            }
        }
        times.sort_unstable_by_key(|(span, _)| span.start);
        let mut from = 0;
        for (span, millis) in times {
            out.extend_from_slice(text.get(from..span.start as usize).unwrap_or_default());
            out.push(b'"');
            time::push_rfc3339(millis, out);
            out.push(b'"');
            from = span.end as usize;
        }
        out.extend_from_slice(text.get(from..).unwrap_or_default());
        out.push(b'\n');
    }
}
