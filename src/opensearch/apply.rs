//! What a cluster has beside what it should have, and how one becomes the other.
//!
//! What nobody touched since Portcullis wrote it is replaced; what somebody edited is left until a person says otherwise.

use reqwest::Method;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Flavour,
    client::{Body, Client},
    error::Error,
    object::{Difference, Found, Kind, Object, differences, plain},
};

/// How one object of a cluster stands to what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is not there.
    Missing,
    /// It is as it should be.
    Same,
    /// Another version of Portcullis wrote it, and nobody touched it since.
    Outdated,
    /// Somebody edited it, or it is somebody else's.
    Edited,
}

/// One object and what would become of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The object as it should be; a role mapping with those who have the role already.
    pub object: Object,
    /// How the cluster's one stands to it.
    pub state: State,
    /// Where they differ.
    pub differences: Vec<Difference>,
    /// Which version of a policy is replaced.
    version: Option<(u64, u64)>,
}

impl Change {
    /// A change as [`compare`] finds one.
    #[must_use]
    pub fn shown(object: Object, state: State, differences: Vec<Difference>) -> Self {
        Self {
            object,
            state,
            differences,
            version: None,
        }
    }
}

/// A kind of object that the cluster does not take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// What, in the plural.
    pub what: String,
    /// Why, and what to do instead.
    pub why: String,
}

/// The whole difference.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Every object, in the order in which it can be put there.
    pub changes: Vec<Change>,
    /// What was left out.
    pub skipped: Vec<Skipped>,
}

