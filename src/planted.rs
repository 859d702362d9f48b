//! Mistakes on purpose, to prove that the harness finds mistakes. Only with the feature `planted`, which no build that people
//! run has; without it `planted!` is the constant `false` and none of the words below are in the program.

#[cfg(feature = "planted")]
pub use bugs::{Bug, plant, planted};

#[cfg(feature = "planted")]
mod bugs {
    use std::cell::Cell;

    macro_rules! bugs {
        ($($(#[doc = $doc:literal])+ $name:ident = $word:literal,)+) => {
            /// One mistake that somebody could make in the responder.
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
            #[non_exhaustive]
            pub enum Bug {
                $($(#[doc = $doc])+ $name,)+
            }

            impl Bug {
                /// Every mistake, with its word and what it is.
                pub const ALL: &'static [(Bug, &'static str, &'static str)] =
                    &[$((Bug::$name, $word, concat!($($doc),+)),)+];
            }
        };
    }

    bugs! {
        /// What is remembered of the ledger is believed without proof.
        BelieveMemory = "believe-memory",
        /// What is not remembered is taken for new without proof.
        SupposeNew = "suppose-new",
        /// Addresses are blocked without asking the guards.
        GuardBypass = "guard-bypass",
        /// A version of a finding that was processed before is processed again.
        ReplayStale = "replay-stale",
        /// Network ACLs are written to without the lease.
        NoLease = "no-lease",
        /// Somebody else's lease is no reason to wait, and a call may begin when it has run out.
        LeaseOverrun = "lease-overrun",
        /// Changes are committed whatever others wrote meanwhile.
        NoConditions = "no-conditions",
        /// The allow-list grows and what it covers stays denied.
        AllowWithoutRemoval = "allow-without-removal",
        /// The oldest is deleted before the newer one is created.
        DeleteThenCreate = "delete-then-create",
        /// The newer one is created elsewhere before the oldest is deleted.
        CreateThenDelete = "create-then-delete",
        /// The stream's position moves before the plan is durable.
        CheckpointFirst = "checkpoint-first",
        /// A call whose answer was lost counts as failed.
        LostIsFailed = "lost-is-failed",
        /// The first description is believed, however soon after a call.
        TrustDescribe = "trust-describe",
        /// Whatever stands at our number is ours to overwrite.
        OverwriteForeign = "overwrite-foreign",
        /// The newest entry is evicted.
        EvictNewest = "evict-newest",
        /// Entries are confirmed and nobody is told.
        NoAlert = "no-alert",
        /// A person's unblock does not hold.
        NoHoldOff = "no-hold-off",
        /// A missing entry is taken for removed at the first look.
        MissingAtOnce = "missing-at-once",
        /// A message counts as sent whatever the channel said.
        SentAnyway = "sent-anyway",
        /// A record that cannot be read fails its batch for good.
        PoisonStops = "poison-stops",
        /// A pause holds new plans back, and those already made go on.
        PauseLeaks = "pause-leaks",
        /// Pinned entries are evicted like others.
        EvictPinned = "evict-pinned",
        /// An allow that matches first is passed over.
        AllowedUntold = "allowed-untold",
        /// Expired entries stay.
        NeverExpires = "never-expires",
    }

    thread_local! {
        static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
    }

    /// Plants a mistake on this thread, or takes it away.
    pub fn plant(bug: Option<Bug>) {
        PLANTED.set(bug);
    }

    /// Whether this mistake is planted on this thread.
    #[must_use]
    pub fn planted(bug: Bug) -> bool {
        PLANTED.get() == Some(bug)
    }
}

/// No mistake is planted. A function, so that conditions read the same to the compiler's lints with and without the feature.
#[cfg(not(feature = "planted"))]
#[inline]
pub(crate) const fn never() -> bool {
    false
}

/// Whether a mistake is planted: the constant `false` but in the harness.
macro_rules! planted {
    ($bug:ident) => {{
        #[cfg(feature = "planted")]
        {
            $crate::planted::planted($crate::planted::Bug::$bug)
        }
        #[cfg(not(feature = "planted"))]
        {
            $crate::planted::never()
        }
    }};
}
