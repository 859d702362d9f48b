//! A morning on a gate, in plain values: everything a page can show, hostile text included.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;
use serde_json::{Value, json};

use super::super::{Gate, State, Unavailable, Views, acts::Act};
use crate::{
    dashboards::{
        PanelData, PanelView, Scope, SearchPage,
        data::{Column, ListRow, Series, Unit},
    },
    index,
    ledger::Allowance,
    network_acl::{AclKey, Direction, Entry},
    respond::{
        ActReport, Reason,
        report::{AclReport, AuditReport, EntryReport, MessageReport, Mode, StatusReport},
    },
};

pub(crate) const HOSTILE: &str = "\"><script>alert('x')</script>\u{202e}gpj.exe";

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-05-04T08:14:09.250Z")
        .expect("literal")
        .to_utc()
}

fn minutes_ago(minutes: i64) -> DateTime<Utc> {
    now() - TimeDelta::minutes(minutes)
}

const SSH: &str = "UnauthorizedAccess:EC2/SSHBruteForce";
const ATTACKERS: &[(&str, &str, &str, &str, f64, i64, u64)] = &[
    ("45.83.64.11", "Netherlands", "Alpha Strike Labs", SSH, 2.0, 1_210, 3),
    ("193.32.162.7", "Romania", "Unmanaged Ltd", SSH, 2.0, 880, 12),
    (
        "80.94.95.18",
        "United Kingdom",
        "BtHoster LTD",
        "Recon:EC2/PortProbeUnprotectedPort",
        2.0,
        741,
        118,
    ),
    (
        "185.220.101.44",
        "Germany",
        "Tor exit, Zwiebelfreunde e.V. for the people who need it",
        "UnauthorizedAccess:EC2/TorClient",
        8.0,
        512,
        2,
    ),
    ("218.92.0.107", "China", "CHINANET Jiangsu", SSH, 5.0, 377, 1_841),
    (
        "91.240.118.172",
        "Russia",
        "Chang Way Technologies",
        "Recon:EC2/PortProbeUnprotectedPort",
        2.0,
        260,
        41,
    ),
    (
        "141.98.11.82",
        "Lithuania",
        "UAB Host Baltic",
        "UnauthorizedAccess:EC2/RDPBruteForce",
        2.0,
        144,
        19,
    ),
    (
        "104.131.0.69",
        "United States",
        "DigitalOcean",
        "Recon:EC2/Portscan",
        5.0,
        58,
        5,
    ),
    (
        "167.94.138.125",
        "United States",
        "Censys",
        "Recon:EC2/PortProbeUnprotectedPort",
        2.0,
        12,
        1,
    ),
    (
        "51.15.99.106",
        "France",
        "Scaleway",
        "CryptoCurrency:EC2/BitcoinTool.B!DNS",
        8.0,
        1,
        1,
    ),
];

fn entry(place: usize, acl: &str, direction: Direction) -> EntryReport {
    let (ip, country, organisation, finding_type, severity, minutes, hits) = ATTACKERS[place];
    EntryReport {
        account: "111122223333".into(),
        region: "eu-west-1".into(),
        nacl: acl.into(),
        direction,
        rule: Some(71 + u16::try_from(place).expect("small")),
        cidr: IpNet::from(ip.parse::<IpAddr>().expect("literal")),
        state: if place == 9 { "planned".into() } else { "applied".into() },
        since: minutes_ago(minutes),
        expires: (place % 3 == 1).then(|| now() + TimeDelta::hours(5)),
        hits,
        last_seen: minutes_ago(minutes / 2),
        findings: vec![format!("f{place}")],
        finding_type: finding_type.into(),
        severity,
        country: Some(country.into()),
        organisation: Some(organisation.into()),
        removed_because: None,
        eviction_order: Some(u32::try_from(place).expect("small") + 1),
    }
}

fn acl(name: &str, direction: Direction, managed: usize, foreign: usize) -> AclReport {
    let foreign = (0..foreign).map(|i| Entry {
        rule: [100, 75, 32_000][i % 3],
        direction,
        cidr: ["0.0.0.0/0", "203.0.113.0/24", "10.0.0.0/8"][i % 3]
            .parse()
            .expect("literal"),
        protocol: if i == 0 { "-1".into() } else { "6".into() },
        allow: i != 1,
    });
    AclReport {
        key: AclKey {
            account: "111122223333".into(),
            region: "eu-west-1".into(),
            acl: name.into(),
        },
        vpc: Some("vpc-0c1f7a52".into()),
        subnets: vec!["subnet-0a11".into(), "subnet-0b22".into()],
        direction,
        range: (71, 99),
        limit: 10,
        quota: 20,
        managed: (0..managed).map(|i| entry(i, name, direction)).collect(),
        foreign: foreign.collect(),
    }
}

