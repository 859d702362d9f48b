//! What the guards know, made once for each inventory.

use std::sync::{Mutex, PoisonError};

use super::guard::Knowledge;
use super::policy::Policy;
use crate::ledger::Lists;
use crate::network_acl::{Inventory, NetworkAcls};

/// The policy's knowledge, and the last inventory's with it.
pub(super) struct Known {
    policy: Knowledge,
    last: Mutex<Option<(Inventory, Knowledge)>>,
}

impl Known {
    pub(super) fn of(policy: &Policy) -> Self {
        Self {
            policy: Knowledge::of(policy),
            last: Mutex::default(),
        }
    }

    /// What they know now: the policy's lists, the inventory and the allow-list.
    pub(super) async fn now(&self, acls: &impl NetworkAcls, lists: &Lists) -> Knowledge {
        let mut knowledge = self.with(acls.inventory().await.ok());
        let allow = lists.allow.iter().map(|entry| (entry.cidr, entry.until));
        knowledge.allow.extend(allow);
        knowledge
    }

    /// With this inventory; without one nothing is blocked, and the decision will say so.
    fn with(&self, inventory: Option<Inventory>) -> Knowledge {
        let Some(inventory) = inventory else {
            return Knowledge {
                available: false,
                ..self.policy.clone()
            };
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((before, knowledge)) = &*last
            && *before == inventory
        {
            return knowledge.clone();
        }
        let mut knowledge = self.policy.clone();
        knowledge.own_addresses.extend(inventory.own_addresses.iter().copied());
        knowledge.own_networks.extend(inventory.own_networks.iter().copied());
        knowledge.aws_services.extend(inventory.aws_services.iter().copied());
        *last = Some((inventory, knowledge.clone()));
        knowledge
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_inventory_takes_the_place_of_the_one_before_and_none_blocks_nothing() {
        let known = Known::of(&Policy::default());
        let owns = |address: &str| Inventory {
            own_addresses: vec![address.parse().expect("a network")],
            ..Inventory::default()
        };
        for address in ["52.16.10.20/32", "52.16.10.20/32", "52.16.10.21/32"] {
            let knowledge = known.with(Some(owns(address)));
            for asked in ["52.16.10.20/32", "52.16.10.21/32"] {
                let overlap = knowledge.own_addresses.overlap(asked.parse().expect("a network"));
                assert_eq!(overlap, asked == address, "{asked} of {address}");
            }
            assert!(knowledge.available);
        }
        assert!(!known.with(None).available);
    }
}
