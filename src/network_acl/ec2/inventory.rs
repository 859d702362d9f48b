//! What the guards must know: our own public addresses and networks, and those of AWS services.
//!
//! It is read whole or not at all: an account that cannot be read is one whose addresses might be blocked. Reading goes on beside
//! the work, since many accounts take longer than a call may; meanwhile what was read before holds, until it is too old.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_ec2::types::{Filter, NetworkInterface, Vpc, VpcPeeringConnection, VpcPeeringConnectionStateReasonCode};
use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;
use tokio::sync::watch;
use tokio::time::timeout;

use super::clients::{Clients, PATIENCE, Regional};
use super::ip_ranges;
use crate::network_acl::{Code, Ec2Settings, Error, Inventory};

/// After a failure nothing is read again for this long.
const REST: TimeDelta = TimeDelta::seconds(30);

/// AWS's own account, as prefix lists name it.
const AWS: &str = "AWS";

type Outcome = Option<Result<(), Error>>;

#[derive(Debug, Default)]
struct State {
    known: Option<(DateTime<Utc>, Inventory)>,
    failed: Option<(DateTime<Utc>, Error)>,
    reading: Option<watch::Receiver<Outcome>>,
}

/// The inventory as it was last read.
#[derive(Debug)]
pub(super) struct Keeper {
    settings: Arc<Ec2Settings>,
    clients: Arc<Clients>,
    state: Mutex<State>,
}

impl Keeper {
    pub(super) fn new(settings: Arc<Ec2Settings>, clients: Arc<Clients>) -> Arc<Self> {
        Arc::new(Self {
            settings,
            clients,
            state: Mutex::default(),
        })
    }

    /// What is known, if it is not too old; waits for a reading no longer than a call may take.
    pub(super) async fn get(self: &Arc<Self>, now: DateTime<Utc>) -> Result<Inventory, Error> {
        self.within(PATIENCE, now).await
    }

    /// As [`Keeper::get`], with more patience: for a program that begins.
    pub(super) async fn within(self: &Arc<Self>, patience: Duration, now: DateTime<Utc>) -> Result<Inventory, Error> {
        let oldest = TimeDelta::minutes(i64::from(self.settings.inventory_minutes));
        let (known, mut reading) = {
            let mut state = self.state();
            let fresh = |than: TimeDelta| {
                let known = state.known.as_ref().filter(|(at, _)| now - *at < than);
                known.map(|(_, inventory)| inventory.clone())
            };
            if let Some(inventory) = fresh(oldest / 2) {
                return Ok(inventory);
            }
            let known = fresh(oldest);
            if let Some((_, error)) = state.failed.as_ref().filter(|(at, _)| now - *at < REST) {
                return known.ok_or_else(|| error.clone());
            }
            (known, self.begin(&mut state))
        };
        if let Some(inventory) = known {
            return Ok(inventory);
        }
        let ended = timeout(patience, reading.wait_for(Option::is_some)).await;
        if let Ok(Ok(outcome)) = ended
            && let Some(Err(error)) = outcome.as_ref()
        {
            return Err(error.clone());
        }
        let known = self.state().known.as_ref().map(|(_, inventory)| inventory.clone());
        known.ok_or_else(|| {
            Error::new(
                Code::Unavailable,
                "our own addresses are still being read, so nothing is blocked yet",
            )
        })
    }

