//! Security Hub's copy of a `GuardDuty` finding, rewritten into `GuardDuty`'s own shape.
//!
//! Security Hub keeps what its format has no place for in `ProductFields`, under keys such as
//! `aws/guardduty/service/action/portProbeAction/portProbeDetails.0_/remoteIpDetails/ipAddressV4`. Unfolding those gives
//! back the `service` object; the rest is renaming. See "AWS Security Finding Format" in the Security Hub user guide.

use super::Error;
use super::node::{Node, shorten};

const SERVICE: &str = "aws/guardduty/service/";

/// Path segments of a key that are followed; real ones have seven.
const MOST_SEGMENTS: usize = 12;

/// Elements of an unfolded array; real ones have a few.
const MOST_ITEMS: usize = 100;

/// Product fields that are unfolded; Security Hub itself keeps at most 50.
const MOST_FIELDS: usize = 500;

/// Whether a record is in Security Hub's format.
pub(super) fn is_security_hub(body: &Node) -> Result<bool, Error> {
    Ok(body.get("schemaVersion")?.text() == Some("2018-10-08") || !body.get("productArn")?.is_empty())
}

/// The same finding as `GuardDuty` writes it.
pub(super) fn to_native(body: &Node) -> Result<Node, Error> {
    let product = body.get("productArn")?.text().unwrap_or_default();
    if !product.ends_with(":product/aws/guardduty") {
        let name = body.get("productName")?.text().unwrap_or(product);
        return Err(Error::OtherProduct { product: shorten(name) });
    }
    let arn = body.get("id")?.text().unwrap_or_default();
    let id = arn.rsplit_once("/finding/").map_or(arn, |(_, id)| id);
    let mut service = unfold(body.get("productFields")?);
    let action = body.get("action")?;
    if !action.is_empty() {
        put(&mut service, "action", action.clone());
    }
    if service.get("eventLastSeen")?.is_empty() {
        put(&mut service, "eventLastSeen", body.get("lastObservedAt")?.clone());
    }
    let archived = body.get("recordState")?.text() == Some("ARCHIVED");
    if archived {
        put(&mut service, "archived", Node::Bool(true));
    }
    if body.get("sample")?.is_true() {
        put(&mut service, "additionalInfo", map([("sample", Node::Bool(true))]));
    }
    Ok(map([
        ("id", text(id)),
        ("arn", text(arn)),
        ("type", text(&native_type(body)?)),
        ("accountId", body.get("awsAccountId")?.clone()),
        ("region", body.get("region")?.clone()),
        ("severity", severity(body.get("severity")?)?),
        ("title", body.get("title")?.clone()),
        ("description", body.get("description")?.clone()),
        ("createdAt", body.get("createdAt")?.clone()),
        ("updatedAt", body.get("updatedAt")?.clone()),
        ("resource", resource(body.get("resources")?)?),
        ("service", service),
    ]))
}

/// `TTPs/Initial Access/UnauthorizedAccess:EC2-SSHBruteForce` to `UnauthorizedAccess:EC2/SSHBruteForce`.
fn native_type(body: &Node) -> Result<String, Error> {
    let first = body
        .get("types")?
        .items()
        .first()
        .and_then(Node::text)
        .unwrap_or_default();
    let last = first.rsplit('/').next().unwrap_or_default();
    Ok(match last.split_once(':') {
        Some((purpose, rest)) => format!("{purpose}:{}", rest.replacen('-', "/", 1)),
        None => String::new(),
    })
}

/// `GuardDuty`'s own number where it is kept, else the normalised hundred, else the label.
fn severity(node: &Node) -> Result<Node, Error> {
    const LABELS: &[(&str, &str)] = &[
        ("LOW", "2"),
        ("MEDIUM", "5"),
        ("HIGH", "8"),
        ("CRITICAL", "9.5"),
        ("INFORMATIONAL", "0"),
    ];
    let product = node.get("product")?;
    if product.number().is_some() {
        return Ok(product.clone());
    }
    if let Some(hundred) = node.get("normalized")?.number() {
        return Ok(Node::Number((hundred / 10.0).to_string()));
    }
    let label = node.get("label")?.text().unwrap_or_default();
    let number = LABELS.iter().find(|(name, _)| name.eq_ignore_ascii_case(label));
    Ok(number.map_or(Node::Null, |(_, number)| Node::Number((*number).to_owned())))
}

