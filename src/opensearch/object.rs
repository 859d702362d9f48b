//! One thing that a cluster should have, and how it is told from what the cluster has.

use serde_json::{Map, Value};

/// What an object is, and so where it lives in the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A part of index templates.
    ComponentTemplate,
    /// What a new index gets by its name.
    IndexTemplate,
    /// When an index is deleted (Index State Management).
    Policy,
    /// An index that nothing rotates.
    Index,
    /// What a role may do.
    Role,
    /// Who has a role.
    RoleMapping,
}

impl Kind {
    /// What people call it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Kind::ComponentTemplate => "component template",
            Kind::IndexTemplate => "index template",
            Kind::Policy => "ISM policy",
            Kind::Index => "index",
            Kind::Role => "role",
            Kind::RoleMapping => "role mapping",
        }
    }

    /// Where objects of this kind live.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Kind::ComponentTemplate => "/_component_template/",
            Kind::IndexTemplate => "/_index_template/",
            Kind::Policy => "/_plugins/_ism/policies/",
            Kind::Index => "/",
            Kind::Role => "/_plugins/_security/api/roles/",
            Kind::RoleMapping => "/_plugins/_security/api/rolesmapping/",
        }
    }
}

/// One object as it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// What is put there, without the mark of who put it.
    pub body: Value,
}

impl Object {
    /// An object of this kind.
    #[must_use]
    pub fn new(kind: Kind, name: impl Into<String>, body: Value) -> Self {
        Self {
            kind,
            name: name.into(),
            body,
        }
    }

    /// Where it lives.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}{}", self.kind.path(), self.name)
    }

    /// The body with a mark by which a later run tells its own work from an edit: a fingerprint of the content.
    #[must_use]
    pub fn marked(&self) -> Value {
        let mut body = self.body.clone();
        let print = fingerprint(&plain(&self.body));
        match self.kind {
            Kind::ComponentTemplate | Kind::IndexTemplate => {
                body["_meta"] = serde_json::json!({ "managed_by": "portcullis", "fingerprint": print });
            }
            Kind::Role => body["description"] = Value::String(format!("{DESCRIPTION}{print}")),
            Kind::Policy => body["policy"]["description"] = Value::String(format!("{DESCRIPTION}{print}")),
            // People add who has a role, and an index has no content of ours.
            Kind::RoleMapping | Kind::Index => {}
        }
        body
    }
}

/// Begins the description of what is ours, where an API keeps no other mark.
const DESCRIPTION: &str = "Managed by Portcullis, fingerprint ";

/// What a cluster has, without what it adds by itself, and the fingerprint that was written with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The content in [`plain`] form.
    pub content: Value,
    mark: Option<String>,
}

impl Found {
    /// Takes the mark off the object's own body, as the API returned it.
    #[must_use]
    pub fn new(kind: Kind, mut body: Value) -> Self {
        let described = |text: Option<Value>| {
            let text = text?;
            text.as_str()?.strip_prefix(DESCRIPTION).map(str::to_owned)
        };
        let mark = match kind {
            Kind::ComponentTemplate | Kind::IndexTemplate => {
                let meta = body.as_object_mut().and_then(|object| object.remove("_meta"));
                meta.and_then(|meta| meta["fingerprint"].as_str().map(str::to_owned))
            }
            Kind::Role => described(body.as_object_mut().and_then(|object| object.remove("description"))),
            Kind::Policy => {
                let policy = body.get_mut("policy").and_then(Value::as_object_mut);
                described(policy.and_then(|policy| policy.remove("description")))
            }
            Kind::RoleMapping | Kind::Index => None,
        };
        match kind {
            Kind::Policy => without_additions(&mut body),
            Kind::Role | Kind::RoleMapping => {
                if let Some(body) = body.as_object_mut() {
                    body.retain(|key, _| !["reserved", "hidden", "static"].contains(&key.as_str()));
                }
            }
            Kind::ComponentTemplate | Kind::IndexTemplate | Kind::Index => {}
        }
        Self {
            content: plain(&body),
            mark,
        }
    }

    /// Whether it still is what Portcullis wrote, of this or another version.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        self.mark.as_deref() == Some(fingerprint(&self.content).as_str())
    }
}

