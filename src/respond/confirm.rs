//! What the ledger writes once it is known how a call ended. Works on a [`Draft`] and touches nothing else.
//!
//! The alert goes into the same transaction as the transition that it tells of.

use chrono::{DateTime, Utc};
use ipnet::IpNet;

use super::audit::{About, Detail, RESPONDER, alert_of, carried, outboxed};
use super::notify::AlertKind;
use super::plan::{self, EVICTED, Newcomer, Spot};
use super::policy::Policy;
use super::reason::Reason;
use crate::ledger::draft::Note;
use crate::ledger::{AuditRow, Draft, Error, Event, Removal, Row, State};
use crate::network_acl::{AclKey, Entry};

/// Why an entry went: the policy allows fewer entries than there are.
pub const LIMIT: &str = "limit";

/// Why an entry went: its time was up.
pub const EXPIRED: &str = "expired";

/// Why an entry is no longer ours: somebody changed or removed it.
pub const CHANGED: &str = "changed_by_others";

/// What people read instead of the words above.
const WORDS: &[(&str, &str)] = &[
    (LIMIT, "the policy allows fewer entries than there were"),
    (EXPIRED, "its time was up"),
    (CHANGED, "somebody else changed or removed this entry"),
];

pub(super) fn in_words(reason: &str) -> &str {
    WORDS
        .iter()
        .find(|(word, _)| *word == reason)
        .map_or(reason, |(_, words)| words)
}

pub(super) fn note<'a>(about: &'a About, reason: &'a str, who: &'a str, at: DateTime<Utc>) -> Note<'a> {
    Note {
        at,
        reason,
        finding: about.finding_id(),
        who,
        about: carried(&about.detail()),
    }
}

/// The planned entry stands; the one that it replaced is gone. Tells people.
///
/// # Errors
/// [`Error::Illegal`] when the draft does not hold what it should.
pub fn applied(draft: &mut Draft, mut row: Row, now: DateTime<Utc>) -> Result<(), Error> {
    let about = About::of_row(&row);
    let evicted = row.replaces.take();
    if let Some(mut victim) = evicted
        .and_then(|cidr| draft.row(&row.acl, row.direction, cidr))
        .cloned()
    {
        victim.state = State::Removed;
        leave(&mut victim, EVICTED, now);
        let about = About::of_row(&victim);
        draft.transition(victim, Event::Evicted, note(&about, EVICTED, RESPONDER, now))?;
    }
    row.state = State::Applied;
    row.since = now;
    let manual = about.finding.is_none();
    let seconds = about
        .finding
        .as_ref()
        .map(|finding| (now - finding.updated_at).as_seconds_f64().max(0.0));
    let reason = if manual { Reason::Manual } else { Reason::Matched };
    let mut told = alert_of(&row, AlertKind::Blocked, reason, now);
    told.evicted = evicted;
    row.allowed_at = allowed_before(draft, &row);
    if let Some(rule) = row.allowed_at {
        let warning = useless(rule);
        told.note = Some(told.note.map_or(warning.clone(), |words| format!("{words}; {warning}")));
    }
    if !planted!(NoAlert) {
        draft.alert(outboxed(&told));
    }
    let note = Note {
        at: now,
        reason: about.note.as_deref().unwrap_or(reason.word()),
        finding: about.finding_id(),
        who: &row.who.clone(),
        about: carried(&Detail {
            seconds_to_block: seconds,
            evicted,
            ..about.detail()
        }),
    };
    draft.transition(row.clone(), Event::Applied, note)?;
    if let Some(removal) = row.removal.take() {
        expire(draft, row, &removal, now)?;
    }
    Ok(())
}

/// What people read of a deny that stands behind an allow.
pub(super) fn useless(rule: u16) -> String {
    format!("rule {rule} allows this traffic first, so the entry does nothing or not all of it")
}

/// The lowest number below an entry's own at which somebody else allows traffic that it denies: the lowest match wins.
pub(super) fn allowed_before(draft: &Draft, row: &Row) -> Option<u16> {
    if planted!(AllowedUntold) {
        return None;
    }
    let facts = draft.meta(&row.acl)?.facts.as_ref()?;
    let allows = facts.foreign.iter().filter(|entry| {
        let overlaps = entry.cidr.contains(&row.cidr) || row.cidr.contains(&entry.cidr);
        entry.allow && entry.direction == row.direction && overlaps && Some(entry.rule) < row.rule
    });
    allows.map(|entry| entry.rule).min()
}

