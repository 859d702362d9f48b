//! Reads: rows are kept as JSON beside the columns that are searched by.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Params, Row as Columns, params};
use serde::de::DeserializeOwned;

use crate::ledger::{
    AclView, AlertRow, Ask, AuditRow, Counts, Error, Filter, FindingRow, Lease, Lists, MessageRow, Meta, Position, Row,
    Unreadable, View,
};
use crate::network_acl::AclKey;

/// The states of entries that are in use, as the indices of `schema.sql` have them.
macro_rules! live {
    () => {
        "('planned', 'applied', 'evicting', 'expiring')"
    };
}

/// The entries of one network ACL that are in use.
pub(super) const LIVE_OF_ACL: &str = concat!(
    "SELECT body FROM entry WHERE account = ?1 AND region = ?2 AND acl = ?3 AND state IN ",
    live!(),
    " ORDER BY seq"
);

/// The entries of one address and direction in one network ACL that are not.
pub(super) const GONE: &str = concat!(
    "SELECT body FROM entry WHERE account = ?1 AND region = ?2 AND acl = ?3 AND direction = ?4 AND cidr = ?5
     AND state NOT IN ",
    live!()
);

/// Network ACLs with something to do.
pub(super) const PENDING: &str = concat!(
    "SELECT account, region, acl FROM entry WHERE state IN ",
    live!(),
    " AND (state IN ('planned', 'evicting', 'expiring') OR (state = 'applied' AND expires <= ?1))
     GROUP BY account, region, acl ORDER BY min(planned_at), account, region, acl"
);

/// All rows of one statement, each made by `row`.
fn all<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    mut row: impl FnMut(&Columns<'_>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let mut statement = db.prepare_cached(sql)?;
    let mut found = statement.query(params)?;
    let mut result = Vec::new();
    while let Some(columns) = found.next()? {
        result.push(row(columns)?);
    }
    Ok(result)
}

fn body<T: DeserializeOwned>(columns: &Columns<'_>) -> Result<T, Error> {
    Ok(serde_json::from_str(
        columns.get_ref("body")?.as_str().map_err(rusqlite::Error::from)?,
    )?)
}

fn key(columns: &Columns<'_>) -> Result<AclKey, Error> {
    Ok(AclKey {
        account: columns.get("account")?,
        region: columns.get("region")?,
        acl: columns.get("acl")?,
    })
}

fn time(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}

fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

pub(super) fn view(db: &Connection, ask: Ask<'_>) -> Result<View, Error> {
    let mut view = View {
        lists: lists(db)?,
        ..View::default()
    };
    for acl in ask.acls {
        let mut rows: Vec<Row> = all(db, LIVE_OF_ACL, params![acl.account, acl.region, acl.acl], body)?;
        for (_, direction, cidr) in ask.entries_of(acl) {
            let known: Vec<Row> = all(
                db,
                GONE,
                params![acl.account, acl.region, acl.acl, direction.name(), cidr.to_string()],
                body,
            )?;
            rows.extend(known);
        }
        view.acls.push(AclView {
            meta: meta(db, acl)?.unwrap_or_else(|| Meta::new(acl.clone())),
            rows,
        });
    }
    for id in ask.findings {
        let known: Vec<FindingRow> = all(db, "SELECT body FROM finding WHERE id = ?1", [id], body)?;
        view.findings.extend(known);
    }
    Ok(view)
}

pub(super) fn lists(db: &Connection) -> Result<Lists, Error> {
    let known: Vec<Lists> = all(db, "SELECT body FROM lists", [], body)?;
    Ok(known.into_iter().next().unwrap_or_default())
}

pub(super) fn meta(db: &Connection, acl: &AclKey) -> Result<Option<Meta>, Error> {
    let found = all(
        db,
        "SELECT version, lease_owner, lease_until, body FROM meta WHERE account = ?1 AND region = ?2 AND acl = ?3",
        params![acl.account, acl.region, acl.acl],
        |columns| {
            let mut meta: Meta = body(columns)?;
            meta.version = columns.get("version")?;
            let owner: Option<String> = columns.get("lease_owner")?;
            let until: Option<i64> = columns.get("lease_until")?;
            meta.lease = owner.zip(until).map(|(owner, until)| Lease {
                owner,
                until: time(until),
            });
            Ok(meta)
        },
    )?;
    Ok(found.into_iter().next())
}

pub(super) fn pending(db: &Connection, now: DateTime<Utc>) -> Result<Vec<AclKey>, Error> {
    all(db, PENDING, [now.timestamp_millis()], key)
}

pub(super) fn acls(db: &Connection) -> Result<Vec<AclKey>, Error> {
    all(
        db,
        "SELECT account, region, acl FROM meta ORDER BY account, region, acl",
        [],
        key,
    )
}

