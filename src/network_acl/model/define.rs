//! What exists in the model: VPCs with their network ACLs and subnets, and the inventory. Defining twice changes nothing.

use ipnet::IpNet;
use rusqlite::{Connection, params};

use super::{Model, QUOTA, calls};
use crate::network_acl::{AclKey, Direction, Entry, Error, Inventory, Place};

/// A network ACL and what it guards, as plain values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vpc {
    /// The network ACL.
    pub acl: AclKey,
    /// `vpc-...`
    pub vpc: String,
    /// Whether it is the VPC's default network ACL.
    pub is_default: bool,
    /// Entries allowed per direction.
    pub quota: usize,
    /// Subnets associated with it.
    pub subnets: Vec<String>,
    /// Entries that it has from the start; nobody's but its makers'.
    pub entries: Vec<Entry>,
}

impl Vpc {
    /// A network ACL that is not the default one, with EC2's usual quota and no entries.
    #[must_use]
    pub fn new(account: &str, region: &str, vpc: &str, acl: &str) -> Self {
        Self {
            acl: AclKey {
                account: account.to_owned(),
                region: region.to_owned(),
                acl: acl.to_owned(),
            },
            vpc: vpc.to_owned(),
            is_default: false,
            quota: QUOTA,
            subnets: Vec::new(),
            entries: Vec::new(),
        }
    }

    /// Associates a subnet.
    #[must_use]
    pub fn with_subnet(mut self, subnet: &str) -> Self {
        self.subnets.push(subnet.to_owned());
        self
    }

    /// Adds the entry that most network ACLs have: rule 100 allows everything, in both directions.
    #[must_use]
    pub fn with_allow_all(mut self) -> Self {
        self.entries.extend(allow_all());
        self
    }

    /// Makes it the default network ACL.
    #[must_use]
    pub fn as_default(mut self) -> Self {
        self.is_default = true;
        self
    }
}

fn allow_all() -> [Entry; 2] {
    [Direction::Ingress, Direction::Egress].map(|direction| Entry {
        rule: 100,
        direction,
        cidr: IpNet::V4(ipnet::Ipv4Net::default()),
        protocol: "-1".to_owned(),
        allow: true,
    })
}

impl Model {
    /// Creates what is not there yet. An existing network ACL keeps its entries; its quota and subnets are set.
    ///
    /// # Errors
    /// [`crate::network_acl::Code::Unavailable`] when SQLite fails.
    pub fn define(&self, vpc: &Vpc) -> Result<(), Error> {
        self.writing(|db| define(db, vpc))
    }

    /// Adds to the inventory what is not there yet.
    ///
    /// # Errors
    /// [`crate::network_acl::Code::Unavailable`] when SQLite fails.
    pub fn define_inventory(&self, inventory: &Inventory) -> Result<(), Error> {
        let kinds = [
            ("own_address", &inventory.own_addresses),
            ("own_network", &inventory.own_networks),
            ("aws_service", &inventory.aws_services),
        ];
        self.writing(|db| {
            for (kind, list) in kinds {
                for cidr in list {
                    db.prepare_cached("INSERT OR IGNORE INTO inventory (kind, cidr) VALUES (?1, ?2)")?
                        .execute(params![kind, cidr.trunc().to_string()])?;
                }
            }
            Ok(())
        })
    }
}

fn define(db: &Connection, vpc: &Vpc) -> Result<(), Error> {
    let key = &vpc.acl;
    let inserted = db
        .prepare_cached(
            "INSERT OR IGNORE INTO acl (account, region, acl, vpc, is_default, quota) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            key.account,
            key.region,
            key.acl,
            vpc.vpc,
            vpc.is_default,
            vpc.quota
        ])?;
    if inserted == 0 {
        db.prepare_cached("UPDATE acl SET quota = ?4 WHERE account = ?1 AND region = ?2 AND acl = ?3")?
            .execute(params![key.account, key.region, key.acl, vpc.quota])?;
    } else {
        for entry in &vpc.entries {
            calls::put(db, key, entry)?;
        }
    }
    for subnet in &vpc.subnets {
        db.prepare_cached("INSERT OR REPLACE INTO subnet (account, region, subnet, acl) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![key.account, key.region, subnet, key.acl])?;
    }
    Ok(())
}

/// One network ACL per VPC, or per subnet where the finding names no VPC.
pub(super) fn discovered(place: &Place<'_>) -> Vpc {
    let name = [place.account, place.region, place.vpc.unwrap_or(place.subnet)].join("\n");
    let digest = blake3::hash(name.as_bytes()).to_hex();
    let (id, vpc) = (&digest[..17], place.vpc.unwrap_or_default());
    Vpc::new(place.account, place.region, vpc, &format!("acl-{id}"))
        .with_subnet(place.subnet)
        .with_allow_all()
}