fn payload(place: usize) -> Value {
    let (ip, country, organisation, finding_type, severity, _, hits) = ATTACKERS[place];
    let colour = if severity > 6.0 { "#d0530a" } else { "#3f7fb5" };
    json!({"text": format!("{finding_type}: {ip} blocked"), "attachments": [{"color": colour, "blocks": [
        {"type": "header", "text": {"type": "plain_text", "text": format!("Blocked {ip}")}},
        {"type": "section", "text": {"type": "mrkdwn", "text": format!(
            "*{finding_type}* · severity *{severity}*\n{ip} is performing SSH brute force attacks against i-0d2c4. User agent `&lt;script&gt;` <https://evil.example/|click>"
        )}, "fields": [
            {"type": "mrkdwn", "text": format!("*Address*\n`{ip}` {country}, {organisation}")},
            {"type": "mrkdwn", "text": "*Network ACL*\n`acl-0f3b19c2` ingress, rule 71"},
            {"type": "mrkdwn", "text": "*Account*\n111122223333 · eu-west-1"},
            {"type": "mrkdwn", "text": format!("*Seen*\n{hits} times")},
        ]},
        {"type": "section", "text": {"type": "mrkdwn", "text": "Evicted `193.32.162.7`, the oldest of ten."}},
        {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Open finding"},
            "url": "https://eu-west-1.console.aws.amazon.com/guardduty/home?region=eu-west-1#/findings?fId=f1"}]},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": format!("Undo: `portcullis unblock {ip}`")}]}
    ]}]})
}

/// The responder of this morning.
pub(crate) struct Morning {
    pub(crate) fails: bool,
    pub(crate) mode: Mode,
    pub(crate) paused: Option<String>,
}

impl Morning {
    fn check(&self) -> Result<(), Unavailable> {
        if self.fails {
            Err(Unavailable("database is <locked>".into()))
        } else {
            Ok(())
        }
    }
}

impl Gate for Morning {
    fn status(&self) -> Result<StatusReport, Unavailable> {
        self.check()?;
        let refused = [
            ("sample", 1),
            ("own_address", 3),
            ("allow_listed", 4),
            ("api_call", 31),
            ("aws_service", 6),
            ("stale", 2),
            ("duplicate", 212),
            ("evicted_before", 9),
        ];
        Ok(StatusReport {
            mode: self.mode,
            paused: self.paused.clone(),
            applied: 17,
            pending: 1,
            pending_age_seconds: 2,
            blocked: 41,
            evicted: 24,
            expired: 0,
            not_blocked: refused
                .into_iter()
                .map(|(reason, n)| (reason.to_owned(), n))
                .collect::<BTreeMap<_, _>>(),
            findings: 1_382,
            unreadable: 1,
            alerts: 65,
            messages: 0,
            messages_waiting: 48,
            acls: vec![
                acl("acl-0f3b19c2", Direction::Egress, 2, 1),
                acl("acl-0f3b19c2", Direction::Ingress, 10, 2),
                acl("acl-07e4d210", Direction::Ingress, 6, 1),
                acl("acl-07e4d210", Direction::Egress, 0, 1),
            ],
        })
    }

    fn entries_of(&self, address: IpAddr) -> Result<Vec<EntryReport>, Unavailable> {
        self.check()?;
        let mut found: Vec<EntryReport> = (0..ATTACKERS.len())
            .map(|place| entry(place, "acl-0f3b19c2", Direction::Ingress))
            .filter(|entry| entry.cidr.addr() == address)
            .collect();
        if let Some(newest) = found.first().cloned() {
            let reason = Some("evicted".to_owned());
            found.push(EntryReport {
                state: "removed".into(),
                rule: None,
                removed_because: reason,
                eviction_order: None,
                since: minutes_ago(3_000),
                ..newest
            });
        }
        Ok(found)
    }

