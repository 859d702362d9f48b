//! Plays a schedule: acts at their times, then quiet, then the checks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::TimeDelta;
use ipnet::IpNet;
use portcullis::network_acl::{AclKey, Entry};
use portcullis::respond::verify;

use crate::check;
use crate::ec2::{Author, Call, Entries};
use crate::executor::{Executor, Millis, Sleep, Timers};
use crate::findings::{Kind, finding};
use crate::gate::Fault;
use crate::process;
use crate::schedule::{Act, SUBNETS, Schedule, address};
use crate::slack::Mood;
use crate::stores::Stores;
use crate::world::{World, acls};

/// Virtual time after the last fault: leases end, descriptions settle, doubts are looked at twice, the channel is tried again.
const QUIET: Millis = 40 * 60_000;

/// How often quiet is waited for a little longer.
const MOST_WAITS: usize = 10;

/// The process that delivers everything again.
const AGAIN: usize = 90;

/// What came of a schedule.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What is wrong; empty when nothing is.
    pub broken: Vec<String>,
    /// How often each fault happened.
    pub counts: BTreeMap<Fault, u64>,
    /// What happened, when asked for.
    pub trace: Vec<String>,
    /// Entries of people that were overwritten before anybody could know.
    pub slipped: u64,
}

/// Plays it.
#[must_use]
pub fn play(schedule: &Schedule, trace: bool) -> Outcome {
    let mut executor = Executor::default();
    let timers = Arc::new(Timers::default());
    let world = Arc::new(World::new(
        schedule.clone(),
        Arc::clone(&timers),
        executor.spawner(),
        trace,
    ));
    let skewed = schedule.skews.iter().filter(|skew| skew.abs() >= TimeDelta::seconds(1));
    for _ in skewed {
        world.state().count(Fault::Skew);
    }
    for process in 0..schedule.processes {
        process::start(&world, process);
    }
    let acts = Arc::clone(&world);
    world.spawner.spawn(None, 0, async move {
        for (number, at, act) in acts.schedule.acts.clone() {
            let wait = at - acts.timers.now();
            Sleep::new(&acts.timers, wait, None).await;
            let now = acts.timers.now();
            acts.state().note(now, || format!("act {number}: {act:?}"));
            happen(&acts, number, &act);
        }
    });
    let dead = |world: &Arc<World>| {
        let world = Arc::clone(world);
        move || ended(&world)
    };
    executor.run(&timers, schedule.end, dead(&world));
    if finished(&world) {
        return outcome(&world);
    }
    calm(&world);
    let mut end = schedule.end + QUIET;
    executor.run(&timers, end, dead(&world));
    // What ends by itself right now is not quiet.
    for _ in 0..MOST_WAITS {
        if !something_ends(&world) {
            break;
        }
        end += 5 * 60_000;
        executor.run(&timers, end, dead(&world));
    }
    check::when_quiet(&mut world.state(), &world);
    if !finished(&world) {
        for process in 0..schedule.processes {
            let life = world.state().lives.get(&process).copied().unwrap_or_default();
            executor.kill(process, life);
        }
        verified(&world, &mut executor);
        again(&world, &mut executor);
    }
    outcome(&world)
}

/// Whether an entry's time is up within two minutes of now.
fn something_ends(world: &World) -> bool {
    let now = world.timers.time();
    let near = |at: chrono::DateTime<chrono::Utc>| (at - now).abs() < TimeDelta::minutes(2);
    let state = world.state();
    state.ledger.rows.values().any(|row| row.expires.is_some_and(near))
}

fn finished(world: &World) -> bool {
    !world.state().broken.is_empty()
}

fn outcome(world: &World) -> Outcome {
    let mut state = world.state();
    Outcome {
        broken: std::mem::take(&mut state.broken),
        counts: std::mem::take(&mut state.counts),
        trace: state.trace.take().unwrap_or_default(),
        slipped: state.slipped,
    }
}

/// Takes the lives that ended, and has each process come back.
fn ended(world: &Arc<World>) -> Vec<(usize, u64)> {
    let mut state = world.state();
    if state.dead.is_empty() {
        return Vec::new();
    }
    let dead: Vec<(usize, u64)> = state.dead.drain(..).collect();
    let responders = dead.iter().filter(|(process, _)| *process < world.schedule.processes);
    let back: Vec<(usize, u64)> = responders.copied().collect();
    drop(state);
    for (process, life) in back {
        come_back(world, process, life, 1_000);
    }
    dead
}

