//! A flood of new addresses: people are told once, and what finds no place meanwhile is only recorded.

use chrono::{DateTime, TimeDelta, Utc};

use super::audit::{RESPONDER, outboxed};
use super::notify::{Alert, AlertKind, Place};
use super::plan::Wanted;
use super::policy::{Limits, Policy};
use super::reason::Reason;
use crate::ledger::{AuditRow, Draft, Error, Event};
use crate::network_acl::AclKey;

/// Counts one address that a finding wants denied, and tells people when they have become too many.
///
/// # Errors
/// [`Error::Illegal`] when the network ACL was not read.
pub(super) fn count(draft: &mut Draft, policy: &Policy, wanted: &Wanted<'_>) -> Result<(), Error> {
    let limits = &policy.limits;
    if wanted.slots_left.is_none() || rages(draft, wanted.acl, limits, wanted.now) {
        return Ok(());
    }
    let since = wanted.now - span(limits);
    let mut many = false;
    draft.edit_meta(wanted.acl, |meta| {
        meta.wanted.retain(|at| *at > since);
        meta.wanted.push(wanted.now);
        many = meta.wanted.len() > limits.flood_addresses;
        if many {
            meta.wanted.clear();
            meta.alarmed = Some(wanted.now);
        }
    })?;
    if many {
        tell(draft, limits, wanted);
    }
    Ok(())
}

/// Whether people were told of a flood on this network ACL, and it may still last.
#[must_use]
pub(super) fn rages(draft: &Draft, acl: &AclKey, limits: &Limits, now: DateTime<Utc>) -> bool {
    let told = draft.meta(acl).and_then(|meta| meta.alarmed);
    told.is_some_and(|at| now - at < span(limits))
}

fn span(limits: &Limits) -> TimeDelta {
    TimeDelta::minutes(limits.flood_minutes.into())
}

fn tell(draft: &mut Draft, limits: &Limits, wanted: &Wanted<'_>) {
    let note = format!(
        "findings named more than {} new addresses for {} within {} minutes; until it is over, those that find no place are \
         recorded and not told one by one",
        limits.flood_addresses, wanted.acl.acl, limits.flood_minutes
    );
    draft.alert(outboxed(&Alert {
        place: Some(Place {
            acl: wanted.acl.clone(),
            direction: wanted.direction,
            rule: None,
        }),
        note: Some(note),
        ..Alert::new(AlertKind::Attention, Reason::Flood, wanted.now)
    }));
    draft.audit(AuditRow {
        acl: Some(wanted.acl.clone()),
        ..AuditRow::new(Event::Flooded, RESPONDER, Reason::Flood.word(), wanted.now)
    });
}
