//! Writes: each function runs inside one immediate transaction.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};

use super::read;
use crate::ledger::{
    Delivery, Error, Event, FindingRow, Lists, MessageRow, Meta, Position, Row, State, Transaction, Written,
};
use crate::network_acl::AclKey;

/// Unreadable records that are kept, the newest: whoever can send them must not be able to fill the disk.
const MOST_UNREADABLE: usize = 1000;

pub(super) fn transaction(db: &Connection, transaction: &Transaction) -> Result<Written, Error> {
    conditions(db, transaction)?;
    for meta in &transaction.metas {
        put_meta(db, meta)?;
    }
    put_rows(db, &transaction.rows)?;
    for finding in &transaction.findings {
        put_finding(db, finding)?;
    }
    if let Some(lists) = &transaction.lists {
        put_lists(db, lists)?;
    }
    for row in &transaction.audit {
        db.prepare_cached("INSERT INTO audit (at, event, reason, body) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![
                row.at.timestamp_millis(),
                row.event.word(),
                row.reason,
                serde_json::to_string(row)?
            ])?;
        let reason = if row.event == Event::Decided { &row.reason } else { "" };
        db.prepare_cached(
            "INSERT INTO tally (event, reason, number) VALUES (?1, ?2, 1)
             ON CONFLICT (event, reason) DO UPDATE SET number = number + 1",
        )?
        .execute(params![row.event.word(), reason])?;
    }
    let mut written = Written::default();
    for row in &transaction.alerts {
        db.prepare_cached("INSERT INTO alert (body) VALUES (?1)")?
            .execute([serde_json::to_string(row)?])?;
        written.first_alert = written.first_alert.or(u64::try_from(db.last_insert_rowid()).ok());
    }
    for row in &transaction.unreadable {
        db.prepare_cached(
            "INSERT INTO unreadable (digest, at, times, reason, length, bytes) VALUES (?1, ?2, 1, ?3, ?4, ?5)
             ON CONFLICT (digest) DO UPDATE SET times = times + 1",
        )?
        .execute(params![
            row.digest,
            row.at.timestamp_millis(),
            row.reason,
            row.length,
            row.bytes
        ])?;
    }
    if !transaction.unreadable.is_empty() {
        db.prepare_cached(
            "DELETE FROM unreadable WHERE digest IN
               (SELECT digest FROM unreadable ORDER BY at DESC, digest LIMIT -1 OFFSET ?1)",
        )?
        .execute([MOST_UNREADABLE])?;
    }
    Ok(written)
}

fn conditions(db: &Connection, transaction: &Transaction) -> Result<(), Error> {
    for (acl, expected) in &transaction.expect_acls {
        if read::meta(db, acl)?.map_or(0, |meta| meta.version) != *expected {
            return Err(Error::Conflict);
        }
    }
    for (id, expected) in &transaction.expect_findings {
        let version: Option<u64> = db
            .prepare_cached("SELECT version FROM finding WHERE id = ?1")?
            .query_row([id], |row| row.get(0))
            .optional()?;
        if version.unwrap_or(0) != *expected {
            return Err(Error::Conflict);
        }
    }
    for (acl, direction, cidr) in &transaction.expect_new {
        let known = db
            .prepare_cached(
                "SELECT 1 FROM entry WHERE account = ?1 AND region = ?2 AND acl = ?3 AND direction = ?4 AND cidr = ?5",
            )?
            .exists(params![
                acl.account,
                acl.region,
                acl.acl,
                direction.name(),
                cidr.to_string()
            ])?;
        if known {
            return Err(Error::Conflict);
        }
    }
    match transaction.expect_lists {
        Some(expected) if read::lists(db)?.version != expected => Err(Error::Conflict),
        _ => Ok(()),
    }
}

fn put_meta(db: &Connection, meta: &Meta) -> Result<(), Error> {
    let lease = meta.lease.as_ref();
    db.prepare_cached(
        "INSERT OR REPLACE INTO meta (account, region, acl, version, lease_owner, lease_until, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        meta.acl.account,
        meta.acl.region,
        meta.acl.acl,
        meta.version,
        lease.map(|lease| &lease.owner),
        lease.map(|lease| lease.until.timestamp_millis()),
        serde_json::to_string(meta)?
    ])?;
    Ok(())
}

/// SQLite holds every statement to one entry for each number, and a change of several entries is right only as a whole: one may
/// take the number that another one gives up, or two may change places.
fn put_rows(db: &Connection, rows: &[Row]) -> Result<(), Error> {
    let holds =
        |row: &&Row| row.rule.is_some() && matches!(row.state, State::Planned | State::Applied | State::Expiring);
    let (holding, others): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(holds);
    for row in others {
        put_row(db, row)?;
    }
    if holding.len() > 1 {
        for row in &holding {
            db.prepare_cached(
                "UPDATE entry SET rule = NULL
                 WHERE account = ?1 AND region = ?2 AND acl = ?3 AND direction = ?4 AND cidr = ?5 AND rule <> ?6",
            )?
            .execute(params![
                row.acl.account,
                row.acl.region,
                row.acl.acl,
                row.direction.name(),
                row.cidr.to_string(),
                row.rule
            ])?;
        }
    }
    for row in holding {
        put_row(db, row)?;
    }
    Ok(())
}