/// What the API of policies adds to them by itself.
fn without_additions(body: &mut Value) {
    const ADDED: &[&str] = &[
        "policy_id",
        "last_updated_time",
        "schema_version",
        "user",
        "error_notification",
    ];
    if let Some(policy) = body.get_mut("policy").and_then(Value::as_object_mut) {
        policy.retain(|key, _| !ADDED.contains(&key.as_str()));
        for template in policy
            .get_mut("ism_template")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            if let Some(template) = template.as_object_mut() {
                template.remove("last_updated_time");
            }
        }
    }
    if let Some(whole) = body.as_object_mut() {
        whole.retain(|key, _| key == "policy");
    }
}

/// The form in which two bodies are compared: keys sorted, scalars as text, nothing empty or absent. APIs return numbers as
/// text, and what was never set as empty.
#[must_use]
pub fn plain(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<(&String, Value)> = object.iter().map(|(key, value)| (key, plain(value))).collect();
            entries.retain(|(_, value)| !is_nothing(value));
            entries.sort_by_key(|(key, _)| *key);
            Value::Object(
                entries
                    .into_iter()
                    .map(|(key, value)| (key.clone(), value))
                    .collect::<Map<_, _>>(),
            )
        }
        Value::Array(values) => Value::Array(values.iter().map(plain).collect()),
        Value::Null | Value::String(_) => value.clone(),
        scalar => Value::String(scalar.to_string()),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        // An alias is an empty object, and says something by being there.
        _ => false,
    }
}

fn fingerprint(plain: &Value) -> String {
    blake3::hash(plain.to_string().as_bytes()).to_hex()[..16].to_owned()
}

/// One place where two objects differ.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// Dotted path of the place.
    pub path: String,
    /// What the cluster has there; nothing when it has nothing.
    pub now: Option<String>,
    /// What would stand there; nothing when it would be removed.
    pub then: Option<String>,
}

/// Every place where `then` differs from `now`; both [`plain`].
#[must_use]
pub fn differences(now: &Value, then: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(&mut String::new(), Some(now), Some(then), &mut found);
    found
}

fn compare(path: &mut String, now: Option<&Value>, then: Option<&Value>, found: &mut Vec<Difference>) {
    if now == then {
        return;
    }
    if let (Some(Value::Object(a)), Some(Value::Object(b))) = (now, then) {
        let added = b.keys().filter(|key| !a.contains_key(*key));
        for key in a.keys().chain(added) {
            let length = path.len();
            if length > 0 {
                path.push('.');
            }
            path.push_str(key);
            compare(path, a.get(key), b.get(key), found);
            path.truncate(length);
        }
        return;
    }
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    found.push(Difference {
        path: path.clone(),
        now: now.map(text),
        then: then.map(text),
    });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn role(actions: &[&str]) -> Object {
        Object::new(
            Kind::Role,
            "r",
            json!({ "cluster_permissions": actions, "index_permissions": [] }),
        )
    }

    /// What the API answers for a role that was put.
    fn answered(body: &Value) -> Value {
        let mut body = body.clone();
        body["reserved"] = json!(false);
        body["static"] = json!(false);
        body["tenant_permissions"] = json!([]);
        body
    }

    #[test]
    fn what_was_written_is_recognised_whatever_the_api_adds() {
        let role = role(&["a"]);
        let found = Found::new(Kind::Role, answered(&role.marked()));
        assert_eq!(found.content, plain(&role.body));
        assert!(found.is_untouched());
    }

    #[test]
    fn an_edit_is_told_from_what_another_version_wrote() {
        let mut edited = role(&["a"]).marked();
        edited["cluster_permissions"] = json!(["a", "b"]);
        assert!(!Found::new(Kind::Role, answered(&edited)).is_untouched());
        let older = Found::new(Kind::Role, answered(&role(&["older"]).marked()));
        assert!(older.is_untouched() && older.content != plain(&role(&["a"]).body));
        let foreign = Found::new(Kind::Role, answered(&role(&["a"]).body));
        assert!(!foreign.is_untouched(), "somebody else's role of the same name");
    }

    #[test]
    fn a_place_that_differs_is_named_with_both_sides() {
        let (now, then) = (
            json!({ "a": { "b": "1", "c": "2" } }),
            json!({ "a": { "b": "3", "d": ["x"] } }),
        );
        let told: Vec<_> = differences(&now, &then)
            .into_iter()
            .map(|d| (d.path, d.now.unwrap_or_default(), d.then.unwrap_or_default()))
            .collect();
        let expected = [("a.b", "1", "3"), ("a.c", "2", ""), ("a.d", "", "[\"x\"]")];
        assert_eq!(
            told,
            expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned()))
        );
    }
}
