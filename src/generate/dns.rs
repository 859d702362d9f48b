//! Route 53 Resolver query log records.
//!
//! <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-query-logs-format.html>
//!
//! Machines ask for what machines ask for: AWS's endpoints, packages, each other. One of them has caught something: it
//! looks for its master among names that nobody registered, and for a mining pool that DNS Firewall knows.

use std::{io::Write as _, net::Ipv4Addr};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    environment::{Environment, Instance, Vpc},
    flow::{ephemeral, service_address},
    json::{self, Array, push_address, push_number},
    random::Random,
};

/// AWS services whose endpoints are asked for.
const SERVICES: &[&str] = &[
    "s3",
    "dynamodb",
    "ssm",
    "ec2messages",
    "monitoring",
    "logs",
    "sts",
    "kms",
    "secretsmanager",
    "sqs",
];

/// Names outside, and what they are an alias of.
const SITES: &[(&str, &str)] = &[
    ("registry.npmjs.org.", ""),
    ("pypi.org.", ""),
    ("files.pythonhosted.org.", "packages.edge.example."),
    ("archive.ubuntu.com.", ""),
    ("security.ubuntu.com.", ""),
    ("cdn.amazonlinux.com.", "d0c2f5a1b3e4d6.cloudfront.net."),
    ("repo.maven.apache.org.", "maven.edge.example."),
    ("api.github.com.", ""),
    ("time.aws.com.", ""),
    ("api.payments.example.", "eu.payments.example."),
];

/// The organisation's zone; the names of its machines are made from theirs.
const ZONE: &str = ".internal.meridian-outfitters.com.";

const POOL: &str = "pool.supportxmr.example.";
const TUNNEL: &str = ".t.cdn-telemetry.example.";

/// Endings of names that are made up by a program.
const MADE_UP: &[&str] = &[".top.", ".xyz.", ".example.", ".info."];

/// Who asks, and the firewall between.
#[derive(Clone, Debug)]
pub(crate) struct Queries {
    /// Network and number of the machine that has caught something.
    infected: (usize, usize),
    rule_group: String,
    mining_list: String,
    /// The rule of DNS Firewall Advanced that looks for generated names.
    generated_names: String,
}

/// What the firewall says of a query.
#[derive(Clone, Copy, Debug)]
enum Verdict {
    /// A name of a list.
    Listed(&'static str),
    /// A name that looks generated, which only alerts.
    Generated,
}

/// One query and its answer.
struct Query<'a> {
    vpc: &'a Vpc,
    asker: &'a Instance,
    kind: &'a str,
    code: &'a str,
    verdict: Option<Verdict>,
}

impl Queries {
    pub(crate) fn new(environment: &Environment, random: &mut Random) -> Self {
        let vpc = environment.vpcs.len() - 1;
        Self {
            infected: (vpc, environment.vpcs[vpc].instances.len() - 1),
            rule_group: format!("rslvr-frg-{}", random.hex(17)),
            mining_list: format!("rslvr-fdl-{}", random.hex(17)),
            generated_names: format!("rslvr-ftp-{}", random.hex(17)),
        }
    }

