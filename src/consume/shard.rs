//! Records of one shard of a stream, in order: a position counts only once what was read is durable, and a record that can
//! never be read stops nothing.

use chrono::{DateTime, Utc};

use crate::ledger::{self, Ledger, Position};
use crate::network_acl::NetworkAcls;
use crate::respond::{Decision, Error, Responder};

/// Records that are decided on in one transaction. DynamoDB changes a hundred items together: a finding, its audit, and an entry
/// or two each.
const TOGETHER: usize = 20;

/// One record with its place in the shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Grows along the shard.
    pub number: Position,
    /// What it holds.
    pub bytes: &'a [u8],
}

/// What became of a batch.
#[derive(Debug, Default)]
pub struct Taken {
    /// Decisions, in order.
    pub decisions: Vec<Decision>,
    /// The first record that has to come again, with everything after it; why.
    pub failed: Option<(Position, Error)>,
}

/// Takes a batch in order, many records at once, and by halves where that fails: what is wrong with one, or too much for one
/// transaction, holds up no other. Every record before [`Taken::failed`] is durable; one that cannot be read is kept and passed over.
/// What fails is transient: deliver from there again.
pub async fn take<L: Ledger, N: NetworkAcls>(
    responder: &Responder<L, N>,
    records: &[Record<'_>],
    now: DateTime<Utc>,
) -> Taken {
    let mut taken = Taken::default();
    let (mut rest, mut together) = (records, TOGETHER);
    while let Some(first) = rest.first() {
        let (batch, later) = rest.split_at(together.min(rest.len()));
        let given: Vec<(&[u8], DateTime<Utc>)> = batch.iter().map(|record| (record.bytes, now)).collect();
        match Box::pin(responder.accept_many(&given)).await {
            Ok(decisions) if planted!(PoisonStops) && decisions.iter().any(is_poison) => {
                taken.failed = Some((
                    first.number.clone(),
                    Error::Refused("a record cannot be read".to_owned()),
                ));
                break;
            }
            Ok(decisions) => {
                taken.decisions.extend(decisions);
                rest = later;
                together = (2 * together).min(TOGETHER);
            }
            Err(_) if batch.len() > 1 => together = batch.len() / 2,
            Err(error) => {
                taken.failed = Some((first.number.clone(), error));
                break;
            }
        }
    }
    taken
}

fn is_poison(decision: &Decision) -> bool {
    decision.reason == crate::respond::Reason::Unreadable
}

/// As [`take`], and moves the shard's position in the ledger over what is durable. Positions only move forward, so two
/// consumers of one shard read everything twice and do no harm.
///
/// # Errors
/// When the position cannot be written: the batch comes again, which changes nothing.
pub async fn consume<L: Ledger, N: NetworkAcls>(
    responder: &Responder<L, N>,
    shard: &str,
    records: &[Record<'_>],
    now: DateTime<Utc>,
) -> Result<Taken, ledger::Error> {
    let last = records.last().map(|record| &record.number);
    if let (Some(last), true) = (last, planted!(CheckpointFirst)) {
        responder.ledger().set_position(shard, last).await?;
    }
    let taken = take(responder, records, now).await;
    let durable = match &taken.failed {
        Some((first, _)) => records
            .iter()
            .map(|record| &record.number)
            .filter(|number| *number < first)
            .max(),
        None => last,
    };
    if let Some(durable) = durable {
        responder.ledger().set_position(shard, durable).await?;
    }
    Ok(taken)
}
