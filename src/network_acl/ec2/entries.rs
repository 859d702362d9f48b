//! The three calls that write entries.
//!
//! See [CreateNetworkAclEntry](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkAclEntry.html),
//! [ReplaceNetworkAclEntry](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReplaceNetworkAclEntry.html) and
//! [DeleteNetworkAclEntry](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteNetworkAclEntry.html).

use aws_sdk_ec2::types::RuleAction;
use ipnet::IpNet;

use super::clients::Regional;
use crate::network_acl::{Direction, Entry, Error};

/// A request with the values of an entry. Create and replace take the same, and have no type in common.
macro_rules! filled {
    ($request:expr, $id:expr, $entry:expr) => {{
        let entry: &Entry = $entry;
        let block = entry.cidr.trunc().to_string();
        let (v4, v6) = match entry.cidr {
            IpNet::V4(_) => (Some(block), None),
            IpNet::V6(_) => (None, Some(block)),
        };
        let action = if entry.allow {
            RuleAction::Allow
        } else {
            RuleAction::Deny
        };
        $request
            .network_acl_id($id)
            .set_cidr_block(v4)
            .set_ipv6_cidr_block(v6)
            .rule_action(action)
            .egress(entry.direction == Direction::Egress)
            .rule_number(i32::from(entry.rule))
            .protocol(&entry.protocol)
    }};
}

fn about(id: &str, direction: Direction, rule: u16) -> String {
    format!("{id} {direction} rule {rule}")
}

pub(super) async fn create(at: &Regional, id: &str, entry: &Entry) -> Result<(), Error> {
    let about = about(id, entry.direction, entry.rule);
    at.write("CreateNetworkAclEntry", &about, || {
        filled!(at.client.create_network_acl_entry(), id, entry).send()
    })
    .await
    .map(drop)
}

pub(super) async fn replace(at: &Regional, id: &str, entry: &Entry) -> Result<(), Error> {
    let about = about(id, entry.direction, entry.rule);
    at.write("ReplaceNetworkAclEntry", &about, || {
        filled!(at.client.replace_network_acl_entry(), id, entry).send()
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
