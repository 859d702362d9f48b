//! Portcullis reads the security event streams of AWS accounts, makes them searchable, and closes the
//! network ACL on an attacker as the finding arrives.
//!
//! The rooms, from the door to the core (arrows point downwards only; see `ARCHITECTURE.md`):
//!
//! | room | holds |
//! |---|---|
//! | [`cli`] | one file per command |
//! | [`serve`], [`consume`] | pages; files and standard input |
//! | [`respond`], [`index`], [`dashboards`] | decisions and their execution; search; panels |
//! | [`ledger`], [`network_acl`], [`finding`], [`input`] | what the work stands on |
//! | `portcullis_transforms` | formats |

// Without the embedded stores much of the core has nobody who calls it yet; it still has to compile without them.
#![cfg_attr(not(feature = "embedded"), allow(dead_code))]

pub mod cli;
pub mod config;
#[cfg(feature = "embedded")]
pub mod consume;
pub mod dashboards;
#[cfg(feature = "embedded")]
pub mod demo;
pub mod finding;
pub mod generate;
pub mod index;
pub mod input;
pub mod ledger;
pub mod network_acl;
pub mod respond;
#[cfg(feature = "embedded")]
pub mod serve;
