//! The public AWS emulator, moto, with what it lacks of EC2's network ACLs put in front.
//!
//! [`Server`] starts moto; [`Front`] stands between it and the program, on a port of its own, for every service: calls on network
//! ACL entries are judged as EC2 judges them before moto sees them, and any call can be made to fail on demand.

mod front;
mod judge;
mod server;

pub use front::{Fault, Front};
pub use server::Server;
