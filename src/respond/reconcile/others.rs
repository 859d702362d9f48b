//! What follows from others' hands: entries that they removed, changed, or took away with the whole network ACL.

use chrono::{DateTime, TimeDelta, Utc};

use super::{DriftReport, OTHERS, report};
use crate::ledger::{self, AuditRow, Draft, Event, HoldOff, Row, State};
use crate::network_acl::{AclKey, Code};
use crate::respond::audit::{About, RESPONDER, alert_of, outboxed};
use crate::respond::confirm::{self, CHANGED};
use crate::respond::notify::{Alert, AlertKind, Place};
use crate::respond::policy::Policy;
use crate::respond::reason::Reason;

/// Removals by others within an hour after which nothing new is made on a network ACL.
const MOST_REMOVALS: usize = 2;

/// Somebody else's removal is a person's word: it holds as an unblock does, unless the policy says to put entries back. Then
/// the entry that was comes back, to be planned anew.
pub(super) fn removed_by_others(
    draft: &mut Draft,
    policy: &Policy,
    former: Row,
    now: DateTime<Utc>,
) -> Result<Option<Row>, ledger::Error> {
    let acl = former.acl.clone();
    lose(
        draft,
        former.clone(),
        State::Removed,
        CHANGED,
        confirm::in_words(CHANGED),
        now,
    )?;
    let since = now - TimeDelta::hours(1);
    let mut many = false;
    draft.edit_meta(&acl, |meta| {
        meta.removals.retain(|at| *at > since);
        meta.removals.push(now);
        many = meta.removals.len() >= MOST_REMOVALS && meta.stopped.is_none();
        if many {
            meta.stopped = Some(now);
        }
    })?;
    if many {
        draft.alert(outboxed(&stopped(&former, now)));
    }
    let stands_still = draft.meta(&acl).is_some_and(|meta| meta.stopped.is_some());
    if policy.put_back && !stands_still {
        return Ok(Some(former));
    }
    draft.hold_off(
        HoldOff {
            cidr: former.cidr,
            acl: Some(acl),
            until: now
                .checked_add_signed(TimeDelta::hours(policy.limits.hold_off_hours.into()))
                .unwrap_or(DateTime::<Utc>::MAX_UTC),
            who: OTHERS.to_owned(),
            reason: CHANGED.to_owned(),
        },
        now,
    );
    draft.audit(AuditRow {
        acl: Some(former.acl.clone()),
        direction: Some(former.direction),
        rule: former.rule,
        cidr: Some(former.cidr),
        ..AuditRow::new(Event::HeldOff, OTHERS, CHANGED, now)
    });
    Ok(None)
}

/// Somebody else's content stands at our number: theirs, and ours takes another number.
pub(super) fn elsewhere(draft: &mut Draft, former: Row, now: DateTime<Utc>) -> Result<Row, ledger::Error> {
    lose(
        draft,
        former.clone(),
        State::Foreign,
        CHANGED,
        confirm::in_words(CHANGED),
        now,
    )?;
    Ok(former)
}

/// A network ACL that is gone took its entries with it.
pub(super) fn gone_with_its_acl(
    draft: &mut Draft,
    acl: &AclKey,
    lag: TimeDelta,
    found: &mut Vec<DriftReport>,
    now: DateTime<Utc>,
) -> Result<(), ledger::Error> {
    let word = Code::AclNotFound.name();
    let rows: Vec<Row> = draft.rows(acl).to_vec();
    for mut row in rows.into_iter().filter(|row| row.state == State::Applied) {
        let Some(rule) = row.rule else { continue };
        if row.doubt.is_none_or(|since| now - since < lag) {
            found.push(report(&row, rule, "doubt"));
            row.doubt = row.doubt.or(Some(now));
            draft.edit(row)?;
            continue;
        }
        found.push(report(&row, rule, "removed_by_others"));
        lose(draft, row, State::Removed, word, "the network ACL is gone", now)?;
    }
    Ok(())
}

/// Tells people that an entry is lost to others, and takes it off its number: into `Removed` by their hand, or into `Foreign`
/// because theirs stands there.
fn lose(
    draft: &mut Draft,
    mut row: Row,
    into: State,
    word: &str,
    note: &str,
    now: DateTime<Utc>,
) -> Result<(), ledger::Error> {
    let (kind, event, who) = match into {
        State::Foreign => (AlertKind::Attention, Event::Foreign, RESPONDER),
        _ => (AlertKind::Removed, Event::Removed, OTHERS),
    };
    let about = About::of_row(&row);
    let told = alert_of(&row, kind, Reason::ChangedByOthers, now);
    draft.alert(outboxed(&Alert {
        note: Some(note.to_owned()),
        ..told
    }));
    row.state = into;
    confirm::leave(&mut row, word, now);
    draft.transition(row, event, confirm::note(&about, word, who, now))
}

fn stopped(row: &Row, now: DateTime<Utc>) -> Alert {
    Alert {
        place: Some(Place {
            acl: row.acl.clone(),
            direction: row.direction,
            rule: None,
        }),
        note: Some(format!(
            "{MOST_REMOVALS} entries of {} were removed by somebody else within an hour: nothing new is made there until \
             `portcullis resume --nacl {}`",
            row.acl.acl, row.acl.acl
        )),
        ..Alert::new(AlertKind::Attention, Reason::ManagedElsewhere, now)
    }
}
