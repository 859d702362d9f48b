//! From a record to a finding: unwraps the envelope, tells the form by shape, reads the fields.

use chrono::{DateTime, Utc};

use super::node::{Node, shorten};
use super::{Error, Finding, Resource, ResourceKind, Role, action, asff};

const LONGEST_IDENTIFIER: usize = 256;
const LONGEST_TITLE: usize = 512;
const LONGEST_TEXT: usize = 4096;

/// Where a finding names the instance of RDS.
const DATABASE: [&str; 2] = ["rdsDbInstanceDetails", "dbInstanceIdentifier"];

/// Reads one record that holds one finding.
pub(super) fn finding(record: &[u8]) -> Result<Finding, Error> {
    let record = Node::parse(record)?;
    if !matches!(record, Node::Map(_)) {
        return Err(Error::NotAFinding {
            why: "the record is no JSON object",
        });
    }
    let envelope = Envelope::of(&record)?;
    let body = match record.get("detail")? {
        Node::Map(_) => record.get("detail")?,
        Node::Null => &record,
        _ => {
            return Err(Error::NotAFinding {
                why: "`detail` is no JSON object",
            });
        }
    };
    let body = only_one(body)?;
    if asff::is_security_hub(body)? {
        let native = asff::to_native(body)?;
        return native_finding(&native, &envelope);
    }
    native_finding(body, &envelope)
}

/// What the `EventBridge` envelope says, for findings that leave it out.
#[derive(Default)]
struct Envelope {
    account: Option<String>,
    region: Option<String>,
    time: Option<String>,
}

impl Envelope {
    fn of(record: &Node) -> Result<Self, Error> {
        if record.get("detail")?.is_empty() {
            return Ok(Self::default());
        }
        Ok(Self {
            account: account_id(record.get("account")?)?,
            region: identifier(record.get("region")?, "region")?,
            time: record.get("time")?.string(),
        })
    }
}

/// The finding itself, or the only one of `findings[]`.
fn only_one(body: &Node) -> Result<&Node, Error> {
    match body.get("findings")? {
        Node::List(findings) => match findings.as_slice() {
            [one] => Ok(one),
            several => Err(Error::NotOne {
                field: "findings",
                count: several.len(),
            }),
        },
        _ => Ok(body),
    }
}

fn native_finding(body: &Node, envelope: &Envelope) -> Result<Finding, Error> {
    let finding_type = identifier(body.get("type")?, "type")?.filter(|text| text.contains(':'));
    let Some(finding_type) = finding_type else {
        return Err(Error::NotAFinding {
            why: "it has no `type` such as UnauthorizedAccess:EC2/SSHBruteForce",
        });
    };
    let service = body.get("service")?;
    let remedy = "it names the finding; send the record as AWS wrote it";
    let id = required(identifier(body.get("id")?, "id")?, "id", remedy)?;
    let arn = body.get("arn")?.string().unwrap_or_default();
    let mut arn = arn.split(':').skip(1).map(str::to_owned);
    let arn = [arn.next(), arn.nth(1), arn.next()].map(|part| part.filter(|part| !part.is_empty()));
    let [partition, arn_region, arn_account] = arn;

    let remedy = "without it there is no network ACL to look for";
    let account = account_id(body.get("accountId")?)?.or(envelope.account.clone());
    let account = required(account.or(arn_account), "accountId", remedy)?;
    let region = identifier(body.get("region")?, "region")?.or(envelope.region.clone());
    let region = required(region.or(arn_region), "region", remedy)?;

    let updated_at = match time(body.get("updatedAt")?.text(), "updatedAt")? {
        Some(at) => Some(at),
        None => match time(body.get("createdAt")?.text(), "createdAt")? {
            Some(at) => Some(at),
            None => time(envelope.time.as_deref(), "time")?,
        },
    };
    let updated_at = required(updated_at, "updatedAt", "its versions cannot be put in order without")?;
    let last_seen = time(service.get("eventLastSeen")?.text(), "service.eventLastSeen")?;
    let title = body.get("title")?.string().unwrap_or_default();

    Ok(Finding {
        severity: severity(body.get("severity")?)?,
        partition: body
            .get("partition")?
            .string()
            .or(partition)
            .unwrap_or_else(|| partition_of(&region).to_owned()),
        description: clip(body.get("description")?.text().unwrap_or_default(), LONGEST_TEXT),
        updated_at,
        last_seen: last_seen.unwrap_or(updated_at),
        count: count(service.get("count")?),
        archived: service.get("archived")?.is_true(),
        sample: title.starts_with("[SAMPLE]") || is_sample(service.get("additionalInfo")?)?,
        resource: resource(body.get("resource")?, service)?,
        action: action::read(service)?,
        title: clip(&title, LONGEST_TITLE),
        id,
        finding_type,
        account,
        region,
    })
}

/// A name that things are looked up by: bounded, and refused rather than cut when it is longer.
fn identifier(node: &Node, field: &'static str) -> Result<Option<String>, Error> {
    match node.text() {
        Some(text) if text.len() > LONGEST_IDENTIFIER => Err(Error::Invalid {
            field,
            value: shorten(text),
            remedy: "longer than AWS writes it; send the record as AWS wrote it",
        }),
        text => Ok(text.map(str::to_owned)),
    }
}

