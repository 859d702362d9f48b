//! How rows become items: keys, attribute names, and values in both directions.
//!
//! | `pk` | `sk` | what | `open` |
//! |---|---|---|---|
//! | `ACL#<account>/<region>/<id>` | `META` | version, lease, doubt, and the rest of [`Meta`] | 0 |
//! | same | `IP#<direction>#<cidr>` | one entry over all its lives | its place in the order, while it is live |
//! | `ACLS` | `<account>/<region>/<id>` | that the network ACL was written to | |
//! | `FINDING#<id>` | `FINDING` | what is remembered of a finding | |
//! | `LISTS` | `LISTS` | allow-list, hold-offs, pause | |
//! | `LOG` | `LOG` | last numbers given, and counts | |
//! | `AUDIT#<million>` | number of its last row | the audit rows of one commit | |
//! | `ALERT` | number | an alert that is in no message | its number |
//! | `MESSAGE` | number | a message | its number, until it is sent or given up |
//! | `UNREADABLE` | digest | a record that cannot be read | when it came first |
//! | `POSITION` | reader | how far a reader is | |
//! | `FORM` | `FORM` | the form of the items | |

use std::collections::HashMap;
use std::fmt::Display;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ledger::{Error, Lease, Meta, Row, State};
use crate::network_acl::{AclKey, Direction};

/// An item as DynamoDB takes and gives it.
pub(super) type Item = HashMap<String, AttributeValue>;

/// Partition key and sort key of one item.
pub(super) type Key = (String, String);

/// Rows of the audit in one partition, as a power of two: no partition with a local index may outgrow 10 GB.
pub(super) const AUDIT_BITS: u32 = 20;

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: impl Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A number that sorts as text.
pub(super) fn padded(value: u64) -> String {
    format!("{value:020}")
}

pub(super) fn name(acl: &AclKey) -> String {
    format!("{}/{}/{}", acl.account, acl.region, acl.acl)
}

pub(super) fn named(name: &str) -> Option<AclKey> {
    let mut parts = name.splitn(3, '/').map(str::to_owned);
    Some(AclKey {
        account: parts.next()?,
        region: parts.next()?,
        acl: parts.next()?,
    })
}

pub(super) fn acl_partition(acl: &AclKey) -> String {
    format!("ACL#{}", name(acl))
}

pub(super) fn meta_key(acl: &AclKey) -> Key {
    (acl_partition(acl), "META".to_owned())
}

pub(super) fn row_key(acl: &AclKey, direction: Direction, cidr: IpNet) -> Key {
    (acl_partition(acl), format!("IP#{direction}#{cidr}"))
}

/// The longest finding id that stands in a key as it is: a key has 2,048 bytes, and whoever writes the finding writes the id.
const LONGEST_ID: usize = 512;

pub(super) fn finding_key(id: &str) -> Key {
    let partition = if id.len() > LONGEST_ID {
        format!("FINDING##{}", blake3::hash(id.as_bytes()))
    } else {
        format!("FINDING#{id}")
    };
    (partition, "FINDING".to_owned())
}

/// An item that there is one of.
pub(super) fn single(what: &str) -> Key {
    (what.to_owned(), what.to_owned())
}

pub(super) fn audit_partition(bucket: u64) -> String {
    format!("AUDIT#{bucket:012}")
}

/// An item with nothing but its key.
pub(super) fn keyed((pk, sk): Key) -> Item {
    Item::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
}

/// An item with a key and a value as JSON.
pub(super) fn with_body(key: Key, body: &impl Serialize) -> Result<Item, Error> {
    let mut item = keyed(key);
    item.insert(
        "body".to_owned(),
        text(serde_json::to_string(body).map_err(unreadable_value)?),
    );
    Ok(item)
}

/// Lets DynamoDB delete an item by itself some days from now.
pub(super) fn kept_for(item: &mut Item, days: i64) {
    let until = Utc::now().timestamp() + days * 86_400;
    item.insert("ttl".to_owned(), number(until));
}

pub(super) fn get_text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

pub(super) fn get_number<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

/// The attribute, or an error that names the item.
pub(super) fn required<T>(item: &Item, name: &str, value: Option<T>) -> Result<T, Error> {
    value.ok_or_else(|| broken(item, &format!("has no readable `{name}`")))
}

pub(super) fn body<T: DeserializeOwned>(item: &Item) -> Result<T, Error> {
    let body = required(item, "body", get_text(item, "body"))?;
    serde_json::from_str(body).map_err(|error| broken(item, &error.to_string()))
}

fn unreadable_value(error: serde_json::Error) -> Error {
    Error::Store {
        message: "a row does not turn into JSON".to_owned(),
        source: Some(Box::new(error)),
    }
}

fn broken(item: &Item, what: &str) -> Error {
    let key = |name| get_text(item, name).unwrap_or("?");
    Error::Store {
        message: format!(
            "item {} / {} {what}: it was changed by hand or written by another version; restore the table to a time before",
            key("pk"),
            key("sk")
        ),
        source: None,
    }
}

pub(super) fn meta_item(meta: &Meta) -> Result<Item, Error> {
    let mut item = with_body(meta_key(&meta.acl), meta)?;
    item.insert("version".to_owned(), number(meta.version));
    item.insert("open".to_owned(), number(0));
    if let Some(lease) = &meta.lease {
        item.insert("lease_owner".to_owned(), text(&lease.owner));
        item.insert("lease_until".to_owned(), number(lease.until.timestamp_millis()));
    }
    if let Some(unsure) = meta.unsure {
        item.insert("unsure".to_owned(), text(unsure.to_rfc3339()));
    }
    Ok(item)
}

/// Version, lease and doubt stand in attributes of their own, which a lease changes without touching the rest.
pub(super) fn to_meta(item: &Item) -> Result<Meta, Error> {
    let mut meta: Meta = body(item)?;
    meta.version = required(item, "version", get_number(item, "version"))?;
    let until = get_number(item, "lease_until").and_then(DateTime::from_timestamp_millis);
    meta.lease = get_text(item, "lease_owner").zip(until).map(|(owner, until)| Lease {
        owner: owner.to_owned(),
        until,
    });
    meta.unsure = get_text(item, "unsure")
        .and_then(|at| DateTime::parse_from_rfc3339(at).ok())
        .map(|at| at.with_timezone(&Utc));
    Ok(meta)
}

/// The entry, with what the sparse indexes go by: `open` while it is live, `work` and `due` while somebody will have to act.
pub(super) fn row_item(row: &Row) -> Result<Item, Error> {
    let mut item = with_body(row_key(&row.acl, row.direction, row.cidr), row)?;
    item.insert("planned_at".to_owned(), number(row.planned_at.timestamp_millis()));
    if row.state.is_live() {
        item.insert("open".to_owned(), number(row.seq));
    }
    let work = match row.expires {
        _ if row.state.is_pending() => Some(("pending", row.planned_at)),
        Some(expires) if row.state == State::Applied => Some(("expiry", expires)),
        _ => None,
    };
    if let Some((work, due)) = work {
        item.insert("work".to_owned(), text(work));
        item.insert("due".to_owned(), number(due.timestamp_millis()));
    }
    Ok(item)
}
