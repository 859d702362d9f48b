//! What the audit and the ledger's rows say beside the transition: the part that the ledger carries and does not look into.
//!
//! The events are [`crate::ledger::Event`]; their words are stable.

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::decision::{Decision, FindingSummary, RemoteOrigin, Verdict};
use super::notify::{Alert, AlertKind, Place};
use super::reason::Reason;
use super::report::Mode;
use crate::ledger::{AlertRow, AuditRow, Event, Row};

/// Who acts when no person does.
pub const RESPONDER: &str = "responder";

/// Ids of findings that an entry remembers.
pub const MAX_FINDINGS: usize = 20;

/// What an entry remembers of the finding that named it last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// `None` for a manual block.
    pub finding: Option<FindingSummary>,
    /// Where the address is.
    #[serde(default)]
    pub origin: RemoteOrigin,
    /// A person's words, for a manual block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What an audit row remembers for its response document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Detail {
    /// Block, alert or ignore; only for a decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<Verdict>,
    /// Shadow or enforce; only for a decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// GuardDuty's id, without account and region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding_id: Option<String>,
    /// Full type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding_type: Option<String>,
    /// 1.0 to 10.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<f64>,
    /// Account that the finding is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Region that the finding is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Country of the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Organisation of the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// The finding's version to the confirmation, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_to_block: Option<f64>,
    /// The address whose entry had to go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evicted: Option<IpNet>,
}

impl About {
    /// What a decision says.
    #[must_use]
    pub fn of(decision: &Decision) -> Self {
        Self {
            finding: Some(decision.finding.clone()),
            origin: decision.origin.clone(),
            note: None,
        }
    }

    /// What an entry remembers.
    #[must_use]
    pub fn of_row(row: &Row) -> Self {
        read(&row.about)
    }

    /// The finding's id, as the ledger knows it.
    #[must_use]
    pub fn finding_id(&self) -> Option<&str> {
        self.finding.as_ref().map(|finding| finding.id.as_str())
    }

    /// For an audit row.
    #[must_use]
    pub fn detail(&self) -> Detail {
        let finding = self.finding.as_ref();
        Detail {
            finding_id: finding.map(|finding| finding.id.clone()),
            finding_type: finding.map(|finding| finding.finding_type.clone()),
            severity: finding.map(|finding| finding.severity),
            account: finding.map(|finding| finding.account.clone()),
            region: finding.map(|finding| finding.region.clone()),
            country: self.origin.country.clone(),
            organisation: self.origin.organisation.clone(),
            ..Detail::default()
        }
    }
}

/// A value as the ledger carries it.
#[must_use]
pub fn carried(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// A value that the ledger carried; the default for one that an older version wrote in another form.
#[must_use]
pub fn read<T: DeserializeOwned + Default>(value: &Value) -> T {
    T::deserialize(value).unwrap_or_default()
}

/// An audit row about a decision, with its reason.
#[must_use]
pub fn decided(decision: &Decision, mode: Mode, at: DateTime<Utc>) -> AuditRow {
    let mut detail = About::of(decision).detail();
    detail.decision = Some(decision.verdict);
    detail.mode = Some(mode);
    AuditRow {
        cidr: decision.address.map(IpNet::from),
        finding: Some(decision.finding.id.clone()).filter(|id| !id.is_empty()),
        about: carried(&detail),
        ..AuditRow::new(Event::Decided, RESPONDER, decision.reason.word(), at)
    }
}

/// The alert about an entry.
#[must_use]
pub fn alert_of(row: &Row, kind: AlertKind, reason: Reason, at: DateTime<Utc>) -> Alert {
    let about = About::of_row(row);
    Alert {
        address: Some(row.cidr),
        origin: about.origin,
        finding: about.finding,
        place: Some(Place {
            acl: row.acl.clone(),
            direction: row.direction,
            rule: row.rule,
        }),
        who: Some(row.who.clone()).filter(|who| who != RESPONDER),
        note: about.note,
        ..Alert::new(kind, reason, at)
    }
}

/// The outbox row of an alert.
#[must_use]
pub fn outboxed(alert: &Alert) -> AlertRow {
    AlertRow {
        number: 0,
        at: alert.at,
        address: alert.address,
        body: carried(alert),
    }
}