    /// Appends one record.
    pub(crate) fn write(&self, environment: &Environment, at: DateTime<Utc>, random: &mut Random, out: &mut Vec<u8>) {
        let vpc = &environment.vpcs[random.weighted(&[6, 3, 1])];
        let mut query = Query {
            vpc,
            asker: random.pick(&vpc.instances),
            kind: "A",
            code: "NOERROR",
            verdict: None,
        };
        match random.weighted(&[30, 24, 14, 8, 7, 6, 4, 2, 1, 4]) {
            0 => self.service(&query, environment, at, random, out),
            1 => self.site(query, environment, at, random, out),
            2 => self.own(&query, at, random, out),
            3 => self.load_balancer(&query, at, random, out),
            4 => self.reverse(query, at, random, out),
            5 => {
                // The resolver's search list: every name outside is tried inside first.
                query.code = "NXDOMAIN";
                let site = random.pick(SITES).0;
                let name = |out: &mut Vec<u8>| {
                    out.extend_from_slice(site.as_bytes());
                    out.extend_from_slice(query.vpc.region.as_bytes());
                    out.extend_from_slice(b".compute.internal.");
                };
                self.record(&query, at, random, out, name, |_| {});
            }
            6 => {
                query.kind = "TXT";
                let name = plain("meridian-outfitters.com.");
                self.record(&query, at, random, out, name, |a| {
                    answer(a, "TXT", |out| {
                        out.extend_from_slice(br#"\"v=spf1 include:amazonses.com -all\""#);
                    });
                });
            }
            7 => {
                query.kind = "MX";
                let name = plain("meridian-outfitters.com.");
                self.record(&query, at, random, out, name, |a| {
                    answer(a, "MX", plain("10 inbound-smtp.eu-west-1.amazonaws.com."));
                });
            }
            8 => {
                query.code = "SERVFAIL";
                self.record(&query, at, random, out, plain("ns-broken.partner.example."), |_| {});
            }
            _ => self.infected(environment, at, random, out),
        }
    }

    /// An endpoint of an AWS service; most are asked for both kinds of address, and have no IPv6 one.
    fn service(
        &self,
        query: &Query<'_>,
        environment: &Environment,
        at: DateTime<Utc>,
        random: &mut Random,
        out: &mut Vec<u8>,
    ) {
        let service = *random.pick(SERVICES);
        let name = |out: &mut Vec<u8>| {
            out.extend_from_slice(service.as_bytes());
            out.push(b'.');
            out.extend_from_slice(query.vpc.region.as_bytes());
            out.extend_from_slice(b".amazonaws.com.");
        };
        if random.chance(30) {
            let query = Query { kind: "AAAA", ..*query };
            return self.record(&query, at, random, out, name, |_| {});
        }
        let first = service_address(environment, "S3", random);
        let second = random.chance(50).then(|| service_address(environment, "S3", random));
        self.record(query, at, random, out, name, |a| {
            address(a, first);
            if let Some(second) = second {
                address(a, second);
            }
        });
    }

    /// A name outside, some of them an alias.
    fn site(
        &self,
        mut query: Query<'_>,
        environment: &Environment,
        at: DateTime<Utc>,
        random: &mut Random,
        out: &mut Vec<u8>,
    ) {
        let (site, alias) = *random.pick(SITES);
        let v4 = [(); 3].map(|()| service_address(environment, "CLOUDFRONT", random));
        let count = random.below(v4.len()) + 1;
        let wants_v6 = random.chance(25);
        let tail = random.next() & 0xffff;
        if wants_v6 {
            query.kind = "AAAA";
        }
        self.record(&query, at, random, out, plain(site), |a| {
            if !alias.is_empty() {
                answer(a, "CNAME", plain(alias));
            }
            if wants_v6 {
                answer(a, "AAAA", |out| {
                    out.extend_from_slice(b"2600:9000:2000:a000::");
                    push_hex(tail, out);
                });
            } else {
                v4.iter().take(count).for_each(|&found| address(a, found));
            }
        });
    }

    /// Another machine of the network, by the organisation's name or by EC2's.
    fn own(&self, query: &Query<'_>, at: DateTime<Utc>, random: &mut Random, out: &mut Vec<u8>) {
        let other = random.pick(&query.vpc.instances);
        let by_address = random.chance(40);
        let name = |out: &mut Vec<u8>| {
            if by_address {
                push_host(query.vpc, other.private_address, out);
            } else {
                out.extend_from_slice(other.name.as_bytes());
                out.extend_from_slice(ZONE.as_bytes());
            }
        };
        self.record(query, at, random, out, name, |a| address(a, other.private_address));
    }

    /// The organisation's own site: every node of its load balancer.
    fn load_balancer(&self, query: &Query<'_>, at: DateTime<Utc>, random: &mut Random, out: &mut Vec<u8>) {
        let balancer = &query.vpc.load_balancer;
        let name = |out: &mut Vec<u8>| {
            out.extend_from_slice(balancer.host.as_bytes());
            out.push(b'.');
        };
        self.record(query, at, random, out, name, |a| {
            balancer.nodes.iter().for_each(|node| address(a, node.2));
        });
    }

    /// Whose address is this? Known inside, unknown outside.
    fn reverse(&self, mut query: Query<'_>, at: DateTime<Utc>, random: &mut Random, out: &mut Vec<u8>) {
        let vpc = query.vpc;
        let known = random.chance(60);
        let about = if known {
            random.pick(&vpc.instances).private_address
        } else {
            random.address(vpc.cidr.addr(), vpc.cidr.prefix_len())
        };
        query.kind = "PTR";
        query.code = if known { "NOERROR" } else { "NXDOMAIN" };
        let name = |out: &mut Vec<u8>| {
            let [a, b, c, d] = about.octets();
            push_address(out, Ipv4Addr::new(d, c, b, a));
            out.extend_from_slice(b".in-addr.arpa.");
        };
        self.record(&query, at, random, out, name, |a| {
            if known {
                answer(a, "PTR", |out| push_host(vpc, about, out));
            }
        });
    }

    /// The machine that has caught something: names that a program made up, data in names, the mining pool.
    fn infected(&self, environment: &Environment, at: DateTime<Utc>, random: &mut Random, out: &mut Vec<u8>) {
        let vpc = &environment.vpcs[self.infected.0];
        let mut query = Query {
            vpc,
            asker: &vpc.instances[self.infected.1],
            kind: "A",
            code: "NXDOMAIN",
            verdict: None,
        };
        let (high, low) = (random.next(), random.next());
        match random.weighted(&[6, 2, 2]) {
            0 => {
                let ending = *random.pick(MADE_UP);
                query.verdict = random.chance(50).then_some(Verdict::Generated);
                let name = |out: &mut Vec<u8>| {
                    push_letters(high, out);
                    out.extend_from_slice(ending.as_bytes());
                };
                self.record(&query, at, random, out, name, |_| {});
            }
            1 => {
                query.kind = "TXT";
                query.code = "NOERROR";
                let name = |out: &mut Vec<u8>| {
                    push_hex(high, out);
                    push_hex(low, out);
                    out.extend_from_slice(TUNNEL.as_bytes());
                };
                self.record(&query, at, random, out, name, |a| {
                    answer(a, "TXT", plain(r#"\"ok\""#));
                });
            }
            _ => {
                query.verdict = Some(Verdict::Listed("BLOCK"));
                self.record(&query, at, random, out, plain(POOL), |_| {});
            }
        }
    }

    fn record(
        &self,
        query: &Query<'_>,
        at: DateTime<Utc>,
        random: &mut Random,
        out: &mut Vec<u8>,
        name: impl FnOnce(&mut Vec<u8>),
        answers: impl FnOnce(&mut Array<'_>),
    ) {
        let time = at - TimeDelta::milliseconds(random.between(1_000, 30_000));
        json::object(out, |o| {
            o.text("version", "1.100000");
            o.text("account_id", &query.vpc.account);
            o.text("region", query.vpc.region);
            o.text("vpc_id", &query.vpc.id);
            o.seconds("query_timestamp", time);
            o.built("query_name", name);
            o.text("query_type", query.kind);
            o.text("query_class", "IN");
            o.text("rcode", query.code);
            o.array("answers", answers);
            o.address("srcaddr", query.asker.private_address);
            o.built("srcport", |out| push_number(out, i64::from(ephemeral(random))));
            o.text("transport", if random.chance(97) { "UDP" } else { "TCP" });
            o.object("srcids", |o| o.text("instance", &query.asker.id));
            match query.verdict {
                Some(Verdict::Listed(action)) => {
                    o.text("firewall_rule_action", action);
                    o.text("firewall_rule_group_id", &self.rule_group);
                    o.text("firewall_domain_list_id", &self.mining_list);
                }
                Some(Verdict::Generated) => {
                    o.text("firewall_rule_action", "ALERT");
                    o.text("firewall_rule_group_id", &self.rule_group);
                    o.text("firewall_threat_protection_id", &self.generated_names);
                    o.text("firewall_protection", "DGA");
                }
                None => {}
            }
        });
    }
}

/// A text that needs no escape.
fn plain(text: &str) -> impl FnOnce(&mut Vec<u8>) + use<'_> {
    |out| out.extend_from_slice(text.as_bytes())
}

fn answer(answers: &mut Array<'_>, kind: &str, data: impl FnOnce(&mut Vec<u8>)) {
    answers.object(|o| {
        o.built("Rdata", data);
        o.text("Type", kind);
        o.text("Class", "IN");
    });
}

fn address(answers: &mut Array<'_>, found: Ipv4Addr) {
    answer(answers, "A", |out| push_address(out, found));
}

/// The name that EC2 gives to a machine: `ip-10-20-0-5.eu-west-1.compute.internal.`
fn push_host(vpc: &Vpc, address: Ipv4Addr, out: &mut Vec<u8>) {
    out.extend_from_slice(b"ip");
    for octet in address.octets() {
        out.push(b'-');
        push_number(out, i64::from(octet));
    }
    out.push(b'.');
    out.extend_from_slice(vpc.region.as_bytes());
    out.extend_from_slice(b".compute.internal.");
}

fn push_hex(bits: u64, out: &mut Vec<u8>) {
    // Writing into a vector cannot fail.
    let written = write!(out, "{bits:x}");
    debug_assert!(written.is_ok());
}

/// Twelve letters.
fn push_letters(mut bits: u64, out: &mut Vec<u8>) {
    for _ in 0..12 {
        out.push(b'a' + (bits % 26) as u8);
        bits /= 26;
    }
}
