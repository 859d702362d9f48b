//! States of an entry and the only ways from one to the next, as a table.
//!
//! ```text
//! PLANNED -> APPLIED -> EVICTING / EXPIRING -> REMOVED      beside them FOREIGN, REJECTED
//! ```

use serde::{Deserialize, Serialize};

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Decided and durable, not confirmed. Without a rule number it waits for one.
    Planned,
    /// Confirmed by EC2.
    Applied,
    /// Still stands, and a planned entry will replace it in one call.
    Evicting,
    /// Still stands, and will be deleted.
    Expiring,
    /// Gone, with a reason.
    Removed,
    /// Somebody else's content took its rule number: never touched again.
    Foreign,
    /// EC2 refused it for good.
    Rejected,
}

impl State {
    /// The stable word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            State::Planned => "planned",
            State::Applied => "applied",
            State::Evicting => "evicting",
            State::Expiring => "expiring",
            State::Removed => "removed",
            State::Foreign => "foreign",
            State::Rejected => "rejected",
        }
    }

    /// Whether the entry stands, or may stand, in the network ACL.
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(
            self,
            State::Planned | State::Applied | State::Evicting | State::Expiring
        )
    }

    /// Whether somebody must act on it.
    #[must_use]
    pub fn is_pending(self) -> bool {
        matches!(self, State::Planned | State::Evicting | State::Expiring)
    }
}

macro_rules! events {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal,)+) => {
        /// What an audit row tells of. The words are stable: scripts and dashboards rely on them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Event {
            $($(#[doc = $doc])+ #[serde(rename = $word)] $name,)+
        }

        impl Event {
            /// Every event, with its word and what it means.
            pub const ALL: &'static [(Event, &'static str, &'static str)] =
                &[$((Event::$name, $word, concat!($($doc),+)),)+];

            /// The stable word.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Event::$name => $word,)+ }
            }
        }
    };
}

events! {
    /// One decision, about one address of one finding; its reason says what was decided.
    Decided = "decided",
    /// A network ACL and direction where a decision to block was not followed, and why.
    Refused = "refused",
    /// People were told of something that blocked nothing.
    Alerted = "alerted",
    /// An entry was planned.
    Planned = "planned",
    /// A planned entry got a rule number, or another one than before.
    Placed = "placed",
    /// EC2 confirmed an entry.
    Applied = "applied",
    /// An entry will be replaced by a newer one.
    Evicting = "evicting",
    /// An entry was replaced by a newer one.
    Evicted = "evicted",
    /// The entry that was to replace it fell away, so it stays.
    Kept = "kept",
    /// An entry will be deleted.
    Expiring = "expiring",
    /// An entry's time was up and it was deleted.
    Expired = "expired",
    /// An entry was taken away on a person's word.
    Unblocked = "unblocked",
    /// An entry was taken away for another reason.
    Removed = "removed",
    /// A person had an entry taken over that something else made.
    Adopted = "adopted",
    /// EC2 refused an entry for good.
    Rejected = "rejected",
    /// Somebody else's content stands where ours was or should be.
    Foreign = "foreign",
    /// A person put a network on the allow-list.
    Allowed = "allowed",
    /// A person took a network off the allow-list.
    Disallowed = "disallowed",
    /// A person's unblock, or somebody else's removal, holds for a while.
    HeldOff = "held_off",
    /// A person paused blocking.
    Paused = "paused",
    /// A person, or the end of the pause, lets blocking go on.
    Resumed = "resumed",
    /// A person pinned an entry: it is not evicted and does not expire.
    Pinned = "pinned",
    /// A person took a pin away.
    Unpinned = "unpinned",
    /// What stands was made to agree with the ledger again.
    Repaired = "repaired",
    /// More findings wanted entries than is usual: people were told once.
    Flooded = "flooded",
    /// A message was given up: no channel took it.
    Undelivered = "undelivered",
}

/// Every legal transition: from, to, and the events that may tell of it. Anything else is [`super::Error::Illegal`].
pub const TRANSITIONS: &[(Option<State>, State, &[Event])] = &[
    (None, State::Planned, &[Event::Planned]),
    (Some(State::Removed), State::Planned, &[Event::Planned]),
    (Some(State::Foreign), State::Planned, &[Event::Planned]),
    (Some(State::Rejected), State::Planned, &[Event::Planned]),
    (None, State::Applied, &[Event::Adopted]),
    (Some(State::Removed), State::Applied, &[Event::Adopted]),
    (Some(State::Foreign), State::Applied, &[Event::Adopted]),
    (Some(State::Rejected), State::Applied, &[Event::Adopted]),
    (Some(State::Planned), State::Applied, &[Event::Applied]),
    (Some(State::Planned), State::Rejected, &[Event::Rejected]),
    (
        Some(State::Planned),
        State::Removed,
        &[Event::Unblocked, Event::Removed],
    ),
    (Some(State::Applied), State::Evicting, &[Event::Evicting]),
    (Some(State::Applied), State::Expiring, &[Event::Expiring]),
    (Some(State::Applied), State::Foreign, &[Event::Foreign]),
    (Some(State::Applied), State::Removed, &[Event::Removed]),
    (Some(State::Evicting), State::Applied, &[Event::Kept]),
    (Some(State::Evicting), State::Removed, &[Event::Evicted]),
    (Some(State::Evicting), State::Foreign, &[Event::Foreign]),
    (
        Some(State::Expiring),
        State::Removed,
        &[Event::Expired, Event::Unblocked, Event::Removed],
    ),
];

/// Whether `event` may take an entry from one state to another.
#[must_use]
pub fn is_legal(from: Option<State>, to: State, event: Event) -> bool {
    TRANSITIONS
        .iter()
        .any(|(a, b, events)| *a == from && *b == to && events.contains(&event))
}
