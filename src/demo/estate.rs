//! The model of EC2 and the guards' lists, as the story's environment has them.

use std::collections::BTreeMap;

use ipnet::IpNet;

use crate::{
    generate::Environment,
    network_acl::{
        Error, Inventory,
        model::{Model, Vpc},
    },
    respond::policy::Lists,
};

/// Defines every network ACL with its subnets, and the inventory that the guards read.
pub(super) fn define(model: &Model, environment: &Environment) -> Result<(), Error> {
    for vpc in &environment.vpcs {
        for acl in &vpc.network_acls {
            let mut defined = Vpc::new(&vpc.account, vpc.region, &vpc.id, &acl.id).with_allow_all();
            if acl.is_default {
                defined = defined.as_default();
            }
            for subnet in vpc.subnets.iter().filter(|subnet| subnet.acl == acl.id) {
                defined = defined.with_subnet(&subnet.id);
            }
            model.define(&defined)?;
        }
    }
    let elastic = environment.vpcs.iter().flat_map(|vpc| {
        let machines = vpc.instances.iter().filter_map(|instance| instance.elastic_address);
        machines.chain(vpc.load_balancer.nodes.iter().map(|node| node.2))
    });
    model.define_inventory(&Inventory {
        own_addresses: elastic
            .map(|address| IpNet::from(std::net::IpAddr::V4(address)))
            .collect(),
        own_networks: environment.vpcs.iter().map(|vpc| IpNet::V4(vpc.cidr)).collect(),
        aws_services: environment.service_prefixes.iter().map(|prefix| prefix.cidr).collect(),
    })
}

/// What the organisation's policy lists beside the inventory.
pub(super) fn lists(environment: &Environment) -> Lists {
    Lists {
        allow: environment.allow_list.iter().map(|allowed| allowed.cidr).collect(),
        ..Lists::default()
    }
}

/// The interfaces that each network ACL guards.
pub(super) fn interfaces(environment: &Environment) -> BTreeMap<String, Vec<String>> {
    let mut interfaces: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for vpc in &environment.vpcs {
        for instance in &vpc.instances {
            if let Some(subnet) = vpc.subnets.get(instance.subnet) {
                interfaces
                    .entry(subnet.acl.clone())
                    .or_default()
                    .push(instance.interface.clone());
            }
        }
    }
    interfaces
}
