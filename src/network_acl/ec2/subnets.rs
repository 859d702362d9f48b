//! What is remembered of subnets: their network ACLs and routes, which change seldom and are asked for with every finding.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use super::routes::{self, Leads};
use crate::network_acl::{AclKey, Place};

/// How long it is believed.
const AGE: TimeDelta = TimeDelta::minutes(5);

/// Subnets remembered; then it begins anew.
const MOST: usize = 50_000;

#[derive(Debug)]
struct Known<T> {
    at: DateTime<Utc>,
    value: T,
}

/// Region and subnet. An account that only uses a shared subnet says the same of it as its owner.
type Name = (String, String);

/// What is remembered.
#[derive(Debug, Default)]
pub(super) struct Subnets {
    acls: Mutex<HashMap<Name, Known<AclKey>>>,
    routes: Mutex<HashMap<Name, Known<Vec<Leads>>>>,
}

fn name(place: &Place<'_>) -> Name {
    (place.region.to_owned(), place.subnet.to_owned())
}

fn held<T>(lock: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Subnets {
    /// The network ACL of a subnet.
    pub(super) fn acl(&self, place: &Place<'_>, now: DateTime<Utc>) -> Option<AclKey> {
        let acls = held(&self.acls);
        let known = acls.get(&name(place)).filter(|known| now - known.at < AGE)?;
        Some(known.value.clone())
    }

    /// What a description of a network ACL says of its subnets: these it guards, and no others.
    pub(super) fn learn(&self, key: &AclKey, subnets: &[String], now: DateTime<Utc>) {
        let mut acls = held(&self.acls);
        if acls.len() > MOST {
            acls.clear();
        }
        acls.retain(|_, known| known.value != *key);
        for subnet in subnets {
            let value = key.clone();
            acls.insert((key.region.clone(), subnet.clone()), Known { at: now, value });
        }
    }

    /// Forgets a network ACL that is gone.
    pub(super) fn forget(&self, key: &AclKey) {
        held(&self.acls).retain(|_, known| known.value != *key);
    }

    /// Whether an address is beyond the internet, by what is remembered of the subnet's routes.
    pub(super) fn reaches(&self, place: &Place<'_>, address: IpAddr, now: DateTime<Utc>) -> Option<bool> {
        let all = held(&self.routes);
        let known = all.get(&name(place)).filter(|known| now - known.at < AGE)?;
        Some(routes::reach(&known.value, address))
    }

    /// Remembers a subnet's routes.
    pub(super) fn learn_routes(&self, place: &Place<'_>, value: Vec<Leads>, now: DateTime<Utc>) {
        let mut all = held(&self.routes);
        if all.len() > MOST {
            all.clear();
        }
        all.insert(name(place), Known { at: now, value });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_corrects_what_was_remembered_of_its_subnets() {
        let subnets = Subnets::default();
        let now = DateTime::UNIX_EPOCH;
        let key = |acl: &str| AclKey {
            account: "111122223333".to_owned(),
            region: "eu-central-1".to_owned(),
            acl: acl.to_owned(),
        };
        let place = |subnet: &'static str| Place {
            account: "444455556666",
            region: "eu-central-1",
            vpc: None,
            subnet,
        };
        let both = ["subnet-a".to_owned(), "subnet-b".to_owned()];
        subnets.learn(&key("acl-1"), &both, now);
        assert_eq!(subnets.acl(&place("subnet-b"), now), Some(key("acl-1")));
        subnets.learn(&key("acl-1"), &both[..1], now);
        assert_eq!(subnets.acl(&place("subnet-b"), now), None, "it moved elsewhere");
        subnets.learn(&key("acl-2"), &both[1..], now);
        assert_eq!(subnets.acl(&place("subnet-b"), now), Some(key("acl-2")));
        subnets.forget(&key("acl-2"));
        assert_eq!(subnets.acl(&place("subnet-b"), now), None, "it is gone");
        assert_eq!(subnets.acl(&place("subnet-a"), now + AGE), None, "it is old");
    }
}
