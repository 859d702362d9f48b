//! A second reading of the tables: slow, obvious, over a tree of JSON. It shares nothing with the engine but the rows
//! that each source publishes.
//!
//! It says what a document must hold for every row that takes its values from the record, and what must be in the rest.
//! What a source works out itself ([`Spec::derived`]) is left to that source's own tests.

use std::{collections::BTreeMap, net::IpAddr};

use portcullis_transforms::{
    Field, Type,
    document::{CUT_MARK, KEYWORD_LIMIT, cut_text},
};
use serde_json::{Value, json};

use super::{
    json::{Json, plain},
    moment,
    paths::{Choice, Node, Slot, Tree},
    specs::Spec,
};

/// A value where a path points.
struct Hit {
    slot: Slot,
    /// The name of an element that is chosen by name.
    name: String,
    value: Json,
    placed: Placed,
}

#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Placed {
    No,
    /// By a row that the source may have written something else into.
    Perhaps,
    Yes,
}

/// Values by name, those that must be there and those that may.
#[derive(Default)]
struct Group {
    certain: Vec<Value>,
    possible: bool,
}

/// What a record's document must hold.
pub(crate) struct Reference {
    spec: &'static Spec,
    tree: &'static Tree,
    hits: Vec<Hit>,
    rest: BTreeMap<String, Group>,
    swapped: bool,
    is_bare: bool,
    /// Whether a key is longer than is kept: it is cut in a way that only the engine's own tests know.
    long_keys: bool,
}

impl Reference {
    /// Reads the body of a record, which may be all of it.
    pub(crate) fn new(spec: &'static Spec, body: &Json, is_bare: bool, long_keys: bool) -> Self {
        let mut reference = Self {
            spec,
            tree: spec.tree(),
            hits: Vec::new(),
            rest: BTreeMap::new(),
            swapped: false,
            is_bare,
            long_keys,
        };
        reference.known(&reference.tree.root, body);
        reference.swapped = (spec.swaps)(&reference);
        reference
    }

    /// The first text at the paths of a row, numbers and booleans as written.
    pub(crate) fn first(&self, row: &str) -> Option<&str> {
        self.at(row)
            .into_iter()
            .filter_map(|hit| hit.value.plain())
            .find(|text| !text.is_empty())
    }

    /// Whether anything stands at the paths of a row.
    pub(crate) fn has(&self, row: &str) -> bool {
        !self.at(row).is_empty()
    }

    fn at(&self, row: &str) -> Vec<&Hit> {
        let fields = &self.tree.fields;
        let from = fields
            .iter()
            .find(|field| field.name == row)
            .map_or("", |field| field.from);
        self.tree
            .slots(from)
            .iter()
            .flat_map(|slot| self.hits.iter().filter(move |hit| hit.slot == *slot))
            .collect()
    }

    fn known(&mut self, node: &Node, value: &Json) {
        match value {
            Json::Null => {}
            _ if node.is_whole => {
                // What paths into it find is in the piece too, so none of it is left for the rest.
                let (hits, rest) = (self.hits.len(), std::mem::take(&mut self.rest));
                self.parts(node, value);
                self.rest = rest;
                self.hits[hits..].iter_mut().for_each(|hit| hit.placed = Placed::Yes);
                if node.is_slot {
                    self.hit(node.path.clone(), "", value);
                }
            }
            Json::Array(values) => values.iter().for_each(|value| self.known(node, value)),
            Json::Object(members) if node.has_children() => self.object(node, members),
            _ if node.is_slot => self.hit(node.path.clone(), "", value),
            _ => self.unknown(&node.path, "", value),
        }
    }

    fn parts(&mut self, node: &Node, value: &Json) {
        match value {
            Json::Array(values) => values.iter().for_each(|value| self.parts(node, value)),
            Json::Object(members) if node.has_children() => self.object(node, members),
            _ => {}
        }
    }

    fn object(&mut self, node: &Node, members: &[(String, Json)]) {
        let mut taken: Vec<&str> = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        if let Some(choice) = &node.choice {
            taken = self.element(node, choice, members);
        }
        let has_outer = self.is_bare && std::ptr::eq(node, &raw const self.tree.root);
        for (key, value) in members.iter().filter(|(key, _)| !taken.contains(&key.as_str())) {
            match (self.tree.child(node, key), self.tree.outer(key)) {
                (Some((name, child)), _) if !seen.contains(&name) => {
                    seen.push(name);
                    self.known(child, value);
                }
                (_, Some(name)) if has_outer && !seen.contains(&name) => {
                    seen.push(name);
                    self.unknown("", name, value);
                }
                _ => self.unknown(&node.path, key, value),
            }
        }
    }

