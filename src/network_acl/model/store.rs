//! Reads of the model's tables.

use ipnet::IpNet;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::network_acl::{Acl, AclKey, Code, Direction, Entry, Error, Inventory, Place};

pub(super) fn list(db: &Connection) -> Result<Vec<AclKey>, Error> {
    let mut statement = db.prepare_cached("SELECT account, region, acl FROM acl ORDER BY account, region, acl")?;
    let rows = statement.query_map([], |row| {
        Ok(AclKey {
            account: row.get(0)?,
            region: row.get(1)?,
            acl: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The quota, or that there is no such network ACL.
pub(super) fn quota(db: &Connection, key: &AclKey) -> Result<usize, Error> {
    db.prepare_cached("SELECT quota FROM acl WHERE account = ?1 AND region = ?2 AND acl = ?3")?
        .query_row(params![key.account, key.region, key.acl], |row| row.get(0))
        .optional()?
        .ok_or_else(|| {
            Error::new(
                Code::AclNotFound,
                format!("there is no network ACL {} in {} {}", key.acl, key.account, key.region),
            )
        })
}

pub(super) fn exists(db: &Connection, key: &AclKey, direction: Direction, rule: u16) -> Result<bool, Error> {
    Ok(db
        .prepare_cached(
            "SELECT 1 FROM entry WHERE account = ?1 AND region = ?2 AND acl = ?3 AND direction = ?4 AND rule = ?5",
        )?
        .exists(params![key.account, key.region, key.acl, direction.name(), rule])?)
}

pub(super) fn count(db: &Connection, key: &AclKey, direction: Direction) -> Result<usize, Error> {
    Ok(db
        .prepare_cached(
            "SELECT count(*) FROM entry WHERE account = ?1 AND region = ?2 AND acl = ?3 AND direction = ?4",
        )?
        .query_row(params![key.account, key.region, key.acl, direction.name()], |row| {
            row.get(0)
        })?)
}

pub(super) fn describe(db: &Connection, key: &AclKey) -> Result<Acl, Error> {
    let quota = quota(db, key)?;
    let (vpc, is_default) = db
        .prepare_cached("SELECT vpc, is_default FROM acl WHERE account = ?1 AND region = ?2 AND acl = ?3")?
        .query_row(params![key.account, key.region, key.acl], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let mut statement =
        db.prepare_cached("SELECT subnet FROM subnet WHERE account = ?1 AND region = ?2 AND acl = ?3 ORDER BY subnet")?;
    let subnets = statement
        .query_map(params![key.account, key.region, key.acl], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut statement = db.prepare_cached(
        "SELECT direction, rule, cidr, protocol, allow FROM entry WHERE account = ?1 AND region = ?2 AND acl = ?3
         ORDER BY direction DESC, rule",
    )?;
    let mut rows = statement.query(params![key.account, key.region, key.acl])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(entry(row)?);
    }
    Ok(Acl {
        vpc,
        is_default,
        subnets,
        quota,
        managed_by: None,
        entries,
    })
}

fn entry(row: &Row<'_>) -> Result<Entry, Error> {
    let direction: String = row.get(0)?;
    Ok(Entry {
        rule: row.get(1)?,
        direction: match direction.as_str() {
            "egress" => Direction::Egress,
            _ => Direction::Ingress,
        },
        cidr: cidr(&row.get::<_, String>(2)?)?,
        protocol: row.get(3)?,
        allow: row.get(4)?,
    })
}

fn cidr(text: &str) -> Result<IpNet, Error> {
    text.parse().map_err(|error| {
        Error::new(
            Code::Unavailable,
            format!("network-acls.sqlite holds `{text}`: {error}"),
        )
    })
}

pub(super) fn acl_of(db: &Connection, place: &Place<'_>) -> Result<Option<AclKey>, Error> {
    let acl: Option<String> = db
        .prepare_cached("SELECT acl FROM subnet WHERE account = ?1 AND region = ?2 AND subnet = ?3")?
        .query_row(params![place.account, place.region, place.subnet], |row| row.get(0))
        .optional()?;
    Ok(acl.map(|acl| AclKey {
        account: place.account.to_owned(),
        region: place.region.to_owned(),
        acl,
    }))
}

pub(super) fn inventory(db: &Connection) -> Result<Inventory, Error> {
    let of = |kind: &str| -> Result<Vec<IpNet>, Error> {
        let mut statement = db.prepare_cached("SELECT cidr FROM inventory WHERE kind = ?1 ORDER BY cidr")?;
        let mut rows = statement.query([kind])?;
        let mut list = Vec::new();
        while let Some(row) = rows.next()? {
            list.push(cidr(&row.get::<_, String>(0)?)?);
        }
        Ok(list)
    };
    Ok(Inventory {
        own_addresses: of("own_address")?,
        own_networks: of("own_network")?,
        aws_services: of("aws_service")?,
    })
}
