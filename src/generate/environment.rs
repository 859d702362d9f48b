//! What the fictional organisation has: accounts, networks, machines, addresses of its own and addresses it trusts.
//!
//! The lay-out is the same for every seed, the ids and addresses are not. A caller builds its model of EC2 and its guard
//! lists from this, so that events and model speak of the same things.

use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};

use super::{
    layout::{ACCOUNTS, INSTANCES, PARTNER, SERVICE_PREFIXES, VPCS, VpcRow},
    random::Random,
};

/// Everything the organisation has.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Its accounts.
    pub accounts: Vec<Account>,
    /// Its networks, in all accounts and regions.
    pub vpcs: Vec<Vpc>,
    /// Addresses that must never be blocked, and whose they are.
    pub allow_list: Vec<AllowListed>,
    /// Ranges of AWS services other than EC2, from which its machines are reached.
    pub service_prefixes: Vec<ServicePrefix>,
}

/// One AWS account.
#[derive(Clone, Debug)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    /// What people call it.
    pub name: &'static str,
}

/// One network in one region of one account, with all that stands in it.
#[derive(Clone, Debug)]
pub struct Vpc {
    /// Twelve-digit account id.
    pub account: String,
    /// Region, such as `eu-west-1`.
    pub region: &'static str,
    /// `vpc-...`
    pub id: String,
    /// What people call it.
    pub name: &'static str,
    /// Its address range.
    pub cidr: Ipv4Net,
    /// GuardDuty's detector for this account and region: 32 hexadecimal digits.
    pub detector: String,
    /// Its network ACLs, the one that guards the public subnets first.
    pub network_acls: Vec<NetworkAcl>,
    /// Its subnets.
    pub subnets: Vec<Subnet>,
    /// Its machines.
    pub instances: Vec<Instance>,
    /// What its web traffic comes in through.
    pub load_balancer: LoadBalancer,
}

/// One network ACL.
#[derive(Clone, Debug)]
pub struct NetworkAcl {
    /// `acl-...`
    pub id: String,
    /// What people call it.
    pub name: &'static str,
    /// Whether it is the one that the VPC was created with.
    pub is_default: bool,
}

/// One subnet.
#[derive(Clone, Debug)]
pub struct Subnet {
    /// `subnet-...`
    pub id: String,
    /// Availability zone, such as `eu-west-1a`.
    pub zone: String,
    /// Its address range.
    pub cidr: Ipv4Net,
    /// The network ACL it is associated with; several subnets share one.
    pub acl: String,
    /// Whether its default route is an internet gateway.
    pub public: bool,
}

/// One machine with its interface.
#[derive(Clone, Debug)]
pub struct Instance {
    /// `i-...`
    pub id: String,
    /// What people call it.
    pub name: &'static str,
    /// Such as `t3.small`.
    pub instance_type: &'static str,
    /// `ami-...`
    pub image: String,
    /// Index of its subnet in [`Vpc::subnets`].
    pub subnet: usize,
    /// `eni-...`
    pub interface: String,
    /// Its address inside the VPC.
    pub private_address: Ipv4Addr,
    /// Its elastic address, when it has one.
    pub elastic_address: Option<Ipv4Addr>,
    /// `sg-...`
    pub security_group: String,
    /// Ports it listens on, the one that matters most first.
    pub ports: &'static [u16],
}

/// An application load balancer and the web ACL in front of it.
#[derive(Clone, Debug)]
pub struct LoadBalancer {
    /// Its name and id, as they end its ARN: `app/shop/50dc6c495c0c9188`.
    pub id: String,
    /// The name its clients ask for.
    pub host: &'static str,
    /// One per public subnet, in their order: interface, private address, elastic address.
    pub nodes: Vec<(String, Ipv4Addr, Ipv4Addr)>,
    /// ARN of its web ACL.
    pub web_acl: String,
}

/// An address that is allow-listed.
#[derive(Clone, Debug)]
pub struct AllowListed {
    /// What is allowed.
    pub cidr: IpNet,
    /// Whose it is.
    pub who: &'static str,
}

/// A range of an AWS service, as AWS's `ip-ranges.json` lists it.
#[derive(Clone, Debug)]
pub struct ServicePrefix {
    /// The range.
    pub cidr: IpNet,
    /// AWS's name of the service, such as `CLOUDFRONT`.
    pub service: &'static str,
}

impl Environment {
    /// What the organisation of this seed has. The same seed gives the same ids and addresses.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed, 1);
        let accounts: Vec<Account> = ACCOUNTS
            .iter()
            .map(|&name| Account {
                id: random.decimal(12),
                name,
            })
            .collect();
        let vpcs = VPCS
            .iter()
            .enumerate()
            .map(|(index, row)| Vpc::new(index, row, &accounts[row.account].id, &mut random))
            .collect();
        let partner = random.address(Ipv4Addr::new(167, 235, 0, 0), 16);
        let office = random.address(Ipv4Addr::new(87, 234, 0, 0), 16);
        Self {
            accounts,
            vpcs,
            allow_list: vec![
                AllowListed {
                    cidr: network(partner, 29),
                    who: PARTNER,
                },
                AllowListed {
                    cidr: network(office, 32),
                    who: "head office",
                },
            ],
            service_prefixes: SERVICE_PREFIXES
                .iter()
                .map(|&(base, length, service)| ServicePrefix {
                    cidr: network(base, length),
                    service,
                })
                .collect(),
        }
    }

    /// Every public address of the organisation's own: of machines and of load balancers.
    pub fn elastic_addresses(&self) -> impl Iterator<Item = Ipv4Addr> + '_ {
        self.vpcs.iter().flat_map(|vpc| {
            let machines = vpc.instances.iter().filter_map(|instance| instance.elastic_address);
            machines.chain(vpc.load_balancer.nodes.iter().map(|node| node.2))
        })
    }

    /// The network ACL that meets the most attackers.
    #[must_use]
    pub fn busiest_acl(&self) -> &NetworkAcl {
        &self.vpcs[0].network_acls[0]
    }
}

