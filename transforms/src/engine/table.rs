//! A source's table, compiled at start: paths into a key trie, rows into a list of members.

use super::{
    Map,
    trie::{Slot, Trie},
};
use crate::{
    document::{ECS_VERSION, NORMALIZER, push_json_string},
    policy::redact::Names,
    schema::{Schema, Type},
    sources,
};

/// What the scanner and the writer need of a table.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) trie: Trie,
    /// In the order of the source's own table, so that a row's number is its place there.
    pub(super) rows: Vec<Row>,
    /// The members of a document, in the order in which they are written.
    pub(super) leaves: Vec<Leaf>,
    /// The row of `@timestamp`.
    pub(super) timestamp: usize,
    /// Where the timestamps stand that the `native` schema rewrites.
    pub(super) native_times: Vec<Slot>,
    /// Which leaves a document takes: only those, of all the fields that there could be, cost time.
    pub(super) live: Live,
}

/// The leaves that are taken because of something in the record.
#[derive(Debug, Default)]
pub(super) struct Live {
    /// In every document, one bit each.
    pub(super) always: Vec<u64>,
    /// For a value in each slot.
    pub(super) slots: Vec<Box<[u16]>>,
    /// For a value in each slot, when source and destination are written the other way round.
    pub(super) swapped: Vec<Box<[u16]>>,
    /// For a value that the source adds to each row.
    pub(super) rows: Vec<Box<[u16]>>,
}

impl Live {
    fn new(leaves: &[Leaf], rows: &[Row], slots: usize) -> Self {
        let mut always = vec![0; leaves.len().div_ceil(64)];
        let mut of_row = vec![Vec::new(); rows.len()];
        for (number, leaf) in leaves.iter().enumerate() {
            match leaf.what {
                What::Row(row) => of_row[row].push(number as u16),
                What::Constant(_) => {}
                _ => add(&mut always, &[number as u16]),
            }
        }
        let mut of_slot = vec![Vec::new(); slots];
        let mut swapped = vec![Vec::new(); slots];
        for (number, row) in rows.iter().enumerate() {
            let mirror = rows.get(row.mirror).unwrap_or(row);
            for &slot in &row.slots {
                of_slot[usize::from(slot)].extend_from_slice(&of_row[number]);
            }
            for &slot in &mirror.slots {
                swapped[usize::from(slot)].extend_from_slice(&of_row[number]);
            }
        }
        let boxed = |lists: Vec<Vec<u16>>| lists.into_iter().map(Into::into).collect();
        Self {
            always,
            slots: boxed(of_slot),
            swapped: boxed(swapped),
            rows: boxed(of_row),
        }
    }
}

/// Adds leaves to a set.
#[inline]
pub(super) fn add(to: &mut [u64], leaves: &[u16]) {
    for &leaf in leaves {
        if let Some(word) = to.get_mut(usize::from(leaf / 64)) {
            *word |= 1 << (leaf % 64);
        }
    }
}

/// Where a row's values are found.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) ty: Type,
    pub(super) slots: Vec<Slot>,
    /// Only the first slot that holds a value counts.
    pub(super) first_only: bool,
    /// An array even for one value.
    pub(super) list: bool,
    /// Every value as often as it comes: the members of an answer stand at the same place of each list.
    pub(super) repeats: bool,
    /// An `.address` beside an `.ip`: takes only what is no address.
    pub(super) not_ip: bool,
    /// `source.x` for `destination.x` and the other way round; otherwise the row itself.
    pub(super) mirror: usize,
}

impl Row {
    /// The one slot of a row that takes any text.
    fn copied(&self, trie: &Trie) -> Option<Slot> {
        match self.slots[..] {
            [slot] if !self.list && !self.not_ip && self.ty == Type::Keyword && !trie.is_whole(slot) => Some(slot),
            _ => None,
        }
    }
}

/// One member of a document.
#[derive(Debug)]
pub(super) struct Leaf {
    /// The objects around it, from the outside in.
    pub(super) parents: Vec<&'static str>,
    /// `"name":`.
    pub(super) key: String,
    pub(super) what: What,
    /// The row and slot of a member that can be copied as it stands in the record, if it is one text.
    pub(super) copied: Option<(usize, Slot)>,
}

/// What stands in a member.
#[derive(Debug)]
pub(super) enum What {
    /// The same in every document.
    Constant(String),
    Row(usize),
    Timestamp,
    Id,
    RelatedIp(Option<usize>),
    Original,
    Rest,
    Unplaced,
    Cut,
    Redacted,
}