/// The entry is gone from the network ACL, or never was there.
///
/// # Errors
/// [`Error::Illegal`] when the draft does not hold what it should.
pub fn gone(draft: &mut Draft, mut row: Row, now: DateTime<Utc>) -> Result<(), Error> {
    let removal = row.removal.clone().unwrap_or(Removal {
        event: Event::Removed,
        who: RESPONDER.to_owned(),
        reason: CHANGED.to_owned(),
    });
    let about = About::of_row(&row);
    let kind = match removal.event {
        Event::Unblocked => AlertKind::Unblocked,
        _ => AlertKind::Removed,
    };
    let guard = Reason::ALL.iter().find(|(_, word, _)| *word == removal.reason);
    let reason = guard.map_or(Reason::Manual, |(reason, ..)| *reason);
    let mut told = alert_of(&row, kind, reason, now);
    told.who = Some(removal.who.clone()).filter(|who| who != RESPONDER);
    told.note = Some(in_words(&removal.reason).to_owned());
    // An entry that never stood was never told of either.
    if row.state == State::Expiring {
        draft.alert(outboxed(&told));
    }
    row.state = State::Removed;
    leave(&mut row, removal.event.word(), now);
    draft.transition(row, removal.event, note(&about, &removal.reason, &removal.who, now))
}

/// A planned entry that was never made is not wanted any more; what it was to replace stays, if it still stands.
///
/// # Errors
/// [`Error::Illegal`] when the draft does not hold what it should.
pub fn cancelled(draft: &mut Draft, row: Row, standing: Option<&Entry>, now: DateTime<Utc>) -> Result<(), Error> {
    keep_victim(draft, &row, standing, now)?;
    gone(draft, row, now)
}

/// EC2 refused the entry for good.
///
/// # Errors
/// [`Error::Illegal`] when the draft does not hold what it should.
pub fn rejected(
    draft: &mut Draft,
    mut row: Row,
    standing: Option<&Entry>,
    word: &str,
    why: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    keep_victim(draft, &row, standing, now)?;
    let about = About::of_row(&row);
    let mut told = alert_of(&row, AlertKind::NotBlocked, Reason::AclFull, now);
    told.note = Some(why.to_owned());
    draft.alert(outboxed(&told));
    row.state = State::Rejected;
    leave(&mut row, word, now);
    draft.transition(row, Event::Rejected, note(&about, word, RESPONDER, now))
}

/// The number of an entry cannot be had, because somebody else's content stands there or the quota leaves no room: ours
/// goes elsewhere, and the one that stood there is theirs now.
///
/// # Errors
/// [`Error::Illegal`] when the draft does not hold what it should.
pub fn foreign(
    draft: &mut Draft,
    row: Row,
    standing: Option<&Entry>,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    if row.state == State::Expiring {
        return gone(draft, row, now);
    }
    keep_victim(draft, &row, standing, now)?;
    let mut row = row;
    row.leave_number(now);
    place(draft, row, policy, now)
}

/// Gives a planned entry that has no number one, if there is one.
///
/// # Errors
/// [`Error::Illegal`] when the draft does not hold what it should.
pub fn place(draft: &mut Draft, mut row: Row, policy: &Policy, now: DateTime<Utc>) -> Result<(), Error> {
    // Its old number, if it had one, is not its own any more.
    draft.edit(row.clone())?;
    match plan::spot(draft, &row.acl, &Newcomer::of(&row), policy) {
        Spot::Wait => Ok(()),
        Spot::Full | Spot::Outranked => rejected(
            draft,
            row,
            None,
            Reason::AclFull.word(),
            "no rule number is free and none may be evicted",
            now,
        ),
        spot => {
            plan::take(draft, &mut row, spot, now)?;
            let about = About::of_row(&row);
            draft.audit(AuditRow {
                acl: Some(row.acl.clone()),
                direction: Some(row.direction),
                rule: row.rule,
                cidr: Some(row.cidr),
                finding: about.finding_id().map(str::to_owned),
                about: carried(&Detail {
                    evicted: row.replaces,
                    ..about.detail()
                }),
                ..AuditRow::new(Event::Placed, &row.who, Event::Placed.word(), now)
            });
            draft.edit(row)
        }
    }
}

