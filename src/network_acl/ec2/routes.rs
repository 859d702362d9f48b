//! Whether a subnet's traffic with an address crosses an internet gateway.
//!
//! See [route priority](https://docs.aws.amazon.com/vpc/latest/userguide/route-tables-priority.html): the longest prefix wins,
//! and of two the one that no gateway propagated.

use std::net::IpAddr;

use aws_sdk_ec2::types::{Filter, Route, RouteOrigin, RouteState, RouteTable};
use ipnet::IpNet;

use super::clients::Regional;
use super::inventory::prefix_list;
use crate::network_acl::Error;

const ACTION: &str = "DescribeRouteTables";

/// Prefix lists that one route table may name: each is a call.
const MOST_LISTS: usize = 20;

/// One route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leads {
    to: IpNet,
    propagated: bool,
    internet: bool,
}

/// The routes of a subnet: those of its own table, else of its VPC's main one.
pub(super) async fn of_subnet(at: &Regional, subnet: &str, vpc: Option<&str>) -> Result<Vec<Leads>, Error> {
    let own = [("association.subnet-id", subnet)];
    if let Some(table) = table(at, subnet, &own).await? {
        return leads(at, &table).await;
    }
    let Some(vpc) = vpc else {
        return Ok(Vec::new());
    };
    let main = [("association.main", "true"), ("vpc-id", vpc)];
    match table(at, vpc, &main).await? {
        Some(table) => leads(at, &table).await,
        None => Ok(Vec::new()),
    }
}

/// Whether the route that an address takes leads to a gateway of the internet.
pub(super) fn reach(routes: &[Leads], address: IpAddr) -> bool {
    routes
        .iter()
        .filter(|route| route.to.contains(&address))
        .max_by_key(|route| (route.to.prefix_len(), !route.propagated))
        .is_some_and(|route| route.internet)
}

async fn table(at: &Regional, about: &str, filters: &[(&str, &str)]) -> Result<Option<RouteTable>, Error> {
    let filters: Vec<Filter> = filters
        .iter()
        .map(|(name, value)| Filter::builder().name(*name).values(*value).build())
        .collect();
    let page = at
        .read(ACTION, about, || {
            at.client
                .describe_route_tables()
                .set_filters(Some(filters.clone()))
                .send()
        })
        .await?;
    Ok(page.route_tables().first().cloned())
}

async fn leads(at: &Regional, table: &RouteTable) -> Result<Vec<Leads>, Error> {
    let mut found = Vec::new();
    let mut lists = 0;
    for route in table.routes() {
        let block = route.destination_cidr_block().or(route.destination_ipv6_cidr_block());
        let to: Vec<IpNet> = match (block, route.destination_prefix_list_id()) {
            (Some(block), _) => block.parse().into_iter().collect(),
            (None, Some(list)) if lists < MOST_LISTS => {
                lists += 1;
                prefix_list(at, list).await?
            }
            (None, _) => Vec::new(),
        };
        found.extend(to.into_iter().map(|to| Leads {
            to,
            propagated: route.origin() == Some(&RouteOrigin::EnableVgwRoutePropagation),
            internet: is_internet(route),
        }));
    }
    Ok(found)
}

fn is_internet(route: &Route) -> bool {
    let gateway = route.gateway_id().is_some_and(|id| id.starts_with("igw-"));
    let others = route.nat_gateway_id().is_some() || route.egress_only_internet_gateway_id().is_some();
    (gateway || others) && route.state() != Some(&RouteState::Blackhole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_that_nobody_propagated_says_where_an_address_leads() {
        let lead = |to: &str, propagated, internet| Leads {
            to: to.parse().expect("a network"),
            propagated,
            internet,
        };
        let routes = [
            lead("0.0.0.0/0", false, true),
            lead("10.0.0.0/16", false, false),
            lead("45.83.0.0/16", false, false),
            lead("45.83.64.0/24", true, false),
            lead("45.83.64.0/24", false, true),
        ];
        for (address, expected) in [
            ("185.220.101.4", true),
            ("45.83.1.1", false),
            ("45.83.64.9", true),
            ("10.0.3.3", false),
            ("2a00::1", false),
        ] {
            assert_eq!(
                reach(&routes, address.parse().expect("an address")),
                expected,
                "{address}"
            );
        }
        assert!(!reach(&[], "45.83.64.9".parse().expect("an address")));
    }

    #[test]
    fn gateways_of_the_internet_are_internet_egress_only_and_nat_gateways() {
        let route = Route::builder;
        for (route, expected) in [
            (route().gateway_id("igw-1"), true),
            (route().nat_gateway_id("nat-1"), true),
            (route().egress_only_internet_gateway_id("eigw-1"), true),
            (route().gateway_id("local"), false),
            (route().gateway_id("vgw-1"), false),
            (route().transit_gateway_id("tgw-1"), false),
            (route().gateway_id("igw-1").state(RouteState::Blackhole), false),
        ] {
            assert_eq!(is_internet(&route.build()), expected);
        }
    }
}
