//! Leases and positions: single items, changed on a condition in one call.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use chrono::{DateTime, Utc};

use super::DynamoDbLedger;
use super::item::{self, Item, Key};
use super::write::{self, Condition, Operation};
use crate::ledger::{Error, Lease, Meta, Position};
use crate::network_acl::AclKey;

/// How often a lease is asked for that somebody else changed meanwhile.
const TRIES: u32 = 5;

/// How a conditional update ended.
enum Updated {
    Done,
    /// The condition does not hold for the item as it is, if it is there.
    Refused(Option<Item>),
}

fn updating(ledger: &DynamoDbLedger, key: Key) -> UpdateItemFluentBuilder {
    let asked = ledger.client.update_item().table_name(&ledger.place.table);
    asked
        .set_key(Some(item::keyed(key)))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
}

async fn updated(ledger: &DynamoDbLedger, asked: UpdateItemFluentBuilder) -> Result<Updated, Error> {
    for tried in 0..TRIES {
        let Err(error) = asked.clone().send().await else {
            return Ok(Updated::Done);
        };
        if let SdkError::ServiceError(answer) = &error {
            match answer.err() {
                UpdateItemError::ConditionalCheckFailedException(failed) => {
                    return Ok(Updated::Refused(failed.item.clone().filter(|item| !item.is_empty())));
                }
                UpdateItemError::TransactionConflictException(_) => {
                    write::pause(tried).await;
                    continue;
                }
                _ => {}
            }
        }
        return Err(ledger.place.failed("UpdateItem", error));
    }
    Err(Error::Conflict)
}

/// See [`crate::ledger::Ledger::lease`]. One call when the lease is free.
pub(super) async fn take(
    ledger: &DynamoDbLedger,
    acl: &AclKey,
    owner: &str,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<bool, Error> {
    let wanted = || {
        updating(ledger, item::meta_key(acl))
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":owner", item::text(owner))
            .expression_attribute_values(":until", item::number(until.timestamp_millis()))
            .expression_attribute_values(":one", item::number(1))
    };
    let mut asked = wanted()
        .condition_expression("attribute_exists(pk) AND attribute_not_exists(lease_owner)")
        .update_expression("SET lease_owner = :owner, lease_until = :until ADD #version :one");
    for _ in 0..TRIES {
        let known = match updated(ledger, asked.clone()).await? {
            Updated::Done => return Ok(true),
            Updated::Refused(Some(known)) => item::to_meta(&known)?,
            Updated::Refused(None) => match make(ledger, acl, owner, until).await {
                Err(Error::Conflict) => continue,
                made => return made.map(|()| true),
            },
        };
        let lease = known.lease.as_ref();
        if lease.is_some_and(|lease| lease.owner != owner && lease.until > now) {
            return Ok(false);
        }
        // Nobody knows what the last call of a lease that was not given back came to.
        let doubt = if lease.is_some() { ", unsure = :now" } else { "" };
        asked = wanted()
            .condition_expression("#version = :version")
            .update_expression(format!(
                "SET lease_owner = :owner, lease_until = :until{doubt} ADD #version :one"
            ))
            .expression_attribute_values(":version", item::number(known.version));
        if lease.is_some() {
            asked = asked.expression_attribute_values(":now", item::text(now.to_rfc3339()));
        }
    }
    Err(Error::Conflict)
}

/// The meta row of a network ACL that was never written to, with its first lease.
async fn make(ledger: &DynamoDbLedger, acl: &AclKey, owner: &str, until: DateTime<Utc>) -> Result<(), Error> {
    let mut meta = Meta::new(acl.clone());
    meta.version = 1;
    meta.lease = Some(Lease {
        owner: owner.to_owned(),
        until,
    });
    let build = |_: &mut super::Log| {
        let condition = Some(Condition::Version(0));
        let meta = Operation { ledger, condition }.put(item::meta_item(&meta)?)?;
        Ok(vec![meta, write::first(ledger, acl)?])
    };
    write::numbered(ledger, build).await.map(drop)
}

/// See [`crate::ledger::Ledger::renew`]. One call.
pub(super) async fn renew(
    ledger: &DynamoDbLedger,
    acl: &AclKey,
    owner: &str,
    until: DateTime<Utc>,
) -> Result<bool, Error> {
    let asked = updating(ledger, item::meta_key(acl))
        .condition_expression("lease_owner = :owner")
        .update_expression("SET lease_until = :until ADD #version :one")
        .expression_attribute_names("#version", "version")
        .expression_attribute_values(":owner", item::text(owner))
        .expression_attribute_values(":until", item::number(until.timestamp_millis()))
        .expression_attribute_values(":one", item::number(1));
    Ok(matches!(updated(ledger, asked).await?, Updated::Done))
}

/// See [`crate::ledger::Ledger::release`]. One call.
pub(super) async fn release(ledger: &DynamoDbLedger, acl: &AclKey, owner: &str) -> Result<(), Error> {
    let asked = updating(ledger, item::meta_key(acl))
        .condition_expression("lease_owner = :owner")
        .update_expression("REMOVE lease_owner, lease_until ADD #version :one")
        .expression_attribute_names("#version", "version")
        .expression_attribute_values(":owner", item::text(owner))
        .expression_attribute_values(":one", item::number(1));
    updated(ledger, asked).await.map(drop)
}

/// See [`crate::ledger::Ledger::set_position`]. One call; two readers of one name cannot move it back.
pub(super) async fn set_position(ledger: &DynamoDbLedger, reader: &str, position: &Position) -> Result<(), Error> {
    let asked = updating(ledger, ("POSITION".to_owned(), reader.to_owned()))
        .condition_expression("attribute_not_exists(pk) OR #place < :place")
        .update_expression("SET #place = :place")
        .expression_attribute_names("#place", "place")
        .expression_attribute_values(":place", item::text(position.padded()));
    updated(ledger, asked).await.map(drop)
}
