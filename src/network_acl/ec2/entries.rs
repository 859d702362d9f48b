//! The three calls that write entries.
//!
//! See [CreateNetworkAclEntry](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkAclEntry.html),
//! [ReplaceNetworkAclEntry](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReplaceNetworkAclEntry.html) and
//! [DeleteNetworkAclEntry](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteNetworkAclEntry.html).

use aws_sdk_ec2::types::RuleAction;
use ipnet::IpNet;

use super::clients::Regional;
use crate::network_acl::{Direction, Entry, Error};

/// An entry's values as the requests want them.
struct Values {
    v4: Option<String>,
    v6: Option<String>,
    action: RuleAction,
    egress: bool,
    rule: i32,
    protocol: String,
}

fn values(entry: &Entry) -> Values {
    let block = entry.cidr.trunc().to_string();
    let (v4, v6) = match entry.cidr {
        IpNet::V4(_) => (Some(block), None),
        IpNet::V6(_) => (None, Some(block)),
    };
    Values {
        v4,
        v6,
        action: if entry.allow {
            RuleAction::Allow
        } else {
            RuleAction::Deny
        },
        egress: entry.direction == Direction::Egress,
        rule: i32::from(entry.rule),
        protocol: entry.protocol.clone(),
    }
}

fn about(id: &str, direction: Direction, rule: u16) -> String {
    format!("{id} {direction} rule {rule}")
}

pub(super) async fn create(at: &Regional, id: &str, entry: &Entry) -> Result<(), Error> {
    let about = about(id, entry.direction, entry.rule);
    at.write("CreateNetworkAclEntry", &about, || {
        let Values {
            v4,
            v6,
            action,
            egress,
            rule,
            protocol,
        } = values(entry);
        let call = at.client.create_network_acl_entry().network_acl_id(id);
        let call = call.set_cidr_block(v4).set_ipv6_cidr_block(v6).rule_action(action);
        call.egress(egress).rule_number(rule).protocol(protocol).send()
    })
    .await
    .map(drop)
}

pub(super) async fn replace(at: &Regional, id: &str, entry: &Entry) -> Result<(), Error> {
    let about = about(id, entry.direction, entry.rule);
    at.write("ReplaceNetworkAclEntry", &about, || {
        let Values {
            v4,
            v6,
            action,
            egress,
            rule,
            protocol,
        } = values(entry);
        let call = at.client.replace_network_acl_entry().network_acl_id(id);
        let call = call.set_cidr_block(v4).set_ipv6_cidr_block(v6).rule_action(action);
        call.egress(egress).rule_number(rule).protocol(protocol).send()
    })
    .await
    .map(drop)
}

pub(super) async fn delete(at: &Regional, id: &str, direction: Direction, rule: u16) -> Result<(), Error> {
    at.write("DeleteNetworkAclEntry", &about(id, direction, rule), || {
        let call = at.client.delete_network_acl_entry().network_acl_id(id);
        let egress = direction == Direction::Egress;
        call.egress(egress).rule_number(i32::from(rule)).send()
    })
    .await
    .map(drop)
}