/// Begins to take an entry away, or drops the plan of one that waits for a number.
///
/// # Errors
/// [`Error::Illegal`] when the draft does not hold what it should.
pub fn expire(draft: &mut Draft, mut row: Row, removal: &Removal, now: DateTime<Utc>) -> Result<(), Error> {
    let about = About::of_row(&row);
    row.removal = Some(removal.clone());
    match (row.state, row.rule) {
        (State::Planned, None) => gone(draft, row, now),
        (State::Applied, _) => {
            row.state = State::Expiring;
            draft.transition(row, Event::Expiring, note(&about, &removal.reason, &removal.who, now))
        }
        // It is under way: whoever finishes it sees what is asked. A victim may yet be kept.
        (State::Planned, Some(_)) | (State::Evicting, _) => draft.edit(row),
        _ => Ok(()),
    }
}

/// Everything of a network ACL that has to go by itself: guarded meanwhile, its time up, or more than the policy allows;
/// and plans that the policy no longer lets be made. `true` when there was something.
///
/// # Errors
/// [`Error::Illegal`] when the draft does not hold what it should.
pub fn tidy(
    draft: &mut Draft,
    acl: &AclKey,
    policy: &Policy,
    guarded: impl Fn(IpNet) -> Option<Reason>,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let removal = |event, reason: &str| Removal {
        event,
        who: RESPONDER.to_owned(),
        reason: reason.to_owned(),
    };
    let mut changed = false;
    let paused = draft.lists().paused(now).is_some() && !planted!(PauseLeaks);
    let rows: Vec<Row> = draft.rows(acl).to_vec();
    for row in rows
        .into_iter()
        .filter(|row| matches!(row.state, State::Planned | State::Applied) && row.removal.is_none())
    {
        let planned = row.state == State::Planned;
        let paused = paused && row.who == RESPONDER;
        let held_back = || {
            let paused = paused.then_some(Reason::Paused);
            policy.holds_back(&acl.account).or(paused).filter(|_| planned)
        };
        let reason = if let Some(reason) = guarded(row.cidr).or_else(held_back) {
            removal(Event::Removed, reason.word())
        } else if row.expires.is_some_and(|time| time <= now) && !row.pinned && !planted!(NeverExpires) {
            // The plan of an entry that was never made ends as a removal.
            removal(if planned { Event::Removed } else { Event::Expired }, EXPIRED)
        } else {
            continue;
        };
        expire(draft, row, &reason, now)?;
        changed = true;
    }
    for direction in [
        crate::network_acl::Direction::Ingress,
        crate::network_acl::Direction::Egress,
    ] {
        let mut standing: Vec<Row> = draft
            .rows(acl)
            .iter()
            .filter(|row| row.direction == direction && row.rule.is_some() && row.state.is_live())
            .filter(|row| !matches!(row.state, State::Evicting))
            .cloned()
            .collect();
        standing.sort_by_key(|row| (row.pinned, row.seq));
        let going = standing.iter().filter(|row| row.state == State::Expiring).count();
        let surplus = (standing.len() - going).saturating_sub(policy.limits.entries_per_direction);
        let oldest = standing
            .into_iter()
            .filter(|row| row.state == State::Applied)
            .take(surplus);
        for row in oldest {
            expire(draft, row, &removal(Event::Removed, LIMIT), now)?;
            changed = true;
        }
    }
    Ok(changed)
}

fn keep_victim(draft: &mut Draft, row: &Row, standing: Option<&Entry>, now: DateTime<Utc>) -> Result<(), Error> {
    let victim = row
        .replaces
        .and_then(|cidr| draft.row(&row.acl, row.direction, cidr))
        .filter(|victim| victim.state == State::Evicting)
        .cloned();
    let Some(mut victim) = victim else {
        return Ok(());
    };
    let about = About::of_row(&victim);
    if standing.is_some() && standing == victim.entry().as_ref() {
        // Two entries must not hold one number, not even in passing.
        let mut leaving = row.clone();
        leaving.leave_number(now);
        draft.edit(leaving)?;
        victim.state = State::Applied;
        let asked = victim.removal.take();
        draft.transition(
            victim.clone(),
            Event::Kept,
            note(&about, Event::Kept.word(), RESPONDER, now),
        )?;
        return asked.map_or(Ok(()), |removal| expire(draft, victim, &removal, now));
    }
    let mut told = alert_of(&victim, AlertKind::Removed, Reason::Manual, now);
    told.note = Some(in_words(CHANGED).to_owned());
    draft.alert(outboxed(&told));
    victim.state = State::Foreign;
    leave(&mut victim, CHANGED, now);
    draft.transition(victim, Event::Foreign, note(&about, CHANGED, RESPONDER, now))
}

pub(super) fn leave(row: &mut Row, because: &str, now: DateTime<Utc>) {
    row.leave_number(now);
    row.removal = None;
    row.doubt = None;
    row.gone_at = Some(now);
    row.because = Some(because.to_owned());
}
