//! The log line of a decision: the same fields whichever way the finding came, nothing that is secret, and none of the
//! finding's own prose.

use crate::respond::{Decision, Reason};

/// Logs one decision, as `decided` with its fields.
pub fn log(decision: &Decision) {
    let Decision {
        finding,
        address,
        verdict,
        reason,
        directions,
        subnets,
        ..
    } = decision;
    if *reason == Reason::Unreadable {
        // Its words may repeat what the record says, but for what could deceive a terminal.
        tracing::warn!(decision = verdict.word(), reason = reason.word(), why = %finding.title.escape_debug(), "decided");
        return;
    }
    tracing::info!(
        finding = finding.id,
        r#type = finding.finding_type,
        severity = finding.severity,
        account = finding.account,
        region = finding.region,
        address = address.map(tracing::field::display),
        decision = verdict.word(),
        reason = reason.word(),
        directions = ?directions,
        subnets = ?subnets,
        "decided"
    );
}
