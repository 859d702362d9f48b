//! What type a field has, by name, from the tables: those of the sources, and what an index is opened with besides.
//!
//! An index types a value by its field, never by how the value looks, so that a user agent which reads like a
//! date stays text. Fields in no table are typed by their JSON type.

use std::collections::HashMap;

use portcullis_transforms::{Field, Source, Type};

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
    flat: Vec<&'static str>,
    addresses: Vec<&'static str>,
}

impl Fields {
    /// Fields of all sources, and `more` besides.
    #[must_use]
    pub fn new(more: &[&'static Field]) -> Self {
        let of_sources = Source::ALL.iter().flat_map(|source| source.fields());
        let types: HashMap<_, _> = of_sources
            .chain(more.iter().copied())
            .map(|field| (field.name, field.ty))
            .collect();
        let named = |ty| {
            let mut names: Vec<_> = types
                .iter()
                .filter(|(_, of)| **of == ty)
                .map(|(name, _)| *name)
                .collect();
            names.sort_unstable();
            names
        };
        Self {
            flat: named(Type::FlatObject),
            addresses: named(Type::Ip),
            types,
        }
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
        self.flat
            .iter()
            .any(|parent| name.strip_prefix(parent).is_some_and(|rest| rest.starts_with('.')))
    }

    /// Names of all address fields, sorted: each has a native column, so the engine's schema depends on this list.
    #[must_use]
    pub fn addresses(&self) -> &[&'static str] {
        &self.addresses
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_has_two_types() {
        let mut types = HashMap::new();
        for source in Source::ALL {
            for field in source.fields() {
                let first = *types.entry(field.name).or_insert(field.ty);
                assert_eq!(first, field.ty, "{} of {source}", field.name);
            }
        }
    }

    #[test]
    fn every_address_field_of_every_table_has_a_native_column() {
        const MORE: Field = portcullis_transforms::schema::field("more.ip", Type::Ip, "", "");
        let fields = Fields::new(&[&MORE]);
        for name in [
            "aws.vpcflow.pkt_srcaddr",
            "more.ip",
            "related.ip",
            "source.ip",
            "source.nat.ip",
        ] {
            assert!(fields.addresses().contains(&name), "{name}");
        }
        assert!(fields.addresses().is_sorted());
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
