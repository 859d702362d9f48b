//! EC2's network ACLs in memory: quota, order of checks, error codes, canonical blocks, and descriptions that lag.

use std::collections::BTreeMap;

use ipnet::IpNet;
use portcullis::network_acl::{Acl, AclKey, Code, Direction, Entry, Error, Inventory};

use crate::executor::Millis;

/// Who made an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Author {
    /// A responder.
    Responder,
    /// A person or another tool.
    Person,
}

/// An entry that stands, who made it and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What it is.
    pub entry: Entry,
    /// Who made it.
    pub author: Author,
    /// When.
    pub since: Millis,
}

/// Entries of one network ACL by direction and rule number.
pub type Entries = BTreeMap<(Direction, u16), Standing>;

/// One network ACL, with what it was lately.
#[derive(Clone, Debug, Default)]
pub struct NetworkAcl {
    /// Subnets.
    pub subnets: Vec<String>,
    /// Entries allowed per direction.
    pub quota: usize,
    /// Whether IPv4 and IPv6 entries count apart.
    pub per_family: bool,
    /// Whether the default deny counts.
    pub default_counts: bool,
    /// What stands.
    pub entries: Entries,
    /// Whether it was deleted.
    pub gone: bool,
    /// What stood until when.
    pub past: Vec<(Millis, Entries)>,
}

/// How much of the past is kept: longer than any description lags.
const KEPT: Millis = 120_000;

/// What a call does to an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// `CreateNetworkAclEntry`
    Create(Entry),
    /// `ReplaceNetworkAclEntry`
    Replace(Entry),
    /// `DeleteNetworkAclEntry`
    Delete(Direction, u16),
}

impl Call {
    /// The direction and number that it is about.
    #[must_use]
    pub fn place(&self) -> (Direction, u16) {
        match self {
            Call::Create(entry) | Call::Replace(entry) => (entry.direction, entry.rule),
            Call::Delete(direction, rule) => (*direction, *rule),
        }
    }
}

/// Every account.
#[derive(Clone, Debug, Default)]
pub struct Ec2 {
    /// By key.
    pub acls: BTreeMap<AclKey, NetworkAcl>,
    /// What the guards know.
    pub inventory: Inventory,
}

impl Ec2 {
    fn acl(&mut self, key: &AclKey) -> Result<&mut NetworkAcl, Error> {
        self.acls
            .get_mut(key)
            .filter(|acl| !acl.gone)
            .ok_or_else(|| Error::new(Code::AclNotFound, format!("there is no {}", key.acl)))
    }

    /// What stands where a call goes.
    #[must_use]
    pub fn at(&self, key: &AclKey, place: (Direction, u16)) -> Option<&Standing> {
        self.acls.get(key).and_then(|acl| acl.entries.get(&place))
    }

    /// Carries a call out.
    ///
    /// # Errors
    /// EC2's codes, checked in EC2's order.
    pub fn call(&mut self, key: &AclKey, call: &Call, author: Author, now: Millis) -> Result<(), Error> {
        let (direction, rule) = call.place();
        if !(1..=32_766).contains(&rule) {
            return Err(Error::new(Code::InvalidParameter, format!("rule number {rule}")));
        }
        if let Call::Create(entry) | Call::Replace(entry) = call
            && !entry
                .protocol
                .parse::<i16>()
                .is_ok_and(|number| (-1..=255).contains(&number))
        {
            return Err(Error::new(
                Code::InvalidParameter,
                format!("protocol {}", entry.protocol),
            ));
        }
        let acl = self.acl(key)?;
        let place = (direction, rule);
        let stands = acl.entries.contains_key(&place);
        let missing = || Error::new(Code::EntryNotFound, format!("{} has no {direction} {rule}", key.acl));
        match call {
            Call::Create(_) if stands => {
                let message = format!("{} has {direction} {rule}", key.acl);
                return Err(Error::new(Code::EntryAlreadyExists, message));
            }
            Call::Create(entry) if acl.used(direction, entry.cidr) >= acl.quota => {
                let message = format!("{} {direction}: the quota is {}", key.acl, acl.quota);
                return Err(Error::new(Code::EntryLimitExceeded, message));
            }
            Call::Replace(_) | Call::Delete(..) if !stands => return Err(missing()),
            _ => {}
        }
        acl.remember(now);
        match call {
            Call::Create(entry) | Call::Replace(entry) => {
                let entry = Entry {
                    cidr: entry.cidr.trunc(),
                    ..entry.clone()
                };
                let standing = Standing {
                    entry,
                    author,
                    since: now,
                };
                acl.entries.insert(place, standing);
            }
            Call::Delete(..) => {
                acl.entries.remove(&place);
            }
        }
        Ok(())
    }

    /// Describes a network ACL as it was at `seen`, which may lie behind.
    ///
    /// # Errors
    /// There is no such network ACL.
    pub fn describe(&mut self, key: &AclKey, seen: Millis) -> Result<Acl, Error> {
        let acl = self.acl(key)?;
        let past = acl.past.iter().find(|(until, _)| *until > seen);
        let entries = past.map_or(&acl.entries, |(_, entries)| entries);
        let mut entries: Vec<Entry> = entries.values().map(|standing| standing.entry.clone()).collect();
        entries.sort_by_key(|entry| (entry.direction, entry.rule));
        Ok(Acl {
            vpc: Some("vpc-1".to_owned()),
            is_default: false,
            subnets: acl.subnets.clone(),
            quota: acl.quota,
            managed_by: None,
            entries,
        })
    }
}

impl NetworkAcl {
    fn used(&self, direction: Direction, cidr: IpNet) -> usize {
        let v6 = |net: IpNet| matches!(net, IpNet::V6(_));
        let counted = |standing: &&Standing| {
            standing.entry.direction == direction && (!self.per_family || v6(standing.entry.cidr) == v6(cidr))
        };
        self.entries.values().filter(counted).count() + usize::from(self.default_counts)
    }

    fn remember(&mut self, now: Millis) {
        self.past.retain(|(until, _)| *until > now - KEPT);
        self.past.push((now, self.entries.clone()));
    }
}
