//! Indices from before the templates: their fields have the types that OpenSearch guessed, and keep them.

use serde::Serialize;
use serde_json::Value;

use super::{
    client::Client,
    error::Error,
    names,
    object::{Kind, Object},
};

/// Most fields of one index that are told.
const FIELDS: usize = 5;

/// An index whose mapping is not the one that its documents need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WronglyMapped {
    /// The index.
    pub index: String,
    /// How many fields have another type, or none.
    pub count: usize,
    /// The first of them: name, type that it has, type that it should have.
    pub fields: Vec<(String, Option<String>, String)>,
}

/// Every index of events whose mapping differs from what `desired` gives a new one.
///
/// # Errors
/// When the cluster does not answer or does not let us look.
pub async fn wrongly(client: &Client, desired: &[Object]) -> Result<Vec<WronglyMapped>, Error> {
    let path = format!(
        "/{}-*/_mapping?ignore_unavailable=true&allow_no_indices=true",
        names::EVENTS
    );
    let Some(answer) = client.get(&path).await? else {
        return Ok(Vec::new());
    };
    let indices = answer.as_object().into_iter().flatten();
    Ok(indices
        .filter_map(|(index, found)| judged(index, &found["mappings"], desired))
        .collect())
}

fn judged(index: &str, found: &Value, desired: &[Object]) -> Option<WronglyMapped> {
    let of = |name: &str| index.strip_prefix(name).is_some_and(|rest| rest.starts_with('-'));
    let wanted = desired.iter().find(|object| {
        object.kind == Kind::ComponentTemplate && object.name.strip_suffix("-mappings").is_some_and(of)
    })?;
    let mut fields = Vec::new();
    compare(
        &mut String::new(),
        found,
        &wanted.body["template"]["mappings"],
        &mut fields,
    );
    let count = fields.len();
    fields.truncate(FIELDS);
    (count > 0).then(|| WronglyMapped {
        index: index.to_owned(),
        count,
        fields,
    })
}

fn compare(path: &mut String, found: &Value, wanted: &Value, wrong: &mut Vec<(String, Option<String>, String)>) {
    for (name, wanted) in wanted["properties"].as_object().into_iter().flatten() {
        let length = path.len();
        if length > 0 {
            path.push('.');
        }
        path.push_str(name);
        let found = &found["properties"][name];
        match wanted["type"].as_str() {
            Some(wanted) if found["type"] != wanted => {
                wrong.push((
                    path.clone(),
                    found["type"].as_str().map(str::to_owned),
                    wanted.to_owned(),
                ));
            }
            Some(_) => {}
            None => compare(path, found, wanted, wrong),
        }
        path.truncate(length);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::opensearch::templates;

    #[test]
    fn a_field_with_a_guessed_type_is_told_and_a_right_index_is_not() {
        let desired = templates::all(None);
        let right = desired
            .iter()
            .find(|object| object.name == "siem-waf-mappings")
            .expect("WAF's");
        let mut mapping = right.body["template"]["mappings"].clone();
        assert_eq!(judged("siem-waf-2026-11-21", &mapping, &desired), None);
        assert_eq!(
            judged("siem-waffle-2026-11-21", &json!({}), &desired),
            None,
            "somebody else's"
        );
        mapping["properties"]["source"]["properties"]["ip"] = json!({ "type": "text" });
        let told = judged("siem-waf-2020-01-01", &mapping, &desired).expect("wrong");
        let field = ("source.ip".to_owned(), Some("text".to_owned()), "ip".to_owned());
        assert_eq!((told.count, told.fields), (1, vec![field]));
        let empty = judged("siem-waf-2020-01-01", &json!({}), &desired).expect("wrong");
        assert!(empty.count > 50 && empty.fields.len() == FIELDS);
    }
}