impl Vpc {
    fn new(index: usize, row: &VpcRow, account: &str, random: &mut Random) -> Self {
        let network_acls: Vec<NetworkAcl> = row
            .acls
            .iter()
            .map(|&(name, is_default)| NetworkAcl {
                id: format!("acl-0{}", random.hex(16)),
                name,
                is_default,
            })
            .collect();
        let subnets: Vec<Subnet> = (0_u8..)
            .zip(row.subnets)
            .map(|(n, &(acl, public))| Subnet {
                id: format!("subnet-0{}", random.hex(16)),
                zone: format!("{}{}", row.region, char::from(b'a' + n % 3)),
                cidr: v4(Ipv4Addr::new(10, row.octet, n * 16, 0), 20),
                acl: network_acls[acl].id.clone(),
                public,
            })
            .collect();
        let instances = INSTANCES
            .iter()
            .filter(|instance| instance.0 == index)
            .map(|&(_, subnet, name, instance_type, ports)| Instance {
                id: format!("i-0{}", random.hex(16)),
                name,
                instance_type,
                image: format!("ami-0{}", random.hex(16)),
                subnet,
                interface: format!("eni-0{}", random.hex(16)),
                private_address: random.address(subnets[subnet].cidr.addr(), 20),
                elastic_address: subnets[subnet]
                    .public
                    .then(|| random.address(row.elastic.0, row.elastic.1)),
                security_group: format!("sg-0{}", random.hex(16)),
                ports,
            })
            .collect();
        let nodes = subnets
            .iter()
            .filter(|subnet| subnet.public && subnet.acl == network_acls[0].id)
            .map(|subnet| {
                let interface = format!("eni-0{}", random.hex(16));
                let private = random.address(subnet.cidr.addr(), 20);
                (interface, private, random.address(row.elastic.0, row.elastic.1))
            })
            .collect();
        let application = row.application;
        Self {
            account: account.to_owned(),
            region: row.region,
            id: format!("vpc-0{}", random.hex(16)),
            name: row.name,
            cidr: v4(Ipv4Addr::new(10, row.octet, 0, 0), 16),
            detector: random.hex(32),
            network_acls,
            subnets,
            instances,
            load_balancer: LoadBalancer {
                id: format!("app/{application}/{}", random.hex(16)),
                host: row.host,
                nodes,
                web_acl: format!(
                    "arn:aws:wafv2:{}:{account}:regional/webacl/{application}/{}",
                    row.region,
                    random.uuid()
                ),
            },
        }
    }

    /// The subnet of one of its machines.
    #[must_use]
    pub fn subnet_of(&self, instance: &Instance) -> &Subnet {
        &self.subnets[instance.subnet]
    }

    /// The subnets that a network ACL guards.
    pub fn subnets_of<'v>(&'v self, acl: &'v str) -> impl Iterator<Item = &'v Subnet> {
        self.subnets.iter().filter(move |subnet| subnet.acl == acl)
    }
}

fn v4(base: Ipv4Addr, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(base, length)
}

/// The network of that length that an address is in.
fn network(address: Ipv4Addr, length: u8) -> IpNet {
    IpNet::V4(v4(address, length).trunc())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_same_seed_has_the_same_organisation_and_another_seed_another() {
        let show = |seed| format!("{:?}", Environment::new(seed));
        assert_eq!(show(7), show(7));
        assert_ne!(show(7), show(8));
    }

    #[test]
    fn everything_stands_where_it_says() {
        for seed in 0..20 {
            let environment = Environment::new(seed);
            let acls: BTreeSet<&str> = environment
                .vpcs
                .iter()
                .flat_map(|vpc| vpc.network_acls.iter().map(|acl| acl.id.as_str()))
                .collect();
            assert_eq!(acls.len(), 6);
            let mut addresses = BTreeSet::new();
            for vpc in &environment.vpcs {
                assert!(environment.accounts.iter().any(|account| account.id == vpc.account));
                for subnet in &vpc.subnets {
                    assert!(vpc.cidr.contains(&subnet.cidr), "{subnet:?}");
                    assert!(acls.contains(subnet.acl.as_str()), "{subnet:?}");
                }
                for instance in &vpc.instances {
                    let subnet = vpc.subnet_of(instance);
                    assert!(subnet.cidr.contains(&instance.private_address), "{instance:?}");
                    assert_eq!(subnet.public, instance.elastic_address.is_some(), "{instance:?}");
                    assert!(addresses.insert(instance.private_address), "{instance:?}");
                }
            }
            for elastic in environment.elastic_addresses() {
                assert!(!elastic.is_private());
                assert!(addresses.insert(elastic), "{elastic} is used twice");
            }
        }
    }

    #[test]
    fn several_subnets_share_the_busiest_network_acl() {
        let environment = Environment::new(1);
        let acl = environment.busiest_acl();
        assert_eq!(environment.vpcs[0].subnets_of(&acl.id).count(), 3);
    }
}
