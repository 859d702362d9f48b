//! Several records in one, as the Kinesis Producer Library puts them together.
//!
//! Four bytes, a protobuf message, and the MD5 of the message:
//! [the format](https://github.com/awslabs/amazon-kinesis-producer/blob/master/aggregation-format.md). The records inside
//! have no sequence number of their own, so the position moves over all of them at once, and after a restart they all
//! come again.
//!
//! A library for consumers leaves out those whose hash key belongs to another shard, because the producer sends them again
//! there. Here they are taken twice, which changes nothing.

use std::borrow::Cow;

use md5::{Digest as _, Md5};
use prost::Message as _;

const MAGIC: [u8; 4] = [0xf3, 0x89, 0x9a, 0xc2];
const CHECKSUM: usize = 16;

/// Records in one that are taken apart; one with more, or none, is taken as it is, and kept as unreadable.
const MOST: usize = 100_000;

#[derive(Clone, PartialEq, prost::Message)]
struct Aggregated {
    #[prost(message, repeated, tag = "3")]
    records: Vec<Inner>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Inner {
    #[prost(bytes = "vec", tag = "3")]
    data: Vec<u8>,
}

/// The records in `data`, or `data` itself when it is not several in one.
#[must_use]
pub fn split(data: &[u8]) -> Vec<Cow<'_, [u8]>> {
    match inner(data) {
        Some(records) => records.into_iter().map(|record| Cow::Owned(record.data)).collect(),
        None => vec![Cow::Borrowed(data)],
    }
}

fn inner(data: &[u8]) -> Option<Vec<Inner>> {
    let (message, checksum) = data.strip_prefix(&MAGIC)?.split_last_chunk::<CHECKSUM>()?;
    if Md5::digest(message)[..] != checksum[..] {
        return None;
    }
    let records = Aggregated::decode(message).ok()?.records;
    (1..=MOST).contains(&records.len()).then_some(records)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// What Amazon's Python module for producers makes of `one` (key a), `two` (key b, hash key 7) and an empty record (key a).
    const OF_THE_LIBRARY: &str = include_str!("aggregated.hex");

    fn bytes(hex: &str) -> Vec<u8> {
        let hex = hex.trim();
        (0..hex.len() / 2)
            .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hexadecimal digits"))
            .collect()
    }

    fn put_together(records: &[Vec<u8>]) -> Vec<u8> {
        let records = records.iter().map(|data| Inner { data: data.clone() }).collect();
        let message = Aggregated { records }.encode_to_vec();
        [&MAGIC[..], &message, &Md5::digest(&message)[..]].concat()
    }

    #[test]
    fn what_the_producer_library_put_together_is_taken_apart_in_order() {
        assert_eq!(split(&bytes(OF_THE_LIBRARY)), [&b"one"[..], b"two", b""]);
    }

    #[test]
    fn what_only_begins_like_it_or_is_damaged_stays_as_it_is() {
        let whole = bytes(OF_THE_LIBRARY);
        let mut damaged = whole.clone();
        damaged[8] ^= 1;
        for data in [&damaged[..], &whole[..whole.len() - 1], &MAGIC, b"{}", b""] {
            assert_eq!(split(data), [data]);
        }
        let too_many = put_together(&vec![Vec::new(); MOST + 1]);
        assert_eq!(split(&too_many), [&too_many[..]]);
    }

    proptest! {
        #[test]
        fn everything_that_was_put_together_comes_apart(records in vec(vec(any::<u8>(), 0..100), 1..50)) {
            let together = put_together(&records);
            prop_assert_eq!(split(&together), records);
        }

        #[test]
        fn nothing_that_follows_the_first_bytes_breaks_it(rest: Vec<u8>) {
            let message = [&rest[..], &Md5::digest(&rest)[..]].concat();
            prop_assert!(!split(&[&MAGIC[..], &message].concat()).is_empty());
        }
    }
}
