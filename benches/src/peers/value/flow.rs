//! Flow logs: a line split at its spaces, and a document of `serde_json::Value`.

use std::collections::HashMap;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use highway::{HighwayHash as _, HighwayHasher, Key};
use portcullis_transforms::{
    Source, Type,
    document::{ECS_VERSION, NORMALIZER},
};
use serde_json::{Map, Value, json};

use super::{hex, rfc3339};

/// The columns of version 5 in AWS's order; those of version 2 come first.
const COLUMNS: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end \
                       action log-status vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr region az-id \
                       sublocation-type sublocation-id pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path";

pub(super) struct Mapper {
    columns: Vec<&'static str>,
    /// Columns that are copied to `aws.vpcflow`, with their keys and whether they are numbers.
    copies: Vec<(usize, &'static str, bool)>,
}

/// The values of a line.
struct Line<'a> {
    values: Vec<&'a str>,
}

impl<'a> Line<'a> {
    fn get(&self, column: usize) -> Option<&'a str> {
        self.values.get(column).copied().filter(|value| *value != "-")
    }

    fn number(&self, column: usize) -> Option<Value> {
        self.get(column)?.parse::<i64>().ok().map(Value::from)
    }

    fn time(&self, column: usize) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.get(column)?.parse().ok()?, 0)
    }
}

impl Mapper {
    pub(super) fn new(count: usize) -> Self {
        let columns: Vec<&str> = COLUMNS.split_whitespace().take(count).collect();
        let places: HashMap<&str, usize> = columns.iter().enumerate().map(|(at, name)| (*name, at)).collect();
        let copies = Source::VpcFlow
            .fields()
            .into_iter()
            .filter(|field| matches!(field.ty, Type::Keyword | Type::Long))
            .filter_map(|field| {
                let key = field.name.strip_prefix("aws.vpcflow.")?;
                let place = places.get(field.from)?;
                (field.from.replace('-', "_") == key).then_some((*place, key, field.ty == Type::Long))
            })
            .filter(|(_, key, _)| !matches!(*key, "tcp_flags" | "traffic_path"))
            .collect();
        Self { columns, copies }
    }

    pub(super) fn document(&self, line: &str) -> Result<Value> {
        let text = line.trim();
        let line = Line {
            values: text.split(' ').collect(),
        };
        let extended = self.columns.len() > 14;
        let (start, end) = (line.time(10), line.time(11));
        let (kind, outcome) = match line.get(12) {
            Some("ACCEPT") => (json!(["connection", "allowed"]), Some("success")),
            Some("REJECT") => (json!(["connection", "denied"]), Some("failure")),
            _ => (json!(["info"]), None),
        };
        let mut event = json!({ "kind": "event", "category": ["network"], "type": kind, "dataset": "aws.vpcflow", "module": "aws" });
        if let (Some(outcome), Some(action)) = (outcome, line.get(12)) {
            event["action"] = action.to_ascii_lowercase().into();
            event["outcome"] = outcome.into();
        }
        if let (Some(start), Some(end)) = (start, end) {
            event["start"] = rfc3339(start);
            event["end"] = rfc3339(end);
            event["duration"] = (end - start).num_nanoseconds().into();
        }
        let words = HighwayHasher::new(Key([0; 4])).hash128(text.as_bytes());
        event["id"] = hex(words.into_iter().flat_map(u64::to_le_bytes)).into();
        let mut cloud = json!({ "provider": "aws" });
        if let Some(account) = line.get(1) {
            cloud["account"] = json!({ "id": account });
        }
        if extended {
            if let Some(region) = line.get(21) {
                cloud["region"] = region.into();
            }
            if let Some(instance) = line.get(16) {
                cloud["instance"] = json!({ "id": instance });
            }
        }
        let mut document = Map::new();
        document.insert("@timestamp".to_owned(), rfc3339(end.or(start).context("no time")?));
        document.insert("ecs".to_owned(), json!({ "version": ECS_VERSION }));
        document.insert("event".to_owned(), event);
        document.insert("cloud".to_owned(), cloud);
        let mut source = side(&line, [3, 5, 19]);
        insert(&mut source, "bytes", line.number(9));
        insert(&mut source, "packets", line.number(8));
        insert(&mut document, "source", non_empty(source));
        insert(&mut document, "destination", non_empty(side(&line, [4, 6, 20])));
        insert(&mut document, "network", non_empty(network(&line)));
        let mut addresses: Vec<&str> = Vec::new();
        for column in [3, 4, 19, 20] {
            if let Some(address) = line.get(column).filter(|address| !addresses.contains(address)) {
                addresses.push(address);
            }
        }
        if !addresses.is_empty() {
            document.insert("related".to_owned(), json!({ "ip": addresses }));
        }
        document.insert("aws".to_owned(), json!({ "vpcflow": self.own(&line) }));
        document.insert("portcullis".to_owned(), json!({ "normalizer": NORMALIZER }));
        Ok(document.into())
    }

