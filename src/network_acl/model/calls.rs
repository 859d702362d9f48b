//! The three calls that write entries, with EC2's checks in EC2's order.
//!
//! See [CreateNetworkAclEntry](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkAclEntry.html),
//! [ReplaceNetworkAclEntry](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReplaceNetworkAclEntry.html) and
//! [DeleteNetworkAclEntry](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteNetworkAclEntry.html).

use rusqlite::{Connection, params};

use super::{MAX_RULE, store};
use crate::network_acl::{AclKey, Code, Direction, Entry, Error};

pub(super) fn create(db: &Connection, key: &AclKey, entry: &Entry, counts_default: bool) -> Result<(), Error> {
    check(entry)?;
    let quota = store::quota(db, key)?;
    if store::exists(db, key, entry.direction, entry.rule)? {
        return Err(Error::new(
            Code::EntryAlreadyExists,
            format!("{} has {} rule {} already", key.acl, entry.direction, entry.rule),
        ));
    }
    let used = store::count(db, key, entry.direction)? + usize::from(counts_default);
    if used >= quota {
        return Err(Error::new(
            Code::EntryLimitExceeded,
            format!(
                "{} has {used} {} entries, the quota is {quota}",
                key.acl, entry.direction
            ),
        ));
    }
    put(db, key, entry)
}

pub(super) fn replace(db: &Connection, key: &AclKey, entry: &Entry) -> Result<(), Error> {
    check(entry)?;
    store::quota(db, key)?;
    if !store::exists(db, key, entry.direction, entry.rule)? {
        return Err(missing(key, entry.direction, entry.rule));
    }
    put(db, key, entry)
}

pub(super) fn delete(db: &Connection, key: &AclKey, direction: Direction, rule: u16) -> Result<(), Error> {
    number(rule)?;
    store::quota(db, key)?;
    let deleted = db
        .prepare_cached(
            "DELETE FROM entry WHERE account = ?1 AND region = ?2 AND acl = ?3 AND direction = ?4 AND rule = ?5",
        )?
        .execute(params![key.account, key.region, key.acl, direction.name(), rule])?;
    if deleted == 0 {
        return Err(missing(key, direction, rule));
    }
    Ok(())
}

fn missing(key: &AclKey, direction: Direction, rule: u16) -> Error {
    Error::new(
        Code::EntryNotFound,
        format!("{} has no {direction} rule {rule}", key.acl),
    )
}

fn number(rule: u16) -> Result<(), Error> {
    if (1..=MAX_RULE).contains(&rule) {
        return Ok(());
    }
    Err(Error::new(
        Code::InvalidParameter,
        format!("rule number {rule} is not in 1 to {MAX_RULE}"),
    ))
}

fn check(entry: &Entry) -> Result<(), Error> {
    number(entry.rule)?;
    let protocol: i16 = entry.protocol.parse().unwrap_or(i16::MIN);
    if !(-1..=255).contains(&protocol) {
        return Err(Error::new(
            Code::InvalidParameter,
            format!("protocol `{}` is not -1 or 0 to 255", entry.protocol),
        ));
    }
    Ok(())
}

pub(super) fn put(db: &Connection, key: &AclKey, entry: &Entry) -> Result<(), Error> {
    db.prepare_cached(
        "INSERT INTO entry (account, region, acl, direction, rule, cidr, protocol, allow) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT DO UPDATE SET cidr = excluded.cidr, protocol = excluded.protocol, allow = excluded.allow",
    )?
    .execute(params![
        key.account,
        key.region,
        key.acl,
        entry.direction.name(),
        entry.rule,
        entry.cidr.trunc().to_string(),
        entry.protocol,
        entry.allow
    ])?;
    Ok(())
}
