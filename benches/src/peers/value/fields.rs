//! One document from a record of a source that writes JSON: the table's rows, and what the source derives.

use std::{collections::BTreeMap, net::IpAddr};

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use highway::{HighwayHash as _, HighwayHasher, Key};
use portcullis_transforms::{
    Field, Source, Type,
    document::{ECS_VERSION, NORMALIZER},
};
use serde_json::{Map, Value, json};

use super::{
    derive::{Derive, constants, derive},
    hex,
    record::{Found, Hit, Node, expand},
    rfc3339, time,
};

pub(super) struct Mapper {
    source: Source,
    root: Node,
    paths: Vec<String>,
    pub(super) rows: Vec<Row>,
    tree: Vec<Member>,
    /// How many rows take the values of each slot.
    takers: Vec<usize>,
    pub(super) by_name: BTreeMap<&'static str, usize>,
}

pub(super) struct Row {
    pub(super) field: &'static Field,
    pub(super) slots: Vec<usize>,
    first_only: bool,
    list: bool,
    mirror: usize,
}

/// The document's shape.
enum Member {
    Object(&'static str, Vec<Member>),
    Row(&'static str, usize),
    Constant(&'static str, Value),
}

/// What a value becomes in a field.
enum Fit {
    Written(Value),
    Empty,
    Refused,
}

impl Mapper {
    pub(super) fn new(source: Source) -> Result<Self> {
        let fields = source.fields();
        let (mut root, mut paths) = (Node::default(), Vec::new());
        let by_name: BTreeMap<&str, usize> = fields.iter().enumerate().map(|(at, field)| (field.name, at)).collect();
        let rows: Vec<Row> = fields
            .iter()
            .map(|field| {
                let alternatives = field
                    .from
                    .split(" | ")
                    .filter(|path| !path.is_empty() && !path.starts_with('^'));
                let mut slots: Vec<usize> = alternatives
                    .flat_map(expand)
                    .map(|path| root.add(&path, &mut paths))
                    .collect();
                slots.dedup();
                let other = match field.name.split_once('.') {
                    Some(("source", rest)) => by_name.get(format!("destination.{rest}").as_str()),
                    Some(("destination", rest)) => by_name.get(format!("source.{rest}").as_str()),
                    _ => None,
                };
                Row {
                    field,
                    slots,
                    first_only: field.from.contains(" | "),
                    list: is_list(field.name),
                    mirror: other.copied().unwrap_or(by_name[field.name]),
                }
            })
            .collect();
        let mut takers = vec![0; paths.len()];
        for row in &rows {
            row.slots.iter().for_each(|&slot| takers[slot] += 1);
        }
        let constants = constants(source)?;
        let names: Vec<(&str, usize)> = by_name.iter().map(|(name, at)| (*name, *at)).collect();
        let tree = tree(&names, 0, &constants);
        Ok(Self {
            source,
            root,
            paths,
            rows,
            tree,
            takers,
            by_name,
        })
    }

    pub(super) fn document(&self, data: &[u8]) -> Result<Value> {
        let mut record: Value = serde_json::from_slice(data)?;
        if let Some(detail) = record.get_mut("detail") {
            record = detail.take();
        }
        if let Some(findings) = record.get_mut("findings").and_then(Value::as_array_mut) {
            record = findings.pop().context("no finding")?;
        }
        let Value::Object(record) = record else {
            bail!("no object");
        };
        let fold = matches!(self.source, Source::GuardDuty | Source::SecurityHub);
        let mut found = Found::new(self.paths.len());
        self.root.object(record, fold, &mut found);
        let at = self.timestamp(&mut found)?;
        let derived = derive(self, &found);
        let id = self.id(data, &found, at);
        let mut writer = Writer {
            mapper: self,
            found: &mut found,
            derived,
            addresses: Vec::new(),
        };
        let mut document = writer.object(&self.tree);
        document.insert("@timestamp".to_owned(), rfc3339(at));
        if let Some(event) = document.get_mut("event").and_then(Value::as_object_mut) {
            event.insert("id".to_owned(), id.into());
        }
        let addresses = writer.related_ip();
        if !addresses.is_empty() {
            object(&mut document, "related").insert("ip".to_owned(), addresses.into());
        }
        let (rest, unplaced) = self.rest(found);
        let portcullis = object(&mut document, "portcullis");
        portcullis.insert("normalizer".to_owned(), NORMALIZER.into());
        if unplaced > 0 {
            portcullis.insert("unplaced".to_owned(), unplaced.into());
        }
        if !rest.is_empty() {
            object(object(&mut document, "aws"), self.source.name()).insert("rest".to_owned(), rest.into());
        }
        Ok(document.into())
    }

    fn timestamp(&self, found: &mut Found) -> Result<DateTime<Utc>> {
        let row = &self.rows[self.by_name["@timestamp"]];
        for &slot in &row.slots {
            if let Some(hit) = found.slots[slot].first_mut() {
                hit.placed = true;
                return time(&hit.value);
            }
        }
        bail!("no timestamp")
    }

    fn id(&self, data: &[u8], found: &Found, at: DateTime<Utc>) -> String {
        let row = match self.source {
            Source::GuardDuty => "aws.guardduty.finding_id",
            Source::SecurityHub => "aws.securityhub.finding_id",
            _ => {
                let words = HighwayHasher::new(Key([0; 4])).hash128(data);
                return hex(words.into_iter().flat_map(u64::to_be_bytes));
            }
        };
        let id = self.text(found, row).unwrap_or_default();
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.source.name().as_bytes());
        hasher.update(&(id.len() as u64).to_le_bytes());
        hasher.update(id.as_bytes());
        hasher.update(&at.timestamp_millis().to_le_bytes());
        hex(hasher.finalize().as_bytes()[..16].iter().copied())
    }

    /// The first value of a row, if it is text.
    pub(super) fn text<'f>(&self, found: &'f Found, name: &str) -> Option<&'f str> {
        let row = &self.rows[*self.by_name.get(name)?];
        let mut hits = row.slots.iter().flat_map(|&slot| &found.slots[slot]);
        hits.find_map(|hit| hit.value.as_str().filter(|text| !text.is_empty()))
    }