    fn audit(&self, limit: usize, address: Option<IpAddr>) -> Result<Vec<AuditReport>, Unavailable> {
        self.check()?;
        let events = [
            ("applied", "matched"),
            ("planned", "matched"),
            ("evicted", "matched"),
            ("refused", "api_call"),
            ("unblocked", HOSTILE),
        ];
        let rows = (0..60_usize).map(|i| {
            let (event, reason) = events[i % events.len()];
            let is_refusal = event == "refused";
            AuditReport {
                number: 400 - i as u64,
                at: now() - TimeDelta::seconds(i64::try_from(i * i * 11 + 4).expect("small")),
                event: event.into(),
                acl: (!is_refusal).then(|| AclKey {
                    account: "111122223333".into(),
                    region: "eu-west-1".into(),
                    acl: "acl-0f3b19c2".into(),
                }),
                direction: (!is_refusal).then_some(Direction::Ingress),
                rule: (!is_refusal).then_some(71 + u16::try_from(i % 10).expect("small")),
                cidr: Some(IpNet::from(ATTACKERS[i % 10].0.parse::<IpAddr>().expect("literal"))),
                reason: reason.into(),
                finding: (i % 5 != 4).then(|| format!("9ec1d5{i:04}")),
                who: if i % 5 == 4 { "ana".into() } else { "responder".into() },
            }
        });
        Ok(rows
            .filter(|row| address.is_none_or(|a| row.cidr.is_some_and(|c| c.addr() == a)))
            .take(limit)
            .collect())
    }

    fn allowances(&self, address: IpAddr) -> Result<Vec<Allowance>, Unavailable> {
        self.check()?;
        let allowed = Allowance {
            cidr: "193.32.162.7/32".parse().expect("literal"),
            until: Some(now() + TimeDelta::hours(5)),
            who: HOSTILE.into(),
            reason: HOSTILE.into(),
            at: minutes_ago(30),
        };
        Ok(Some(allowed)
            .filter(|entry| entry.cidr.contains(&address))
            .into_iter()
            .collect())
    }

    fn act(&self, act: &Act) -> Result<Vec<ActReport>, Unavailable> {
        self.check()?;
        let is_own = act.address == IpAddr::from([10, 0, 0, 1]);
        Ok(vec![ActReport {
            acl: None,
            direction: None,
            cidr: act.address.into(),
            outcome: if is_own { "refused" } else { "planned" }.into(),
            reason: if is_own { Reason::OwnAddress } else { Reason::Manual },
            rule: None,
            evicts: None,
        }])
    }

    fn messages(&self, limit: usize) -> Result<Vec<MessageReport>, Unavailable> {
        self.check()?;
        let one = |i: usize| MessageReport {
            number: 48 - i as u64,
            at: minutes_ago(i64::try_from(i * 7 + 1).expect("small")),
            sent: (i == 3).then(|| minutes_ago(2)),
            attempts: 0,
            last_error: None,
            addresses: vec![],
            payload: payload(i % ATTACKERS.len()),
        };
        Ok((0..20).map(one).take(limit).collect())
    }
}

/// Panels of every kind and documents of every source.
pub(crate) struct Shapes;

fn wave(place: usize, n: usize, size: f64) -> Vec<f64> {
    (0..n)
        .map(|i| {
            ((((i * 7 + place * 13) % 11) as f64 * 0.35 + (i as f64 / 6.0).sin() + 1.4) * size)
                .round()
                .max(0.0)
        })
        .collect()
}

fn rows(values: &[&str], size: f64) -> Vec<ListRow> {
    values
        .iter()
        .enumerate()
        .map(|(i, value)| ListRow {
            value: (*value).into(),
            number: (size / (i as f64 + 1.0)).round(),
        })
        .collect()
}

fn view(id: &str, title: &str, question: &str, width: u8, data: PanelData) -> PanelView {
    PanelView {
        id: id.into(),
        title: title.into(),
        question: question.into(),
        width,
        data,
    }
}

fn series(names: &[&str], size: f64) -> Vec<Series> {
    names
        .iter()
        .enumerate()
        .map(|(i, name)| Series {
            name: (*name).into(),
            values: wave(i, 48, size / (i as f64 + 1.0)),
        })
        .collect()
}

fn timeline(field: Option<&str>, unit: Unit, series: Vec<Series>) -> PanelData {
    let first = now().timestamp_millis() / 1_800_000 * 1_800_000 - 47 * 1_800_000;
    let buckets = (0..48).map(|i| first + i * 1_800_000).collect();
    PanelData::Timeline {
        buckets,
        interval: 1_800_000,
        field: field.map(str::to_owned),
        unit,
        series,
    }
}

fn tile(id: &str, title: &str, question: &str, value: f64, previous: Option<f64>, unit: Unit) -> PanelView {
    let spark = wave(title.len(), 24, value.max(1.0) / 30.0);
    view(
        id,
        title,
        question,
        3,
        PanelData::Tile {
            value,
            previous,
            spark,
            unit,
            query: "event.kind:alert".into(),
        },
    )
}

