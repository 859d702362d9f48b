//! What people do from the Address page: block, unblock, allow, and take an allowance back. Each is a form with a reason.
//!
//! A form carries a token that only these pages can have written, for this address and this visitor: a page elsewhere that
//! sends the same form is refused. The guards of the responder bind here as they do on the command line.

use std::net::IpAddr;

use axum::{
    Form,
    extract::{Extension, Path, State as Shared},
    http::{HeaderMap, StatusCode, Uri},
    response::{Html, IntoResponse, Redirect, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use tokio::{task::spawn_blocking, time::timeout};

use super::{
    PATIENCE, State,
    access::Visitor,
    error::PageError,
    layout,
    params::{Invalid, Query},
    told::meaning,
};
use crate::respond::{ActReport, Reason};

/// How long a form may lie open before it is sent.
const OPEN_FOR: TimeDelta = TimeDelta::hours(12);
const LONGEST_REASON: usize = 500;
const LONGEST_NAME: usize = 100;

/// What can be done about an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// Deny it on every network ACL that is known, inwards.
    Block,
    /// Take its entries away, and hold off new ones.
    Unblock,
    /// Never deny it.
    Allow,
    /// Take it off the allow-list.
    Disallow,
}

impl Verb {
    /// The word in forms and links.
    pub(super) fn word(self) -> &'static str {
        match self {
            Verb::Block => "block",
            Verb::Unblock => "unblock",
            Verb::Allow => "allow",
            Verb::Disallow => "disallow",
        }
    }
}

/// One act of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// What.
    pub verb: Verb,
    /// To which address.
    pub address: IpAddr,
    /// Until then; `None` for good, or until it is evicted.
    pub until: Option<DateTime<Utc>>,
    /// Who asks.
    pub who: String,
    /// Why, in that person's words.
    pub reason: String,
}

/// How long a block or an allowance may be asked for: what the form says, and hours.
pub(super) const ENDS: &[(&str, &str, Option<i64>)] = &[
    ("", "no end", None),
    ("1h", "1 hour", Some(1)),
    ("24h", "24 hours", Some(24)),
    ("7d", "7 days", Some(7 * 24)),
    ("30d", "30 days", Some(30 * 24)),
];

/// The form as a browser sends it.
#[derive(Debug, Deserialize)]
pub(super) struct Sent {
    verb: Verb,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    who: String,
    #[serde(default)]
    end: String,
    #[serde(default)]
    token: String,
}

/// The token of a form about an address.
pub(super) fn token(state: &State, visitor: &Visitor, address: IpAddr, now: DateTime<Utc>) -> String {
    sealed(&state.forms, visitor, address, now.timestamp() / OPEN_FOR.num_seconds())
}

fn sealed(key: &[u8; 32], visitor: &Visitor, address: IpAddr, period: i64) -> String {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(&period.to_be_bytes());
    hasher.update(address.to_string().as_bytes());
    hasher.update(b"\n");
    hasher.update(visitor.session.as_bytes());
    hasher.finalize().to_hex()[..32].to_owned()
}

fn is_ours(state: &State, visitor: &Visitor, address: IpAddr, token: &str, now: DateTime<Utc>) -> bool {
    let period = now.timestamp() / OPEN_FOR.num_seconds();
    [period, period - 1].into_iter().any(|period| {
        let expected = sealed(&state.forms, visitor, address, period);
        blake3::hash(expected.as_bytes()) == blake3::hash(token.as_bytes())
    })
}

/// Whether a browser says that the form was sent from a page elsewhere.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if text("sec-fetch-site").is_some_and(|site| site == "cross-site") {
        return true;
    }
    let host = text("host").unwrap_or_default();
    text("origin").is_some_and(|origin| origin.split_once("://").is_none_or(|(_, name)| name != host))
}

/// `POST /address/{ip}`: does it, and leads back to the page of the address.
pub(super) async fn act(
    Shared(state): Shared<State>,
    Extension(visitor): Extension<Visitor>,
    Path(address): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    Form(sent): Form<Sent>,
) -> Result<Response, PageError> {
    let address = super::address_of(&address)?;
    let query = Query::parse(uri.query().unwrap_or_default())?;
    if !state.acts {
        return Err(PageError::ReadOnly);
    }
    let now = (state.clock)();
    if is_from_elsewhere(&headers) || !is_ours(&state, &visitor, address, &sent.token, now) {
        return Err(PageError::Forged);
    }
    let act = read(&sent, address, &visitor, now)?;
    let verb = act.verb;
    let gate = state.gate.clone();
    let done = timeout(PATIENCE, spawn_blocking(move || gate.act(&act)));
    let reports = done
        .await
        .map_err(|_| PageError::Slow)?
        .map_err(|_| PageError::Unavailable("The responder failed.".to_owned()))??;
    if let Some(why) = refusal(verb, &reports) {
        let title = format!("{address} was not denied");
        let page = layout::plain(
            &title,
            &why,
            "Nothing was changed; the audit of this address has the refusal.",
        );
        return Ok((StatusCode::CONFLICT, Html(page.into_string())).into_response());
    }
    let done = Query {
        done: Some(verb.word()),
        ..query
    };
    Ok(Redirect::to(&done.href(uri.path())).into_response())
}

