//! What the Lambda functions share: settings from the environment, the runtime, the log. Each binary in `src/bin` names
//! its source and nothing else.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `PORTCULLIS_SCHEMA` | `ecs` or `native` | `ecs` |
//! | `PORTCULLIS_FLOW_FORMAT` | format of flow logs, such as `${version} ${srcaddr} ...` | a header line, or AWS's documented order |
//! | `PORTCULLIS_KEEP_ORIGINAL` | `true` keeps each record in `event.original` | `false` |
//! | `PORTCULLIS_ID_KEY` | 64 hexadecimal digits, the same for all functions and replays: the key of `event.id` | zeros |
//! | `PORTCULLIS_PUT_BACK` | `false`: records with several entries are `ProcessingFailed` instead of going back in pieces | `true` when built with the feature `put-back`, which it needs |
//! | `PORTCULLIS_TRUSTED_PROXIES` | WAF: networks of the proxies in front of the web ACL, or how many there are; `source.ip` is then who stands behind them | none |
//! | `PORTCULLIS_COMMUNITY_ID` | flow logs: `true` adds `network.community_id` | `false` |
//! | `PORTCULLIS_REDACT` | headers, and query parameters as `?name`, whose values are not kept, beside the default list; `none` first leaves that out | credentials and cookies |
//! | `PORTCULLIS_UNPACKED_LIMIT` | the most bytes that one gzip record may unpack to | `33554432` |
//! | `PORTCULLIS_RATIO_LIMIT` | how many times its size it may unpack to, above 1 MiB | `200` |
//! | `PORTCULLIS_ENTRIES_LIMIT` | the most entries of one record | `100000` |
//! | `PORTCULLIS_DROP` | documents that are not kept, one [expression](crate::policy::filter) a line | none |
//! | `PORTCULLIS_GEOIP_DB` | City or Country database in MaxMind's format (feature `enrich`) | none |
//! | `PORTCULLIS_ASN_DB` | ASN database in MaxMind's format (feature `enrich`) | none |
//! | `PORTCULLIS_INDICATORS` | indicator lists, paths between commas (feature `enrich`) | none |
//!
//! Putting back needs one permission more: `firehose:PutRecordBatch` on the delivery stream, or, where its source is
//! Kinesis, `kinesis:PutRecords` on that stream. Endpoints and credentials come from the standard AWS variables.
//!
//! The log is one JSON object per line on stderr: one for each reason for which records of a batch were refused, one with
//! the number of those that drop filters took, one with the number of entries that went back.

mod invocations;
mod runtime_api;
#[cfg(feature = "put-back")]
mod streams;

use std::process::ExitCode;
#[cfg(feature = "enrich")]
use std::sync::Arc;

use self::invocations::{Invocation, answer_all};
use crate::{
    Normalizer, Options, Schema, Source,
    firehose::{self, Prepared, Returned},
    forms::Limits,
    policy,
};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// An environment variable that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable} {problem}")]
pub struct SettingError {
    /// Its name.
    pub variable: &'static str,
    /// What is wrong with its value, and what is accepted.
    pub problem: String,
}

