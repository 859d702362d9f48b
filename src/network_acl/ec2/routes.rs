//! Whether a subnet's traffic with an address crosses an internet gateway.
//!
//! See [route priority](https://docs.aws.amazon.com/vpc/latest/userguide/route-tables-priority.html): the longest prefix wins,
//! and of two the one that no gateway propagated.

use std::collections::{HashMap, HashSet};
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

/// The route tables of one account and region.
#[derive(Debug, Default)]
pub(super) struct Tables {
    of_subnets: HashMap<String, Vec<Leads>>,
    of_vpcs: HashMap<String, Vec<Leads>>,
    /// Subnets whose table names prefix lists, which nobody looked up.
    unread: HashSet<String>,
}

impl Tables {
    /// The routes of a subnet, where they were read.
    pub(super) fn of(&self, subnet: &str, vpc: Option<&str>) -> Option<&[Leads]> {
        if self.unread.contains(subnet) {
            return None;
        }
        let own = self.of_subnets.get(subnet);
        own.or_else(|| self.of_vpcs.get(vpc?)).map(Vec::as_slice)
    }

    fn learn(&mut self, table: &RouteTable) {
        let names_lists = table
            .routes()
            .iter()
            .any(|route| route.destination_prefix_list_id().is_some());
        let routes: Vec<Leads> = table
            .routes()
            .iter()
            .flat_map(|route| lead(route, block(route)))
            .collect();
        for association in table.associations() {
            match (association.subnet_id(), table.vpc_id()) {
                (Some(subnet), _) if names_lists => {
                    self.unread.insert(subnet.to_owned());
                }
                (Some(subnet), _) => {
                    self.of_subnets.insert(subnet.to_owned(), routes.clone());
                }
                (None, Some(vpc)) if association.main() == Some(true) && !names_lists => {
                    self.of_vpcs.insert(vpc.to_owned(), routes.clone());
                }
                _ => {}
            }
        }
    }
}

/// Every route table of one account and region, in as few calls as there are pages.
pub(super) async fn of_region(at: &Regional) -> Result<Tables, Error> {
    let mut found = Tables::default();
    at.pages(
        ACTION,
        |token| {
            let call = at.client.describe_route_tables();
            call.max_results(100).set_next_token(token).send()
        },
        |page| {
            page.route_tables().iter().for_each(|table| found.learn(table));
            Ok(page.next_token().map(str::to_owned))
        },
    )
    .await?;
    Ok(found)
}

fn block(route: &Route) -> Vec<IpNet> {
    let block = route.destination_cidr_block().or(route.destination_ipv6_cidr_block());
    block.and_then(|block| block.parse().ok()).into_iter().collect()
}

fn lead(route: &Route, to: Vec<IpNet>) -> impl Iterator<Item = Leads> + '_ {
    to.into_iter().map(|to| Leads {
        to,
        propagated: route.origin() == Some(&RouteOrigin::EnableVgwRoutePropagation),
        internet: is_internet(route),
    })
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
        let to = match route.destination_prefix_list_id() {
            Some(list) if lists < MOST_LISTS => {
                lists += 1;
                prefix_list(at, list).await?
            }
            _ => block(route),
        };
        found.extend(lead(route, to));
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
    use aws_sdk_ec2::types::RouteTableAssociation;

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
    fn a_subnet_has_the_routes_of_its_own_table_else_of_the_main_one_and_none_that_were_not_read() {
        let joined = |subnet: Option<&str>| {
            let association = RouteTableAssociation::builder().main(subnet.is_none());
            association.set_subnet_id(subnet.map(str::to_owned)).build()
        };
        let table = |subnet, route: Route| {
            let table = RouteTable::builder().vpc_id("vpc-1").associations(joined(subnet));
            table.routes(route).build()
        };
        let route = || Route::builder().destination_cidr_block("0.0.0.0/0");
        let mut tables = Tables::default();
        tables.learn(&table(None, route().gateway_id("igw-1").build()));
        tables.learn(&table(Some("subnet-inside"), route().gateway_id("vgw-1").build()));
        let list = Route::builder().destination_prefix_list_id("pl-1").gateway_id("igw-1");
        tables.learn(&table(Some("subnet-lists"), list.build()));
        let leads = |subnet, vpc| {
            let routes = tables.of(subnet, vpc)?;
            Some(reach(routes, "45.83.64.9".parse().expect("an address")))
        };
        assert_eq!(leads("subnet-any", Some("vpc-1")), Some(true));
        assert_eq!(leads("subnet-inside", Some("vpc-1")), Some(false));
        assert_eq!(leads("subnet-lists", Some("vpc-1")), None, "nobody looked the list up");
        assert_eq!(leads("subnet-any", Some("vpc-2")), None);
        assert_eq!(leads("subnet-any", None), None);
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
