//! Portcullis reads the security event streams of AWS accounts, makes them searchable, and closes the
//! network ACL on an attacker as the finding arrives.
//!
//! The rooms, from the door to the core (arrows point downwards only; see `ARCHITECTURE.md`):
//!
//! | room | holds |
//! |---|---|
//! | [`cli`] | what a person types: one file per command |
//! | [`demo`] | everything on generated events and a model of network ACLs |
//! | [`serve`], [`consume`] | pages; what is new in files, standard input and streams |
//! | [`input`], [`config`] | records out of bytes; what the operator decided |
//! | [`respond`], [`dashboards`], [`index`] | decisions and their execution; panels; search |
//! | [`opensearch`] | a cluster: templates, roles, the way to it, and its index |
//! | [`ledger`], [`network_acl`], [`finding`] | what we believe stands; what stands; what GuardDuty says |
//! | `portcullis_transforms` | formats |
//! | [`generate`] | events in AWS's own formats; stands apart, because it tests the others |

// Without the embedded stores much of the core has nobody who calls it yet; it still has to compile without them.
#![cfg_attr(not(feature = "embedded"), allow(dead_code))]

#[macro_use]
pub mod planted;

#[cfg(feature = "aws")]
pub mod aws;
pub mod cli;
pub mod config;
pub mod consume;
pub mod dashboards;
#[cfg(feature = "embedded")]
pub mod demo;
pub mod finding;
pub mod generate;
pub mod index;
pub mod input;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod ledger;
pub mod network_acl;
pub mod opensearch;
pub mod respond;
#[cfg(feature = "embedded")]
pub mod serve;
#[cfg(feature = "sigv4")]
pub mod sigv4;