fn list(field: &str, metric: &str, unit: Unit, rows: Vec<ListRow>) -> PanelData {
    PanelData::List {
        field: field.into(),
        metric: metric.into(),
        unit,
        rows,
        others: 812.0,
    }
}

impl Views for Shapes {
    fn fields(&self, index: &str) -> Vec<&'static portcullis_transforms::Field> {
        index
            .parse()
            .map(portcullis_transforms::Source::fields)
            .unwrap_or_default()
    }

    fn panels(&self, page: &str, _: &Scope) -> Vec<PanelView> {
        if page == "search" {
            return vec![];
        }
        let heat = PanelData::Heatmap {
            row_field: "source.geo.country_name".into(),
            column_field: "aws.guardduty.severity_label".into(),
            rows: ["China", "Netherlands", "Russia", "United States", "Côte d’Ivoire"]
                .map(str::to_owned)
                .to_vec(),
            columns: ["Low", "Medium", "High", "Critical"].map(str::to_owned).to_vec(),
            cells: (0..5)
                .map(|r| {
                    (0..4)
                        .map(|c| {
                            if (r + c) % 4 == 3 {
                                0.0
                            } else {
                                4_000.0 / ((r * 3 + c * c * 7 + 1) as f64)
                            }
                        })
                        .collect()
                })
                .collect(),
            unit: Unit::Count,
        };
        let column = |title: &str, field: Option<&str>, unit| Column {
            title: title.into(),
            field: field.map(str::to_owned),
            unit,
        };
        let table = PanelData::Table {
            columns: vec![
                column("Time", Some("@timestamp"), None),
                column("Severity", Some("aws.guardduty.severity_label"), None),
                column("Type", Some("rule.id"), None),
                column("Address", Some("source.ip"), None),
                column("Count", None, Some(Unit::Count)),
                column("User agent", Some("user_agent.original"), None),
            ],
            rows: (0..8)
                .map(|i| {
                    let a = ATTACKERS[i];
                    vec![
                        vec![super::super::text::rfc3339(minutes_ago(a.5))],
                        vec![["Low", "Medium", "High", "Critical"][i % 4].into()],
                        vec![a.3.into()],
                        if i == 3 {
                            vec![a.0.into(), "2001:db8::1".into()]
                        } else {
                            vec![a.0.into()]
                        },
                        vec![a.6.to_string()],
                        if i == 2 { vec![HOSTILE.into()] } else { vec![] },
                    ]
                })
                .collect(),
            total: Some(1_234),
        };
        let countries = rows(
            &[
                "China",
                "Netherlands",
                "Russia",
                "United States",
                "Germany",
                "Romania",
                "Brazil",
                "",
            ],
            4_210.0,
        );
        let paths = rows(
            &[
                "/wp-login.php",
                "/.env",
                "/",
                HOSTILE,
                "/api/v1/login",
                "/a/very/long/path/that/goes/on/and/on/until/it/is/cut/off?with=query&and=more",
            ],
            1_804.0,
        );
        let addresses = rows(
            &[
                "45.83.64.11",
                "193.32.162.7",
                "80.94.95.18",
                "2a03:2880:f10c:83:face:b00c:0:25de",
                "218.92.0.107",
            ],
            9.1e9,
        );
        vec![
            tile(
                "findings",
                "Findings",
                "How many came",
                1_382.0,
                Some(1_104.0),
                Unit::Count,
            ),
            tile(
                "critical",
                "High and critical",
                "What cannot wait",
                17.0,
                Some(22.0),
                Unit::Count,
            ),
            tile(
                "bytes",
                "Traffic rejected",
                "How much was turned away",
                41_238_112_000.0,
                Some(0.0),
                Unit::Bytes,
            ),
            tile(
                "latency",
                "Finding to block, p95",
                "How fast the gate closes",
                1.84,
                Some(1.84),
                Unit::Seconds,
            ),
            view(
                "severity-time",
                "Findings by severity over time",
                "When does it come, and how bad",
                8,
                timeline(
                    Some("aws.guardduty.severity_label"),
                    Unit::Count,
                    series(&["Low", "Medium", "High", "Critical"], 40.0),
                ),
            ),
            view(
                "countries",
                "Source country",
                "Where it comes from",
                4,
                list("source.geo.country_name", "events", Unit::Count, countries),
            ),
            view(
                "paths",
                "Paths",
                "What they ask for",
                6,
                list("url.path", "requests", Unit::Count, paths),
            ),
            view(
                "talkers",
                "Top talkers",
                "Who moves the most",
                6,
                list("source.ip", "bytes", Unit::Bytes, addresses),
            ),
            view("heat", "Country and severity", "Which country sends what", 6, heat),
            view(
                "flows",
                "Accepted and rejected",
                "What the subnets let in",
                6,
                timeline(Some("event.action"), Unit::Bytes, series(&["accept", "reject"], 4e7)),
            ),
            view(
                "none",
                "Malware",
                "What was found on volumes",
                4,
                PanelData::Empty {
                    why: "No events in this range.".into(),
                    remedy: "Widen the range, or connect malware protection.".into(),
                },
            ),
            view(
                "broken",
                "Open criticals",
                "What is left",
                4,
                PanelData::Failed {
                    message: format!("cannot aggregate on {HOSTILE}"),
                },
            ),
            view(
                "rate",
                "Requests",
                "How many per bar",
                4,
                timeline(None, Unit::Count, series(&["requests"], 12_000.0)),
            ),
            view("latest", "Latest findings", "What came last", 12, table),
        ]
    }

    fn panel(&self, page: &str, id: &str, scope: &Scope) -> Option<PanelView> {
        self.panels(page, scope).into_iter().find(|panel| panel.id == id)
    }

    fn search(&self, scope: &Scope, from: usize, size: usize) -> Result<SearchPage, index::Error> {
        if scope.query.contains('(') {
            return Err(index::Error::Query("a closing ) is missing at position 3".into()));
        }
        let hits = (from..from + size).take(50).map(|i| hit(i % 5)).collect();
        Ok(SearchPage { total: 12_345, hits })
    }

    fn document(&self, id: &str) -> Result<Option<Value>, index::Error> {
        Ok((0..5).map(hit).find(|hit| hit["_id"] == id))
    }
}

