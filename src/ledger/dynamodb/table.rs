//! The table: its definition, how it is made, and what is checked before it is used.
//!
//! Only `portcullis setup ledger` and the template make it. A responder that found no table and made an empty one would
//! forget every block, every unblock and the allow-list.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, LocalSecondaryIndex, Projection,
    ProjectionType, ScalarAttributeType, TableDescription, TableStatus, TimeToLiveSpecification, TimeToLiveStatus,
};

use super::error::Place;
use super::item;
use crate::ledger::Error;

/// Sparse index of what is open in its partition (live entries, waiting alerts, unsent messages), in order and consistent.
pub(super) const OPEN: &str = "open";

/// Sparse index over all network ACLs of what somebody has to act on, by when.
pub(super) const WORK: &str = "work";

/// The form of the items; a table of another form is refused.
const FORM: u64 = 1;

/// How often, and how long apart, a table is looked at that is being made.
const LOOKS: u32 = 60;
const APART: Duration = Duration::from_secs(2);

/// What [`DynamoDbLedger::setup`](super::DynamoDbLedger::setup) did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Done {
    /// The table's name.
    pub table: String,
    /// Where.
    pub region: String,
    /// Steps that were taken, or would be; empty when all was there.
    pub steps: Vec<&'static str>,
}

fn attribute(name: &str, kind: ScalarAttributeType) -> Result<AttributeDefinition, Error> {
    let made = AttributeDefinition::builder().attribute_name(name).attribute_type(kind);
    made.build().map_err(incomplete)
}

fn keys(hash: &str, range: &str) -> Result<Vec<KeySchemaElement>, Error> {
    [(hash, KeyType::Hash), (range, KeyType::Range)]
        .into_iter()
        .map(|(name, kind)| {
            let made = KeySchemaElement::builder().attribute_name(name).key_type(kind);
            made.build().map_err(incomplete)
        })
        .collect()
}

fn incomplete(error: aws_sdk_dynamodb::error::BuildError) -> Error {
    Error::Store {
        message: "a request is incomplete".to_owned(),
        source: Some(Box::new(error)),
    }
}

async fn described(client: &Client, place: &Place) -> Result<Option<TableDescription>, Error> {
    match client.describe_table().table_name(&place.table).send().await {
        Ok(answer) => Ok(answer.table),
        Err(SdkError::ServiceError(error))
            if matches!(error.err(), DescribeTableError::ResourceNotFoundException(_)) =>
        {
            Ok(None)
        }
        Err(error) => Err(place.failed("DescribeTable", error)),
    }
}

/// Makes what is missing of a ledger's table, and changes nothing that is there.
///
/// # Errors
/// [`Error::Store`] when a call fails, or when a table of that name is no ledger.
pub(super) async fn setup(client: &Client, place: &Place, dry_run: bool) -> Result<Done, Error> {
    let mut done = Done {
        table: place.table.clone(),
        region: place.region.clone(),
        steps: Vec::new(),
    };
    let known = described(client, place).await?;
    if let Some(table) = &known {
        fits(place, table)?;
    } else {
        done.steps
            .push("create the table, on demand and protected from deletion");
        if !dry_run {
            create(client, place).await?;
        }
    }
    if known.is_some() || !dry_run {
        wait(client, place).await?;
    }
    let expires = known.is_some() && time_to_live(client, place).await?;
    if !expires {
        done.steps.push("let audit rows and findings expire by `ttl`");
        if !dry_run {
            let wanted = TimeToLiveSpecification::builder().enabled(true).attribute_name("ttl");
            let wanted = wanted.build().map_err(incomplete)?;
            let asked = client.update_time_to_live().table_name(&place.table);
            let asked = asked.time_to_live_specification(wanted).send().await;
            asked.map_err(|error| place.failed("UpdateTimeToLive", error))?;
        }
    }
    let form = if known.is_some() {
        form(client, place).await?
    } else {
        None
    };
    match form {
        Some(known) => same_form(place, known)?,
        None => {
            done.steps.push("write the form of the items");
            if !dry_run {
                let mut item = item::keyed(item::single("FORM"));
                item.insert("number".to_owned(), item::number(FORM));
                let asked = client.put_item().table_name(&place.table).set_item(Some(item));
                let asked = asked.send().await;
                asked.map_err(|error| place.failed("PutItem", error))?;
            }
        }
    }
    Ok(done)
}

