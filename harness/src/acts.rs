//! The acts of a schedule: records that come, processes that die, and what people do by hand.

use std::sync::Arc;

use chrono::TimeDelta;
use ipnet::IpNet;
use portcullis::network_acl::{AclKey, Entry};

use crate::ec2::{Author, Call};
use crate::findings::{Kind, finding};
use crate::gate::Fault;
use crate::process;
use crate::schedule::{Act, SUBNETS, address};
use crate::world::{World, acls};

/// One act.
pub fn happen(world: &Arc<World>, number: usize, act: &Act) {
    let now = world.timers.now();
    match act {
        Act::Finding {
            shard,
            id,
            kind,
            addresses,
            subnets,
            age,
        } => {
            let updated = world.timers.time() - TimeDelta::seconds(i64::try_from(*age).unwrap_or(0));
            let addresses: Vec<String> = addresses.iter().map(|number| address(*number)).collect();
            let subnets: Vec<&str> = subnets.iter().map(|at| SUBNETS[*at].0).collect();
            put(world, *shard, &format!("f{id}"), *kind, &addresses, &subnets, updated);
        }
        Act::Again(record, shard) => {
            let mut state = world.state();
            let all = state.shards.concat();
            if let Some(bytes) = all.get(record % all.len().max(1)).cloned() {
                let shard = shard % state.shards.len();
                state.shards[shard].push(bytes);
                state.count(Fault::Duplicate);
            }
        }
        Act::Garbage(shard, number) => {
            let bytes = format!("{{\"garbage\": {number}").into_bytes();
            let mut state = world.state();
            let digest = blake3::hash(&bytes).to_hex().to_string();
            state.garbage.insert(digest);
            let shard = shard % state.shards.len();
            state.shards[shard].push(bytes);
            state.count(Fault::Poison);
        }
        Act::Flood(shard, count) => {
            for at in 0..*count {
                let address = format!("45.83.{}.{at}", number % 200);
                let id = format!("flood-{number}-{at}");
                put(
                    world,
                    *shard,
                    &id,
                    Kind::Inbound,
                    &[address],
                    &["subnet-a"],
                    world.timers.time(),
                );
            }
        }
        Act::Kill(process, down) => {
            let process = process % world.schedule.processes;
            let mut state = world.state();
            state.count(Fault::Kill);
            let life = state.lives.get(&process).copied().unwrap_or_default();
            state.dead.push((process, life));
            drop(state);
            if *down > 1_000 {
                // `ended` brings it back after a second; a longer absence is a stop on top.
                world.timers.stop(process, now + down);
            }
        }
        Act::Stop(process, millis) => {
            let process = process % world.schedule.processes;
            world.state().count(Fault::Stop);
            world.timers.stop(process, now + millis);
        }
        Act::Steal(at) => {
            let key = acls()[*at].clone();
            let mut state = world.state();
            let held = state.ledger.metas.get(&key).and_then(|meta| meta.lease.clone());
            if let Some(lease) = held {
                state.ledger.release(&key, &lease.owner);
                drop(state.written(now, "release", Ok(()), |real| real.release(&key, &lease.owner)));
                state.disturbed.insert(key);
                state.count(Fault::Steal);
            }
        }
        Act::Add(..) | Act::AllowFirst(..) | Act::Edit(..) | Act::Delete(..) | Act::DeleteTheirs(..) => {
            by_hand(world, number, act);
        }
        Act::Quota(at, quota) => {
            let mut state = world.state();
            if let Some(acl) = state.ec2.acls.get_mut(&acls()[*at]) {
                acl.quota = 2 + quota;
            }
            state.count(Fault::Quota);
        }
        Act::Gone(at) => {
            let key = acls()[*at].clone();
            let mut state = world.state();
            if let Some(acl) = state.ec2.acls.get_mut(&key) {
                acl.gone = true;
                acl.entries.clear();
            }
            state.theirs.retain(|(acl, ..), _| *acl != key);
            state.count(Fault::AclGone);
        }
        Act::Slack(mood) => world.state().slack.mood = *mood,
        Act::Inventory(down) => world.state().inventory_down = *down,
        Act::Own(number) => {
            let own: std::net::IpAddr = address(*number).parse().expect("an address");
            world.state().ec2.inventory.own_addresses.push(IpNet::from(own));
        }
        Act::Faults(permille) => world.state().permille = *permille,
        _ => process::command(world, number, act.clone()),
    }
}

fn put(
    world: &World,
    shard: usize,
    id: &str,
    kind: Kind,
    addresses: &[String],
    subnets: &[&str],
    updated: chrono::DateTime<chrono::Utc>,
) {
    let bytes = finding(id, kind, addresses, subnets, updated);
    let mut state = world.state();
    let known = state.newest.get(id).copied();
    if known.is_some_and(|newest| newest > updated) {
        state.count(Fault::Reorder);
    }
    state
        .newest
        .insert(id.to_owned(), known.map_or(updated, |newest| newest.max(updated)));
    let shard = shard % state.shards.len();
    state.shards[shard].push(bytes);
}

/// What people do to network ACLs directly.
fn by_hand(world: &World, number: usize, act: &Act) {
    let now = world.timers.now();
    let mut state = world.state();
    let theirs = |rule: u16, direction| {
        Entry::deny(
            rule,
            direction,
            format!("45.90.{}.0/24", number % 200).parse().expect("a network"),
        )
    };
    let nth = |key: &AclKey, nth: usize, author: Author| {
        let acl = state.ec2.acls.get(key)?;
        let of: Vec<_> = acl
            .entries
            .iter()
            .filter(|(_, standing)| standing.author == author)
            .collect();
        of.get(nth % of.len().max(1)).map(|(place, _)| **place)
    };
    let (key, call, fault) = match act {
        Act::Add(at, direction, rule) => (
            acls()[*at].clone(),
            Call::Create(theirs(*rule, *direction)),
            Fault::PersonAdds,
        ),
        Act::AllowFirst(at, direction) => {
            let allow = Entry {
                allow: true,
                ..Entry::deny(10, *direction, "0.0.0.0/0".parse().expect("a network"))
            };
            (acls()[*at].clone(), Call::Create(allow), Fault::PersonAdds)
        }
        Act::Edit(at, which) => {
            let key = acls()[*at].clone();
            let Some((direction, rule)) = nth(&key, *which, Author::Responder) else {
                return;
            };
            (key, Call::Replace(theirs(rule, direction)), Fault::PersonEdits)
        }
        Act::Delete(at, which) => {
            let key = acls()[*at].clone();
            let Some((direction, rule)) = nth(&key, *which, Author::Responder) else {
                return;
            };
            (key, Call::Delete(direction, rule), Fault::PersonDeletes)
        }
        Act::DeleteTheirs(at, which) => {
            let key = acls()[*at].clone();
            let Some((direction, rule)) = nth(&key, *which, Author::Person) else {
                return;
            };
            (key, Call::Delete(direction, rule), Fault::PersonDeletes)
        }
        _ => return,
    };
    let (direction, rule) = call.place();
    let done = state.ec2.call(&key, &call, Author::Person, now);
    state.note(now, || format!("by hand: {call:?} on {}: {done:?}", key.acl));
    if done.is_err() {
        return;
    }
    state.count(fault);
    let place = (key, direction, rule);
    state.touched.insert(place.clone());
    match call {
        Call::Create(entry) | Call::Replace(entry) => drop(state.theirs.insert(place, entry)),
        Call::Delete(..) => drop(state.theirs.remove(&place)),
    }
}