    /// `{"name":"Host","value":"example.com"}`; the answer is the keys that were dealt with.
    fn element<'m>(&mut self, node: &Node, choice: &Choice, members: &'m [(String, Json)]) -> Vec<&'m str> {
        let find = |wanted: &str| members.iter().find(|(key, _)| key == wanted);
        let mut taken = Vec::new();
        let mut name = "";
        if let Some((key, Json::Text(text))) = find(&choice.key) {
            taken.push(key.as_str());
            name = text;
            if node.children.iter().any(|(known, child)| known == key && child.is_slot) {
                self.hit(format!("{}.{key}", node.path), "", &Json::Text(text.clone()));
            }
        }
        if let Some((key, value)) = find(&choice.value)
            && *value != Json::Null
        {
            taken.push(key);
            match choice.slot(name) {
                Some(slot) if !name.is_empty() => self.hit(slot, name, value),
                _ => self.unknown(&node.path, key, value),
            }
        }
        taken
    }

    fn hit(&mut self, slot: Slot, name: &str, value: &Json) {
        self.hits.push(Hit {
            slot,
            name: name.to_owned(),
            value: value.clone(),
            placed: Placed::No,
        });
    }

    fn unknown(&mut self, path: &str, key: &str, value: &Json) {
        if *value == Json::Null {
            return;
        }
        let name = match (path, key) {
            (path, "") => path.to_owned(),
            ("", key) => key.to_owned(),
            (path, key) => format!("{path}.{key}"),
        };
        self.rest.entry(name).or_default().certain.push(flat(value));
    }

    /// Says where the document differs from what it must be, if it does anywhere.
    pub(crate) fn difference(mut self, document: &Value) -> Option<String> {
        let rest = format!("aws.{}.rest", self.spec.source);
        for field in &self.tree.fields {
            if let Some(wrong) = self.field(field, document) {
                return Some(wrong);
            }
        }
        for hit in std::mem::take(&mut self.hits) {
            let group = || self.tree.display(&hit.slot);
            match hit.placed {
                Placed::Yes => {}
                Placed::Perhaps => self.rest.entry(group()).or_default().possible = true,
                Placed::No => self.rest.entry(group()).or_default().certain.push(flat(&hit.value)),
            }
        }
        let actual = member(document, &rest).cloned().unwrap_or_else(|| json!({}));
        if self.long_keys {
            return None;
        }
        if let Some(wrong) = groups_differ(&rest, &self.rest, &actual) {
            return Some(wrong);
        }
        let unplaced = member(document, "portcullis.unplaced")
            .and_then(Value::as_u64)
            .unwrap_or(0);
        (leaves(&actual) != unplaced).then(|| format!("portcullis.unplaced is {unplaced} for {actual}"))
    }

    fn field(&mut self, field: &Field, document: &Value) -> Option<String> {
        let mirrored = match field.name.split_once('.') {
            Some(("source", rest)) if self.swapped => Some(format!("destination.{rest}")),
            Some(("destination", rest)) if self.swapped => Some(format!("source.{rest}")),
            _ => None,
        };
        let from = mirrored
            .and_then(|name| self.tree.fields.iter().find(|other| other.name == name))
            .map_or(field.from, |other| other.from);
        if from.is_empty() {
            return None;
        }
        let slots = self.tree.slots(from);
        if self.spec.derived.contains(&field.name) || from.contains('^') {
            self.place(slots, Placed::Perhaps);
            self.place_beside(from, field, member(document, field.name));
            return None;
        }
        let actual = member(document, field.name);
        if slots.iter().any(|slot| self.tree.is_whole(slot)) {
            return self.pieces(slots, field, actual);
        }
        match field.ty {
            _ if field.name == "@timestamp" => return self.timestamp(slots, actual),
            Type::FlatObject => return self.pairs(slots, field.name, actual),
            _ => {}
        }
        let expected = self.values(slots, field, field.from.contains(" | "));
        if field.name == "related.ip" {
            // More addresses come from other rows; all of them are checked elsewhere.
            return None;
        }
        let mut actual: Vec<Value> = match actual {
            None => Vec::new(),
            Some(Value::Array(values)) => values.clone(),
            Some(one) => vec![one.clone()],
        };
        actual = distinct(actual);
        (actual != expected).then(|| format!("{} is {}, not {}", field.name, json!(actual), json!(expected)))
    }

    /// A row that keeps values in one piece, objects and arrays as JSON text.
    fn pieces(&mut self, slots: &[Slot], field: &Field, actual: Option<&Value>) -> Option<String> {
        let shown = actual.map(Value::to_string).unwrap_or_default();
        let texts: Vec<&str> = match actual {
            Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).collect(),
            Some(one) => one.as_str().into_iter().collect(),
            None => Vec::new(),
        };
        for hit in self.hits.iter_mut().filter(|hit| slots.contains(&hit.slot)) {
            let is_kept = match (&hit.value, field.ty) {
                (_, Type::FlatObject | Type::Ip) => continue,
                (value, _) if leaves(&flat(value)) == 0 => true,
                (Json::Array(_) | Json::Object(_), _) => texts.iter().any(|text| {
                    self.long_keys
                        || text.ends_with(CUT_MARK)
                        || Json::parse(text.as_bytes()).is_some_and(|kept| plain(kept).0 == hit.value)
                }),
                (value, _) => match convert(field, value) {
                    Fit::Value(value) => shown.contains(&value.to_string()),
                    Fit::Empty => true,
                    Fit::Refused => continue,
                },
            };
            if !is_kept {
                return Some(format!("{} is {shown}, without {:?}", field.name, hit.value));
            }
            hit.placed = Placed::Yes;
        }
        None
    }

    fn place(&mut self, slots: &[Slot], how: Placed) {
        for hit in self
            .hits
            .iter_mut()
            .filter(|hit| slots.contains(&hit.slot) && hit.placed < how)
        {
            if how == Placed::Yes || hit.value.plain().is_some() {
                hit.placed = how;
            }
        }
    }

    /// What stands at the top of a record without an envelope under a name that an envelope has is not said twice where it says
    /// the same as the row.
    fn place_beside(&mut self, from: &str, field: &Field, shown: Option<&Value>) {
        if !self.is_bare {
            return;
        }
        let says_so = |value: &Value| {
            let text = Json::Text(value.as_str().unwrap_or_default().to_owned());
            matches!(convert(field, &text), Fit::Value(value) if shown == Some(&value))
        };
        for name in from.split(" | ").filter_map(|path| path.strip_prefix('^')) {
            if let Some(group) = self.rest.get_mut(name)
                && group.certain.iter().all(says_so)
            {
                group.certain.clear();
                group.possible = true;
            }
        }
    }

    fn timestamp(&mut self, slots: &[Slot], actual: Option<&Value>) -> Option<String> {
        for slot in slots {
            for hit in self.hits.iter_mut().filter(|hit| hit.slot == *slot) {
                if let Some(millis) = hit.value.plain().and_then(moment::read) {
                    hit.placed = Placed::Yes;
                    let expected = Value::from(moment::shown(millis));
                    return (actual != Some(&expected)).then(|| format!("@timestamp is {actual:?}, not {expected}"));
                }
            }
        }
        Some(format!("@timestamp is {actual:?}, but the record has none"))
    }

    /// What the row writes; marks what it took.
    fn values(&mut self, slots: &[Slot], field: &Field, first_only: bool) -> Vec<Value> {
        let mut values: Vec<Value> = Vec::new();
        for slot in slots {
            let settled = first_only && !values.is_empty();
            for hit in self.hits.iter_mut().filter(|hit| hit.slot == *slot) {
                let fit = convert(field, &hit.value);
                let placed = match (&fit, settled) {
                    (Fit::Value(value), true) if values.contains(value) => Placed::Perhaps,
                    (Fit::Refused, _) | (_, true) => Placed::No,
                    _ => Placed::Yes,
                };
                if hit.placed < placed {
                    hit.placed = placed;
                }
                if let (Fit::Value(value), false) = (fit, settled) {
                    values.push(value);
                }
            }
        }
        distinct(values)
    }

    /// Elements that are kept with their names.
    fn pairs(&mut self, slots: &[Slot], name: &str, actual: Option<&Value>) -> Option<String> {
        let mut groups: BTreeMap<String, Group> = BTreeMap::new();
        for hit in self.hits.iter_mut().filter(|hit| slots.contains(&hit.slot)) {
            hit.placed = Placed::Yes;
            let group = groups.entry(hit.name.to_ascii_lowercase()).or_default();
            group.certain.push(flat(&hit.value));
        }
        if self.long_keys || groups.keys().any(|key| key.len() > 256) {
            return None;
        }
        groups_differ(name, &groups, actual.unwrap_or(&json!({})))
    }
}