async fn create(client: &Client, place: &Place) -> Result<(), Error> {
    let open = LocalSecondaryIndex::builder()
        .index_name(OPEN)
        .set_key_schema(Some(keys("pk", "open")?))
        .projection(Projection::builder().projection_type(ProjectionType::All).build());
    let work = GlobalSecondaryIndex::builder()
        .index_name(WORK)
        .set_key_schema(Some(keys("work", "due")?))
        .projection(
            Projection::builder()
                .projection_type(ProjectionType::Include)
                .non_key_attributes("planned_at")
                .build(),
        );
    let asked = client
        .create_table()
        .table_name(&place.table)
        .billing_mode(BillingMode::PayPerRequest)
        .deletion_protection_enabled(true)
        .set_key_schema(Some(keys("pk", "sk")?))
        .attribute_definitions(attribute("pk", ScalarAttributeType::S)?)
        .attribute_definitions(attribute("sk", ScalarAttributeType::S)?)
        .attribute_definitions(attribute("open", ScalarAttributeType::N)?)
        .attribute_definitions(attribute("work", ScalarAttributeType::S)?)
        .attribute_definitions(attribute("due", ScalarAttributeType::N)?)
        .local_secondary_indexes(open.build().map_err(incomplete)?)
        .global_secondary_indexes(work.build().map_err(incomplete)?);
    match asked.send().await {
        Ok(_) => Ok(()),
        Err(error) => Err(place.failed("CreateTable", error)),
    }
}

async fn wait(client: &Client, place: &Place) -> Result<(), Error> {
    for look in 0..LOOKS {
        if look > 0 {
            tokio::time::sleep(APART).await;
        }
        let table = described(client, place).await?;
        let status = table.and_then(|table| table.table_status);
        if matches!(status, Some(TableStatus::Active | TableStatus::Updating)) {
            return Ok(());
        }
    }
    Err(place.says("it is not ready after two minutes; run `portcullis setup ledger` again"))
}

/// Whether a table has the keys and indexes that the ledger reads by.
fn fits(place: &Place, table: &TableDescription) -> Result<(), Error> {
    let names = |keys: &[KeySchemaElement]| keys.iter().map(|key| key.attribute_name.clone()).collect::<Vec<_>>();
    let open = table
        .local_secondary_indexes()
        .iter()
        .any(|index| index.index_name() == Some(OPEN) && names(index.key_schema()) == ["pk", "open"]);
    let work = table
        .global_secondary_indexes()
        .iter()
        .any(|index| index.index_name() == Some(WORK) && names(index.key_schema()) == ["work", "due"]);
    if names(table.key_schema()) == ["pk", "sk"] && open && work {
        return Ok(());
    }
    Err(place.says("it is there and is no ledger of Portcullis; name another table"))
}

async fn time_to_live(client: &Client, place: &Place) -> Result<bool, Error> {
    let asked = client.describe_time_to_live().table_name(&place.table).send().await;
    let answer = asked.map_err(|error| place.failed("DescribeTimeToLive", error))?;
    let status = answer
        .time_to_live_description
        .and_then(|known| known.time_to_live_status);
    Ok(matches!(
        status,
        Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)
    ))
}

async fn form(client: &Client, place: &Place) -> Result<Option<u64>, Error> {
    let asked = client.get_item().table_name(&place.table).consistent_read(true);
    let asked = asked.set_key(Some(item::keyed(item::single("FORM")))).send().await;
    let answer = asked.map_err(|error| place.failed("GetItem", error))?;
    answer
        .item
        .map(|item| item::required(&item, "number", item::get_number(&item, "number")))
        .transpose()
}

fn same_form(place: &Place, known: u64) -> Result<(), Error> {
    if known == FORM {
        return Ok(());
    }
    Err(place.says(&format!(
        "it has form {known}, this version reads form {FORM}; use the version that wrote it"
    )))
}

/// Refuses a table that is missing, no ledger, or of another form.
///
/// # Errors
/// [`Error::Store`], with the remedy.
pub(super) async fn check(client: &Client, place: &Place) -> Result<(), Error> {
    match form(client, place).await? {
        Some(known) => same_form(place, known),
        None => Err(place.says("it is not set up; run `portcullis setup ledger`")),
    }
}
