//! The gate that every call passes: how long it takes, and what goes wrong with it.

use crate::executor::Millis;
use crate::random::Random;

macro_rules! faults {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal,)+) => {
        /// Something that goes wrong, or happens beside the responder.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Fault {
            /// Every kind, with its word.
            pub const ALL: &'static [(Fault, &'static str)] = &[$((Fault::$name, $word),)+];
        }
    };
}

faults! {
    /// The process dies before a call has its effect.
    CrashBefore = "crash-before-effect",
    /// The process dies after a call had its effect.
    CrashAfter = "crash-after-effect",
    /// A call has its effect and its answer is lost.
    Lost = "answer-lost",
    /// A call is lost before it has an effect.
    Unsent = "request-lost",
    /// A call is refused because there are too many.
    Throttled = "throttled",
    /// Somebody else's transaction is in the way.
    Conflict = "transaction-conflict",
    /// A call takes nearly as long as it may.
    Slow = "slow-call",
    /// A call has its effect long after the caller gave up.
    Late = "late-effect",
    /// A description shows the past.
    Lag = "describe-lag",
    /// A process is killed from outside.
    Kill = "kill",
    /// A process stands still, and its leases run out.
    Stop = "long-pause",
    /// The lease is taken away.
    Steal = "stolen-lease",
    /// A record is delivered again.
    Duplicate = "duplicate-record",
    /// A record is delivered after a newer one of the same finding.
    Reorder = "reordered-record",
    /// A record cannot be read.
    Poison = "poison-record",
    /// Somebody makes an entry by hand.
    PersonAdds = "person-adds",
    /// Somebody changes an entry of ours.
    PersonEdits = "person-edits",
    /// Somebody deletes an entry of ours.
    PersonDeletes = "person-deletes",
    /// Somebody deletes a network ACL.
    AclGone = "acl-deleted",
    /// The quota changes.
    Quota = "quota-change",
    /// The inventory cannot be read.
    Inventory = "inventory-down",
    /// The channel does not answer.
    SlackDown = "slack-down",
    /// The channel answers too late.
    SlackSlow = "slack-slow",
    /// 429
    SlackTooMany = "slack-429",
    /// 5xx
    SlackBroken = "slack-5xx",
    /// 4xx
    SlackRefuses = "slack-4xx",
    /// A process's clock is off by a second or more.
    Skew = "clock-skew",
}

impl Fault {
    /// Those that are drawn at a call.
    pub const DRAWN: &'static [Fault] = &[
        Fault::CrashBefore,
        Fault::CrashAfter,
        Fault::Lost,
        Fault::Unsent,
        Fault::Throttled,
        Fault::Conflict,
        Fault::Slow,
        Fault::Late,
    ];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(fault, _)| *fault == self)
            .map_or("", |(_, word)| word)
    }
}

/// What the gate decided for one call.
#[derive(Clone, Copy, Debug)]
pub struct Passage {
    /// From the call to its effect.
    pub there: Millis,
    /// From the effect to the answer.
    pub back: Millis,
    /// What goes wrong.
    pub fault: Option<Fault>,
}

/// Draws the passage of one call. Crashes are rarer than the rest: a process that only crashes does nothing.
pub fn draw(random: &mut Random, faults: &[Fault], permille: u64) -> Passage {
    let fault = random.chance(permille).then(|| random.pick(Fault::DRAWN));
    let fault = fault
        .filter(|fault| faults.contains(fault))
        .filter(|fault| !matches!(fault, Fault::CrashBefore | Fault::CrashAfter) || random.chance(400))
        .filter(|fault| *fault != Fault::Late || random.chance(300));
    let millis = |random: &mut Random, most: u64| Millis::try_from(random.between(1, most)).unwrap_or(1);
    let (there, back) = match fault {
        Some(Fault::Slow) => (millis(random, 7_000), millis(random, 2_500)),
        _ => (millis(random, 60), millis(random, 60)),
    };
    Passage { there, back, fault }
}