fn put_row(db: &Connection, row: &Row) -> Result<(), Error> {
    db.prepare_cached(
        // Never `OR REPLACE`: that would silently delete the entry that holds the same rule number.
        "INSERT INTO entry (account, region, acl, direction, cidr, state, rule, seq, planned_at, expires, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (account, region, acl, direction, cidr) DO UPDATE SET state = excluded.state, rule = excluded.rule,
           seq = excluded.seq, planned_at = excluded.planned_at, expires = excluded.expires, body = excluded.body",
    )?
    .execute(params![
        row.acl.account,
        row.acl.region,
        row.acl.acl,
        row.direction.name(),
        row.cidr.to_string(),
        row.state.name(),
        row.rule,
        row.seq,
        row.planned_at.timestamp_millis(),
        row.expires.map(|time| time.timestamp_millis()),
        serde_json::to_string(row)?
    ])?;
    Ok(())
}

fn put_finding(db: &Connection, finding: &FindingRow) -> Result<(), Error> {
    db.prepare_cached(
        "INSERT INTO finding (id, version, versions, body) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (id) DO UPDATE SET version = excluded.version, versions = excluded.versions, body = excluded.body",
    )?
    .execute(params![
        finding.id,
        finding.version,
        finding.versions,
        serde_json::to_string(finding)?
    ])?;
    Ok(())
}

fn put_lists(db: &Connection, lists: &Lists) -> Result<(), Error> {
    let next = Lists {
        version: lists.version + 1,
        ..lists.clone()
    };
    db.prepare_cached("INSERT OR REPLACE INTO lists (one, version, body) VALUES (1, ?1, ?2)")?
        .execute(params![next.version, serde_json::to_string(&next)?])?;
    Ok(())
}

pub(super) fn lease(
    db: &Connection,
    acl: &AclKey,
    owner: &str,
    alone: bool,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<bool, Error> {
    let mut meta = read::meta(db, acl)?.unwrap_or_else(|| Meta::new(acl.clone()));
    let held = meta
        .lease
        .as_ref()
        .is_some_and(|lease| lease.owner != owner && lease.until > now);
    if held && !alone {
        return Ok(false);
    }
    if meta.lease.is_some() {
        meta.unsure = Some(now);
    }
    meta.lease = Some(crate::ledger::Lease {
        owner: owner.to_owned(),
        until,
    });
    // Whoever held it before must not confirm anything any more.
    meta.version += 1;
    put_meta(db, &meta)?;
    Ok(true)
}

pub(super) fn renew(db: &Connection, acl: &AclKey, owner: &str, until: DateTime<Utc>) -> Result<bool, Error> {
    let Some(mut meta) = read::meta(db, acl)? else {
        return Ok(false);
    };
    let ours = meta.lease.as_mut().filter(|lease| lease.owner == owner);
    let Some(lease) = ours else {
        return Ok(false);
    };
    lease.until = until;
    meta.version += 1;
    put_meta(db, &meta)?;
    Ok(true)
}

pub(super) fn release(db: &Connection, acl: &AclKey, owner: &str) -> Result<(), Error> {
    let Some(mut meta) = read::meta(db, acl)? else {
        return Ok(());
    };
    if meta.lease.as_ref().is_some_and(|lease| lease.owner == owner) {
        meta.lease = None;
        meta.version += 1;
        put_meta(db, &meta)?;
    }
    Ok(())
}

pub(super) fn message(
    db: &Connection,
    alerts: &[u64],
    message: &MessageRow,
    first: Option<&Delivery>,
) -> Result<u64, Error> {
    db.prepare_cached("INSERT INTO message (at, next, attempts, addresses, payload) VALUES (?1, ?1, 0, ?2, ?3)")?
        .execute(params![
            message.at.timestamp_millis(),
            serde_json::to_string(&message.addresses)?,
            serde_json::to_string(&message.payload)?
        ])?;
    let number = db.last_insert_rowid();
    for alert in alerts {
        let changed = db
            .prepare_cached("UPDATE alert SET message = ?1 WHERE number = ?2 AND message IS NULL")?
            .execute(params![number, alert])?;
        if changed != 1 {
            return Err(Error::Conflict);
        }
    }
    let number = u64::try_from(number).unwrap_or_default();
    first.map_or(Ok(()), |outcome| delivered(db, number, outcome))?;
    Ok(number)
}

pub(super) fn delivered(db: &Connection, number: u64, outcome: &Delivery) -> Result<(), Error> {
    match outcome {
        Delivery::Sent(at) => db
            .prepare_cached("UPDATE message SET sent = ?2, attempts = attempts + 1, last_error = NULL WHERE number = ?1")?
            .execute(params![number, at.timestamp_millis()])?,
        Delivery::Failed { error, next } => db
            .prepare_cached(
                "UPDATE message SET attempts = attempts + 1, last_error = ?2, given_up = ?3 IS NULL, next = coalesce(?3, next)
                 WHERE number = ?1 AND sent IS NULL AND given_up = 0",
            )?
            .execute(params![number, error, next.map(|time| time.timestamp_millis())])?,
    };
    Ok(())
}

pub(super) fn position(db: &Connection, reader: &str, position: &Position) -> Result<(), Error> {
    db.prepare_cached(
        "INSERT INTO position (reader, place) VALUES (?1, ?2)
         ON CONFLICT (reader) DO UPDATE SET place = max(place, excluded.place)",
    )?
    .execute(params![reader, position.padded()])?;
    Ok(())
}