    pub(super) fn number(&self, found: &Found, name: &str) -> Option<f64> {
        let row = &self.rows[*self.by_name.get(name)?];
        row.slots
            .iter()
            .find_map(|&slot| found.slots[slot].first()?.value.as_f64())
    }

    pub(super) fn source(&self) -> Source {
        self.source
    }

    fn rest(&self, found: Found) -> (Map<String, Value>, usize) {
        let mut rest = Map::new();
        let mut unplaced = 0;
        let left = found.slots.into_iter().enumerate().flat_map(|(slot, hits)| {
            hits.into_iter()
                .filter(|hit| !hit.placed)
                .map(move |hit| (self.paths[slot].clone(), hit.value))
        });
        for (path, value) in found.rest.into_iter().chain(left) {
            unplaced += leaves(&value);
            match rest.get_mut(&path) {
                None => {
                    rest.insert(path, json!([value]));
                }
                Some(many) => many
                    .as_array_mut()
                    .into_iter()
                    .for_each(|many| many.push(value.clone())),
            }
        }
        for many in rest.values_mut() {
            if let Some([single]) = many.as_array_mut().map(Vec::as_mut_slice) {
                *many = single.take();
            }
        }
        (rest, unplaced)
    }
}

fn object<'d>(document: &'d mut Map<String, Value>, key: &str) -> &'d mut Map<String, Value> {
    let value = document.entry(key).or_insert_with(|| json!({}));
    if !value.is_object() {
        *value = json!({});
    }
    match value {
        Value::Object(object) => object,
        _ => unreachable!("it was just made one"),
    }
}

fn leaves(value: &Value) -> usize {
    match value {
        Value::Null => 0,
        Value::Array(values) => values.iter().map(leaves).sum(),
        Value::Object(members) => members.values().map(leaves).sum(),
        _ => 1,
    }
}

fn is_list(name: &str) -> bool {
    matches!(name, "event.category" | "event.type" | "tags") || name.starts_with("related.")
}