impl Table {
    /// Compiles the table. `native` looks only at what tells whether the record is acceptable, and at timestamps.
    pub(super) fn new(map: &dyn Map, schema: Schema, names: &Names) -> Self {
        let fields = map.fields();
        let mut trie = Trie::new(map.folds_first_letter());
        let needed = |number: usize, name: &str| {
            let is_required = || {
                map.required()
                    .iter()
                    .flat_map(|any_of| any_of.iter())
                    .any(|row| row.0 == number)
            };
            schema == Schema::Ecs || name == "@timestamp" || is_required()
        };
        let rows: Vec<Row> = fields
            .iter()
            .enumerate()
            .map(|(number, field)| {
                let from = if needed(number, field.name) { field.from } else { "" };
                let (slots, first_only) = trie.add(from);
                Row {
                    ty: field.ty,
                    slots,
                    first_only,
                    list: is_list(field.name),
                    repeats: field.name.starts_with(ANSWERS),
                    not_ip: field.name.ends_with(".address"),
                    mirror: mirror(map, field.name),
                }
            })
            .collect();
        let native_times = match schema {
            Schema::Ecs => Vec::new(),
            Schema::Native => map.native_times().iter().flat_map(|path| trie.add(path).0).collect(),
        };
        trie.claim(map.claimed());
        trie.wrap(map.wrappers());
        trie.finish(names);
        let mut leaves = leaves(map);
        for leaf in &mut leaves {
            if let What::Row(number) = leaf.what {
                leaf.copied = rows[number].copied(&trie).map(|slot| (number, slot));
            }
        }
        Self {
            live: Live::new(&leaves, &rows, trie.slots()),
            trie,
            rows,
            native_times,
            leaves,
            timestamp: position(map, "@timestamp").unwrap_or_default(),
        }
    }
}

fn position(map: &dyn Map, name: &str) -> Option<usize> {
    map.fields().iter().position(|field| field.name == name)
}

fn mirror(map: &dyn Map, name: &str) -> usize {
    let other = match name.split_once('.') {
        Some(("source", rest)) => format!("destination.{rest}"),
        Some(("destination", rest)) => format!("source.{rest}"),
        _ => name.to_owned(),
    };
    position(map, &other)
        .or_else(|| position(map, name))
        .unwrap_or_default()
}

/// The members in the order in which they are written. What is counted or collected on the way comes after: addresses
/// after the rows of type `ip`, the rest and its count after all rows.
fn leaves(map: &dyn Map) -> Vec<Leaf> {
    let source = map.source();
    let rest = format!("aws.{source}.rest");
    let dataset = format!("aws.{source}");
    let mut constants = vec![
        ("cloud.provider", "aws"),
        ("ecs.version", ECS_VERSION),
        ("event.dataset", dataset.as_str()),
        ("event.module", "aws"),
        ("portcullis.normalizer", NORMALIZER),
    ];
    constants.extend_from_slice(map.constants());
    let mut names: Vec<&'static str> = sources::with_shared(map.fields()).map(|field| field.name).collect();
    names.sort_unstable_by_key(|name| (rank(name, &rest), *name));

    names
        .into_iter()
        .filter_map(|name| {
            let mut parents: Vec<&'static str> = name.split('.').collect();
            let key = format!("\"{}\":", parents.pop().unwrap_or_default());
            let what = match name {
                "@timestamp" => What::Timestamp,
                "event.id" => What::Id,
                "event.original" => What::Original,
                "related.ip" => What::RelatedIp(position(map, name)),
                "portcullis.unplaced" => What::Unplaced,
                "portcullis.cut" => What::Cut,
                "portcullis.redacted" => What::Redacted,
                _ if name == rest => What::Rest,
                _ => match constants.iter().find(|(constant, _)| *constant == name) {
                    Some((_, value)) => What::Constant(constant(value, is_list(name))),
                    None => What::Row(position(map, name)?),
                },
            };
            let copied = None;
            Some(Leaf {
                parents,
                key,
                what,
                copied,
            })
        })
        .collect()
}

fn rank(name: &str, rest: &str) -> u8 {
    match name.split('.').next() {
        _ if name == rest => 3,
        Some("aws") => 2,
        Some("related") => 1,
        Some("portcullis") => 4,
        _ => 0,
    }
}

/// ECS has a list of objects here; a closed schema has a list for each of their members.
const ANSWERS: &str = "dns.answers.";

/// Fields that ECS defines as arrays.
fn is_list(name: &str) -> bool {
    matches!(name, "event.category" | "event.type" | "tags" | "dns.resolved_ip")
        || name.starts_with("related.")
        || name.starts_with(ANSWERS)
}

/// `"value"`, or an array.
fn constant(value: &str, many: bool) -> String {
    let mut out = Vec::new();
    push_json_string(&mut out, value);
    let value = String::from_utf8(out).unwrap_or_default();
    if many { format!("[{value}]") } else { value }
}