fn hit(kind: usize) -> Value {
    let at = super::super::text::rfc3339(minutes_ago(3 + i64::try_from(kind).expect("small") * 31));
    let (index, source) = match kind {
        0 => (
            "guardduty",
            json!({"@timestamp": at, "event": {"id": "d0", "dataset": "aws.guardduty", "kind": "alert", "severity": 8.0},
            "rule": {"id": SSH, "name": "45.83.64.11 is performing SSH brute force attacks against i-0d2c4."},
            "source": {"ip": "45.83.64.11", "geo": {"country_name": "Netherlands"}}, "destination": {"ip": "10.0.1.7", "port": 22},
            "aws": {"guardduty": {"severity_label": "High", "count": 12, "rest": {"service.additionalInfo.x": HOSTILE}}}, "tags": ["a", "b"],
            "message": HOSTILE, "related": {"ip": ["45.83.64.11", "10.0.1.7"]}}),
        ),
        1 => (
            "waf",
            json!({"@timestamp": at, "event": {"id": "d1", "dataset": "aws.waf", "action": "block", "outcome": "failure"},
            "http": {"request": {"method": "GET"}}, "url": {"domain": "shop.example.com", "path": HOSTILE}, "source": {"ip": "80.94.95.18"}}),
        ),
        2 => (
            "vpcflow",
            json!({"@timestamp": at, "event": {"id": "d2", "dataset": "aws.vpcflow", "action": "reject", "outcome": "failure"},
            "source": {"ip": "218.92.0.107", "port": 51_022}, "destination": {"ip": "10.0.1.7", "port": 22}, "network": {"transport": "tcp"}}),
        ),
        3 => (
            "securityhub",
            json!({"@timestamp": at, "event": {"id": "d3", "dataset": "aws.securityhub"}, "rule": {"name": "EC2.13 Security groups should not allow ingress from 0.0.0.0/0 to port 22"}}),
        ),
        _ => (
            "response",
            json!({"@timestamp": at, "event": {"id": "d4", "dataset": "portcullis.response", "action": "applied"},
            "source": {"ip": "45.83.64.11"}, "portcullis": {"response": {"cidr": "45.83.64.11/32", "nacl": "acl-0f3b19c2", "reason": "matched", "rule": 71}}}),
        ),
    };
    json!({"_index": index, "_id": format!("d{kind}"), "_source": source})
}

/// A state over a responder, with the clock of this morning.
pub(crate) fn state(morning: Morning) -> State {
    State {
        clock: Arc::new(now),
        demo: true,
        ..State::new(Arc::new(morning), Arc::new(Shapes)).expect("random bytes")
    }
}

/// All is well, in enforce mode.
pub(crate) fn well() -> State {
    state(Morning {
        fails: false,
        mode: Mode::Enforce,
        paused: None,
    })
}
