//! Reading the file and the environment, strictly: a key that nobody reads is a mistake, and says so.
//!
//! What serde refuses is told with file, line, key and remedy; what it cannot see (limits that contradict each other) is
//! told by [`super::check`].

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use toml::{Table, Value, de::DeTable};

use super::{Config, check, explain};

/// Variables with this prefix override the file: `PORTCULLIS__SERVE__LISTEN` is `serve.listen`.
pub const PREFIX: &str = "PORTCULLIS__";

/// The file that is read when none is named.
pub const FILE: &str = "portcullis.toml";

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read the configuration {} (`portcullis config init` writes a new one)", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file, or an override, is not what it should be.
    #[error("{place}: {message}")]
    Invalid {
        /// `portcullis.toml:12`, or the name of the variable.
        place: String,
        /// The key, what is wrong with it and what to write instead.
        message: String,
    },
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Built in.
    Default,
    /// This line of the file.
    File {
        /// Which file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// This variable.
    Environment(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File { path, line } => write!(f, "{}:{line}", path.display()),
            Origin::Environment(variable) => f.write_str(variable),
        }
    }
}

/// The configuration and where each value comes from.
#[derive(Clone, Debug)]
pub struct Effective {
    /// The values; relative paths of the file start at the file's folder.
    pub config: Config,
    /// The file that was read, when there was one.
    pub file: Option<PathBuf>,
    origins: BTreeMap<String, Origin>,
}

impl Effective {
    /// Where the value of a dotted key, such as `serve.listen` or `sources[0].path`, comes from.
    #[must_use]
    pub fn origin(&self, key: &str) -> &Origin {
        let mut place = key;
        loop {
            if let Some(origin) = self.origins.get(place) {
                return origin;
            }
            match place.rfind(['.', '[']) {
                Some(end) => place = &place[..end],
                None => return &Origin::Default,
            }
        }
    }

    /// Every key with its value, sorted by key.
    ///
    /// # Errors
    /// When a value has no form in TOML, which no configuration that was read has.
    pub fn values(&self) -> Result<Vec<(String, Value)>, toml::ser::Error> {
        let mut rows = Vec::new();
        leaves(&mut String::new(), &Value::try_from(&self.config)?, &mut rows);
        Ok(rows)
    }
}

/// The overrides among the variables of this process.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        name.starts_with(PREFIX)
            .then(|| (name, value.to_string_lossy().into_owned()))
    })
}

/// Reads `file`, else `./portcullis.toml` when it exists, else the defaults; then the overrides in `environment`.
///
/// # Errors
/// When the file cannot be read, a key is unknown, or a value is not what it should be.
pub fn load(file: Option<&Path>, environment: impl Iterator<Item = (String, String)>) -> Result<Effective, Error> {
    let found = Path::new(FILE);
    let Some(path) = file.or_else(|| found.exists().then_some(found)) else {
        return assemble(None, "", environment);
    };
    let text = std::fs::read_to_string(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    assemble(Some(path), &text, environment)
}

/// As [`load`], with the text of the file at hand.
pub(super) fn assemble(
    file: Option<&Path>,
    text: &str,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Effective, Error> {
    let refuse = |line: usize, message: String| Error::Invalid {
        place: Origin::File {
            path: file.unwrap_or(Path::new(FILE)).to_owned(),
            line,
        }
        .to_string(),
        message,
    };
    let spanned = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        refuse(line_of(text, at), explain::syntax(error.message()))
    })?;
    let mut config: Config = toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        let key = explain::key_at(spanned.get_ref(), &span);
        refuse(line_of(text, span.start), explain::value(&key, error.message()))
    })?;

    let mut origins = BTreeMap::new();
    if let Some(path) = file {
        explain::walk(spanned.get_ref(), &mut |key, value, span| {
            if explain::is_leaf(value.get_ref()) {
                let line = line_of(text, span.start);
                let path = path.to_owned();
                origins.insert(key.to_owned(), Origin::File { path, line });
            }
        });
    }
    let mut table: Table = toml::from_str(text).map_err(|error| refuse(1, error.message().to_owned()))?;
    let mut overrides: Vec<_> = environment.filter(|(name, _)| name.starts_with(PREFIX)).collect();
    overrides.sort();
    for (name, value) in overrides {
        let key = name[PREFIX.len()..].to_lowercase().replace("__", ".");
        (table, config) = with_override(&table, &key, &value).map_err(|message| Error::Invalid {
            place: name.clone(),
            message,
        })?;
        origins.insert(key, Origin::Environment(name));
    }

    let mut effective = Effective {
        config,
        file: file.map(Path::to_owned),
        origins,
    };
    if let Some(problem) = check::problems(&effective.config).into_iter().next() {
        return Err(match effective.origin(&problem.key) {
            Origin::Default => refuse(1, problem.to_string()),
            origin => Error::Invalid {
                place: origin.to_string(),
                message: problem.to_string(),
            },
        });
    }
    effective.resolve_paths();
    Ok(effective)
}

