//! Makes a schedule that breaks something smaller, as long as it still breaks the same invariant.

use crate::gate::Fault;
use crate::run::play;
use crate::schedule::{Act, Schedule};

/// Plays of one shrinking.
const MOST_PLAYS: usize = 400;

/// The number of the invariant that is broken first.
#[must_use]
pub fn sign(broken: &[String]) -> Option<String> {
    broken
        .first()
        .map(|what| what.split(':').next().unwrap_or_default().to_owned())
}

/// The smallest schedule found that breaks the same invariant.
#[must_use]
pub fn shrink(schedule: &Schedule, broken: &[String]) -> Schedule {
    let wanted = sign(broken);
    let mut plays = 0;
    let mut breaks = |candidate: &Schedule| {
        plays += 1;
        plays <= MOST_PLAYS && sign(&play(candidate, false).broken) == wanted
    };
    let mut best = schedule.clone();
    let mut size = best.acts.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < best.acts.len() {
            let mut candidate = best.clone();
            let end = (at + size).min(candidate.acts.len());
            candidate.acts.drain(at..end);
            if breaks(&candidate) {
                best = candidate;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    for fault in Fault::DRAWN {
        let mut candidate = best.clone();
        candidate.faults.retain(|drawn| drawn != fault);
        if candidate.faults.len() < best.faults.len() && breaks(&candidate) {
            best = candidate;
        }
    }
    while best.processes > 1 {
        let mut candidate = best.clone();
        candidate.processes -= 1;
        if !breaks(&candidate) {
            break;
        }
        best = candidate;
    }
    best
}

/// The schedule as one word that `--replay` takes: seed, acts that are left, faults that are drawn, processes.
#[must_use]
pub fn word(schedule: &Schedule) -> String {
    let acts: Vec<String> = schedule.acts.iter().map(|(number, ..)| number.to_string()).collect();
    let faults: Vec<&str> = schedule.faults.iter().map(|fault| fault.word()).collect();
    format!(
        "{}:{}:{}:{}",
        schedule.seed,
        acts.join(","),
        faults.join("+"),
        schedule.processes
    )
}

/// Reads [`word`] back.
///
/// # Errors
/// Says what was expected.
pub fn read(word: &str) -> Result<Schedule, String> {
    let parts: Vec<&str> = word.split(':').collect();
    let seed = parts
        .first()
        .and_then(|seed| seed.parse().ok())
        .ok_or("the first part is a seed")?;
    let mut schedule = Schedule::draw(seed);
    if let Some(acts) = parts.get(1) {
        let kept: Vec<usize> = acts.split(',').filter_map(|act| act.parse().ok()).collect();
        schedule.acts.retain(|(number, ..)| kept.contains(number));
    }
    if let Some(faults) = parts.get(2) {
        let kept: Vec<&str> = faults.split('+').collect();
        schedule.faults.retain(|fault| kept.contains(&fault.word()));
    }
    if let Some(processes) = parts.get(3) {
        schedule.processes = processes
            .parse()
            .map_err(|_| "the fourth part is a number of processes")?;
    }
    Ok(schedule)
}

/// The schedule for people.
#[must_use]
pub fn shown(schedule: &Schedule) -> String {
    let mut text = format!(
        "{} responders, {} shards, lag up to {} ms, {} of 1000 calls fail at first, round {} ms, limit {}, evict {:?}\n",
        schedule.processes,
        schedule.shards,
        schedule.lag,
        schedule.permille,
        schedule.round,
        schedule.policy.limits.entries_per_direction,
        schedule.policy.evict
    );
    for (number, at, act) in &schedule.acts {
        let act: &Act = act;
        text.push_str(&format!("{:>9.3} act {number}: {act:?}\n", *at as f64 / 1000.0));
    }
    text
}