    /// Begins a reading, unless one is under way.
    fn begin(self: &Arc<Self>, state: &mut State) -> watch::Receiver<Outcome> {
        let under_way =
            |reading: &&watch::Receiver<Outcome>| reading.has_changed().is_ok() && reading.borrow().is_none();
        if let Some(reading) = state.reading.as_ref().filter(under_way) {
            return reading.clone();
        }
        let (told, reading) = watch::channel(None);
        state.reading = Some(reading.clone());
        let keeper = Arc::clone(self);
        tokio::spawn(async move {
            let read = read(&keeper.settings, &keeper.clients).await;
            let now = Utc::now();
            let outcome = {
                let mut state = keeper.state();
                match read {
                    Ok(inventory) => {
                        (state.known, state.failed) = (Some((now, inventory)), None);
                        Ok(())
                    }
                    Err(error) => {
                        tracing::warn!(%error, "our own addresses cannot be read; without them nothing is blocked");
                        state.failed = Some((now, error.clone()));
                        Err(error)
                    }
                }
            };
            told.send_replace(Some(outcome));
        });
        reading
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn read(settings: &Ec2Settings, clients: &Clients) -> Result<Inventory, Error> {
    let mut inventory = Inventory::default();
    if let Some(path) = settings.ip_ranges.clone() {
        let oldest = TimeDelta::days(i64::from(settings.ip_ranges_days));
        let read = tokio::task::spawn_blocking(move || ip_ranges::read(&path, oldest, Utc::now())).await;
        let read = read.unwrap_or_else(|error| Err(error.to_string()));
        inventory.aws_services = read.map_err(|what| Error::new(Code::Unavailable, what))?;
    }
    // AWS's lists are the same for every account of a region.
    let first = settings.accounts.first().cloned();
    let ask = |at: Arc<Regional>| {
        let lists = first.as_ref() == Some(&at.account);
        async move { place(&at, lists).await }
    };
    let take = |part: Result<Inventory, Error>| {
        let part = part?;
        inventory.own_addresses.extend(part.own_addresses);
        inventory.own_networks.extend(part.own_networks);
        inventory.aws_services.extend(part.aws_services);
        Ok(())
    };
    clients.each(ask, take).await?;
    for list in [
        &mut inventory.own_addresses,
        &mut inventory.own_networks,
        &mut inventory.aws_services,
    ] {
        list.sort();
        list.dedup();
    }
    Ok(inventory)
}

/// One account and region.
async fn place(at: &Regional, lists: bool) -> Result<Inventory, Error> {
    let mut found = Inventory::default();
    at.pages(
        "DescribeNetworkInterfaces",
        |token| {
            at.client
                .describe_network_interfaces()
                .max_results(1000)
                .set_next_token(token)
                .send()
        },
        |page| {
            for interface in page.network_interfaces() {
                found.own_addresses.extend(addresses(at, interface)?);
            }
            Ok(page.next_token().map(str::to_owned))
        },
    )
    .await?;
    at.pages(
        "DescribeVpcs",
        |token| at.client.describe_vpcs().max_results(1000).set_next_token(token).send(),
        |page| {
            for vpc in page.vpcs() {
                found.own_networks.extend(networks(at, vpc)?);
            }
            Ok(page.next_token().map(str::to_owned))
        },
    )
    .await?;
    at.pages(
        "DescribeVpcPeeringConnections",
        |token| {
            at.client
                .describe_vpc_peering_connections()
                .max_results(1000)
                .set_next_token(token)
                .send()
        },
        |page| {
            for peering in page.vpc_peering_connections() {
                found.own_networks.extend(peered(at, peering)?);
            }
            Ok(page.next_token().map(str::to_owned))
        },
    )
    .await?;
    if lists {
        for list in lists_of_aws(at).await? {
            found.aws_services.extend(prefix_list(at, &list).await?);
        }
    }
    Ok(found)
}

async fn lists_of_aws(at: &Regional) -> Result<Vec<String>, Error> {
    let filter = Filter::builder().name("owner-id").values(AWS).build();
    let mut found = Vec::new();
    at.pages(
        "DescribeManagedPrefixLists",
        |token| {
            let call = at.client.describe_managed_prefix_lists().filters(filter.clone());
            call.max_results(100).set_next_token(token).send()
        },
        |page| {
            found.extend(
                page.prefix_lists()
                    .iter()
                    .filter_map(|list| list.prefix_list_id().map(str::to_owned)),
            );
            Ok(page.next_token().map(str::to_owned))
        },
    )
    .await?;
    Ok(found)
}

/// The networks of a prefix list.
pub(super) async fn prefix_list(at: &Regional, id: &str) -> Result<Vec<IpNet>, Error> {
    const ACTION: &str = "GetManagedPrefixListEntries";
    let mut found = Vec::new();
    at.pages(
        ACTION,
        |token| {
            let call = at.client.get_managed_prefix_list_entries().prefix_list_id(id);
            call.max_results(100).set_next_token(token).send()
        },
        |page| {
            for entry in page.entries() {
                found.extend(network(at, ACTION, entry.cidr())?);
            }
            Ok(page.next_token().map(str::to_owned))
        },
    )
    .await?;
    Ok(found)
}

fn addresses(at: &Regional, interface: &NetworkInterface) -> Result<Vec<IpNet>, Error> {
    const ACTION: &str = "DescribeNetworkInterfaces";
    let own = interface.association().into_iter();
    let each = interface
        .private_ip_addresses()
        .iter()
        .filter_map(|private| private.association());
    let v4 = own
        .chain(each)
        .flat_map(|public| [public.public_ip(), public.carrier_ip(), public.customer_owned_ip()]);
    let v6 = interface.ipv6_addresses().iter().map(|address| address.ipv6_address());
    let mut found = Vec::new();
    for text in v4.chain(v6) {
        found.extend(network(at, ACTION, text)?);
    }
    Ok(found)
}

fn networks(at: &Regional, vpc: &Vpc) -> Result<Vec<IpNet>, Error> {
    let v4 = vpc.cidr_block_association_set().iter().map(|block| block.cidr_block());
    let v6 = vpc
        .ipv6_cidr_block_association_set()
        .iter()
        .map(|block| block.ipv6_cidr_block());
    let mut found = Vec::new();
    for text in [vpc.cidr_block()].into_iter().chain(v4).chain(v6) {
        found.extend(network(at, "DescribeVpcs", text)?);
    }
    Ok(found)
}

fn peered(at: &Regional, peering: &VpcPeeringConnection) -> Result<Vec<IpNet>, Error> {
    let state = peering.status().and_then(|status| status.code());
    if state != Some(&VpcPeeringConnectionStateReasonCode::Active) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for side in [peering.accepter_vpc_info(), peering.requester_vpc_info()]
        .into_iter()
        .flatten()
    {
        let v4 = side.cidr_block_set().iter().map(|block| block.cidr_block());
        let v6 = side.ipv6_cidr_block_set().iter().map(|block| block.ipv6_cidr_block());
        for text in [side.cidr_block()].into_iter().chain(v4).chain(v6) {
            found.extend(network(at, "DescribeVpcPeeringConnections", text)?);
        }
    }
    Ok(found)
}

/// An address or a network; what is neither is an error, since it would not be guarded.
fn network(at: &Regional, action: &'static str, text: Option<&str>) -> Result<Option<IpNet>, Error> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let address = text.parse::<std::net::IpAddr>().map(IpNet::from).ok();
    let read = address.or_else(|| text.parse::<IpNet>().ok());
    read.map(|net| Some(net.trunc())).ok_or_else(|| {
        at.call(action, "").says(
            Code::Unavailable,
            "it names something that is no address and no network",
        )
    })
}
