//! What a subscription delivers, and where in CloudWatch Logs each piece of it stands.

use std::borrow::Cow;

use flate2::bufread::GzDecoder;
use portcullis_transforms::forms::Entry;
use serde::Deserialize;

/// An event that the function cannot have been meant for.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unknown {
    #[error("the event is of no subscription: {0}; subscribe a log group of CloudWatch Logs to this function")]
    Shape(#[from] serde_json::Error),
    #[error("awslogs.data of the event is no base64; subscribe a log group of CloudWatch Logs to this function")]
    Data,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    awslogs: Payload<'a>,
}

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    data: Cow<'a, str>,
}

/// The record that an event delivers, as it was packed.
pub(super) fn record(event: &[u8]) -> Result<Vec<u8>, Unknown> {
    let event: Event<'_> = serde_json::from_slice(event)?;
    base64_turbo::STANDARD
        .decode(event.awslogs.data.as_bytes())
        .map_err(|_| Unknown::Data)
}

/// Where a log event stands. Empty where the subscription does not say.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Place {
    pub(super) log_group: String,
    pub(super) log_stream: String,
    log_events: Vec<LogEvent>,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct LogEvent {
    id: String,
    timestamp: i64,
}

impl Place {
    /// Of an entry; costs about as much as normalising it.
    pub(super) fn of(entry: &Entry<'_>) -> Self {
        serde_json::from_reader(GzDecoder::new(&entry.alone()[..])).unwrap_or_default()
    }

    /// The log event's own id.
    pub(super) fn id(&self) -> &str {
        self.log_events.first().map_or("", |event| &event.id)
    }

    /// When it was logged, in milliseconds since 1970.
    pub(super) fn timestamp(&self) -> i64 {
        self.log_events.first().map_or(0, |event| event.timestamp)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};
    use portcullis_transforms::forms::{self, Form, Limits};
    use serde_json::json;

    use super::*;

    #[test]
    fn each_entry_says_where_it_stands() {
        let event =
            |id: &str, at: i64| json!({ "id": id, "timestamp": at, "message": format!("{{\"eventID\":\"{id}\"}}") });
        let subscription = json!({ "messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "trail",
            "logStream": "s", "subscriptionFilters": ["f"], "logEvents": [event("1", 10), event("2", 20)] });
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        write!(gzip, "{subscription}").expect("memory");
        let packed = gzip.finish().expect("memory");
        let delivered = json!({ "awslogs": { "data": base64_turbo::STANDARD.encode(&packed) } });
        let record = record(delivered.to_string().as_bytes()).expect("a record");
        assert_eq!(record, packed);
        let Ok(Form::Entries(entries)) = forms::open(None, &record, &Limits::default()) else {
            panic!("entries")
        };
        let places: Vec<Place> = entries.iter().map(|entry| Place::of(&entry)).collect();
        let told: Vec<_> = places
            .iter()
            .map(|place| {
                (
                    place.log_group.as_str(),
                    place.log_stream.as_str(),
                    place.id(),
                    place.timestamp(),
                )
            })
            .collect();
        assert_eq!(told, [("trail", "s", "1", 10), ("trail", "s", "2", 20)]);
    }

    #[test]
    fn what_no_subscription_delivers_is_not_taken_for_an_empty_one() {
        for (event, said) in [
            (r#"{"Records":[]}"#, "of no subscription"),
            ("7", "of no subscription"),
            (r#"{"awslogs":{"data":7}}"#, "of no subscription"),
            (r#"{"awslogs":{"data":"~"}}"#, "no base64"),
        ] {
            let error = record(event.as_bytes()).expect_err(event).to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