/// Options from environment variables, given as a lookup; an empty value counts as none.
///
/// # Errors
/// Names the first variable whose value is not accepted.
pub fn options(variable: impl Fn(&str) -> Option<String>) -> Result<Options, SettingError> {
    let value = |name: &str| variable(name).filter(|value| !value.is_empty());
    let refuse = |variable, problem: &str| SettingError {
        variable,
        problem: problem.to_owned(),
    };
    let mut options = Options::default();
    match value("PORTCULLIS_SCHEMA").as_deref() {
        None | Some("ecs") => {}
        Some("native") => options.schema = Schema::Native,
        Some(_) => return Err(refuse("PORTCULLIS_SCHEMA", "must be `ecs` or `native`")),
    }
    options.flow_format = value("PORTCULLIS_FLOW_FORMAT");
    for (name, option) in [
        ("PORTCULLIS_KEEP_ORIGINAL", &mut options.keep_original),
        ("PORTCULLIS_COMMUNITY_ID", &mut options.community_id),
    ] {
        match value(name).as_deref() {
            None | Some("false" | "0") => {}
            Some("true" | "1") => *option = true,
            Some(_) => return Err(refuse(name, "must be `true` or `false`")),
        }
    }
    if let Some(proxies) = value("PORTCULLIS_TRUSTED_PROXIES") {
        let parsed = proxies.parse().map_err(|error: crate::proxies::ProxiesError| {
            refuse("PORTCULLIS_TRUSTED_PROXIES", &format!("is refused: {error}"))
        });
        options.trusted_proxies = Some(parsed?);
    }
    if let Some(list) = value("PORTCULLIS_REDACT") {
        options.redact = policy::redact::names(&list)
            .map_err(|error| refuse("PORTCULLIS_REDACT", &format!("is refused: {error}")))?;
    }
    if let Some(filters) = value("PORTCULLIS_DROP") {
        options.drop = filters.lines().map(str::to_owned).collect();
    }
    limits(&value, &mut options.limits)?;
    enrich(&value, &mut options)?;
    if let Some(hex) = value("PORTCULLIS_ID_KEY") {
        options.id_key = parse_key(&hex).ok_or_else(|| {
            refuse(
                "PORTCULLIS_ID_KEY",
                "must be 64 hexadecimal digits (`openssl rand -hex 32` writes one)",
            )
        })?;
    }
    Ok(options)
}

fn limits(value: &dyn Fn(&str) -> Option<String>, limits: &mut Limits) -> Result<(), SettingError> {
    for (variable, limit, range) in [
        (
            "PORTCULLIS_UNPACKED_LIMIT",
            &mut limits.unpacked,
            policy::limits::UNPACKED,
        ),
        ("PORTCULLIS_RATIO_LIMIT", &mut limits.ratio, policy::limits::RATIO),
        ("PORTCULLIS_ENTRIES_LIMIT", &mut limits.entries, policy::limits::ENTRIES),
    ] {
        if let Some(text) = value(variable) {
            let number = text.parse().ok().filter(|number| range.contains(number));
            *limit = number.ok_or_else(|| SettingError {
                variable,
                problem: format!("must be a whole number from {} to {}", range.start(), range.end()),
            })?;
        }
    }
    Ok(())
}

#[cfg(feature = "enrich")]
fn enrich(value: &dyn Fn(&str) -> Option<String>, options: &mut Options) -> Result<(), SettingError> {
    use policy::enrich::{EnrichmentError, Files};

    let indicators = value("PORTCULLIS_INDICATORS").unwrap_or_default();
    let files = Files {
        geoip: value("PORTCULLIS_GEOIP_DB").map(Into::into),
        asn: value("PORTCULLIS_ASN_DB").map(Into::into),
        indicators: indicators
            .split(',')
            .map(str::trim)
            .filter(|path| !path.is_empty())
            .map(Into::into)
            .collect(),
    };
    let opened = files.open().map_err(|error| SettingError {
        variable: match error {
            EnrichmentError::List(_) | EnrichmentError::TooMany(_) => "PORTCULLIS_INDICATORS",
            EnrichmentError::Database(_) => "PORTCULLIS_GEOIP_DB or PORTCULLIS_ASN_DB",
        },
        problem: format!("is refused: {error}"),
    })?;
    options.enrichment = opened.map(Arc::new);
    Ok(())
}

/// A variable that would do nothing must not be taken for one that does.
#[cfg(not(feature = "enrich"))]
fn enrich(value: &dyn Fn(&str) -> Option<String>, _: &mut Options) -> Result<(), SettingError> {
    for variable in ["PORTCULLIS_GEOIP_DB", "PORTCULLIS_ASN_DB", "PORTCULLIS_INDICATORS"] {
        if value(variable).is_some() {
            let problem = "is set, but this function was built without feature `enrich`".to_owned();
            return Err(SettingError { variable, problem });
        }
    }
    Ok(())
}

