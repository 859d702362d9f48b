//! Component and index templates, from the tables that the normaliser writes from.
//!
//! A mapping is closed: a field that is in no table is kept in the document and not indexed, so no event can add fields
//! or change the type of one. <https://docs.opensearch.org/latest/im-plugin/index-templates/>

use portcullis_transforms::{Schema, Source, schema};
use serde_json::{Map, Value, json};

use super::{
    names,
    object::{Kind, Object},
};
use crate::respond;

/// What an operator decides of indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Primary shards of each index.
    pub shards: u32,
    /// Copies of each shard.
    pub replicas: u32,
}

/// Fields and objects that one mapping may have; OpenSearch's own default, said so that nobody's cluster setting matters.
pub const FIELD_LIMIT: usize = 1_000;

/// The template that all others are made of: settings.
const SETTINGS: &str = "portcullis-settings";
/// Above the templates that a cluster is delivered with, which use numbers up to 100.
const PRIORITY: u64 = 500;

/// Every template: settings, one mapping and one index template for each source and schema, the response, and the
/// newest version of each finding. A Serverless collection has no layout, because it decides that itself.
#[must_use]
pub fn all(layout: Option<Layout>) -> Vec<Object> {
    let mut objects = vec![settings(layout)];
    for &source in Source::ALL {
        for (schema, mapping) in [
            (Schema::Ecs, schema::mapping(source)),
            (Schema::Native, schema::native_mapping(source)),
        ] {
            let name = names::stream(source, schema);
            objects.extend(family(&name, &mapping));
        }
    }
    let response = names::events(names::RESPONSE);
    let documents = schema::closed(respond::document::fields());
    objects.extend(family(&response, &documents));
    for &source in names::VERSIONED {
        let name = names::latest(source);
        objects.push(index_template(
            &name,
            std::slice::from_ref(&name),
            &names::stream(source, Schema::Ecs),
            None,
        ));
    }
    objects
}

/// The indices that are made at once because nothing rotates them: one document per finding.
#[must_use]
pub fn indices() -> Vec<Object> {
    let index = |source: &Source| Object::new(Kind::Index, names::latest(*source), json!({}));
    names::VERSIONED.iter().map(index).collect()
}

fn settings(layout: Option<Layout>) -> Object {
    let mut settings = json!({
        // What the tables promise is tested; should a value ever break the promise, its field is lost and not the document.
        "mapping": { "ignore_malformed": "true", "total_fields": { "limit": FIELD_LIMIT.to_string() } },
    });
    if let Some(layout) = layout {
        settings["number_of_shards"] = json!(layout.shards.to_string());
        settings["number_of_replicas"] = json!(layout.replicas.to_string());
        settings["codec"] = json!("best_compression");
        settings["refresh_interval"] = json!("5s");
    }
    Object::new(
        Kind::ComponentTemplate,
        SETTINGS,
        json!({ "template": { "settings": { "index": settings } } }),
    )
}

/// A mapping, and the index template that gives it to the indices of this name, with the name as their alias.
fn family(name: &str, mapping: &Value) -> [Object; 2] {
    let body = json!({ "template": { "mappings": mapping } });
    [
        Object::new(Kind::ComponentTemplate, mappings(name), body),
        index_template(name, &[format!("{name}-*")], name, Some(name)),
    ]
}

fn index_template(name: &str, patterns: &[String], mapping: &str, alias: Option<&str>) -> Object {
    let mut aliases = Map::new();
    if let Some(alias) = alias {
        aliases.insert(alias.to_owned(), json!({}));
    }
    Object::new(
        Kind::IndexTemplate,
        name,
        json!({
            "index_patterns": patterns,
            "priority": PRIORITY,
            "composed_of": [SETTINGS, mappings(mapping)],
            "template": { "aliases": aliases },
        }),
    )
}

