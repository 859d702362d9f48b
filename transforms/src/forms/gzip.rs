//! Gzip in both directions: unpacking that stops at a limit, and packing what is put back.

use std::io::{self, Read, Write};

use flate2::{Compression, bufread::MultiGzDecoder, write::GzEncoder};

use super::Limits;
use crate::{Refusal, RefusalKind};

/// Whether this is gzip, by its first bytes.
pub(super) fn is_gzip(record: &[u8]) -> bool {
    record.starts_with(&[0x1f, 0x8b])
}

/// The content of `packed`, all its members one after the other, unless there are more than `room` bytes of it.
pub(super) fn unpack(packed: &[u8], room: usize, limits: &Limits) -> Result<Vec<u8>, Refusal> {
    // What a record may unpack to in any case, so that small and very regular ones pass.
    const FREE: usize = 1024 * 1024;
    let in_proportion = packed.len().saturating_mul(limits.ratio).max(FREE);
    let most = room.min(in_proportion);
    let mut out = Vec::with_capacity(packed.len().saturating_mul(4).min(most));
    let mut decoder = MultiGzDecoder::new(packed).take(most as u64 + 1);
    match decoder.read_to_end(&mut out) {
        Ok(_) if out.len() <= most => Ok(out),
        Ok(_) if in_proportion < room => Err(Refusal::new(
            RefusalKind::Size,
            "",
            format!(
                "{} bytes of gzip unpack to more than {} times as much",
                packed.len(),
                limits.ratio
            ),
        )),
        Ok(_) => Err(Refusal::new(
            RefusalKind::Size,
            "",
            format!(
                "the gzip data unpacks to more than {} bytes, which is the limit",
                limits.unpacked
            ),
        )),
        Err(error) => Err(Refusal::new(RefusalKind::Gzip, "", describe(&error, out.len()))),
    }
}

fn describe(error: &io::Error, so_far: usize) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => format!("the gzip data is cut short after {so_far} bytes of content"),
        _ => format!("the gzip data is damaged after {so_far} bytes of content"),
    }
}

/// `content` as gzip. The same content gives the same bytes: no time, no file name.
pub(super) fn pack(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(content.len() / 2 + 64), Compression::fast());
    let packed = encoder.write_all(content).and_then(|()| encoder.finish());
    // Writing into memory does not fail; should it ever, the content itself is read just as well.
    packed.unwrap_or_else(|_| content.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        unpacked: 8 << 20,
        ratio: 100,
        entries: 10,
    };

    fn refusal(packed: &[u8]) -> RefusalKind {
        unpack(packed, LIMITS.unpacked, &LIMITS).expect_err("refused").kind
    }

    #[test]
    fn members_one_after_the_other_are_one_content() {
        let both = [pack(b"one\n"), pack(b"two\n")].concat();
        assert_eq!(unpack(&both, 100, &LIMITS).expect("sound"), b"one\ntwo\n");
        assert_eq!(pack(b"one"), pack(b"one"));
    }

    #[test]
    fn a_bomb_is_stopped_by_proportion_and_by_the_limit() {
        assert_eq!(refusal(&pack(&vec![0; 5 << 20])), RefusalKind::Size);
        let random: Vec<u8> = (0..9_u32 << 20)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        assert_eq!(refusal(&pack(&random)), RefusalKind::Size);
        let small = vec![0; 1 << 20];
        assert_eq!(unpack(&pack(&small), LIMITS.unpacked, &LIMITS).expect("free"), small);
    }

    #[test]
    fn damage_is_refused_wherever_it_is() {
        let packed = pack(br#"{"messageType":"DATA_MESSAGE","logEvents":[]}"#);
        for cut in 2..packed.len() {
            assert_eq!(refusal(&packed[..cut]), RefusalKind::Gzip, "cut at {cut}");
        }
        let mut damaged = packed.clone();
        let last = damaged.len() - 5;
        damaged[last] ^= 1;
        assert_eq!(refusal(&damaged), RefusalKind::Gzip, "a wrong checksum");
        assert_eq!(refusal(&[packed, b"trailing".to_vec()].concat()), RefusalKind::Gzip);
    }
}
