//! Who may do what on the cluster. Nothing here has `all_access`.
//!
//! <https://docs.opensearch.org/latest/security/access-control/permissions/>; what a delivery stream asks for:
//! <https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html#using-iam-es>.

use serde_json::{Value, json};

use super::{
    names,
    object::{Kind, Object},
};

/// Role of Firehose's own IAM role.
pub const FIREHOSE: &str = "portcullis_firehose";
/// Role of people who read.
pub const ANALYST: &str = "portcullis_analyst";
/// Role of `portcullis serve` when it writes and searches.
pub const WRITER: &str = "portcullis_writer";

/// Who has the roles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holders {
    /// ARNs of the delivery streams' IAM roles.
    pub firehose: Vec<String>,
    /// Backend roles of analysts: IAM role ARNs, or groups of the directory.
    pub analysts: Vec<String>,
    /// ARN of the IAM role, or a group, that `serve` runs as.
    pub writers: Vec<String>,
}

/// Every role, and who has it.
#[must_use]
pub fn all(holders: &Holders) -> Vec<Object> {
    let mut objects = vec![
        Object::new(Kind::Role, FIREHOSE, firehose()),
        Object::new(Kind::Role, ANALYST, analyst()),
        Object::new(Kind::Role, WRITER, writer()),
    ];
    for (role, holders) in [
        (FIREHOSE, &holders.firehose),
        (ANALYST, &holders.analysts),
        (WRITER, &holders.writers),
    ] {
        if !holders.is_empty() {
            objects.push(Object::new(
                Kind::RoleMapping,
                role,
                json!({ "backend_roles": holders }),
            ));
        }
    }
    objects
}

/// Creates indices of events, adds documents to them, and reads the figures that Firehose asks for. It cannot read a
/// document, nor change a mapping, nor delete.
fn firehose() -> Value {
    json!({
        "cluster_permissions": [
            "indices:data/write/bulk",
            "cluster:monitor/main",
            "cluster:monitor/nodes/stats",
            "cluster:monitor/stats",
        ],
        "index_permissions": [{
            "index_patterns": [format!("{}-*", names::EVENTS)],
            "allowed_actions": [
                "indices:admin/create",
                "indices:admin/auto_create",
                "indices:data/write/bulk*",
                "indices:data/write/index",
                "indices:admin/mappings/get",
                "indices:monitor/settings/get",
                "indices:monitor/stats",
            ],
        }],
    })
}

/// Reads events and findings, and opens OpenSearch Dashboards: the shared tenant to read, and everybody's own.
fn analyst() -> Value {
    json!({
        "cluster_permissions": ["cluster_composite_ops_ro"],
        "index_permissions": [
            {
                "index_patterns": [format!("{}-*", names::EVENTS), names::latest_pattern()],
                "allowed_actions": [
                    "read",
                    "indices:admin/mappings/get",
                    "indices:admin/mappings/fields/get*",
                    "indices:admin/resolve/index",
                    "indices:monitor/settings/get",
                ],
            },
            {
                "index_patterns": [".kibana*", ".opensearch_dashboards*"],
                "allowed_actions": ["read", "indices:admin/get", "indices:admin/mappings/get"],
            },
        ],
        "tenant_permissions": [{ "tenant_patterns": ["global_tenant"], "allowed_actions": ["kibana_all_read"] }],
    })
}

/// Adds and reads documents of events and findings; can delete neither documents nor indices, nor change a mapping.
fn writer() -> Value {
    json!({
        "cluster_permissions": ["indices:data/write/bulk", "cluster_composite_ops_ro", "cluster:monitor/main"],
        "index_permissions": [{
            "index_patterns": [format!("{}-*", names::EVENTS), names::latest_pattern()],
            "allowed_actions": [
                "read",
                "indices:admin/create",
                "indices:admin/auto_create",
                "indices:admin/refresh*",
                "indices:admin/mappings/get",
                "indices:data/write/bulk*",
                "indices:data/write/index",
            ],
        }],
    })
}

/// What a user needs who runs `portcullis opensearch apply` and nothing else. A managed domain takes roles from its master
/// user only; self-managed, name this role in `plugins.security.restapi.roles_enabled`.
#[must_use]
pub fn setup() -> Value {
    json!({
        "cluster_permissions": [
            "cluster:monitor/main",
            "cluster:admin/component_template/*",
            "indices:admin/index_template/*",
            "cluster:admin/opendistro/ism/policy/*",
        ],
        "index_permissions": [{
            "index_patterns": [format!("{}-*", names::EVENTS), names::latest_pattern()],
            "allowed_actions": [
                "indices:admin/create",
                "indices:admin/get",
                "indices:admin/aliases",
                "indices:admin/mappings/get",
                "indices:monitor/settings/get",
            ],
        }],
    })
}

/// What `portcullis opensearch apply --reindex` needs besides [`setup`]: it reads, copies and deletes indices of events. Give it
/// for the time of the work only.
#[must_use]
pub fn reindexing() -> Value {
    json!({
        "cluster_permissions": [
            "indices:data/write/reindex",
            "indices:data/write/bulk",
            "indices:data/read/scroll",
            "indices:data/read/scroll/clear",
            "cluster:monitor/task/get",
        ],
        "index_permissions": [{
            "index_patterns": [format!("{}-*", names::EVENTS)],
            "allowed_actions": [
                "read",
                "indices:admin/settings/update",
                "indices:admin/refresh*",
                "indices:admin/delete",
                "indices:data/write/bulk*",
                "indices:data/write/index",
            ],
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actions(role: &Value) -> Vec<String> {
        let texts = |list: &Value| -> Vec<String> {
            let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
            list.iter()
                .filter_map(|text| text.as_str().map(str::to_owned))
                .collect()
        };
        let mut all = texts(&role["cluster_permissions"]);
        for index in role["index_permissions"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default()
        {
            all.extend(texts(&index["allowed_actions"]));
        }
        all
    }

    #[test]
    fn no_role_may_do_everything_and_only_writers_may_write() {
        for role in [firehose(), analyst(), writer(), setup()] {
            for action in actions(&role) {
                assert!(!["*", "all_access", "unlimited", "indices_all", "cluster_all"].contains(&action.as_str()));
                assert!(!action.contains("delete"), "{action}");
            }
        }
        for action in actions(&analyst()) {
            assert!(
                !action.contains("write") && !action.contains("create") && !action.contains("put"),
                "{action}"
            );
        }
        for action in actions(&firehose()) {
            assert!(
                !action.starts_with("indices:data/read") && !action.contains("mapping/put"),
                "{action}"
            );
        }
    }

    #[test]
    fn firehose_has_the_indices_of_events_and_no_others() {
        assert_eq!(firehose()["index_permissions"][0]["index_patterns"], json!(["siem-*"]));
        assert_eq!(firehose()["index_permissions"].as_array().map(Vec::len), Some(1));
    }

    #[test]
    fn a_role_without_a_holder_gets_no_mapping() {
        let arn = "arn:aws:iam::111122223333:role/delivery".to_owned();
        let holders = Holders {
            firehose: vec![arn.clone()],
            ..Holders::default()
        };
        let mappings: Vec<Object> = all(&holders)
            .into_iter()
            .filter(|object| object.kind == Kind::RoleMapping)
            .collect();
        assert_eq!(
            mappings,
            [Object::new(
                Kind::RoleMapping,
                FIREHOSE,
                json!({ "backend_roles": [arn] })
            )]
        );
    }
}