/// Why nothing came of a block.
fn refusal(verb: Verb, reports: &[ActReport]) -> Option<String> {
    if verb != Verb::Block {
        return None;
    }
    let stands = |report: &ActReport| report.outcome != "refused" || report.reason == Reason::AlreadyBlocked;
    if reports.iter().any(stands) {
        return None;
    }
    Some(match reports.first() {
        None => "No network ACL is known yet.".to_owned(),
        Some(report) => {
            let word = report.reason.word();
            format!("{word}: {}", meaning(word).unwrap_or_default())
        }
    })
}

fn read(sent: &Sent, address: IpAddr, visitor: &Visitor, now: DateTime<Utc>) -> Result<Act, Invalid> {
    let reason = words("reason", &sent.reason, LONGEST_REASON)?;
    let who = match &visitor.name {
        Some(name) => name.clone(),
        None => words("who", &sent.who, LONGEST_NAME)?,
    };
    let hours = ENDS
        .iter()
        .find(|(word, ..)| *word == sent.end)
        .map(|(.., hours)| *hours);
    let hours = hours.ok_or_else(|| Invalid::new("end", &sent.end, "choose one of the ends that the form offers"))?;
    Ok(Act {
        verb: sent.verb,
        address,
        until: hours.map(|hours| now + TimeDelta::hours(hours)),
        who,
        reason,
    })
}

fn words(name: &str, text: &str, most: usize) -> Result<String, Invalid> {
    let text = text.trim();
    match text.chars().count() {
        0 => Err(Invalid::new(name, "", "say it in a few words; it is kept in the audit")),
        n if n > most => Err(Invalid::new(name, text, format!("write at most {most} characters"))),
        _ => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_form_that_another_page_sends_is_known_by_its_origin() {
        let headers = |pairs: &[(&'static str, &'static str)]| -> HeaderMap {
            let pair = |(name, value): &(&'static str, &'static str)| {
                (name.parse().expect("a name"), HeaderValue::from_static(value))
            };
            pairs.iter().map(pair).collect()
        };
        let host = ("host", "localhost:8600");
        for (pairs, elsewhere) in [
            (vec![host], false),
            (vec![host, ("origin", "http://localhost:8600")], false),
            (vec![host, ("origin", "https://localhost:8600")], false),
            (vec![host, ("origin", "http://evil.example")], true),
            (vec![host, ("origin", "http://localhost:8600.evil.example")], true),
            (vec![host, ("origin", "null")], true),
            (vec![host, ("sec-fetch-site", "same-origin")], false),
            (vec![host, ("sec-fetch-site", "cross-site")], true),
        ] {
            assert_eq!(is_from_elsewhere(&headers(&pairs)), elsewhere, "{pairs:?}");
        }
    }

    #[test]
    fn a_form_needs_a_reason_and_a_name_and_takes_the_ends_that_it_offers() {
        let sent = |reason: &str, who: &str, end: &str| Sent {
            verb: Verb::Block,
            reason: reason.into(),
            who: who.into(),
            end: end.into(),
            token: String::new(),
        };
        let address: IpAddr = "192.0.2.7".parse().expect("an address");
        let now = DateTime::UNIX_EPOCH;
        let read = |sent: Sent, visitor: &Visitor| read(&sent, address, visitor, now);
        let nobody = Visitor::default();
        let act = read(sent(" scans us ", "ana", "24h"), &nobody).expect("complete");
        assert_eq!((act.reason.as_str(), act.who.as_str()), ("scans us", "ana"));
        assert_eq!(act.until, Some(now + TimeDelta::hours(24)));
        assert_eq!(read(sent("scans us", "ana", ""), &nobody).expect("no end").until, None);
        let vouched = Visitor {
            name: Some("ben".into()),
            session: "ben".into(),
        };
        assert_eq!(read(sent("x", "ana", ""), &vouched).expect("vouched").who, "ben");
        for (wrong, parameter) in [
            (sent("  ", "ana", ""), "reason"),
            (sent(&"x".repeat(501), "ana", ""), "reason"),
            (sent("x", "", ""), "who"),
            (sent("x", "ana", "never"), "end"),
        ] {
            assert_eq!(read(wrong, &nobody).expect_err(parameter).parameter, parameter);
        }
    }
}