/// Names from the `depth`th byte on, sorted, as nested members. What needs the whole document is left to the end.
fn tree(names: &[(&'static str, usize)], depth: usize, constants: &[(&str, &str)]) -> Vec<Member> {
    let mut members = Vec::new();
    let mut names = names;
    while let [(first, number), after @ ..] = names {
        let name = &first[depth..];
        let Some((key, _)) = name.split_once('.') else {
            names = after;
            match constants.iter().find(|(constant, _)| constant == first) {
                Some((_, value)) if is_list(first) => members.push(Member::Constant(name, json!([value]))),
                Some((_, value)) => members.push(Member::Constant(name, json!(value))),
                None if matches!(*first, "@timestamp" | "event.id" | "related.ip") => {}
                None => members.push(Member::Row(name, *number)),
            }
            continue;
        };
        let group = &first[..=depth + key.len()];
        let count = names.iter().take_while(|(name, _)| name.starts_with(group)).count();
        members.push(Member::Object(key, tree(&names[..count], group.len(), constants)));
        names = &names[count..];
    }
    members
}

struct Writer<'m> {
    mapper: &'m Mapper,
    found: &'m mut Found,
    derived: Derive,
    addresses: Vec<IpAddr>,
}

impl Writer<'_> {
    fn object(&mut self, members: &[Member]) -> Map<String, Value> {
        let mut object = Map::new();
        for member in members {
            let (key, value) = match member {
                Member::Constant(key, value) => (*key, Some(value.clone())),
                Member::Row(key, row) => (*key, self.row(*row)),
                Member::Object(key, members) => {
                    let inner = self.object(members);
                    (*key, (!inner.is_empty()).then_some(Value::Object(inner)))
                }
            };
            if let Some(value) = value {
                object.insert(key.to_owned(), value);
            }
        }
        object
    }

    fn row(&mut self, number: usize) -> Option<Value> {
        let mapper = self.mapper;
        let row = &mapper.rows[number];
        let from = if self.derived.swapped { row.mirror } else { number };
        let slots = &mapper.rows[from].slots;
        let mut values: Vec<Value> = Vec::new();
        let replaced = self.derived.values.get_mut(number).and_then(Option::take);
        if replaced.is_none() && slots.iter().all(|&slot| self.found.slots[slot].is_empty()) {
            return None;
        }
        if row.field.ty == Type::FlatObject {
            return self.pairs(slots);
        }
        let keeps_own = replaced.is_none();
        for value in replaced.into_iter().flatten() {
            if value != "" && !values.contains(&value) {
                values.push(value);
            }
        }
        for &slot in slots {
            let settled = row.first_only && !values.is_empty();
            let single = mapper.takers[slot] == 1;
            for hit in &mut self.found.slots[slot] {
                if !keeps_own {
                    hit.placed |= !hit.value.is_object();
                    continue;
                }
                let value = match fit(row.field, hit, single, &mut self.addresses) {
                    Fit::Refused => continue,
                    Fit::Empty => {
                        hit.placed = true;
                        continue;
                    }
                    Fit::Written(value) => value,
                };
                if values.contains(&value) {
                    hit.placed = true;
                } else if !settled {
                    hit.placed = true;
                    values.push(value);
                } else if single {
                    hit.value = value;
                }
            }
        }
        match values.len() {
            0 => None,
            1 if !row.list => values.pop(),
            _ => Some(values.into()),
        }
    }

    /// Elements by their names, in lower case.
    fn pairs(&mut self, slots: &[usize]) -> Option<Value> {
        let mut members: Map<String, Value> = Map::new();
        for hit in slots
            .iter()
            .flat_map(|&slot| std::mem::take(&mut self.found.slots[slot]))
        {
            let key = hit.name.to_ascii_lowercase();
            match members.get_mut(&key) {
                None => {
                    members.insert(key, hit.value);
                }
                Some(Value::Array(many)) => many.push(hit.value),
                Some(one) => *one = json!([one.take(), hit.value]),
            }
        }
        (!members.is_empty()).then_some(members.into())
    }

    /// Every address, and those of the row of its own; sorted, each once.
    fn related_ip(&mut self) -> Vec<String> {
        let mut row = self.mapper.by_name.get("related.ip").copied();
        if let Some(number) = row.take() {
            self.row(number);
        }
        self.addresses.append(&mut self.found.addresses);
        self.addresses.sort_unstable();
        self.addresses.dedup();
        self.addresses.iter().map(IpAddr::to_string).collect()
    }
}

/// The value as the field's type wants it; taken out of the hit when this is the only row that wants it.
fn fit(field: &Field, hit: &mut Hit, single: bool, addresses: &mut Vec<IpAddr>) -> Fit {
    let plain = matches!(field.ty, Type::Keyword) && !field.name.ends_with(".address") || field.ty == Type::Text;
    let written = match (&hit.value, field.ty) {
        (Value::String(text), _) if text.is_empty() => return Fit::Empty,
        (Value::String(_), _) if plain && single => return Fit::Written(hit.value.take()),
        (Value::String(_), _) if plain => Some(hit.value.clone()),
        (Value::String(text), Type::Keyword) => text.parse::<IpAddr>().is_err().then(|| text.clone().into()),
        (Value::Number(_) | Value::Bool(_), Type::Keyword | Type::Text) => Some(hit.value.to_string().into()),
        (Value::String(text), Type::Ip) => text.parse::<IpAddr>().ok().map(|address| {
            addresses.push(address);
            address.to_string().into()
        }),
        (Value::String(text), Type::Long) => text.parse::<i64>().ok().map(Value::from),
        (Value::String(text), Type::Float) => text.parse::<f64>().ok().map(Value::from),
        (Value::String(text), Type::Boolean) => text.parse::<bool>().ok().map(Value::from),
        (Value::Number(_), Type::Long | Type::Float) | (Value::Bool(_), Type::Boolean) => Some(hit.value.clone()),
        (Value::String(_) | Value::Number(_), Type::Date) => time(&hit.value).ok().map(rfc3339),
        (Value::Object(place), Type::GeoPoint) => Some(json!({ "lat": place["lat"], "lon": place["lon"] })),
        _ => None,
    };
    written.map_or(Fit::Refused, Fit::Written)
}

/// Members that are the same in every document.
pub(super) fn common_constants(source: Source) -> Vec<(&'static str, &'static str)> {
    vec![
        ("cloud.provider", "aws"),
        ("ecs.version", ECS_VERSION),
        ("event.module", "aws"),
        (
            "event.dataset",
            match source {
                Source::Waf => "aws.waf",
                Source::GuardDuty => "aws.guardduty",
                Source::SecurityHub => "aws.securityhub",
                Source::Dns => "aws.dns",
                Source::CloudTrail => "aws.cloudtrail",
                Source::VpcFlow => "aws.vpcflow",
            },
        ),
    ]
}
