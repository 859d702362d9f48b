//! Where a database stands: the one call of RDS that the responder makes, [DescribeDBInstances](https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBInstances.html).
//!
//! It is written by hand, because the SDK of that service would be the second largest crate of all for one call. A group of subnets
//! says where a database may stand; which of them it is in, only its zone tells. Where that leaves a choice, nothing is known.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use aws_smithy_xml::decode::{Document, ScopedDecoder, XmlDecodeError, try_data};
use chrono::{DateTime, TimeDelta, Utc};

use super::clients::Regional;
use super::error::Call;
use crate::network_acl::{Code, Database, Error};

const ACTION: &str = "DescribeDBInstances";

/// How long an answer is believed: a failover moves a database.
const AGE: TimeDelta = TimeDelta::minutes(5);

/// Databases remembered; then it begins anew.
const MOST: usize = 10_000;

/// Bytes of an answer about one database; it has about five thousand.
const MOST_BYTES: usize = 512 * 1024;

/// The longest identifier that RDS gives.
const LONGEST: usize = 63;

/// Account, region, identifier.
type Name = (String, String, String);

/// What is remembered, and the way to ask.
#[derive(Debug, Default)]
pub(super) struct Databases {
    known: Mutex<HashMap<Name, (DateTime<Utc>, Database)>>,
    client: OnceLock<reqwest::Client>,
}

impl Databases {
    /// Where a database of this account and region stands.
    pub(super) async fn of(&self, at: &Regional, identifier: &str, now: DateTime<Utc>) -> Result<Database, Error> {
        if !is_identifier(identifier) {
            return Ok(Database::Unknown);
        }
        let name = (at.account.clone(), at.region.clone(), identifier.to_owned());
        if let Some(known) = self.recalled(&name, now) {
            return Ok(known);
        }
        let call = at.call_of("rds", ACTION, identifier);
        let client = self.client(call)?;
        let found = at.ask_rds(call, || ask(client, call)).await?;
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(name, (now, found.clone()));
        Ok(found)
    }

    fn recalled(&self, name: &Name, now: DateTime<Utc>) -> Option<Database> {
        let all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, known) = all.get(name)?;
        (now - *at < AGE).then(|| known.clone())
    }

    fn client(&self, call: Call<'_>) -> Result<&reqwest::Client, Error> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let made = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build();
        let made = made.map_err(|error| call.says(Code::Unavailable, &format!("no client can be made ({error})")))?;
        Ok(self.client.get_or_init(|| made))
    }
}

/// Letters, digits and hyphens: nothing else is asked for.
fn is_identifier(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !text.is_empty() && text.len() <= LONGEST && text.bytes().all(allowed)
}

/// One attempt.
async fn ask(client: &reqwest::Client, call: Call<'_>) -> Result<Database, Error> {
    let gone = |error: &dyn std::fmt::Display| {
        let what = format!("no answer; check the network and AWS_ENDPOINT_URL_RDS ({error})");
        call.says(Code::Unavailable, &what)
    };
    let form = format!("Action={ACTION}&Version=2014-10-31&DBInstanceIdentifier={}", call.about);
    let request = client
        .post(call.at.rds.endpoint())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form);
    let mut request = request.build().map_err(|error| gone(&error))?;
    if let Err(error) = call.at.rds.signer().sign(&mut request).await {
        let detail = error.to_string();
        return Err(call
            .not_assumed(&detail)
            .unwrap_or_else(|| call.says(Code::Unavailable, &detail)));
    }
    let mut answer = client.execute(request).await.map_err(|error| gone(&error))?;
    let status = answer.status();
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(|error| gone(&error))? {
        if body.len() + part.len() > MOST_BYTES {
            return Err(call.says(Code::InvalidParameter, "the answer is too long to be one"));
        }
        body.extend_from_slice(&part);
    }
    let text = String::from_utf8_lossy(&body);
    if status.is_success() {
        let instance = read(&text)
            .map_err(|error| call.says(Code::InvalidParameter, &format!("the answer cannot be read ({error})")))?;
        return Ok(instance.map_or(Database::Unknown, |instance| instance.stands()));
    }
    let (word, said) = refusal(&text).unwrap_or_default();
    match word.as_str() {
        "DBInstanceNotFound" | "DBInstanceNotFoundFault" => Ok(Database::Unknown),
        "" => Err(call.refused(
            &status.as_u16().to_string(),
            status.is_server_error(),
            "no reason is given",
        )),
        word => Err(call.refused(word, status.is_server_error(), &said)),
    }
}

