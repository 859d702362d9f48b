//! What type a field has, by name: the sources' tables, and the fields that every document may carry.
//!
//! An index types a value by its field, never by how the value looks, so that a user agent which reads like a
//! date stays text. Fields in no table are typed by their JSON type.

use std::collections::HashMap;

use portcullis_transforms::{Field, Source, Type, schema::field};

/// Fields of all documents, whether or not a source's table names them.
const COMMON: &[Field] = &[
    field("@timestamp", Type::Date, "", "when it happened"),
    field("event.created", Type::Date, "", "when the record was made"),
    field("event.start", Type::Date, "", "start of what it covers"),
    field("event.end", Type::Date, "", "end of what it covers"),
    field("event.severity", Type::Float, "", "severity, on the source's scale"),
    field("event.duration", Type::Long, "", "nanoseconds"),
    field("event.original", Type::Text, "", "the record as it came"),
    field("message", Type::Text, "", "one sentence for a person"),
    field("source.ip", Type::Ip, "", "the remote address"),
    field("source.nat.ip", Type::Ip, "", "the remote address inside a tunnel"),
    field("destination.ip", Type::Ip, "", "the address that was reached"),
    field(
        "destination.nat.ip",
        Type::Ip,
        "",
        "the reached address inside a tunnel",
    ),
    field("related.ip", Type::Ip, "", "every address in the record"),
];

/// Address fields of the sources' own; with those of [`COMMON`], every field of type `ip`.
const OWN_ADDRESSES: &[&str] = &["aws.vpcflow.pkt_srcaddr", "aws.vpcflow.pkt_dstaddr"];

/// What the index knows about a field's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The name stands in a table.
    Known(Type),
    /// A leaf below a `flat_object`: exact terms only.
    Flat,
    /// In no table.
    Unknown,
}

/// Types of fields by name.
#[derive(Clone, Debug)]
pub struct Fields {
    types: HashMap<&'static str, Type>,
    flat: Vec<String>,
}

impl Fields {
    /// Fields of all sources, and `more` besides.
    #[must_use]
    pub fn new(more: &[Field]) -> Self {
        let mut types = HashMap::new();
        let mut flat: Vec<String> = vec!["aws.waf.headers".to_owned()];
        types.extend(OWN_ADDRESSES.iter().map(|name| (*name, Type::Ip)));
        types.extend(COMMON.iter().map(|f| (f.name, f.ty)));
        for source in Source::ALL {
            flat.push(format!("aws.{}.rest", source.name()));
            types.extend(source.fields().iter().map(|f| (f.name, f.ty)));
        }
        types.extend(more.iter().map(|f| (f.name, f.ty)));
        flat.extend(
            types
                .iter()
                .filter(|(_, ty)| **ty == Type::FlatObject)
                .map(|(name, _)| (*name).to_owned()),
        );
        flat.sort_unstable();
        flat.dedup();
        Self { types, flat }
    }

    /// What is known of a dotted name.
    #[must_use]
    pub fn kind(&self, name: &str) -> Kind {
        match self.types.get(name) {
            Some(Type::FlatObject) => Kind::Flat,
            Some(ty) => Kind::Known(*ty),
            None if self.is_below_flat(name) => Kind::Flat,
            None => Kind::Unknown,
        }
    }

    fn is_below_flat(&self, name: &str) -> bool {
        self.flat.iter().any(|parent| {
            name.strip_prefix(parent.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    /// Names of all address fields, sorted: each has a native column, so the engine's schema depends on this list.
    pub fn addresses() -> impl Iterator<Item = &'static str> {
        let mut names: Vec<&str> = COMMON.iter().filter(|f| f.ty == Type::Ip).map(|f| f.name).collect();
        names.extend(OWN_ADDRESSES);
        names.sort_unstable();
        names.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_field_of_every_source_has_a_native_column() {
        let native: Vec<_> = Fields::addresses().collect();
        for source in Source::ALL {
            for field in source.fields().iter().filter(|f| f.ty == Type::Ip) {
                assert!(
                    native.contains(&field.name),
                    "{} of {source} is missing in OWN_ADDRESSES",
                    field.name
                );
            }
        }
    }

    #[test]
    fn a_leaf_below_a_flat_object_is_flat_and_a_namesake_is_not() {
        let fields = Fields::new(&[]);
        assert_eq!(fields.kind("aws.waf.headers.x-forwarded-for"), Kind::Flat);
        assert_eq!(fields.kind("aws.waf.rest"), Kind::Flat);
        assert_eq!(fields.kind("aws.waf.restless"), Kind::Unknown);
        assert_eq!(fields.kind("source.ip"), Kind::Known(Type::Ip));
    }
}