    fn own(&self, line: &Line<'_>) -> Map<String, Value> {
        let mut own = Map::new();
        for &(column, key, is_number) in &self.copies {
            let value = if is_number {
                line.number(column)
            } else {
                line.get(column).map(Value::from)
            };
            insert(&mut own, key, value);
        }
        insert(&mut own, "tcp_flags", line.get(17).and_then(flags));
        insert(&mut own, "pkt_srcaddr", line.get(19).map(Value::from));
        insert(&mut own, "pkt_dstaddr", line.get(20).map(Value::from));
        let path = line.get(28).map(|path| match path {
            "1" => "same_vpc",
            "2" => "internet_gateway_or_gateway_endpoint",
            "8" => "internet_gateway",
            other => other,
        });
        insert(&mut own, "traffic_path", path.map(Value::from));
        own
    }
}

fn side(line: &Line<'_>, [address, port, packet]: [usize; 3]) -> Map<String, Value> {
    let mut side = Map::new();
    let address = line.get(address);
    insert(&mut side, "address", address.map(Value::from));
    insert(&mut side, "ip", address.map(Value::from));
    insert(&mut side, "port", line.number(port));
    let nat = line.get(packet).filter(|packet| Some(*packet) != address);
    insert(&mut side, "nat", nat.map(|nat| json!({ "ip": nat })));
    side
}

fn network(line: &Line<'_>) -> Map<String, Value> {
    let mut network = Map::new();
    let kind = match (line.get(18), line.get(3)) {
        (Some(kind), _) => Some(kind.to_ascii_lowercase()),
        (None, Some(address)) => Some(if address.contains(':') { "ipv6" } else { "ipv4" }.to_owned()),
        _ => None,
    };
    insert(&mut network, "type", kind.map(Value::from));
    if let Some(protocol) = line.get(7) {
        let name = match protocol {
            "6" => Some("tcp"),
            "17" => Some("udp"),
            "1" => Some("icmp"),
            "58" => Some("ipv6-icmp"),
            _ => None,
        };
        insert(&mut network, "transport", name.map(Value::from));
        insert(&mut network, "iana_number", Some(protocol.into()));
    }
    insert(&mut network, "direction", line.get(27).map(Value::from));
    insert(&mut network, "bytes", line.number(9));
    insert(&mut network, "packets", line.number(8));
    network
}

/// Names of the flags in a mask; nothing for none.
fn flags(mask: &str) -> Option<Value> {
    let mask: u8 = mask.parse().ok().filter(|mask| *mask != 0)?;
    let mut names = Vec::new();
    let mut left = mask;
    if mask & 0b1_0010 == 0b1_0010 {
        names.push("SYN-ACK");
        left &= !0b1_0010;
    } else if mask & 2 != 0 {
        names.push("SYN");
        left &= !2;
    }
    for (bit, name) in ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"]
        .iter()
        .enumerate()
    {
        if left & (1 << bit) != 0 {
            names.push(name);
        }
    }
    Some(names.into())
}

fn insert(object: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        object.insert(key.to_owned(), value);
    }
}

fn non_empty(object: Map<String, Value>) -> Option<Value> {
    (!object.is_empty()).then_some(Value::Object(object))
}
