//! What goes on beside reading, whatever is read: work that is pending, messages that wait, and the ledger compared with what
//! stands.

use std::time::{Duration, Instant};

use chrono::TimeDelta;

use super::places::Places;
use super::stop::Stop;
use crate::ledger::Ledger;
use crate::network_acl::NetworkAcls;
use crate::respond::notify::Sender;
use crate::respond::{Responder, WallClock};

/// Between two rounds.
const ROUND: Duration = Duration::from_secs(1);

/// How often the ledger is compared with the network ACLs.
const COMPARE: Duration = Duration::from_secs(300);

/// What anybody compared within this time is not compared again: others do the same, and a program may be started often.
const COMPARED: TimeDelta = TimeDelta::seconds(150);

/// How often response documents are carried on: each time asks the ledger whether there are some.
const CARRY: Duration = Duration::from_secs(5);

/// Finishes what is pending, also what another process left, sends what waits in the outbox, and brings response documents to
/// the places, until asked to stop.
pub(crate) async fn keep<L: Ledger, N: NetworkAcls>(
    responder: &Responder<L, N>,
    sender: Option<&impl Sender>,
    places: Option<&Places>,
    mut stop: Stop,
) {
    let mut last = Last::default();
    loop {
        // What it is cut off from is finished by whoever comes next: it is a crash that hurts nobody.
        tokio::select! {
            () = round(responder, sender, places, &mut last) => {}
            () = stop.overdue() => return,
        }
        tokio::select! {
            () = tokio::time::sleep(ROUND) => {}
            () = stop.wait() => return,
        }
    }
}

/// When what does not belong into every round was done.
#[derive(Default)]
struct Last {
    compared: Option<Instant>,
    carried: Option<Instant>,
}

fn is_due(last: &mut Option<Instant>, every: Duration) -> bool {
    let due = last.is_none_or(|at| at.elapsed() >= every);
    if due {
        *last = Some(Instant::now());
    }
    due
}

async fn round<L: Ledger, N: NetworkAcls>(
    responder: &Responder<L, N>,
    sender: Option<&impl Sender>,
    places: Option<&Places>,
    last: &mut Last,
) {
    if is_due(&mut last.compared, COMPARE) {
        match responder.reconcile_every(COMPARED, WallClock).await {
            Ok(found) if found.is_empty() => {}
            Ok(found) => tracing::warn!(entries = found.len(), "the ledger and the network ACLs disagreed"),
            Err(error) => tracing::warn!(%error, "the ledger was not compared with the network ACLs"),
        }
    }
    if let Err(error) = responder.sweep(WallClock).await {
        tracing::warn!(%error, "pending work waits");
    }
    if let Some(sender) = sender
        && let Err(error) = responder.deliver(sender, WallClock).await
    {
        tracing::warn!(%error, "messages wait");
    }
    if let Some(places) = places
        && is_due(&mut last.carried, CARRY)
        && let Err(error) = places.carry(responder).await
    {
        tracing::warn!(%error);
    }
}
