//! A source's table, compiled at start: paths into a key trie, rows into a list of write steps.

use super::{
    Map,
    trie::{Slot, Trie},
};
use crate::{
    document::{ECS_VERSION, NORMALIZER, push_json_string},
    schema::{Schema, Type},
    sources,
};

/// What the scanner and the writer need of a table.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) trie: Trie,
    /// In the order of the source's own table, so that a row's number is its place there.
    pub(super) rows: Vec<Row>,
    pub(super) steps: Vec<Step>,
    /// The row of `@timestamp`.
    pub(super) timestamp: usize,
    /// Where the timestamps stand that the `native` schema rewrites.
    pub(super) native_times: Vec<Slot>,
    /// Which steps a document takes: only those, of all the fields that there could be, cost time.
    pub(super) live: Live,
}

/// A set of steps, one bit each.
pub(super) type Steps = Vec<u64>;

/// The steps that are taken because of something in the record. With a row's step go those of the objects around it.
#[derive(Debug, Default)]
pub(super) struct Live {
    /// In every document.
    pub(super) always: Steps,
    /// For a value in each slot.
    pub(super) slots: Vec<Steps>,
    /// For a value in each slot, when source and destination are written the other way round.
    pub(super) swapped: Vec<Steps>,
    /// For a value that the source adds to each row.
    pub(super) rows: Vec<Steps>,
}

impl Live {
    fn new(steps: &[Step], rows: &[Row], slots: usize) -> Self {
        let none = vec![0; steps.len().div_ceil(64)];
        let mut live = Self {
            always: none.clone(),
            slots: vec![none.clone(); slots],
            swapped: vec![none.clone(); slots],
            rows: vec![none.clone(); rows.len()],
        };
        let mut around: Vec<Vec<usize>> = Vec::new();
        for (at, step) in steps.iter().enumerate() {
            match step {
                Step::Open(_) => around.push(vec![at, closing(steps, at)]),
                Step::Close => drop(around.pop()),
                _ => {
                    let taken = match step {
                        Step::Row(_, row) => &mut live.rows[*row],
                        _ => &mut live.always,
                    };
                    for step in around.iter().flatten().chain([&at]) {
                        taken[step / 64] |= 1 << (step % 64);
                    }
                }
            }
        }
        for (number, row) in rows.iter().enumerate() {
            let mirror = rows.get(row.mirror).unwrap_or(row);
            for &slot in &row.slots {
                add(&mut live.slots[usize::from(slot)], &live.rows[number]);
            }
            for &slot in &mirror.slots {
                add(&mut live.swapped[usize::from(slot)], &live.rows[number]);
            }
        }
        live
    }
}

/// Adds steps to a set.
#[inline]
pub(super) fn add(to: &mut Steps, steps: &Steps) {
    for (word, steps) in to.iter_mut().zip(steps) {
        *word |= steps;
    }
}

/// Where the object ends that opens at `at`.
fn closing(steps: &[Step], at: usize) -> usize {
    let mut depth = 0_usize;
    let after = steps.iter().enumerate().skip(at);
    let closing = after.map(|(number, step)| {
        match step {
            Step::Open(_) => depth += 1,
            Step::Close => depth -= 1,
            _ => {}
        }
        (number, depth)
    });
    closing
        .filter(|(_, depth)| *depth == 0)
        .map(|(number, _)| number)
        .next()
        .unwrap_or(at)
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

/// One step of writing a document. Keys are `"name":`, ready to copy.
#[derive(Debug)]
pub(super) enum Step {
    Open(String),
    Close,
    /// A whole member that is the same in every document.
    Constant(String),
    Row(String, usize),
    Timestamp(String),
    Id(String),
    RelatedIp(String, Option<usize>),
    Original(String),
    Rest(String),
    Unplaced(String),
    Cut(String),
    Redacted(String),
}

impl Table {
    /// Compiles the table. `native` looks only at what tells whether the record is acceptable, and at timestamps.
    pub(super) fn new(map: &dyn Map, schema: Schema) -> Self {
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
        trie.wrap(map.wrappers());
        let steps = steps(map);
        Self {
            live: Live::new(&steps, &rows, trie.slots()),
            trie,
            rows,
            native_times,
            steps,
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
fn steps(map: &dyn Map) -> Vec<Step> {
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
    let mut names: Vec<&'static str> = sources::fields(source).into_iter().map(|field| field.name).collect();
    names.sort_unstable_by_key(|name| (rank(name, &rest), *name));

    let mut steps = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    for name in names {
        let mut parts: Vec<&str> = name.split('.').collect();
        let key = format!("\"{}\":", parts.pop().unwrap_or_default());
        let step = match name {
            "@timestamp" => Step::Timestamp(key),
            "event.id" => Step::Id(key),
            "event.original" => Step::Original(key),
            "related.ip" => Step::RelatedIp(key, position(map, name)),
            "portcullis.unplaced" => Step::Unplaced(key),
            "portcullis.cut" => Step::Cut(key),
            "portcullis.redacted" => Step::Redacted(key),
            _ if name == rest => Step::Rest(key),
            _ => match constants.iter().find(|(constant, _)| *constant == name) {
                Some((_, value)) => Step::Constant(constant(&key, value, is_list(name))),
                None => match position(map, name) {
                    Some(row) => Step::Row(key, row),
                    None => continue,
                },
            },
        };
        let common = open.iter().zip(&parts).take_while(|(a, b)| a == b).count();
        while open.len() > common {
            open.pop();
            steps.push(Step::Close);
        }
        for part in parts.iter().skip(common) {
            open.push(part);
            steps.push(Step::Open(format!("\"{part}\":{{")));
        }
        steps.push(step);
    }
    steps.extend(open.iter().map(|_| Step::Close));
    steps
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

/// `"key":"value",`, or an array.
fn constant(key: &str, value: &str, many: bool) -> String {
    let mut out = key.as_bytes().to_vec();
    if many {
        out.push(b'[');
    }
    push_json_string(&mut out, value);
    if many {
        out.push(b']');
    }
    out.push(b',');
    String::from_utf8(out).unwrap_or_default()
}
