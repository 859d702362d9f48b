//! What a cluster says when it does not do what it is asked, and what to do about it.

use serde_json::Value;

#[cfg(feature = "sigv4")]
use crate::sigv4::Unsigned;

/// A request to a cluster came to nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What the configuration says cannot be used.
    #[error("opensearch.{key}: {message}")]
    Setting {
        /// The key below `[opensearch]`.
        key: &'static str,
        /// What is wrong, and what to write instead.
        message: String,
    },
    /// No answer.
    #[error("{endpoint} does not answer: {reason}; is the cluster up, and may this machine reach it?")]
    Away {
        /// Where.
        endpoint: String,
        /// Why.
        reason: String,
    },
    /// 401.
    #[error("{endpoint} does not know us (401); check opensearch.auth and the credentials that it names")]
    Unauthorized {
        /// Where.
        endpoint: String,
    },
    /// 403.
    #[error("may not {what} (403): {reason}; give this user or IAM role the permission, or run as one that has it")]
    Forbidden {
        /// What was asked.
        what: String,
        /// The cluster's reason.
        reason: String,
    },
    /// 413.
    #[error(
        "{what}: the request is too large for the cluster (413); raise http.max_content_length, or lower opensearch.bulk_bytes"
    )]
    TooLarge {
        /// What was asked.
        what: String,
    },
    /// 429, after every retry.
    #[error("{what}: the cluster is busy (429), and stayed so; give it more nodes, or write less at once")]
    Busy {
        /// What was asked.
        what: String,
    },
    /// Indices are read-only, most often because a disk is full.
    #[error(
        "{what}: the index is read-only, most often because a disk is full: {reason}; free some space, then put \
             index.blocks.read_only_allow_delete to null"
    )]
    ReadOnly {
        /// What was asked.
        what: String,
        /// The cluster's reason.
        reason: String,
    },
    /// The cluster has no such API: a plugin is missing, or it is Serverless.
    #[error("the cluster has no {path}; its plugin is missing")]
    NoSuchApi {
        /// What was asked for.
        path: String,
    },
    /// Anything else that the cluster refuses.
    #[error("{what}: {status}: {reason}")]
    Refused {
        /// What was asked.
        what: String,
        /// HTTP status.
        status: u16,
        /// The cluster's reason.
        reason: String,
    },
    /// The answer is not what the API answers.
    #[error(
        "{what}: the answer is not OpenSearch's; is opensearch.endpoint the cluster's own address, without a path?"
    )]
    Unreadable {
        /// What was asked.
        what: String,
    },
}

/// Longest reason that is repeated to people.
const REASON: usize = 400;

#[cfg(feature = "sigv4")]
impl From<Unsigned> for Error {
    fn from(error: Unsigned) -> Self {
        Self::Setting {
            key: "auth",
            message: error.to_string(),
        }
    }
}

impl Error {
    /// The error that an answer of this status and body is.
    #[must_use]
    pub fn of(endpoint: &str, what: String, path: &str, status: u16, body: &Value) -> Self {
        let reason = reason(body);
        if reason.contains("no handler found for uri") {
            return Error::NoSuchApi { path: path.to_owned() };
        }
        if reason.contains("read-only") || reason.contains("read_only") || reason.contains("FORBIDDEN/12") {
            return Error::ReadOnly { what, reason };
        }
        match status {
            401 => Error::Unauthorized {
                endpoint: endpoint.to_owned(),
            },
            403 => Error::Forbidden { what, reason },
            413 => Error::TooLarge { what },
            429 => Error::Busy { what },
            _ => Error::Refused { what, status, reason },
        }
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Error::Away { .. } | Error::Busy { .. } => true,
            Error::Refused { status, .. } => matches!(status, 502..=504),
            _ => false,
        }
    }
}

/// The reason in an error's body, whichever of its shapes it has, and bounded.
#[must_use]
pub fn reason(body: &Value) -> String {
    let error = &body["error"];
    let text = [
        &error["root_cause"][0]["reason"],
        &error["reason"],
        // Where the nodes were fine and putting their answers together was not, only the cause says anything.
        &error["caused_by"]["reason"],
        error,
        &body["message"],
        &body["reason"],
    ]
    .into_iter()
    .filter_map(Value::as_str)
    .find(|text| !text.is_empty())
    .map_or_else(|| body.to_string(), str::to_owned);
    text.chars().take(REASON).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_failure_names_its_remedy() {
        let text = |reason: &str| json!({ "error": { "root_cause": [{ "reason": reason }], "reason": "outer" } });
        let blocked = "index [siem-waf] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has \
                       read-only-allow-delete block];";
        for (status, body, remedy) in [
            (401, json!("Unauthorized"), "opensearch.auth"),
            (
                403,
                text("no permissions for [indices:data/write/bulk]"),
                "give this user or IAM role the permission",
            ),
            (413, json!(null), "opensearch.bulk_bytes"),
            (429, text("rejected execution"), "write less at once"),
            (429, text(blocked), "free some space"),
            (
                400,
                json!({ "error": "no handler found for uri [/_plugins/_ism] and method [GET]" }),
                "plugin is missing",
            ),
            (500, text("boom"), "boom"),
            (
                503,
                json!({ "error": { "root_cause": [], "reason": "", "caused_by": {
                    "reason": "Trying to create too many buckets. Must be less than or equal to: [65535] but was [65536]." } } }),
                "too many buckets",
            ),
        ] {
            let said = Error::of("https://c", "write".to_owned(), "/x", status, &body).to_string();
            assert!(said.contains(remedy), "{said}");
        }
    }

    #[test]
    fn a_reason_is_bounded() {
        assert_eq!(reason(&json!({ "error": "x".repeat(10_000) })).len(), REASON);
    }
}