fn groups_differ(name: &str, expected: &BTreeMap<String, Group>, actual: &Value) -> Option<String> {
    let actual = actual.as_object().expect("the schema was checked");
    for (key, group) in expected {
        let found = actual.get(key);
        let whole = match group.certain.as_slice() {
            [] => None,
            [one] => Some(one.clone()),
            many => Some(many.to_vec().into()),
        };
        let same = match (found, &whole) {
            (Some(Value::Array(found)), Some(Value::Array(whole))) => sorted(found) == sorted(whole),
            (found, whole) => found == whole.as_ref(),
        };
        let contained = || {
            let found = found.map(Value::to_string).unwrap_or_default();
            group.certain.iter().all(|value| found.contains(&value.to_string()))
        };
        let allowed = same || (group.possible && contained());
        if !allowed {
            return Some(format!("{name}: `{key}` is {found:?}, not {whole:?}"));
        }
    }
    let surplus = actual.keys().find(|key| !expected.contains_key(*key))?;
    Some(format!(
        "{name}: `{surplus}` is not of the record, or was placed already"
    ))
}

fn sorted(values: &[Value]) -> Vec<String> {
    let mut texts: Vec<String> = values.iter().map(Value::to_string).collect();
    texts.sort();
    texts
}

fn distinct(values: Vec<Value>) -> Vec<Value> {
    let mut kept: Vec<Value> = Vec::new();
    for value in values {
        if !kept.contains(&value) {
            kept.push(value);
        }
    }
    kept
}

