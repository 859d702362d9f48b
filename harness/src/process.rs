//! Processes: responders that consume, sweep, deliver and reconcile; and people with their commands.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use ipnet::IpNet;
use portcullis::consume::shard::{Record, Taken, consume};
use portcullis::ledger::{Ledger as _, Position, Remembered};
use portcullis::network_acl::Direction;
use portcullis::respond::{Block, Clock as _, Responder, Unblock, Verdict};

use crate::executor::{Millis, SkewedClock, Sleep};
use crate::schedule::{Act, address};
use crate::stores::Stores;
use crate::world::{World, acls};

/// Records that one call reads.
const BATCH: usize = 4;

/// The number of the first process that is a person's command.
const PEOPLE: usize = 100;

/// A responder over the stores of one process.
pub type Harnessed = Responder<Remembered<Stores>, Stores>;

/// Begins a new life of a process.
pub fn start(world: &Arc<World>, process: usize) {
    let life = {
        let mut state = world.state();
        let life = state.lives.entry(process).or_default();
        *life += 1;
        *life
    };
    let stores = Stores {
        world: Arc::clone(world),
        process,
        life,
        owner: format!("p{process}.{life}"),
    };
    let responder = Arc::new(responder(&stores));
    let clock = SkewedClock {
        timers: Arc::clone(&world.timers),
        skew: world.schedule.skews.get(process).copied().unwrap_or_default(),
    };
    let reads = reading(Arc::clone(world), Arc::clone(&responder), clock.clone(), process);
    world.spawner.spawn(Some(process), life, reads);
    world.spawner.spawn(
        Some(process),
        life,
        acting(Arc::clone(world), responder, stores, clock, process),
    );
}

/// A responder over these stores.
#[must_use]
pub fn responder(stores: &Stores) -> Harnessed {
    Responder::new(
        Remembered::new(stores.clone()),
        stores.clone(),
        stores.world.policy.clone(),
        stores.owner.clone(),
    )
}

fn round(world: &World) -> Millis {
    let state = world.state();
    let quiet = world.timers.now() > world.schedule.end;
    let base = if quiet { 20_000 } else { world.schedule.round };
    drop(state);
    base
}

async fn reading(world: Arc<World>, responder: Arc<Harnessed>, clock: SkewedClock, process: usize) {
    let mut cursors: BTreeMap<usize, u64> = BTreeMap::new();
    loop {
        for shard in 0..world.schedule.shards {
            let name = format!("shard-{shard}");
            let cursor = match cursors.get(&shard) {
                Some(cursor) => *cursor,
                None => match responder.ledger().position(&name).await {
                    Ok(position) => position.number(),
                    Err(_) => continue,
                },
            };
            cursors.insert(shard, cursor);
            let records: Vec<(u64, Vec<u8>)> = {
                let state = world.state();
                let from = usize::try_from(cursor).unwrap_or(usize::MAX);
                let after = state.shards[shard].iter().enumerate().skip(from).take(BATCH);
                after.map(|(at, bytes)| (at as u64 + 1, bytes.clone())).collect()
            };
            let Some(last) = records.last().map(|(number, _)| *number) else {
                continue;
            };
            let batch: Vec<Record<'_>> = records
                .iter()
                .map(|(number, bytes)| Record {
                    number: Position::from(*number),
                    bytes,
                })
                .collect();
            if let Ok(taken) = consume(&responder, &name, &batch, clock.now()).await {
                accepted(&world, &taken);
                let next = taken.failed.map_or(last, |(first, _)| first.number() - 1);
                cursors.insert(shard, next);
            }
        }
        let wait = round(&world);
        Sleep::new(&world.timers, wait, Some(process)).await;
    }
}

fn accepted(world: &World, taken: &Taken) {
    let blocked = taken
        .decisions
        .iter()
        .filter(|decision| decision.verdict == Verdict::Block);
    let addresses = blocked.filter_map(|decision| decision.address.map(IpNet::from));
    world.state().accepted.extend(addresses);
}

/// Rounds after which the ledger is compared with EC2.
const RECONCILE: u64 = 6;

async fn acting(world: Arc<World>, responder: Arc<Harnessed>, stores: Stores, clock: SkewedClock, process: usize) {
    let mut rounds = 0_u64;
    loop {
        if rounds.is_multiple_of(RECONCILE) {
            drop(responder.reconcile(&clock, false).await);
        }
        rounds += 1;
        drop(responder.sweep(&clock).await);
        drop(responder.deliver(&stores, &clock).await);
        let wait = round(&world);
        Sleep::new(&world.timers, wait, Some(process)).await;
    }
}

/// A person's command, tried until it is answered.
pub fn command(world: &Arc<World>, number: usize, act: Act) {
    let process = PEOPLE + number;
    let stores = Stores {
        world: Arc::clone(world),
        process,
        life: 1,
        owner: format!("person-{number}"),
    };
    let world = Arc::clone(world);
    world.spawner.clone().spawn(Some(process), 1, async move {
        let responder = responder(&stores);
        for _ in 0..10 {
            if carried_out(&responder, &act, &world).await {
                break;
            }
            Sleep::new(&world.timers, 2_000, Some(process)).await;
        }
        drop(
            responder
                .sweep(SkewedClock {
                    timers: Arc::clone(&world.timers),
                    skew: TimeDelta::zero(),
                })
                .await,
        );
    });
}

fn net(number: usize) -> IpNet {
    let address: std::net::IpAddr = address(number).parse().expect("an address");
    IpNet::from(address)
}

async fn carried_out(responder: &Harnessed, act: &Act, world: &World) -> bool {
    let now = world.timers.time();
    let (who, why) = ("ada", "as asked");
    let later =
        |minutes: &Option<u64>| minutes.map(|minutes| now + TimeDelta::minutes(i64::try_from(minutes).unwrap_or(1)));
    match act {
        Act::Block(number, minutes) => {
            let block = Block {
                cidr: net(*number),
                acl: None,
                directions: vec![Direction::Ingress],
                until: later(minutes),
                who: who.to_owned(),
                reason: why.to_owned(),
                dry_run: false,
            };
            responder.block(&block, now).await.is_ok()
        }
        Act::Unblock(number) => {
            let target = Unblock::Address(net(*number));
            responder.unblock(target, None, who, why, false, now).await.is_ok()
        }
        Act::UnblockAll => responder
            .unblock(Unblock::All, None, who, why, false, now)
            .await
            .is_ok(),
        Act::Allow(number, minutes) => responder
            .allow_add(net(*number), later(minutes), who, why, now)
            .await
            .is_ok(),
        Act::Disallow(number) => responder.allow_remove(net(*number), who, why, now).await.is_ok(),
        Act::Pause(minutes) => responder.pause(later(&Some(*minutes)), who, why, now).await.is_ok(),
        Act::Resume(acl) => {
            let acl = acl.map(|at| acls()[at].acl.clone());
            responder.resume(acl.as_deref(), who, why, now).await.is_ok()
        }
        Act::Pin(number, pin) => responder.pin(net(*number), *pin, who, why, now).await.is_ok(),
        _ => true,
    }
}
