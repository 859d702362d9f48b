//! Network ACLs as EC2 describes them, and which one guards a subnet.
//!
//! See [DescribeNetworkAcls](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkAcls.html).

use aws_sdk_ec2::types::{Filter, NetworkAcl, NetworkAclEntry, RuleAction};
use ipnet::IpNet;

use super::clients::Regional;
use crate::network_acl::{Acl, AclKey, Code, Direction, Entry, Error};

/// The highest rule number that a person may use; above are the default denies, which cannot be changed.
const LAST_RULE: i32 = 32_766;

/// The tag, `true` while it holds, of a network ACL that [Firewall Manager keeps](https://docs.aws.amazon.com/waf/latest/developerguide/network-acls-fms-managed.html).
const MANAGED: &str = "FMManaged";

const ACTION: &str = "DescribeNetworkAcls";

/// Every network ACL of one account and region.
pub(super) async fn list(at: &Regional) -> Result<Vec<AclKey>, Error> {
    Ok(guards(at).await?.into_iter().map(|(key, ..)| key).collect())
}

/// A network ACL, its VPC and the subnets that it guards.
pub(super) type Guarded = (AclKey, Option<String>, Vec<String>);

/// What every network ACL of one account and region guards.
pub(super) async fn guards(at: &Regional) -> Result<Vec<Guarded>, Error> {
    let mut found = Vec::new();
    let take = |key, acl: &NetworkAcl| found.push((key, acl.vpc_id().map(str::to_owned), subnets(acl)));
    each(at, take).await?;
    Ok(found)
}

/// Every network ACL of one account and region that can be read, with its entries.
pub(super) async fn all(at: &Regional, quota: usize) -> Result<Vec<(AclKey, Acl)>, Error> {
    let mut found = Vec::new();
    let take = |key, acl: &NetworkAcl| {
        if let Ok(acl) = described(acl, quota) {
            found.push((key, acl));
        }
    };
    each(at, take).await?;
    Ok(found)
}

/// Hands over every network ACL of one account and region, a thousand with each call.
async fn each(at: &Regional, mut take: impl FnMut(AclKey, &NetworkAcl) + Send) -> Result<(), Error> {
    at.pages(
        ACTION,
        |token| {
            at.client
                .describe_network_acls()
                .max_results(1000)
                .set_next_token(token)
                .send()
        },
        |page| {
            for acl in page.network_acls().iter().filter(|acl| is_of(acl, at)) {
                if let Some(key) = key(at, acl) {
                    take(key, acl);
                }
            }
            Ok(page.next_token().map(str::to_owned))
        },
    )
    .await
}

/// One network ACL.
pub(super) async fn one(at: &Regional, id: &str, quota: usize) -> Result<Acl, Error> {
    let call = at.call(ACTION, id);
    let page = at
        .read(ACTION, id, || {
            at.client.describe_network_acls().network_acl_ids(id).send()
        })
        .await?;
    let Some(acl) = page.network_acls().first() else {
        return Err(call.says(Code::AclNotFound, "there is none of this id"));
    };
    if !is_of(acl, at) {
        let owner = acl.owner_id().unwrap_or("another account");
        let what = format!(
            "it belongs to {owner}; if these are that account's credentials, name it in network_acls.ec2.accounts or write \
             network_acls.ec2.role"
        );
        return Err(call.says(Code::Unauthorized, &what));
    }
    described(acl, quota).map_err(|what| call.says(Code::Unavailable, &what))
}

/// What EC2 says of a subnet's network ACL.
pub(super) enum Guard {
    /// This one, of this account, with its subnets.
    Of(AclKey, Vec<String>),
    /// The subnet is shared by this account, which has it.
    SharedBy(String),
    /// There is no such subnet.
    Unknown,
}

/// The network ACL that guards a subnet.
pub(super) async fn of_subnet(at: &Regional, subnet: &str) -> Result<Guard, Error> {
    let filter = Filter::builder().name("association.subnet-id").values(subnet).build();
    let page = at
        .read(ACTION, subnet, || {
            at.client.describe_network_acls().filters(filter.clone()).send()
        })
        .await?;
    if let Some(acl) = page.network_acls().first() {
        let owner = acl.owner_id().unwrap_or(&at.account);
        if owner != at.account {
            return Ok(Guard::SharedBy(owner.to_owned()));
        }
        return Ok(key(at, acl).map_or(Guard::Unknown, |key| Guard::Of(key, subnets(acl))));
    }
    let filter = Filter::builder().name("subnet-id").values(subnet).build();
    let page = at
        .read("DescribeSubnets", subnet, || {
            at.client.describe_subnets().filters(filter.clone()).send()
        })
        .await?;
    let owner = page.subnets().first().and_then(|subnet| subnet.owner_id());
    Ok(match owner {
        Some(owner) if owner != at.account => Guard::SharedBy(owner.to_owned()),
        _ => Guard::Unknown,
    })
}

