//! What is new in the files of one input: whole files once, and, when it is followed, what is appended and files that
//! appear later.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use portcullis_transforms::{Options, Refusal};

use super::positions::{Position, Positions};
use crate::{
    config::Input,
    input::{self, LINE_LIMIT, Normalizers, Records},
};

/// Bytes of one file that are read before what they held is made durable.
const PORTION: u64 = 16 * 1024 * 1024;

/// One input of the configuration.
#[derive(Debug)]
pub struct Files {
    input: Input,
    normalizers: Normalizers,
    finished: BTreeSet<PathBuf>,
}

/// A part of a file, from where it was read last to where it ends for now.
#[derive(Debug)]
pub struct Portion {
    path: PathBuf,
    file: (u64, u64),
    from: u64,
    to: u64,
    packed: bool,
}

impl Portion {
    /// The file it is of; `-` for standard input.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Remembers that it was dealt with.
    pub fn settle(&self, positions: &mut Positions) {
        let (file, offset) = (self.file, self.to);
        positions.set(&self.path, Position { file, offset });
    }
}

impl Files {
    /// An input with the normalisers for its records; the deployment's own options are the same for every input.
    ///
    /// # Errors
    /// When its flow-log format names a field that flow logs do not have, or a drop filter one that its source lacks.
    pub fn new(input: Input, deployment: &Options) -> Result<Self, Refusal> {
        let options = Options {
            flow_format: input.flow_format.clone(),
            trusted_proxies: input.trusted_proxies.clone(),
            community_id: input.community_id,
            ..deployment.clone()
        };
        let normalizers = Normalizers::new(input.source, options)?;
        Ok(Self {
            input,
            normalizers,
            finished: BTreeSet::new(),
        })
    }

    /// Whether it is standard input.
    #[must_use]
    pub fn is_stdin(&self) -> bool {
        self.input.path == "-"
    }

    /// Whether it goes on after what is there now was read.
    #[must_use]
    pub fn follows(&self) -> bool {
        self.input.follow
    }

    /// The path or pattern as it was configured.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.input.path
    }

    /// The normalisers of its records.
    pub fn normalizers(&mut self) -> &mut Normalizers {
        &mut self.normalizers
    }

    /// The next part that was not read yet, `None` when there is none for now.
    ///
    /// # Errors
    /// When a file cannot be read; the message names it.
    pub fn next_portion(&mut self, positions: &Positions) -> io::Result<Option<Portion>> {
        let paths = match input::expand(&self.input.path) {
            Ok(paths) => paths,
            Err(input::PathError::NoMatch { .. }) if self.input.follow => Vec::new(),
            Err(error) => return Err(io::Error::other(error)),
        };
        for path in paths {
            if self.finished.contains(&path) {
                continue;
            }
            if let Some(portion) = self.portion(&path, positions).map_err(|error| at(&path, &error))? {
                return Ok(Some(portion));
            }
            if !self.input.follow {
                self.finished.insert(path);
            }
        }
        Ok(None)
    }

    fn portion(&self, path: &Path, positions: &Positions) -> io::Result<Option<Portion>> {
        let mut file = File::open(path)?;
        let about = file.metadata()?;
        let size = about.len();
        let id = identity(&about);
        let known = positions.of(path, id);
        // A file that shrank was written anew.
        let from = if known > size { 0 } else { known };
        let packed = is_gzip(&mut file)?;
        let to = if packed || !self.input.follow {
            size
        } else {
            whole_lines(&mut file, from, size)?
        };
        Ok((to > from).then(|| Portion {
            path: path.to_owned(),
            file: id,
            from: if packed { 0 } else { from },
            to,
            packed,
        }))
    }

    /// Opens a portion. The header line of a flow log is read again when the portion starts behind it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn open(&mut self, portion: &Portion) -> io::Result<Records<Box<dyn Read + Send>>> {
        self.normalizers.next_file();
        if portion.packed {
            return Ok(Records::new(input::open(&portion.path)?, LINE_LIMIT));
        }
        let mut file = File::open(&portion.path)?;
        if portion.from > 0 {
            self.read_header(&file)?;
        }
        file.seek(SeekFrom::Start(portion.from))?;
        let part: Box<dyn Read + Send> = Box::new(file.take(portion.to - portion.from));
        Ok(Records::new(part, LINE_LIMIT))
    }

    fn read_header(&mut self, file: &File) -> io::Result<()> {
        let mut records = Records::new(file.take(64 * 1024), 64 * 1024);
        if let Some(input::Record {
            content: input::Content::Bytes(line),
            ..
        }) = records.next_record()?
        {
            let source = self.normalizers.source_of(line);
            // Only a header leaves a trace in the normaliser; a first line that is a record was dealt with before.
            let header = source.and_then(|source| self.normalizers.record(source, line, &mut Vec::new()));
            tracing::debug!(?header, "the first line was read again");
        }
        Ok(())
    }
}

fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn identity(about: &std::fs::Metadata) -> (u64, u64) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        (about.dev(), about.ino())
    }
    #[cfg(not(unix))]
    {
        let made = about
            .created()
            .ok()
            .and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        (0, made.map_or(0, |age| age.as_secs()))
    }
}

fn is_gzip(file: &mut File) -> io::Result<bool> {
    let mut magic = Vec::with_capacity(2);
    file.seek(SeekFrom::Start(0))?;
    file.take(2).read_to_end(&mut magic)?;
    Ok(magic == b"\x1f\x8b")
}

/// Where the last whole line ends, about a portion behind `from`; `from` when no line is whole yet.
fn whole_lines(file: &mut File, from: u64, size: u64) -> io::Result<u64> {
    let mut block = vec![0; 64 * 1024];
    let mut ends = from;
    let mut at = from;
    file.seek(SeekFrom::Start(from))?;
    while at < size && (at - from < PORTION || ends == from) {
        let read = file.read(&mut block)?;
        if read == 0 {
            break;
        }
        if let Some(last) = memchr::memrchr(b'\n', &block[..read]) {
            ends = at + last as u64 + 1;
        }
        at += read as u64;
    }
    Ok(ends)
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write};

    use super::*;
    use crate::{config::SourceChoice, input::Content};

    fn read(files: &mut Files, positions: &mut Positions) -> io::Result<Vec<String>> {
        let mut lines = Vec::new();
        while let Some(portion) = files.next_portion(positions)? {
            let mut records = files.open(&portion)?;
            while let Some(record) = records.next_record()? {
                if let Content::Bytes(bytes) = record.content {
                    lines.push(String::from_utf8_lossy(bytes).into_owned());
                }
            }
            portion.settle(positions);
        }
        Ok(lines)
    }

    fn files(path: &Path, follow: bool) -> Files {
        let input = Input {
            path: path.to_string_lossy().into_owned(),
            source: SourceChoice::Auto,
            flow_format: None,
            trusted_proxies: None,
            community_id: false,
            follow,
        };
        Files::new(input, &Options::default()).expect("no format to be wrong about")
    }

    #[test]
    fn a_followed_file_yields_each_whole_line_once() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("waf.ndjson");
        let mut log = File::create(&path)?;
        let mut positions = Positions::open(folder.path())?;
        let mut followed = files(&path, true);
        for (written, seen) in [
            ("a\nb", &["a"][..]),
            ("", &[]),
            ("b\nc\n", &["bb", "c"]),
            ("d", &[]),
            ("\n", &["d"]),
        ] {
            log.write_all(written.as_bytes())?;
            assert_eq!(read(&mut followed, &mut positions)?, seen, "{written:?}");
        }
        fs::write(&path, "n\n")?;
        assert_eq!(
            read(&mut followed, &mut positions)?,
            ["n"],
            "a file that shrank is read anew"
        );
        Ok(())
    }

    #[test]
    fn a_file_that_appears_later_is_found_when_followed() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let mut positions = Positions::open(folder.path())?;
        let mut followed = files(&folder.path().join("*.log"), true);
        assert!(read(&mut followed, &mut positions)?.is_empty());
        fs::write(folder.path().join("late.log"), "x\n")?;
        assert_eq!(read(&mut followed, &mut positions)?, ["x"]);
        Ok(())
    }

    #[test]
    fn a_file_that_is_not_followed_is_read_to_its_end_and_never_again() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("once.log");
        fs::write(&path, "a\nlast line without its end")?;
        let mut positions = Positions::open(folder.path())?;
        assert_eq!(
            read(&mut files(&path, false), &mut positions)?,
            ["a", "last line without its end"]
        );
        assert!(
            read(&mut files(&path, false), &mut positions)?.is_empty(),
            "after a restart"
        );
        Ok(())
    }
}