impl Effective {
    /// Paths written in a file are meant from where the file is; those of the environment from where the person is.
    fn resolve_paths(&mut self) {
        let Some(folder) = self.file.as_deref().and_then(Path::parent).map(Path::to_owned) else {
            return;
        };
        if !matches!(self.origin("data"), Origin::Environment(_)) {
            self.config.data = folder.join(&self.config.data);
        }
        let in_file = ["geoip_db", "asn_db", "indicators"]
            .map(|key| !matches!(self.origin(&format!("normalize.{key}")), Origin::Environment(_)));
        let normalize = &mut self.config.normalize;
        let databases = [
            (in_file[0], &mut normalize.geoip_db),
            (in_file[1], &mut normalize.asn_db),
        ];
        let databases = databases
            .into_iter()
            .filter_map(|(in_file, path)| path.as_mut().filter(|_| in_file));
        for path in databases.chain(normalize.indicators.iter_mut().filter(|_| in_file[2])) {
            *path = folder.join(&*path);
        }
        if !matches!(self.origin("network_acls.ec2.ip_ranges"), Origin::Environment(_))
            && let Some(path) = &mut self.config.network_acls.ec2.ip_ranges
        {
            *path = folder.join(&*path);
        }
        if !matches!(self.origin("opensearch.ca"), Origin::Environment(_))
            && let Some(ca) = &mut self.config.opensearch.ca
        {
            *ca = folder.join(&*ca);
        }
        if !matches!(self.origin("sources"), Origin::Environment(_)) {
            for input in self.config.sources.iter_mut().filter(|input| input.path != "-") {
                input.path = folder.join(&input.path).to_string_lossy().into_owned();
            }
        }
    }
}

/// The table with one key set, and the configuration it makes: first with the text read as a TOML value, then as plain text.
fn with_override(table: &Table, key: &str, text: &str) -> Result<(Table, Config), String> {
    let read = toml::from_str::<Table>(&format!("value = {text}"))
        .ok()
        .filter(|parsed| parsed.len() == 1)
        .and_then(|mut parsed| parsed.remove("value"));
    let mut refusal = String::new();
    for value in read.into_iter().chain([Value::String(text.to_owned())]) {
        let mut changed = table.clone();
        insert(&mut changed, key, value)?;
        match changed.clone().try_into::<Config>() {
            Ok(config) => return Ok((changed, config)),
            Err(error) if refusal.is_empty() => refusal = explain::value(key, error.message()),
            Err(_) => {}
        }
    }
    Err(refusal)
}

fn insert(table: &mut Table, key: &str, value: Value) -> Result<(), String> {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value);
            Ok(())
        }
        Some((section, rest)) => match table
            .entry(section)
            .or_insert_with(|| Value::Table(Table::new()))
            .as_table_mut()
        {
            Some(inner) => insert(inner, rest, value),
            None => Err(format!(
                "`{section}` has no keys of its own; set it whole, such as {PREFIX}{}='[{{ path = \"-\" }}]'",
                section.to_uppercase()
            )),
        },
    }
}

/// Every value below `value` with its dotted key.
pub(super) fn leaves(key: &mut String, value: &Value, rows: &mut Vec<(String, Value)>) {
    let length = key.len();
    match value {
        Value::Table(table) => {
            for (name, inner) in table {
                if length > 0 {
                    key.push('.');
                }
                key.push_str(name);
                leaves(key, inner, rows);
                key.truncate(length);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_table) => {
            for (place, inner) in items.iter().enumerate() {
                key.push_str(&format!("[{place}]"));
                leaves(key, inner, rows);
                key.truncate(length);
            }
        }
        plain => rows.push((key.clone(), plain.clone())),
    }
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count()
}