enum Fit {
    Value(Value),
    Empty,
    Refused,
}

/// What an index field of the row's type shows for a value.
fn convert(field: &Field, value: &Json) -> Fit {
    if let (Type::GeoPoint, Json::Object(_)) = (field.ty, value) {
        return place(value).map_or(Fit::Refused, Fit::Value);
    }
    let Some(text) = value.plain() else {
        return Fit::Refused;
    };
    if text.is_empty() {
        return Fit::Empty;
    }
    let converted = match field.ty {
        Type::Keyword if field.name.ends_with(".address") && text.parse::<IpAddr>().is_ok() => None,
        Type::Keyword => Some(cut(text).into()),
        Type::Text => Some(text.into()),
        Type::Ip => text.parse::<IpAddr>().ok().map(|address| address.to_string().into()),
        Type::Long => long(text).map(Value::from),
        Type::Float => text
            .parse::<f64>()
            .ok()
            .filter(|number| number.abs() <= f64::from(f32::MAX))
            .map(whole_or_not),
        Type::Boolean => text.parse::<bool>().ok().map(Value::from),
        Type::Date => moment::read(text).map(|millis| moment::shown(millis).into()),
        Type::GeoPoint | Type::FlatObject => None,
    };
    converted.map_or(Fit::Refused, Fit::Value)
}

/// A whole number, which may have a fraction of zeros, or none behind its point, or an exponent.
pub(crate) fn long(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| {
        let number = text.parse::<f64>().ok()?;
        (number.fract() == 0.0 && number.abs() <= 2_f64.powi(53)).then_some(number as i64)
    })
}

/// Rust shows 5.0 as `5`, which JSON reads back as a whole number.
fn whole_or_not(number: f64) -> Value {
    serde_json::from_str(&number.to_string()).expect("a finite number")
}

fn place(value: &Json) -> Option<Value> {
    let degrees = |names: [&str; 2], limit: f64| {
        let mut found = names.iter().filter_map(|name| value.get(name));
        let (Json::Number(text), None) = (found.next()?, found.next()) else {
            return None;
        };
        let degrees = text.parse::<f64>().ok()?;
        (degrees.abs() <= limit).then(|| whole_or_not(degrees))
    };
    let known = match value {
        Json::Object(members) => members
            .iter()
            .all(|(key, _)| matches!(key.as_str(), "lat" | "Lat" | "lon" | "Lon")),
        _ => false,
    };
    known.then_some(())?;
    Some(json!({ "lat": degrees(["lat", "Lat"], 90.0)?, "lon": degrees(["lon", "Lon"], 180.0)? }))
}

fn cut(text: &str) -> String {
    let kept = cut_text(text);
    let mark = if text.len() > KEYWORD_LIMIT { CUT_MARK } else { "" };
    format!("{kept}{mark}")
}

/// A value as a flat object shows it: as it is, long texts cut.
fn flat(value: &Json) -> Value {
    match value {
        Json::Text(text) => cut(text).into(),
        Json::Array(values) => values.iter().map(flat).collect(),
        Json::Object(members) => members.iter().map(|(key, value)| (key.clone(), flat(value))).collect(),
        other => serde_json::from_slice(&other.compact()).expect("a plain value"),
    }
}

fn leaves(value: &Value) -> u64 {
    match value {
        Value::Null => 0,
        Value::Array(values) => values.iter().map(leaves).sum(),
        Value::Object(members) => members.values().map(leaves).sum(),
        _ => 1,
    }
}

/// The member of a dotted name.
pub(crate) fn member<'a>(document: &'a Value, name: &str) -> Option<&'a Value> {
    name.split('.').try_fold(document, |value, part| value.get(part))
}
