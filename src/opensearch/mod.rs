//! A cluster of OpenSearch: what it should have, the way to it, and the difference.
//!
//! [`desired`] is a pure function from the tables of the sources and what the operator decided; [`apply`] compares it with
//! a cluster and makes them agree; [`writer`] writes documents and [`remote`] searches them, behind the trait of the embedded
//! index.

pub mod apply;
pub mod client;
pub mod error;
pub mod import;
pub mod mapped;
pub mod names;
pub mod object;
pub mod policy;
pub mod reindex;
pub mod remote;
pub mod roles;
pub mod templates;
pub mod writer;

pub use client::{Auth, Client};
pub use error::Error;
pub use object::{Kind, Object};

/// What kind of cluster it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flavour {
    /// Self-managed, or a domain of Amazon OpenSearch Service.
    #[default]
    Cluster,
    /// A collection of OpenSearch Serverless, which has neither shards, ISM nor roles of its own.
    Serverless,
}

/// What the operator decided of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// What kind of cluster.
    pub flavour: Flavour,
    /// Shards and replicas.
    pub layout: templates::Layout,
    /// Days that events are kept.
    pub days: u32,
    /// Who has the roles.
    pub holders: roles::Holders,
}

/// Everything that a cluster should have, in the order in which it can be put there.
#[must_use]
pub fn desired(wish: &Wish) -> Vec<Object> {
    let mut objects = templates::all(match wish.flavour {
        Flavour::Cluster => Some(wish.layout),
        Flavour::Serverless => None,
    });
    if wish.flavour == Flavour::Cluster {
        objects.push(policy::retention(wish.days));
        objects.extend(roles::all(&wish.holders));
    }
    objects.extend(templates::indices());
    objects.sort_by_key(|object| object.kind);
    objects
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serverless_collection_gets_nothing_that_it_has_not() {
        let wish = |flavour| Wish {
            flavour,
            layout: templates::Layout { shards: 2, replicas: 1 },
            days: 30,
            holders: roles::Holders::default(),
        };
        let (all, some) = (desired(&wish(Flavour::Cluster)), desired(&wish(Flavour::Serverless)));
        let left_out: Vec<Kind> = all
            .iter()
            .filter(|object| !some.iter().any(|o| o.path() == object.path()))
            .map(|o| o.kind)
            .collect();
        assert_eq!(left_out, [Kind::Policy, Kind::Role, Kind::Role, Kind::Role]);
        assert!(
            some.iter()
                .all(|object| !object.body.to_string().contains("number_of_"))
        );
        assert!(
            all.is_sorted_by_key(|object| object.kind),
            "templates stand before what needs them"
        );
        assert_eq!(apply::left_out(Flavour::Serverless).len(), 3);
    }
}
