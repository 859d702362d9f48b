//! Decompression that refuses bombs.

use std::io::{self, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

/// Output up to here is never refused, so that small, very regular files pass.
const FREE: u64 = 64 * 1024 * 1024;
/// Beyond it, output may be this many times the input. Security logs compress ten to sixty times; deflate can reach 1032.
const RATIO: u64 = 200;

/// Reads gzip, several members one after the other included, and fails when the output grows out of proportion.
#[derive(Debug)]
pub struct Inflate<R: Read> {
    decoder: MultiGzDecoder<BufReader<Counting<R>>>,
    produced: u64,
    free: u64,
}

impl<R: Read> Inflate<R> {
    /// Decompresses `input`.
    pub fn new(input: R) -> Self {
        Self::with_allowance(input, FREE)
    }

    fn with_allowance(input: R, free: u64) -> Self {
        Self {
            decoder: MultiGzDecoder::new(BufReader::with_capacity(32 * 1024, Counting { input, read: 0 })),
            produced: 0,
            free,
        }
    }
}

impl<R: Read> Read for Inflate<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.decoder.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => io::Error::new(error.kind(), "the gzip data is cut short"),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                io::Error::new(error.kind(), format!("the gzip data is damaged ({error})"))
            }
            _ => error,
        })?;
        self.produced += count as u64;
        let consumed = self.decoder.get_ref().get_ref().read;
        if self.produced > self.free && self.produced / RATIO > consumed {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "the gzip data unpacks to more than {RATIO} times its size and was stopped at {} MiB; \
                     unpack it yourself if it is meant to be so",
                    self.produced >> 20
                ),
            ));
        }
        Ok(count)
    }
}

#[derive(Debug)]
struct Counting<R> {
    input: R,
    read: u64,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.read += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn packed(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(content).expect("writes to memory");
        encoder.finish().expect("writes to memory")
    }

    #[test]
    fn members_one_after_the_other_are_one_text() {
        let mut both = packed(b"one\n");
        both.extend(packed(b"two\n"));
        let mut text = String::new();
        Inflate::new(&both[..]).read_to_string(&mut text).expect("sound");
        assert_eq!(text, "one\ntwo\n");
    }

    #[test]
    fn a_bomb_is_stopped_long_before_its_end() {
        let bomb = packed(&vec![0; 32 << 20]);
        let mut inflate = Inflate::with_allowance(&bomb[..], 1 << 20);
        let mut out = Vec::new();
        let error = inflate.read_to_end(&mut out).expect_err("a bomb");
        assert!(error.to_string().contains("more than 200 times"), "{error}");
        assert!(out.len() < 8 << 20, "{}", out.len());
    }

    #[test]
    fn damage_is_told_and_what_came_before_is_kept() {
        let text: String = (0..50_000).map(|number| format!("{number}\n")).collect();
        let packed = packed(text.as_bytes());
        let mut out = Vec::new();
        let error = Inflate::new(&packed[..packed.len() / 2])
            .read_to_end(&mut out)
            .expect_err("cut short");
        assert!(error.to_string().contains("cut short"), "{error}");
        assert!(out.starts_with(b"0\n1\n"));
    }
}