/// What counts of an instance.
#[derive(Debug, Default, PartialEq, Eq)]
struct Instance {
    public: bool,
    zone: Option<String>,
    standby: Option<String>,
    /// Subnets of its group, each with its zone.
    subnets: Vec<(String, String)>,
}

impl Instance {
    fn stands(&self) -> Database {
        if !self.public {
            return Database::NotPublic;
        }
        let zones = self.zone.iter().chain(&self.standby);
        let mut found = Vec::new();
        for zone in zones {
            let mut there = self.subnets.iter().filter(|(_, of)| of == zone);
            let (Some((subnet, _)), None) = (there.next(), there.next()) else {
                return Database::Unknown;
            };
            found.push(subnet.clone());
        }
        if found.is_empty() {
            return Database::Unknown;
        }
        Database::In(found)
    }
}

/// Calls `take` with each child of an element.
fn each(
    element: &mut ScopedDecoder<'_, '_>,
    mut take: impl FnMut(&str, &mut ScopedDecoder<'_, '_>) -> Result<(), XmlDecodeError>,
) -> Result<(), XmlDecodeError> {
    while let Some(mut child) = element.next_tag() {
        let name = child.start_el().local().to_owned();
        take(&name, &mut child)?;
    }
    Ok(())
}

fn text(element: &mut ScopedDecoder<'_, '_>) -> Result<Option<String>, XmlDecodeError> {
    let text = try_data(element)?.trim().to_owned();
    Ok((!text.is_empty()).then_some(text))
}

/// The instance that an answer describes; none, or more than one, is none.
fn read(answer: &str) -> Result<Option<Instance>, XmlDecodeError> {
    let mut document = Document::new(answer);
    let mut found = Vec::new();
    each(&mut document.root_element()?, |name, result| match name {
        "DescribeDBInstancesResult" => each(result, |name, list| match name {
            "DBInstances" => each(list, |name, one| {
                if name == "DBInstance" {
                    found.push(instance(one)?);
                }
                Ok(())
            }),
            _ => Ok(()),
        }),
        _ => Ok(()),
    })?;
    Ok(found.pop().filter(|_| found.is_empty()))
}

fn instance(element: &mut ScopedDecoder<'_, '_>) -> Result<Instance, XmlDecodeError> {
    let mut found = Instance::default();
    each(element, |name, part| {
        match name {
            "PubliclyAccessible" => found.public = text(part)?.as_deref() == Some("true"),
            "AvailabilityZone" => found.zone = text(part)?,
            "SecondaryAvailabilityZone" => found.standby = text(part)?,
            "DBSubnetGroup" => each(part, |name, subnets| match name {
                "Subnets" => each(subnets, |_, one| {
                    found.subnets.extend(subnet(one)?);
                    Ok(())
                }),
                _ => Ok(()),
            })?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(found)
}

fn subnet(element: &mut ScopedDecoder<'_, '_>) -> Result<Option<(String, String)>, XmlDecodeError> {
    let (mut id, mut zone) = (None, None);
    each(element, |name, part| {
        match name {
            "SubnetIdentifier" => id = text(part)?,
            "SubnetAvailabilityZone" => each(part, |name, part| {
                if name == "Name" {
                    zone = text(part)?;
                }
                Ok(())
            })?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(id.zip(zone))
}

/// The word and the text of a refusal.
fn refusal(answer: &str) -> Result<(String, String), XmlDecodeError> {
    let mut document = Document::new(answer);
    let (mut word, mut said) = (None, None);
    each(&mut document.root_element()?, |name, error| match name {
        "Error" => each(error, |name, part| {
            match name {
                "Code" => word = text(part)?,
                "Message" => said = text(part)?,
                _ => {}
            }
            Ok(())
        }),
        _ => Ok(()),
    })?;
    Ok((word.unwrap_or_default(), said.unwrap_or_default()))
}

#[cfg(test)]
mod tests;
