//! A stream: its name and where reading begins, as people say it, and reading it beside other inputs.

use std::sync::Arc;

use tokio::task::JoinHandle;

use super::{Failure, operator::Configured, stop::Stop};
use crate::{consume::Documents, serve};

/// Where a shard begins that was never read.
#[cfg(feature = "aws")]
pub(crate) type Beginning = crate::consume::kinesis::From;
/// Where a shard begins that was never read.
#[cfg(not(feature = "aws"))]
pub(crate) type Beginning = String;

/// A stream's name or ARN, as clap reads it.
pub(crate) fn name(text: &str) -> Result<String, String> {
    const LONGEST: usize = 128;
    let name = match text.strip_prefix("arn:") {
        Some(arn) => arn.split_once(":stream/").map_or("", |(_, name)| name),
        None => text,
    };
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if name.is_empty() || name.len() > LONGEST || !name.bytes().all(known) {
        return Err(
            "write a name such as findings (a-z, A-Z, 0-9, `_`, `.`, `-`), or arn:aws:kinesis:...:stream/findings"
                .to_owned(),
        );
    }
    Ok(text.to_owned())
}

/// Reads a stream until asked to stop: documents, then decisions, counted on the pages' `/metrics`. That it cannot be read is told
/// at once, and `false` in the end.
#[cfg(feature = "aws")]
pub(crate) async fn spawn(
    stream: &str,
    from: Beginning,
    documents: Documents,
    responder: &Arc<Configured>,
    pages: &mut serve::State,
    stop: &Stop,
) -> Result<JoinHandle<bool>, Failure> {
    use crate::consume::kinesis::{Client, Consumer};

    let config = crate::aws::configuration().await.map_err(Failure::usage)?;
    let consumer = Consumer::new(Client::new(&config, stream), Arc::clone(responder), from).documenting(documents);
    pages.stream = Some(serve::Stream::new(stream, consumer.meter()));
    let stop = stop.watch();
    Ok(tokio::spawn(async move {
        match consumer.run(stop).await {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(%error, "the stream is not read");
                false
            }
        }
    }))
}

/// Says how to get a program that can.
#[cfg(not(feature = "aws"))]
pub(crate) async fn spawn(
    stream: &str,
    _: Beginning,
    _: Documents,
    _: &Arc<Configured>,
    _: &mut serve::State,
    _: &Stop,
) -> Result<JoinHandle<bool>, Failure> {
    Err(Failure::without_aws(format_args!("read stream {stream}")))
}

/// `LATEST`, `TRIM_HORIZON` or a time that has been, as clap reads it.
#[cfg(feature = "aws")]
pub(crate) fn from(text: &str) -> Result<Beginning, String> {
    let from: Beginning = text.parse()?;
    match from {
        Beginning::At(at) if at > super::clock::now() => {
            Err("that time lies ahead; LATEST reads what is to come".to_owned())
        }
        from => Ok(from),
    }
}

/// Any text: a program that reads no stream says so before it looks at it.
#[cfg(not(feature = "aws"))]
pub(crate) fn from(text: &str) -> Result<Beginning, String> {
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_a_name_or_an_arn() {
        for text in [
            "findings",
            "a.b_c-9",
            "arn:aws-cn:kinesis:cn-north-1:111122223333:stream/findings",
        ] {
            assert_eq!(name(text).as_deref(), Ok(text));
        }
        for text in [
            "",
            "a b",
            "arn:aws:kinesis:eu-west-1:111122223333:findings",
            &"a".repeat(129),
        ] {
            assert!(name(text).is_err(), "{text}");
        }
    }

    #[cfg(feature = "aws")]
    #[test]
    fn reading_begins_at_a_known_word_or_a_time_that_has_been() {
        for text in ["LATEST", "TRIM_HORIZON", "2026-11-20T18:00:00Z"] {
            assert_eq!(from(text).expect(text).to_string(), text);
        }
        for text in [
            "latest",
            "",
            "2999-01-01T00:00:00Z",
            "2026-11-20T18:00:00",
            "AT_TIMESTAMP",
        ] {
            assert!(from(text).is_err(), "{text}");
        }
    }
}