pub(super) fn entries(db: &Connection, filter: Filter) -> Result<Vec<Row>, Error> {
    let which = match filter {
        Filter::Active => concat!("state IN ", live!()),
        Filter::All => "1",
    };
    all(
        db,
        &format!("SELECT body FROM entry WHERE {which} ORDER BY account, region, acl, direction, seq"),
        [],
        body,
    )
}

fn audit_row(columns: &Columns<'_>) -> Result<AuditRow, Error> {
    let mut row: AuditRow = body(columns)?;
    row.number = columns.get("number")?;
    Ok(row)
}

pub(super) fn audit(db: &Connection, after: u64, rows: usize) -> Result<Vec<AuditRow>, Error> {
    all(
        db,
        "SELECT number, body FROM audit WHERE number > ?1 ORDER BY number LIMIT ?2",
        params![i64::try_from(after).unwrap_or(i64::MAX), limit(rows)],
        audit_row,
    )
}

pub(super) fn audit_newest(db: &Connection, rows: usize) -> Result<Vec<AuditRow>, Error> {
    all(
        db,
        "SELECT number, body FROM audit ORDER BY number DESC LIMIT ?1",
        [limit(rows)],
        audit_row,
    )
}

pub(super) fn alerts_waiting(db: &Connection, rows: usize) -> Result<Vec<AlertRow>, Error> {
    all(
        db,
        "SELECT number, body FROM alert WHERE message IS NULL ORDER BY number LIMIT ?1",
        [limit(rows)],
        |columns| {
            let mut row: AlertRow = body(columns)?;
            row.number = columns.get("number")?;
            Ok(row)
        },
    )
}

fn message(columns: &Columns<'_>) -> Result<MessageRow, Error> {
    let sent: Option<i64> = columns.get("sent")?;
    let addresses: String = columns.get("addresses")?;
    let payload: String = columns.get("payload")?;
    Ok(MessageRow {
        number: columns.get("number")?,
        at: time(columns.get("at")?),
        addresses: serde_json::from_str(&addresses)?,
        payload: serde_json::from_str(&payload)?,
        next: time(columns.get("next")?),
        sent: sent.map(time),
        attempts: columns.get("attempts")?,
        last_error: columns.get("last_error")?,
    })
}

pub(super) fn messages(db: &Connection, rows: usize) -> Result<Vec<MessageRow>, Error> {
    all(
        db,
        "SELECT * FROM message ORDER BY number DESC LIMIT ?1",
        [limit(rows)],
        message,
    )
}

pub(super) fn unsent(db: &Connection, now: DateTime<Utc>, rows: usize) -> Result<Vec<MessageRow>, Error> {
    all(
        db,
        "SELECT * FROM message WHERE sent IS NULL AND given_up = 0 AND next <= ?1 ORDER BY number LIMIT ?2",
        params![now.timestamp_millis(), limit(rows)],
        message,
    )
}

pub(super) fn unreadable(db: &Connection, rows: usize) -> Result<Vec<Unreadable>, Error> {
    all(
        db,
        "SELECT * FROM unreadable ORDER BY at DESC, digest LIMIT ?1",
        [limit(rows)],
        |columns| {
            Ok(Unreadable {
                digest: columns.get("digest")?,
                at: time(columns.get("at")?),
                times: columns.get("times")?,
                reason: columns.get("reason")?,
                length: columns.get("length")?,
                bytes: columns.get("bytes")?,
            })
        },
    )
}

pub(super) fn counts(db: &Connection) -> Result<Counts, Error> {
    let number = |sql: &str| -> Result<u64, Error> { Ok(db.prepare_cached(sql)?.query_row([], |row| row.get(0))?) };
    let by_word = |sql: &str| -> Result<BTreeMap<String, u64>, Error> {
        Ok(all(db, sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?
            .into_iter()
            .collect())
    };
    Ok(Counts {
        events: by_word("SELECT event, sum(number) FROM tally GROUP BY event")?,
        decided: by_word("SELECT reason, number FROM tally WHERE event = 'decided'")?,
        findings: number("SELECT coalesce(sum(versions), 0) FROM finding")?,
        // None is ever deleted, and a number that a failed transaction took is given again.
        alerts: number("SELECT coalesce(max(number), 0) FROM alert")?,
        sent: number("SELECT count(*) FROM message WHERE sent IS NOT NULL")?,
        waiting: number("SELECT count(*) FROM message WHERE sent IS NULL AND given_up = 0")?,
        dead: number("SELECT count(*) FROM message WHERE given_up = 1")?,
    })
}

pub(super) fn position(db: &Connection, reader: &str) -> Result<Position, Error> {
    let mut statement = db.prepare_cached("SELECT place FROM position WHERE reader = ?1")?;
    let place: Option<String> = statement.query_row([reader], |row| row.get(0)).optional()?;
    place.map_or_else(
        || Ok(Position::default()),
        |place| {
            place
                .parse()
                .map_err(|error| super::store("a position in ledger.sqlite", error))
        },
    )
}
