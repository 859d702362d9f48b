//! What goes on beside reading, whatever is read: work that is pending, messages that wait, and the ledger compared with what
//! stands.

use std::time::{Duration, Instant};

use super::stop::Stop;
use crate::ledger::Ledger;
use crate::network_acl::NetworkAcls;
use crate::respond::notify::Sender;
use crate::respond::{Responder, WallClock};

/// Between two rounds.
const ROUND: Duration = Duration::from_secs(1);

/// How often the ledger is compared with the network ACLs.
const COMPARE: Duration = Duration::from_secs(300);

/// Finishes what is pending, also what another process left, and sends what waits in the outbox, until asked to stop.
pub(crate) async fn keep<L: Ledger, N: NetworkAcls>(
    responder: &Responder<L, N>,
    sender: Option<&impl Sender>,
    mut stop: Stop,
) {
    let mut compared: Option<Instant> = None;
    loop {
        // What it is cut off from is finished by whoever comes next: it is a crash that hurts nobody.
        tokio::select! {
            () = round(responder, sender, &mut compared) => {}
            () = stop.overdue() => return,
        }
        tokio::select! {
            () = tokio::time::sleep(ROUND) => {}
            () = stop.wait() => return,
        }
    }
}

async fn round<L: Ledger, N: NetworkAcls>(
    responder: &Responder<L, N>,
    sender: Option<&impl Sender>,
    compared: &mut Option<Instant>,
) {
    if compared.is_none_or(|at| at.elapsed() > COMPARE) {
        *compared = Some(Instant::now());
        match responder.reconcile(WallClock, false).await {
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
}