/// The first instance or function among the resources.
fn resource(resources: &Node) -> Result<Node, Error> {
    for item in resources.items() {
        let arn = item.get("id")?.text().unwrap_or_default();
        match item.get("type")?.text().unwrap_or_default() {
            "AwsEc2Instance" => {
                let id = arn.rsplit('/').next().unwrap_or_default();
                let details = item.at(["details", "awsEc2Instance"])?;
                let interface = map([("subnetId", details.get("subnetId")?.clone())]);
                let instance = map([
                    ("instanceId", text(id)),
                    ("networkInterfaces", Node::List(vec![interface])),
                ]);
                return Ok(map([("resourceType", text("Instance")), ("instanceDetails", instance)]));
            }
            "AwsLambdaFunction" => {
                let name = arn.rsplit(':').next().unwrap_or_default();
                let vpc = item.at(["details", "awsLambdaFunction", "vpcConfig"])?;
                let function = map([("functionName", text(name)), ("vpcConfig", vpc.clone())]);
                return Ok(map([("resourceType", text("Lambda")), ("lambdaDetails", function)]));
            }
            _ => {}
        }
    }
    Ok(Node::Null)
}

/// Rebuilds the `service` object from the product fields' keys.
fn unfold(fields: &Node) -> Node {
    let mut service = Node::Map(Vec::new());
    let Node::Map(entries) = fields else {
        return service;
    };
    for (key, value) in entries.iter().take(MOST_FIELDS) {
        let Some(path) = key.strip_prefix(SERVICE) else {
            continue;
        };
        let segments: Vec<&str> = path.split('/').collect();
        if segments.len() <= MOST_SEGMENTS {
            insert(&mut service, &segments, value);
        }
    }
    service
}

/// Puts a value at a path; a segment such as `portProbeDetails.0_` is an element of an array.
fn insert(node: &mut Node, path: &[&str], value: &Node) {
    let Some((segment, rest)) = path.split_first() else {
        *node = value.clone();
        return;
    };
    let element = segment
        .strip_suffix('_')
        .and_then(|segment| segment.rsplit_once('.'))
        .and_then(|(name, at)| Some((name, at.parse::<usize>().ok()?)));
    match element {
        Some((name, at)) => {
            if let Some(item) = child(node, name).and_then(|list| item(list, at)) {
                insert(item, rest, value);
            }
        }
        None => {
            if let Some(next) = child(node, segment) {
                insert(next, rest, value);
            }
        }
    }
}

/// The value under a key, made when missing; `None` where text already stands.
fn child<'a>(node: &'a mut Node, key: &str) -> Option<&'a mut Node> {
    if matches!(node, Node::Null) {
        *node = Node::Map(Vec::new());
    }
    let Node::Map(entries) = node else {
        return None;
    };
    let at = entries.iter().position(|(name, _)| name.eq_ignore_ascii_case(key));
    let at = at.unwrap_or_else(|| {
        entries.push((key.to_owned(), Node::Null));
        entries.len() - 1
    });
    entries.get_mut(at).map(|(_, value)| value)
}

fn item(node: &mut Node, at: usize) -> Option<&mut Node> {
    if matches!(node, Node::Null) {
        *node = Node::List(Vec::new());
    }
    let Node::List(items) = node else {
        return None;
    };
    if at >= MOST_ITEMS {
        return None;
    }
    if items.len() <= at {
        items.resize(at + 1, Node::Null);
    }
    items.get_mut(at)
}

fn put(node: &mut Node, key: &str, value: Node) {
    if let Some(slot) = child(node, key) {
        *slot = value;
    }
}

fn text(text: &str) -> Node {
    Node::Text(text.to_owned())
}

fn map<const N: usize>(entries: [(&str, Node); N]) -> Node {
    Node::Map(
        entries
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    )
}