fn mappings(name: &str) -> String {
    format!("{name}-mappings")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: Option<Layout> = Some(Layout { shards: 1, replicas: 1 });

    fn mapping_of(name: &str) -> Value {
        let wanted = mappings(name);
        let object = all(LAYOUT)
            .into_iter()
            .find(|object| object.name == wanted)
            .expect(name);
        object.body["template"]["mappings"].clone()
    }

    fn field_of<'m>(mapping: &'m Value, name: &str) -> &'m Value {
        name.split('.').fold(mapping, |at, part| &at["properties"][part])
    }

    /// Fields, objects included, as the server counts them.
    fn count(mapping: &Value) -> usize {
        let properties = mapping["properties"].as_object();
        properties.map_or(0, |inner| inner.values().map(|value| 1 + count(value)).sum())
    }

    #[test]
    fn every_field_of_every_table_is_mapped_with_its_type() {
        for &source in Source::ALL {
            let mapping = mapping_of(&names::stream(source, Schema::Ecs));
            for field in source.fields() {
                assert_eq!(
                    field_of(&mapping, field.name)["type"],
                    field.ty.name(),
                    "{source}: {}",
                    field.name
                );
            }
        }
        let mapping = mapping_of("siem-response");
        for field in respond::document::fields() {
            assert_eq!(
                field_of(&mapping, field.name)["type"],
                field.ty.name(),
                "{}",
                field.name
            );
        }
    }

    #[test]
    fn every_mapping_is_closed_at_every_depth_and_below_the_limit() {
        fn closed(value: &Value, top: bool) {
            assert_eq!(value["dynamic"], if top { json!(false) } else { Value::Null });
            if let Some(properties) = value["properties"].as_object() {
                properties.values().for_each(|inner| closed(inner, false));
            }
        }
        let mut mappings = 0;
        for object in all(LAYOUT) {
            let mapping = &object.body["template"]["mappings"];
            if mapping.is_object() {
                closed(mapping, true);
                assert!(count(mapping) < FIELD_LIMIT, "{}: {}", object.name, count(mapping));
                mappings += 1;
            }
        }
        assert_eq!(mappings, 2 * Source::ALL.len() + 1);
    }

    #[test]
    fn no_term_is_longer_than_the_index_takes() {
        fn keywords(value: &Value) {
            if value["type"] == "keyword" {
                assert!(value["ignore_above"].as_u64().expect("a limit") <= 8_191);
            }
            if let Some(properties) = value["properties"].as_object() {
                properties.values().for_each(keywords);
            }
        }
        all(LAYOUT)
            .iter()
            .for_each(|object| keywords(&object.body["template"]["mappings"]));
    }

    #[test]
    fn the_rest_of_a_record_is_one_field_of_every_source() {
        for source in Source::ALL {
            let mapping = mapping_of(&names::stream(*source, Schema::Ecs));
            let rest = format!("aws.{source}.rest");
            assert_eq!(field_of(&mapping, &rest)["type"], "flat_object");
        }
    }

    #[test]
    fn every_index_has_a_time_field() {
        for &source in Source::ALL {
            let ecs = mapping_of(&names::stream(source, Schema::Ecs));
            assert_eq!(ecs["properties"]["@timestamp"]["type"], "date");
            let native = mapping_of(&names::stream(source, Schema::Native));
            let time = schema::native_times(source).into_iter().next().expect("a time");
            assert_eq!(field_of(&native, &time)["type"], "date", "{source}");
        }
    }

    #[test]
    fn what_a_template_is_made_of_is_there() {
        let objects = all(LAYOUT);
        for object in objects.iter().filter(|object| object.kind == Kind::IndexTemplate) {
            for part in object.body["composed_of"].as_array().expect("a list") {
                assert!(
                    objects.iter().any(|other| part == &json!(other.name)),
                    "{part} of {}",
                    object.name
                );
            }
        }
    }

    #[test]
    fn a_template_reads_as_it_did() {
        let waf = all(LAYOUT)
            .into_iter()
            .find(|object| object.kind == Kind::IndexTemplate && object.name == "siem-waf");
        insta::assert_snapshot!(waf.expect("WAF's").body, @r#"{"index_patterns":["siem-waf-*"],"priority":500,"composed_of":["portcullis-settings","siem-waf-mappings"],"template":{"aliases":{"siem-waf":{}}}}"#);
        insta::assert_snapshot!(mapping_of("siem-native-waf"), @r#"{"dynamic":false,"properties":{"timestamp":{"type":"date","format":"strict_date_time","ignore_malformed":true}}}"#);
    }
}