fn come_back(world: &Arc<World>, process: usize, life: u64, after: Millis) {
    let returning = Arc::clone(world);
    world.spawner.spawn(None, 0, async move {
        Sleep::new(&returning.timers, after, None).await;
        if returning.state().lives.get(&process) == Some(&life) {
            process::start(&returning, process);
        }
    });
}

/// Faults stop, and nobody stands still.
fn calm(world: &Arc<World>) {
    let mut state = world.state();
    state.permille = 0;
    state.slack.mood = Mood::Fine;
    state.inventory_down = false;
    drop(state);
    let now = world.timers.now();
    for process in 0..world.schedule.processes {
        world.timers.stop(process, now);
    }
}

/// What the product itself says of its stores.
fn verified(world: &Arc<World>, executor: &mut Executor) {
    let found: Arc<Mutex<Vec<String>>> = Arc::default();
    let (told, stores) = (Arc::clone(&found), stores(world));
    world.state().lag = 0;
    let policy = world.policy.clone();
    world.spawner.spawn(None, 0, async move {
        let wrong = match verify(&stores, &stores, &policy).await {
            Ok(wrong) => wrong,
            Err(error) => vec![format!("the stores cannot be read when quiet: {error}")],
        };
        told.lock().unwrap_or_else(PoisonError::into_inner).extend(wrong);
    });
    let end = world.timers.now() + 60_000;
    executor.run(&world.timers, end, Vec::new);
    let now = world.timers.now();
    for what in found.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        world.state().wrong(now, what);
    }
}

fn stores(world: &Arc<World>) -> Stores {
    Stores {
        world: Arc::clone(world),
        process: AGAIN,
        life: 1,
        owner: "again".to_owned(),
    }
}

/// Invariant 7: every record once more, and nothing changes.
fn again(world: &Arc<World>, executor: &mut Executor) {
    let end = world.timers.now() + 60 * 60_000;
    let snapshot = || {
        let state = world.state();
        // What ends by itself meanwhile is no change of a delivery's.
        let stays = |row: &&portcullis::ledger::Row| {
            row.expires.is_none_or(|at| at > crate::executor::time(end)) || !row.state.is_live()
        };
        let key = |row: &portcullis::ledger::Row| (row.acl.clone(), row.direction, row.cidr);
        let rows: BTreeMap<_, _> = state
            .ledger
            .rows
            .values()
            .filter(stays)
            .map(|row| (key(row), row.clone()))
            .collect();
        let entries: Vec<Entries> = state.ec2.acls.values().map(|acl| acl.entries.clone()).collect();
        (rows, entries)
    };
    let (rows, entries) = snapshot();
    let ends = world
        .state()
        .ledger
        .rows
        .values()
        .any(|row| row.state.is_live() && row.expires.is_some());
    let (stores, records) = (stores(world), world.state().shards.concat());
    let delivering = Arc::clone(world);
    world.spawner.spawn(None, 0, async move {
        let responder = process::responder(&stores);
        for record in records {
            drop(responder.accept(&record, delivering.timers.time()).await);
        }
        drop(responder.sweep(delivering.timers.time()).await);
    });
    executor.run(&world.timers, end, Vec::new);
    let (rows_after, entries_after) = snapshot();
    let now = world.timers.now();
    for (before, after) in rows.iter().filter_map(|(key, row)| Some((row, rows_after.get(key)?))) {
        if before != after {
            let words = format!(
                "7: delivered again, {} {} {} changes: {} hits {} rule {:?} -> {} hits {} rule {:?}",
                before.acl.acl,
                before.direction,
                before.cidr,
                before.state.name(),
                before.hits,
                before.rule,
                after.state.name(),
                after.hits,
                after.rule
            );
            world.state().wrong(now, words);
        }
    }
    if !ends && (rows.len() != rows_after.len() || entries != entries_after) {
        world
            .state()
            .wrong(now, "7: delivered again, entries change".to_owned());
    }
}

/// One act.
fn happen(world: &Arc<World>, number: usize, act: &Act) {
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
            let held = state.ledger.metas.get_mut(&key);
            if let Some(meta) = held.filter(|meta| meta.lease.is_some()) {
                meta.lease = None;
                meta.version += 1;
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
