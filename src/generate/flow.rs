//! VPC flow log lines in the default format (version 2, fourteen columns).
//!
//! <https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html>

use std::net::Ipv4Addr;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    denial::Denials,
    environment::{Environment, Vpc},
    json::{push_address, push_number},
    provider::{ACCESS, ATTACKERS},
    random::Random,
};
use crate::network_acl::Direction;

const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP: u8 = 1;

/// One end of a flow that is inside: the interface that the record is of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Local {
    /// Index of the network.
    pub(crate) vpc: usize,
    /// Index of the machine.
    pub(crate) instance: usize,
}

/// What two addresses say to each other during one aggregation interval, seen from the interface.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow {
    pub(crate) local: Local,
    pub(crate) remote: Ipv4Addr,
    pub(crate) local_port: u16,
    pub(crate) remote_port: u16,
    pub(crate) protocol: u8,
    /// Which half of the conversation the record is of.
    pub(crate) direction: Direction,
    pub(crate) packets: i64,
    pub(crate) bytes: i64,
    /// What security groups say; a network ACL's deny comes on top.
    pub(crate) allowed: bool,
}

/// Ports that the internet's background noise knocks on.
const NOISE: &[(u16, u8)] = &[
    (23, TCP),
    (445, TCP),
    (8080, TCP),
    (6379, TCP),
    (5900, TCP),
    (2375, TCP),
    (5060, UDP),
    (123, UDP),
    (1433, TCP),
    (0, ICMP),
];

/// The everyday traffic of the organisation.
#[derive(Clone, Debug)]
pub(crate) struct Traffic {
    clients: Vec<Ipv4Addr>,
    noise: Vec<Ipv4Addr>,
    web_servers: Vec<Local>,
}

impl Traffic {
    pub(crate) fn new(environment: &Environment, random: &mut Random) -> Self {
        Self {
            web_servers: Local::all(environment)
                .filter(|local| local.instance(environment).ports[0] == 443)
                .collect(),
            clients: (0..300).map(|_| random.pick(ACCESS).address(random)).collect(),
            noise: (0..60).map(|_| random.pick(ATTACKERS).address(random)).collect(),
        }
    }

    /// Appends one line of everyday traffic.
    pub(crate) fn write(
        &self,
        environment: &Environment,
        denials: &Denials,
        at: DateTime<Utc>,
        random: &mut Random,
        out: &mut Vec<u8>,
    ) {
        let local = Local::any(environment, random);
        let flow = match random.weighted(&[46, 18, 14, 18, 3, 1]) {
            0 => self.customer(random),
            1 => inside(environment, random),
            2 => to_service(environment, local, random),
            3 => self.knock(local, random),
            4 => return write_status("NODATA", environment, local, at, random, out),
            _ => return write_status("SKIPDATA", environment, local, at, random, out),
        };
        flow.write(environment, denials, at, random, out);
    }

    /// A customer's browser and a web server, either half.
    fn customer(&self, random: &mut Random) -> Flow {
        let direction = *random.pick(&[Direction::Ingress, Direction::Egress]);
        let packets = random.between(6, 80);
        let size = if direction == Direction::Ingress { 140 } else { 1_180 };
        Flow {
            local: *random.pick(&self.web_servers),
            remote: *random.pick(&self.clients),
            local_port: 443,
            remote_port: ephemeral(random),
            protocol: TCP,
            direction,
            packets,
            bytes: packets * random.between(size - 60, size + 200),
            allowed: true,
        }
    }

    /// The internet's background noise: one packet to a closed port.
    fn knock(&self, local: Local, random: &mut Random) -> Flow {
        let (port, protocol) = *random.pick(NOISE);
        let packets = random.between(1, 3);
        Flow {
            local,
            remote: *random.pick(&self.noise),
            local_port: port,
            remote_port: if protocol == ICMP { 0 } else { ephemeral(random) },
            protocol,
            direction: Direction::Ingress,
            packets,
            bytes: packets * random.between(40, 60),
            allowed: false,
        }
    }
}

/// One machine and another of the same network.
fn inside(environment: &Environment, random: &mut Random) -> Flow {
    let local = Local::any(environment, random);
    let instances = &environment.vpcs[local.vpc].instances;
    let other = random.pick(instances);
    let port = *random.pick(&[5432_u16, 8080, 9092, 22]);
    let direction = *random.pick(&[Direction::Ingress, Direction::Egress]);
    let (local_port, remote_port) = if direction == Direction::Ingress {
        (port, ephemeral(random))
    } else {
        (ephemeral(random), port)
    };
    let packets = random.between(4, 400);
    Flow {
        local,
        remote: other.private_address,
        local_port,
        remote_port,
        protocol: TCP,
        direction,
        packets,
        bytes: packets * random.between(90, 1_300),
        allowed: true,
    }
}

/// A machine and an AWS service.
fn to_service(environment: &Environment, local: Local, random: &mut Random) -> Flow {
    let direction = *random.pick(&[Direction::Ingress, Direction::Egress]);
    let packets = random.between(8, 300);
    Flow {
        local,
        remote: service_address(environment, "S3", random),
        local_port: ephemeral(random),
        remote_port: 443,
        protocol: TCP,
        direction,
        packets,
        bytes: packets * random.between(120, 1_400),
        allowed: true,
    }
}

