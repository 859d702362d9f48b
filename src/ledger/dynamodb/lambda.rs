//! Reads the table of the Python Lambda whose entries `portcullis adopt` takes over. Nothing is written to it.

use std::collections::HashMap;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::types::AttributeValue;

use super::reach;
use crate::ledger::{Error, Listed};

/// Rows that such a table may have; it has ten for each network ACL.
const MOST: usize = 100_000;

/// Every row of the table, and why a row cannot be read.
///
/// # Errors
/// [`Error::Store`] when the table cannot be read.
pub async fn listed(config: &SdkConfig, table: &str) -> Result<(Vec<Listed>, Vec<String>), Error> {
    let (client, place) = reach(config, table)?;
    let (mut rows, mut unreadable) = (Vec::new(), Vec::new());
    let mut from = None;
    while rows.len() + unreadable.len() < MOST {
        let call = client.scan().table_name(table).consistent_read(true);
        let page = call.set_exclusive_start_key(from).send().await;
        let page = page.map_err(|error| place.failed("Scan", error))?;
        for item in page.items() {
            match Listed::read(|name| text(item, name)) {
                Ok(row) => rows.push(row),
                Err(why) => unreadable.push(why),
            }
        }
        from = page.last_evaluated_key;
        if from.is_none() {
            return Ok((rows, unreadable));
        }
    }
    Err(place.says("it has more rows than the Lambda ever writes; name the Lambda's table"))
}

fn text(item: &HashMap<String, AttributeValue>, name: &str) -> Option<String> {
    match item.get(name)? {
        AttributeValue::S(text) | AttributeValue::N(text) => Some(text.clone()),
        _ => None,
    }
}
