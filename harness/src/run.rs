//! Plays a schedule: acts at their times, then quiet, then the checks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::TimeDelta;
use portcullis::respond::verify;

use crate::acts::happen;
use crate::beside::Beside;
use crate::check::quiet;
use crate::ec2::Entries;
use crate::executor::{Executor, Millis, Sleep, Timers};
use crate::gate::Fault;
use crate::process;
use crate::schedule::Schedule;
use crate::slack::Mood;
use crate::stores::Stores;
use crate::world::World;

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
    /// Calls that were made of a real store, by what was asked.
    pub calls: BTreeMap<String, u64>,
}

/// Plays it.
#[must_use]
pub fn play(schedule: &Schedule, trace: bool) -> Outcome {
    play_on(schedule, trace, None)
}

/// Plays it, with a real store that has to say what the one in memory says.
#[must_use]
pub fn play_on(schedule: &Schedule, trace: bool, beside: Option<Beside>) -> Outcome {
    let mut executor = Executor::default();
    let timers = Arc::new(Timers::default());
    let world = Arc::new(World::new(
        schedule.clone(),
        Arc::clone(&timers),
        executor.spawner(),
        trace,
    ));
    world.state().beside = beside;
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
    quiet::when_quiet(&mut world.state(), &world);
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
    if state.broken.is_empty() {
        state.compare_all(world.timers.now());
    }
    Outcome {
        calls: state.beside.take().map(|beside| beside.calls).unwrap_or_default(),
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
