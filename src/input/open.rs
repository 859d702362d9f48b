//! Opens a file or standard input, compressed or not.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use super::Inflate;

/// Opens `path`, or standard input for `-`. Whether it is gzip is told by its first bytes, not by its name.
///
/// # Errors
/// When it cannot be opened or its first bytes cannot be read.
pub fn open(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    if path == Path::new("-") {
        unpacked(io::stdin())
    } else {
        unpacked(File::open(path)?)
    }
}

fn unpacked<R: Read + Send + 'static>(mut input: R) -> io::Result<Box<dyn Read + Send>> {
    let mut magic = Vec::with_capacity(2);
    input.by_ref().take(2).read_to_end(&mut magic)?;
    let packed = magic == b"\x1f\x8b";
    let whole = io::Cursor::new(magic).chain(input);
    Ok(if packed {
        Box::new(Inflate::new(whole))
    } else {
        Box::new(whole)
    })
}