/// Compares a cluster with what it should have. Changes nothing.
///
/// # Errors
/// When the cluster does not answer or does not let us look.
pub async fn compare(client: &Client, desired: Vec<Object>) -> Result<Plan, Error> {
    let mut plan = Plan::default();
    let mut absent: Option<Kind> = None;
    for object in desired {
        // One API serves roles and their mappings.
        if absent == Some(object.kind) || (absent == Some(Kind::Role) && object.kind == Kind::RoleMapping) {
            continue;
        }
        match client.get(&object.path()).await {
            Ok(found) => plan.changes.push(change(object, found)),
            Err(Error::NoSuchApi { .. }) => {
                absent = Some(object.kind);
                plan.skipped.push(without(object.kind));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(plan)
}

/// Puts one object where it belongs.
///
/// # Errors
/// When the cluster refuses it.
pub async fn put(client: &Client, change: &Change) -> Result<(), Error> {
    let mut path = change.object.path();
    if let Some((number, term)) = change.version {
        path = format!("{path}?if_seq_no={number}&if_primary_term={term}");
    }
    let body = Some(Body::Json(change.object.marked()));
    match client.send(Method::PUT, &path, body).await {
        // Another run was faster; an index has no content of ours.
        Err(Error::Refused {
            status: 400, reason, ..
        }) if change.object.kind == Kind::Index && reason.contains("already exists") => Ok(()),
        other => other.map(drop),
    }
}

/// What a kind of cluster never has.
#[must_use]
pub fn left_out(flavour: Flavour) -> Vec<Skipped> {
    let told = |what: &str, why: &str| Skipped {
        what: what.to_owned(),
        why: why.to_owned(),
    };
    match flavour {
        Flavour::Cluster => Vec::new(),
        Flavour::Serverless => vec![
            told(
                "shards and replicas",
                "a Serverless collection decides about them itself",
            ),
            told(
                "ISM policies",
                "a Serverless collection has none; set a data lifecycle policy for siem-* in its place",
            ),
            told(
                "roles and role mappings",
                "a Serverless collection has none; write data access policies with the same permissions",
            ),
        ],
    }
}

fn without(kind: Kind) -> Skipped {
    let (what, why) = match kind {
        Kind::Policy => (
            "ISM policies",
            "the cluster has no index-management plugin; delete old indices by hand or by a job",
        ),
        Kind::Role | Kind::RoleMapping => (
            "roles and role mappings",
            "the cluster has no security plugin, so whoever reaches it may do everything; put it behind something that asks",
        ),
        Kind::ComponentTemplate | Kind::IndexTemplate => (
            "templates",
            "the cluster has no index templates, so new indices would get no mapping; do not write to it",
        ),
        Kind::Index => ("indices", "the cluster makes none on request"),
    };
    Skipped {
        what: what.to_owned(),
        why: why.to_owned(),
    }
}

/// Judges what an API returned for an object.
fn change(mut object: Object, answer: Option<Value>) -> Change {
    let Some((found, version)) = answer.and_then(|answer| own(&object, answer)) else {
        return Change {
            object,
            state: State::Missing,
            differences: Vec::new(),
            version: None,
        };
    };
    if object.kind == Kind::RoleMapping {
        object.body = joined(&found, &object.body);
    }
    let found = Found::new(object.kind, found);
    let differences = match object.kind {
        Kind::Index => Vec::new(),
        _ => differences(&found.content, &plain(&object.body)),
    };
    let state = match (
        differences.is_empty(),
        found.is_untouched() || object.kind == Kind::RoleMapping,
    ) {
        (true, _) => State::Same,
        (false, true) => State::Outdated,
        (false, false) => State::Edited,
    };
    Change {
        object,
        state,
        differences,
        version,
    }
}

/// The object's own body in what its API answers, and the version that an update has to name.
fn own(object: &Object, mut answer: Value) -> Option<(Value, Option<(u64, u64)>)> {
    let body = match object.kind {
        Kind::ComponentTemplate => answer["component_templates"].get_mut(0)?["component_template"].take(),
        Kind::IndexTemplate => answer["index_templates"].get_mut(0)?["index_template"].take(),
        Kind::Role | Kind::RoleMapping | Kind::Index => answer.get_mut(&object.name)?.take(),
        Kind::Policy => {
            let version = answer["_seq_no"].as_u64().zip(answer["_primary_term"].as_u64());
            return Some((answer, version));
        }
    };
    Some((body, None))
}

/// A role mapping with our holders beside those that it has.
fn joined(found: &Value, ours: &Value) -> Value {
    let mut both = found.clone();
    let mut roles: Vec<Value> = found["backend_roles"].as_array().cloned().unwrap_or_default();
    for role in ours["backend_roles"].as_array().map(Vec::as_slice).unwrap_or_default() {
        if !roles.contains(role) {
            roles.push(role.clone());
        }
    }
    both["backend_roles"] = Value::Array(roles);
    if let Some(both) = both.as_object_mut() {
        both.retain(|key, _| !["reserved", "hidden", "static"].contains(&key.as_str()));
    }
    both
}

impl Plan {
    /// The plan as one JSON document.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let changes: Vec<Value> = self
            .changes
            .iter()
            .map(|change| {
                json!({
                    "kind": change.object.kind.word(),
                    "name": change.object.name,
                    "state": change.state,
                    "differences": change.differences,
                })
            })
            .collect();
        json!({ "changes": changes, "skipped": self.skipped })
    }

    /// Whether the cluster is as it should be.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.changes.iter().all(|change| change.state == State::Same)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::opensearch::roles;

    fn mapping(holders: &[&str]) -> Object {
        Object::new(Kind::RoleMapping, roles::FIREHOSE, json!({ "backend_roles": holders }))
    }

    fn answered(kind: Kind, name: &str, body: &Value) -> Value {
        match kind {
            Kind::ComponentTemplate => json!({ "component_templates": [{ "name": name, "component_template": body }] }),
            Kind::IndexTemplate => json!({ "index_templates": [{ "name": name, "index_template": body }] }),
            Kind::Policy => json!({ "_id": name, "_seq_no": 3, "_primary_term": 1, "policy": body["policy"] }),
            _ => json!({ name: body }),
        }
    }

    #[test]
    fn a_second_run_finds_nothing_to_do() {
        let wish = crate::opensearch::Wish {
            flavour: Default::default(),
            layout: crate::opensearch::templates::Layout { shards: 1, replicas: 1 },
            days: 30,
            holders: roles::Holders::default(),
        };
        for object in crate::opensearch::desired(&wish) {
            let answer = answered(object.kind, &object.name, &object.marked());
            let name = object.name.clone();
            let change = change(object, Some(answer));
            assert_eq!(
                (change.state, &change.differences[..]),
                (State::Same, &[][..]),
                "{name}"
            );
        }
    }

    #[test]
    fn those_who_have_a_role_keep_it() {
        let now = json!({ roles::FIREHOSE: { "users": ["jo"], "backend_roles": ["other"], "reserved": false } });
        let change = change(mapping(&["arn"]), Some(now));
        assert_eq!(change.state, State::Outdated);
        assert_eq!(
            change.object.body,
            json!({ "users": ["jo"], "backend_roles": ["other", "arn"] })
        );
    }

    #[test]
    fn what_somebody_edited_is_told_apart_from_what_another_version_wrote() {
        let role = |actions: Value| Object::new(Kind::Role, "r", json!({ "cluster_permissions": actions }));
        let older = role(json!(["older"])).marked();
        let mut edited = role(json!(["now"])).marked();
        edited["cluster_permissions"] = json!(["now", "more"]);
        for (found, state) in [(older, State::Outdated), (edited, State::Edited)] {
            let change = change(role(json!(["now"])), Some(json!({ "r": found })));
            assert_eq!(change.state, state);
            assert_eq!(change.differences[0].path, "cluster_permissions");
        }
    }
}