/// An address of an AWS service.
pub(crate) fn service_address(environment: &Environment, service: &str, random: &mut Random) -> Ipv4Addr {
    environment
        .service_prefixes
        .iter()
        .find_map(|prefix| match prefix.cidr {
            ipnet::IpNet::V4(net) if prefix.service == service => Some(random.address(net.addr(), net.prefix_len())),
            _ => None,
        })
        .unwrap_or(Ipv4Addr::new(52, 218, 0, 1))
}

/// A port that a client's system picks.
pub(crate) fn ephemeral(random: &mut Random) -> u16 {
    u16::try_from(random.between(32_768, 60_999)).unwrap_or(40_000)
}

impl Local {
    fn all(environment: &Environment) -> impl Iterator<Item = Local> + '_ {
        environment
            .vpcs
            .iter()
            .enumerate()
            .flat_map(|(vpc, network)| (0..network.instances.len()).map(move |instance| Local { vpc, instance }))
    }

    fn any(environment: &Environment, random: &mut Random) -> Local {
        let vpc = random.weighted(&[6, 3, 1]);
        let instance = random.below(environment.vpcs[vpc].instances.len());
        Local { vpc, instance }
    }

    pub(crate) fn vpc(self, environment: &Environment) -> &Vpc {
        &environment.vpcs[self.vpc]
    }

    pub(crate) fn instance(self, environment: &Environment) -> &super::environment::Instance {
        &environment.vpcs[self.vpc].instances[self.instance]
    }

    /// The network ACL that guards the interface.
    pub(crate) fn acl(self, environment: &Environment) -> &str {
        let vpc = self.vpc(environment);
        &vpc.subnet_of(self.instance(environment)).acl
    }
}

impl Flow {
    /// Appends the line. Where a network ACL denies the flow, it says REJECT and starts when the deny stood.
    pub(crate) fn write(
        &self,
        environment: &Environment,
        denials: &Denials,
        at: DateTime<Utc>,
        random: &mut Random,
        out: &mut Vec<u8>,
    ) {
        let denied = denials.since(self.remote, self.local.acl(environment), self.direction, at);
        let (mut start, mut end) = window(at, random);
        if let Some(from) = denied {
            start = start.max(ceil_to_second(from)).min(at);
            end = end.max(start);
        }
        let accepted = self.allowed && denied.is_none();
        let (packets, bytes) = if self.allowed && denied.is_some() {
            let packets = random.between(1, 6);
            (packets, packets * random.between(44, 60))
        } else {
            (self.packets, self.bytes)
        };
        let local = self.local.instance(environment).private_address;
        let (source, destination, from_port, to_port) = match self.direction {
            Direction::Ingress => (self.remote, local, self.remote_port, self.local_port),
            Direction::Egress => (local, self.remote, self.local_port, self.remote_port),
        };
        prefix(environment, self.local, out);
        push_address(out, source);
        out.push(b' ');
        push_address(out, destination);
        for number in [
            i64::from(from_port),
            i64::from(to_port),
            i64::from(self.protocol),
            packets,
            bytes,
            start.timestamp(),
            end.timestamp(),
        ] {
            out.push(b' ');
            push_number(out, number);
        }
        out.extend_from_slice(if accepted { b" ACCEPT OK" } else { b" REJECT OK" });
    }
}

/// An interval without data, or with records that were skipped.
fn write_status(
    status: &str,
    environment: &Environment,
    local: Local,
    at: DateTime<Utc>,
    random: &mut Random,
    out: &mut Vec<u8>,
) {
    let (start, end) = window(at, random);
    prefix(environment, local, out);
    out.extend_from_slice(b"- - - - - - - ");
    push_number(out, start.timestamp());
    out.push(b' ');
    push_number(out, end.timestamp());
    out.extend_from_slice(b" - ");
    out.extend_from_slice(status.as_bytes());
}

fn prefix(environment: &Environment, local: Local, out: &mut Vec<u8>) {
    out.extend_from_slice(b"2 ");
    out.extend_from_slice(local.vpc(environment).account.as_bytes());
    out.push(b' ');
    out.extend_from_slice(local.instance(environment).interface.as_bytes());
    out.push(b' ');
}

/// The part of an aggregation interval of a minute in which there were packets; it ends some seconds before delivery.
fn window(at: DateTime<Utc>, random: &mut Random) -> (DateTime<Utc>, DateTime<Utc>) {
    let end = at - TimeDelta::seconds(random.between(5, 30));
    (end - TimeDelta::seconds(random.between(1, 59)), end)
}

/// Lines have whole seconds; a flow that was rejected must not seem to start before the deny.
fn ceil_to_second(time: DateTime<Utc>) -> DateTime<Utc> {
    if time.timestamp_subsec_nanos() == 0 {
        return time;
    }
    DateTime::from_timestamp(time.timestamp() + 1, 0).unwrap_or(time)
}
