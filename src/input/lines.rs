//! Lines of any length in a buffer of bounded length.

use std::{
    io::{self, Read},
    ops::Range,
};

/// What was found between two line breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Framed {
    /// The line is this part of the buffer, without its line break.
    Line(Range<usize>),
    /// The line had this many bytes, which is over the limit. It was skipped, not kept.
    TooLong(u64),
}

/// Reads lines without copying them. The buffer starts small and grows up to the limit only where a line needs it.
#[derive(Debug)]
pub(super) struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    /// What was read and not yet handed out is `buffer[start..end]`; there is no line break before `scanned`.
    start: usize,
    scanned: usize,
    end: usize,
    limit: usize,
    ended: bool,
}

const FIRST_BUFFER: usize = 128 * 1024;

impl<R: Read> Lines<R> {
    pub(super) fn new(input: R, limit: usize) -> Self {
        Self {
            input,
            buffer: vec![0; FIRST_BUFFER],
            start: 0,
            scanned: 0,
            end: 0,
            limit,
            ended: false,
        }
    }

    /// The bytes of a line that [`Lines::advance`] just found.
    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.buffer[range]
    }

    /// The next line; `None` at the end.
    pub(super) fn advance(&mut self) -> io::Result<Option<Framed>> {
        loop {
            if let Some(found) = memchr::memchr(b'\n', &self.buffer[self.scanned..self.end]) {
                let line = self.start..self.scanned + found;
                self.start = line.end + 1;
                self.scanned = self.start;
                return Ok(Some(if line.len() > self.limit {
                    Framed::TooLong(line.len() as u64)
                } else {
                    Framed::Line(line)
                }));
            }
            self.scanned = self.end;
            if self.end - self.start > self.limit {
                return self.skip_line().map(Some);
            }
            if self.ended {
                let line = self.start..self.end;
                self.start = self.end;
                return Ok((!line.is_empty()).then_some(Framed::Line(line)));
            }
            self.fill()?;
        }
    }

    /// Reads more behind what is there, after making room for it.
    fn fill(&mut self) -> io::Result<()> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.scanned -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            let room = (self.buffer.len() * 2).min(self.limit + 1).max(self.end + 1);
            self.buffer.resize(room, 0);
        }
        let read = read_some(&mut self.input, &mut self.buffer[self.end..])?;
        self.ended = read == 0;
        self.end += read;
        Ok(())
    }

    /// Forgets the line under way up to its end.
    fn skip_line(&mut self) -> io::Result<Framed> {
        let mut length = (self.end - self.start) as u64;
        loop {
            self.start = 0;
            self.scanned = 0;
            self.end = read_some(&mut self.input, &mut self.buffer)?;
            if self.end == 0 {
                self.ended = true;
                return Ok(Framed::TooLong(length));
            }
            if let Some(found) = memchr::memchr(b'\n', &self.buffer[..self.end]) {
                self.start = found + 1;
                self.scanned = self.start;
                return Ok(Framed::TooLong(length + found as u64));
            }
            length += self.end as u64;
        }
    }
}

fn read_some(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}