/// Whether records with several entries go back in pieces, from environment variables as for [`options`].
///
/// # Errors
/// When `PORTCULLIS_PUT_BACK` is neither `true` nor `false`, or asks for what this program was built without.
pub fn puts_back(variable: impl Fn(&str) -> Option<String>) -> Result<bool, SettingError> {
    let refuse = |problem: &str| SettingError {
        variable: "PORTCULLIS_PUT_BACK",
        problem: problem.to_owned(),
    };
    let can = cfg!(feature = "put-back");
    match variable("PORTCULLIS_PUT_BACK").as_deref() {
        None | Some("") => Ok(can),
        Some("false" | "0") => Ok(false),
        Some("true" | "1") if can => Ok(true),
        Some("true" | "1") => Err(refuse("needs a program that was built with the feature `put-back`")),
        Some(_) => Err(refuse("must be `true` or `false`")),
    }
}

fn parse_key(hex: &str) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    let (pairs, []) = hex.as_bytes().as_chunks::<2>() else {
        return None;
    };
    if pairs.len() != key.len() {
        return None;
    }
    for (byte, [high, low]) in key.iter_mut().zip(pairs) {
        let digit = |c: u8| char::from(c).to_digit(16);
        *byte = u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?;
    }
    Some(key)
}

/// The whole of a transform function: reads the settings, then answers invocations until Lambda ends the process.
#[must_use]
pub fn main(source: Source) -> ExitCode {
    match run(source) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let line = serde_json::json!({ "level": "ERROR", "source": source.name(), "message": error.to_string() });
            eprintln!("{line}");
            ExitCode::FAILURE
        }
    }
}

fn run(source: Source) -> Result<(), Error> {
    let variable = |name: &str| std::env::var(name).ok();
    let options = options(variable)?;
    let puts_back = puts_back(variable)?;
    let normalizer = Normalizer::new(source, options).map_err(|refusal| SettingError {
        variable: match refusal.field.as_str() {
            "drop" => "PORTCULLIS_DROP",
            "redact" => "PORTCULLIS_REDACT",
            _ => "PORTCULLIS_FLOW_FORMAT",
        },
        problem: format!("is refused: {}", refusal.message),
    })?;
    let address = variable("AWS_LAMBDA_RUNTIME_API")
        .ok_or("this program runs inside AWS Lambda; on the command line use `portcullis normalize --firehose`")?;
    let mut function = Function {
        source,
        normalizer,
        way_back: WayBack::new(puts_back)?,
        room: Vec::new(),
    };
    answer_all(&mut function, address)
}

/// What is kept from one invocation to the next.
struct Function {
    source: Source,
    normalizer: Normalizer,
    way_back: WayBack,
    /// The last response's memory: asking for 6 MB each time would cost the time to be given pages for them.
    room: Vec<u8>,
}

impl Function {
    fn answer(&mut self, event: &[u8], invocation: &Invocation) -> Result<Vec<u8>, Error> {
        let prepared = firehose::prepare_in(&mut self.normalizer, event, std::mem::take(&mut self.room))?;
        let returned = self.way_back.put(&prepared, invocation.deadline);
        let (response, report) = prepared.finish(&returned);
        for line in report.log_lines(&[("source", self.source.name()), ("request_id", &invocation.request_id)]) {
            eprintln!("{line}");
        }
        Ok(response)
    }

    /// Keeps the memory of a response that was posted.
    fn reuse(&mut self, mut response: Vec<u8>) {
        response.clear();
        self.room = response;
    }
}

/// The way back to the stream, if there is one.
enum WayBack {
    /// Why there is none.
    None(&'static str),
    #[cfg(feature = "put-back")]
    Streams(Box<streams::Streams>, tokio::runtime::Runtime),
}

impl WayBack {
    fn new(puts_back: bool) -> Result<Self, Error> {
        #[cfg(feature = "put-back")]
        if puts_back {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            return Ok(WayBack::Streams(Box::default(), runtime));
        }
        let _ = puts_back;
        Ok(WayBack::None(if cfg!(feature = "put-back") {
            "nothing goes back to the stream because PORTCULLIS_PUT_BACK is false"
        } else {
            "a function that is built with the feature `put-back` would put them back on the stream one by one"
        }))
    }