fn is_of(acl: &NetworkAcl, at: &Regional) -> bool {
    acl.owner_id().is_none_or(|owner| owner == at.account)
}

fn key(at: &Regional, acl: &NetworkAcl) -> Option<AclKey> {
    Some(AclKey {
        account: at.account.clone(),
        region: at.region.clone(),
        acl: acl.network_acl_id()?.to_owned(),
    })
}

fn subnets(acl: &NetworkAcl) -> Vec<String> {
    let associations = acl.associations().iter();
    let mut subnets: Vec<String> = associations
        .filter_map(|association| association.subnet_id().map(str::to_owned))
        .collect();
    subnets.sort();
    subnets
}

fn described(acl: &NetworkAcl, quota: usize) -> Result<Acl, String> {
    let entries = acl.entries().iter();
    let mut entries: Vec<Entry> = entries
        .filter_map(|entry| read(entry).transpose())
        .collect::<Result<_, _>>()?;
    entries.sort_by_key(|entry| (entry.direction, entry.rule));
    let mut tags = acl.tags().iter();
    let managed = tags.any(|tag| tag.key() == Some(MANAGED) && tag.value() == Some("true"));
    Ok(Acl {
        vpc: acl.vpc_id().map(str::to_owned),
        is_default: acl.is_default().unwrap_or(false),
        subnets: subnets(acl),
        quota,
        managed_by: managed.then(|| "AWS Firewall Manager".to_owned()),
        entries,
    })
}

/// One entry; `None` for a default deny. What cannot be read is an error: an entry that nobody sees is a number that seems
/// free.
fn read(entry: &NetworkAclEntry) -> Result<Option<Entry>, String> {
    let number = entry.rule_number().unwrap_or_default();
    if number > LAST_RULE {
        return Ok(None);
    }
    let unreadable = || format!("its entry {number} cannot be read");
    let block = entry.ipv6_cidr_block().or(entry.cidr_block()).ok_or_else(unreadable)?;
    let cidr: IpNet = block.parse().map_err(|_| unreadable())?;
    Ok(Some(Entry {
        rule: u16::try_from(number).map_err(|_| unreadable())?,
        direction: match entry.egress() {
            Some(true) => Direction::Egress,
            _ => Direction::Ingress,
        },
        cidr: cidr.trunc(),
        protocol: entry.protocol().unwrap_or("-1").to_owned(),
        allow: entry.rule_action() == Some(&RuleAction::Allow),
    }))
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::Tag;

    use super::*;

    fn entry(number: i32, block: &str) -> NetworkAclEntry {
        let made = NetworkAclEntry::builder()
            .rule_number(number)
            .egress(false)
            .protocol("-1");
        made.cidr_block(block).rule_action(RuleAction::Deny).build()
    }

    #[test]
    fn default_denies_are_left_out_and_what_cannot_be_read_is_an_error() {
        let acl = |entries: Vec<NetworkAclEntry>| NetworkAcl::builder().set_entries(Some(entries)).build();
        let seen = described(&acl(vec![entry(32_767, "0.0.0.0/0"), entry(71, "45.83.64.9/32")]), 20).expect("readable");
        assert_eq!(
            seen.entries,
            [Entry::deny(
                71,
                Direction::Ingress,
                "45.83.64.9/32".parse().expect("a network")
            )]
        );
        for (number, block) in [(71, "pl-1"), (-1, "45.83.64.9/32")] {
            assert!(
                described(&acl(vec![entry(number, block)]), 20).is_err(),
                "{number} {block}"
            );
        }
    }

    #[test]
    fn a_tag_of_firewall_manager_says_who_manages_it() {
        for (key, value, managed) in [
            ("FMManaged", "true", true),
            ("FMManaged", "false", false),
            ("Name", "FMManaged", false),
        ] {
            let acl = NetworkAcl::builder()
                .tags(Tag::builder().key(key).value(value).build())
                .build();
            let seen = described(&acl, 20).expect("readable");
            assert_eq!(seen.managed_by.is_some(), managed, "{key}={value}");
        }
    }
}