/// An account id; one that was written as a number has lost its leading zeros.
fn account_id(node: &Node) -> Result<Option<String>, Error> {
    let id = identifier(node, "accountId")?;
    Ok(match node {
        Node::Number(_) => id.map(|digits| format!("{digits:0>12}")),
        _ => id,
    })
}

/// At most this many characters, cut between characters.
fn clip(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

fn required<T>(value: Option<T>, field: &'static str, remedy: &'static str) -> Result<T, Error> {
    value.ok_or(Error::Missing { field, remedy })
}

/// A time in any form that AWS uses; absent is `None`, unreadable an error, never a guess.
fn time(text: Option<&str>, field: &'static str) -> Result<Option<DateTime<Utc>>, Error> {
    let Some(text) = text else {
        return Ok(None);
    };
    portcullis_transforms::time::parse(text.as_bytes())
        .ok()
        .and_then(DateTime::from_timestamp_millis)
        .map(Some)
        .ok_or_else(|| Error::Invalid {
            field,
            value: shorten(text),
            remedy: "write RFC 3339 with an offset, such as 2026-11-20T10:00:00Z, or an epoch number",
        })
}

fn severity(node: &Node) -> Result<f64, Error> {
    let remedy = "write a number from 0 to 10";
    match node.number() {
        Some(severity) if (0.0..=10.0).contains(&severity) => Ok(severity),
        _ if node.is_empty() => Err(Error::Missing {
            field: "severity",
            remedy,
        }),
        _ => Err(Error::Invalid {
            field: "severity",
            value: shorten(node.text().unwrap_or("no number")),
            remedy,
        }),
    }
}

/// Absent or unreadable counts as once: nothing is decided on it.
fn count(node: &Node) -> u64 {
    node.text().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// `additionalInfo.sample`, or the same inside the JSON text that the API puts in `additionalInfo.value`.
fn is_sample(info: &Node) -> Result<bool, Error> {
    if info.get("sample")?.is_true() {
        return Ok(true);
    }
    match info.get("value")?.text().map(|text| Node::parse(text.as_bytes())) {
        Some(Ok(inner)) => Ok(inner.get("sample")?.is_true()),
        _ => Ok(false),
    }
}

fn partition_of(region: &str) -> &'static str {
    const PARTITIONS: &[(&str, &str)] = &[
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
        ("us-iso-", "aws-iso"),
        ("eu-isoe-", "aws-iso-e"),
        ("eusc-", "aws-eusc"),
    ];
    PARTITIONS
        .iter()
        .find(|(prefix, _)| region.starts_with(prefix))
        .map_or("aws", |(_, partition)| partition)
}

fn resource(node: &Node, service: &Node) -> Result<Resource, Error> {
    let role = match service
        .get("resourceRole")?
        .text()
        .map(str::to_ascii_uppercase)
        .as_deref()
    {
        Some("TARGET") => Role::Target,
        Some("ACTOR") => Role::Actor,
        _ => Role::Unknown,
    };
    let lambda = node.get("lambdaDetails")?;
    let is_lambda = |text: &str| text.eq_ignore_ascii_case("lambda");
    if !lambda.is_empty() || node.get("resourceType")?.text().is_some_and(is_lambda) {
        let subnets = lambda
            .at(["vpcConfig", "subnetIds"])?
            .items()
            .iter()
            .filter_map(Node::string);
        return Ok(Resource {
            kind: ResourceKind::Function,
            name: lambda.get("functionName")?.string(),
            role,
            subnets: distinct(subnets),
            database: None,
        });
    }
    let instance = node.get("instanceDetails")?;
    let mut subnets = Vec::new();
    for interface in instance.get("networkInterfaces")?.items() {
        subnets.extend(interface.get("subnetId")?.string());
    }
    let data = node.at(["ec2NetworkInterface", "subNetId"])?;
    subnets.extend(data.string());
    Ok(Resource {
        kind: ResourceKind::Instance,
        name: name(node, instance)?,
        role,
        subnets: distinct(subnets.into_iter()),
        database: node.at(DATABASE)?.string(),
    })
}

/// The most telling name: of the instance, else of what stands in its place.
fn name(node: &Node, instance: &Node) -> Result<Option<String>, Error> {
    const NAMES: &[[&str; 2]] = &[
        ["eksClusterDetails", "name"],
        ["ecsClusterDetails", "name"],
        DATABASE,
        ["accessKeyDetails", "userName"],
    ];
    if let Some(name) = instance.get("instanceId")?.string() {
        return Ok(Some(name));
    }
    for path in NAMES {
        if let Some(name) = node.at(*path)?.string() {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Without repeats, order kept, bounded.
fn distinct(items: impl Iterator<Item = String>) -> Vec<String> {
    const MOST: usize = 200;
    let mut kept: Vec<String> = Vec::new();
    for item in items {
        if kept.len() < MOST && item.len() <= LONGEST_IDENTIFIER && !kept.contains(&item) {
            kept.push(item);
        }
    }
    kept
}