    /// Puts back what an event leaves over, before `deadline` (milliseconds since 1970).
    fn put(&mut self, prepared: &Prepared<'_>, deadline: u64) -> Returned {
        match self {
            WayBack::None(why) => {
                let _ = (prepared, deadline);
                Returned::nothing(*why)
            }
            #[cfg(feature = "put-back")]
            WayBack::Streams(streams, runtime) => runtime.block_on(streams.put_all(prepared, deadline)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Result<Options, SettingError> {
        options(|name| {
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn settings_come_from_the_environment() {
        let options = with(&[
            ("PORTCULLIS_SCHEMA", "native"),
            ("PORTCULLIS_FLOW_FORMAT", "${srcaddr} ${end}"),
            ("PORTCULLIS_KEEP_ORIGINAL", "true"),
            ("PORTCULLIS_REDACT", "none,x-session"),
            ("PORTCULLIS_DROP", "event.action == accept\nsource.port == 1"),
            ("PORTCULLIS_ID_KEY", &"0f".repeat(32)),
            ("PORTCULLIS_TRUSTED_PROXIES", "10.0.0.0/8"),
            ("PORTCULLIS_COMMUNITY_ID", "1"),
            ("PORTCULLIS_UNPACKED_LIMIT", "64000000"),
            ("PORTCULLIS_RATIO_LIMIT", "1000"),
            ("PORTCULLIS_ENTRIES_LIMIT", "5"),
        ])
        .expect("all accepted");
        assert_eq!(options.schema, Schema::Native);
        assert_eq!(options.flow_format.as_deref(), Some("${srcaddr} ${end}"));
        assert!(options.keep_original && options.community_id && options.trusted_proxies.is_some());
        assert_eq!(options.id_key, [15; 32]);
        let Limits {
            unpacked,
            ratio,
            entries,
        } = options.limits;
        assert_eq!((unpacked, ratio, entries), (64_000_000, 1000, 5));
        assert!(with(&[("PORTCULLIS_SCHEMA", "")]).is_ok());
    }

    #[test]
    fn putting_back_is_on_where_it_was_built_in() {
        let with = |value: Option<&str>| puts_back(|_| value.map(str::to_owned));
        let built = cfg!(feature = "put-back");
        assert_eq!(with(None), Ok(built));
        assert_eq!(with(Some("")), Ok(built));
        assert_eq!(with(Some("false")), Ok(false));
        assert_eq!(with(Some("true")).is_ok(), built);
        assert!(with(Some("yes")).is_err());
    }

    #[test]
    fn a_setting_that_is_wrong_is_named() {
        for (variable, value) in [
            ("PORTCULLIS_SCHEMA", "ECS"),
            ("PORTCULLIS_KEEP_ORIGINAL", "yes"),
            ("PORTCULLIS_REDACT", "cookie: a=b"),
            ("PORTCULLIS_INDICATORS", "/no/such/list.txt"),
            ("PORTCULLIS_COMMUNITY_ID", "on"),
            ("PORTCULLIS_TRUSTED_PROXIES", "0.0.0.0/0"),
            ("PORTCULLIS_UNPACKED_LIMIT", "64M"),
            ("PORTCULLIS_RATIO_LIMIT", "0"),
            ("PORTCULLIS_ENTRIES_LIMIT", "-1"),
            ("PORTCULLIS_ID_KEY", "00"),
            ("PORTCULLIS_ID_KEY", &"zz".repeat(32)),
            ("PORTCULLIS_ID_KEY", &"é".repeat(32)),
        ] {
            assert_eq!(with(&[(variable, value)]).expect_err(value).variable, variable);
        }
    }
}
