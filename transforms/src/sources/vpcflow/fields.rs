//! The table: every column that AWS publishes for flow logs, and every field that an `ecs` document may carry.
//!
//! Columns follow the order of AWS's "Available fields" table, which is also the order of the documented formats
//! without a header: <https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html>, and for transit
//! gateways <https://docs.aws.amazon.com/vpc/latest/tgw/tgw-flow-logs.html>.

use crate::{
    engine::same,
    schema::{Field, Type, field},
};

/// What a column holds, and so which texts are accepted in it. `-` is accepted in all: absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Any text.
    Text,
    /// A whole number that fits a `long`.
    Number,
    /// An IPv4 or IPv6 address.
    Address,
    /// 0 to 65535.
    Port,
    /// An IANA protocol number, 0 to 255.
    Protocol,
    /// A bit mask of TCP flags, 0 to 255.
    Flags,
    /// A timestamp.
    Time,
}

/// One column of a flow log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    /// AWS's name, as in `${srcaddr}`.
    pub(super) name: &'static str,
    /// What it holds.
    pub(super) kind: Kind,
    /// The field that is a plain copy of it, if there is one. The other columns feed the fields of [`DERIVED`].
    pub(super) copy: Option<Field>,
}

const fn feeds(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, copy: None }
}

const fn text(name: &'static str, to: &'static str, meaning: &'static str) -> Column {
    Column {
        name,
        kind: Kind::Text,
        copy: Some(field(to, Type::Keyword, name, meaning)),
    }
}

const fn number(name: &'static str, to: &'static str, meaning: &'static str) -> Column {
    Column {
        name,
        kind: Kind::Number,
        copy: Some(field(to, Type::Long, name, meaning)),
    }
}

/// Every published column. The position in this list is the column's number everywhere in this source.
#[rustfmt::skip]
pub(super) const COLUMNS: &[Column] = &[
    // Version 2, the default format.
    number("version", "aws.vpcflow.version", "version of the flow log format"),
    feeds("account-id", Kind::Text),
    text("interface-id", "aws.vpcflow.interface_id", "network interface that recorded the flow"),
    feeds("srcaddr", Kind::Address),
    feeds("dstaddr", Kind::Address),
    feeds("srcport", Kind::Port),
    feeds("dstport", Kind::Port),
    feeds("protocol", Kind::Protocol),
    feeds("packets", Kind::Number),
    feeds("bytes", Kind::Number),
    feeds("start", Kind::Time),
    feeds("end", Kind::Time),
    text("action", "aws.vpcflow.action", "ACCEPT or REJECT, as AWS writes it"),
    text("log-status", "aws.vpcflow.log_status", "OK, NODATA (no traffic) or SKIPDATA (records were lost)"),
    // Version 3.
    text("vpc-id", "aws.vpcflow.vpc_id", "VPC of the network interface"),
    text("subnet-id", "aws.vpcflow.subnet_id", "subnet of the network interface"),
    feeds("instance-id", Kind::Text),
    feeds("tcp-flags", Kind::Flags),
    feeds("type", Kind::Text),
    feeds("pkt-srcaddr", Kind::Address),
    feeds("pkt-dstaddr", Kind::Address),
    // Version 4.
    feeds("region", Kind::Text),
    text("az-id", "aws.vpcflow.az_id", "id of the availability zone, the same in every account"),
    text("sublocation-type", "aws.vpcflow.sublocation_type", "wavelength, outpost or localzone"),
    text("sublocation-id", "aws.vpcflow.sublocation_id", "id of the sublocation"),
    // Version 5.
    text("pkt-src-aws-service", "aws.vpcflow.pkt_src_aws_service", "AWS service whose address the packet's source is"),
    text("pkt-dst-aws-service", "aws.vpcflow.pkt_dst_aws_service", "AWS service whose address the packet's destination is"),
    text("flow-direction", "aws.vpcflow.flow_direction", "ingress or egress, seen from the interface"),
    feeds("traffic-path", Kind::Number),
    // Version 7.
    text("ecs-cluster-arn", "aws.vpcflow.ecs_cluster_arn", "ARN of the ECS cluster"),
    text("ecs-cluster-name", "aws.vpcflow.ecs_cluster_name", "name of the ECS cluster"),
    text("ecs-container-instance-arn", "aws.vpcflow.ecs_container_instance_arn", "ARN of the ECS container instance"),
    text("ecs-container-instance-id", "aws.vpcflow.ecs_container_instance_id", "id of the ECS container instance"),
    text("ecs-container-id", "aws.vpcflow.ecs_container_id", "Docker id of the first container"),
    text("ecs-second-container-id", "aws.vpcflow.ecs_second_container_id", "Docker id of the second container"),
    text("ecs-service-name", "aws.vpcflow.ecs_service_name", "name of the ECS service"),
    text("ecs-task-definition-arn", "aws.vpcflow.ecs_task_definition_arn", "ARN of the ECS task definition"),
    text("ecs-task-arn", "aws.vpcflow.ecs_task_arn", "ARN of the ECS task"),
    text("ecs-task-id", "aws.vpcflow.ecs_task_id", "id of the ECS task"),
    // Versions 8 to 11.
    text("reject-reason", "aws.vpcflow.reject_reason", "why the traffic was rejected, such as BPA (block public access)"),
    text("resource-id", "aws.vpcflow.resource_id", "regional NAT gateway that the traffic belongs to"),
    feeds("encryption-status", Kind::Text),
    text("interface-type", "aws.vpcflow.interface_type", "type of the network interface"),
    text("next-hop-interface-id", "aws.vpcflow.next_hop_interface_id", "network interface of the next hop"),
    text("next-hop-subnet-id", "aws.vpcflow.next_hop_subnet_id", "subnet of the next hop"),
    text("next-hop-az-id", "aws.vpcflow.next_hop_az_id", "availability zone id of the next hop"),
    text("next-hop-vpc-id", "aws.vpcflow.next_hop_vpc_id", "VPC of the next hop"),
    text("next-hop-interface-type", "aws.vpcflow.next_hop_interface_type", "interface type of the next hop"),
    // Transit gateway flow logs (version 6), as far as VPC flow logs do not have the column too.
    text("resource-type", "aws.vpcflow.resource_type", "TransitGateway or TransitGatewayAttachment"),
    text("tgw-id", "aws.vpcflow.tgw_id", "transit gateway"),
    text("tgw-attachment-id", "aws.vpcflow.tgw_attachment_id", "transit gateway attachment"),
    text("tgw-src-vpc-account-id", "aws.vpcflow.tgw_src_vpc_account_id", "account of the source VPC"),
    text("tgw-dst-vpc-account-id", "aws.vpcflow.tgw_dst_vpc_account_id", "account of the destination VPC"),
    text("tgw-src-vpc-id", "aws.vpcflow.tgw_src_vpc_id", "source VPC"),
    text("tgw-dst-vpc-id", "aws.vpcflow.tgw_dst_vpc_id", "destination VPC"),
    text("tgw-src-subnet-id", "aws.vpcflow.tgw_src_subnet_id", "subnet of the source"),
    text("tgw-dst-subnet-id", "aws.vpcflow.tgw_dst_subnet_id", "subnet of the destination"),
    text("tgw-src-eni", "aws.vpcflow.tgw_src_eni", "attachment interface on the source's side"),
    text("tgw-dst-eni", "aws.vpcflow.tgw_dst_eni", "attachment interface on the destination's side"),
    text("tgw-src-az-id", "aws.vpcflow.tgw_src_az_id", "availability zone id of the source"),
    text("tgw-dst-az-id", "aws.vpcflow.tgw_dst_az_id", "availability zone id of the destination"),
    text("tgw-pair-attachment-id", "aws.vpcflow.tgw_pair_attachment_id", "the other attachment that the flow passed"),
    number("packets-lost-no-route", "aws.vpcflow.packets_lost_no_route", "packets lost: no route"),
    number("packets-lost-blackhole", "aws.vpcflow.packets_lost_blackhole", "packets lost: blackhole route"),
    number("packets-lost-mtu-exceeded", "aws.vpcflow.packets_lost_mtu_exceeded", "packets lost: larger than the MTU"),
    number("packets-lost-ttl-expired", "aws.vpcflow.packets_lost_ttl_expired", "packets lost: time to live expired"),
];

/// Fields that are more than a copy of one column.
#[rustfmt::skip]
const DERIVED: &[Field] = &[
    field("@timestamp", Type::Date, "end", "end of the flow's capture window; its start where the format has no end"),
    field("ecs.version", Type::Keyword, "", "version of the Elastic Common Schema"),
    field("event.kind", Type::Keyword, "", "`event`"),
    field("event.category", Type::Keyword, "", "`network`"),
    field("event.type", Type::Keyword, "action", "`connection` with `allowed` or `denied`; `info` without traffic"),
    field("event.action", Type::Keyword, "action", "accept or reject"),
    field("event.outcome", Type::Keyword, "action", "success for ACCEPT, failure for REJECT"),
    field("event.start", Type::Date, "start", "first packet of the flow in the capture window"),
    field("event.end", Type::Date, "end", "last packet of the flow in the capture window"),
    field("event.duration", Type::Long, "", "nanoseconds from start to end"),
    field("event.id", Type::Keyword, "", "keyed hash of the line"),
    field("event.dataset", Type::Keyword, "", "`aws.vpcflow`"),
    field("event.module", Type::Keyword, "", "`aws`"),
    field("event.original", Type::Text, "", "the line as it came, on request"),
    field("cloud.provider", Type::Keyword, "", "`aws`"),
    field("cloud.account.id", Type::Keyword, "account-id", "account that owns the interface; AWS writes `unknown` for its own"),
    field("cloud.region", Type::Keyword, "region", "region of the interface"),
    field("cloud.instance.id", Type::Keyword, "instance-id", "instance that the interface belongs to"),
    field("source.address", Type::Keyword, "srcaddr", "source address as text"),
    field("source.ip", Type::Ip, "srcaddr", "source address"),
    field("source.port", Type::Long, "srcport", "source port"),
    field("source.bytes", Type::Long, "bytes", "bytes sent by the source; a flow has one direction"),
    field("source.packets", Type::Long, "packets", "packets sent by the source"),
    field("source.nat.ip", Type::Ip, "pkt-srcaddr", "the packet's own source, where it is not the interface's"),
    field("destination.address", Type::Keyword, "dstaddr", "destination address as text"),
    field("destination.ip", Type::Ip, "dstaddr", "destination address"),
    field("destination.port", Type::Long, "dstport", "destination port"),
    field("destination.nat.ip", Type::Ip, "pkt-dstaddr", "the packet's own destination, where it is not the interface's"),
    field("network.type", Type::Keyword, "type", "ipv4, ipv6 or efa; from the address where the format has no type"),
    field("network.transport", Type::Keyword, "protocol", "name of the protocol, such as tcp"),
    field("network.iana_number", Type::Keyword, "protocol", "IANA number of the protocol"),
    field("network.direction", Type::Keyword, "flow-direction", "ingress or egress"),
    field("network.community_id", Type::Keyword, "", "Community ID (version 1) of the flow, on request; none for ICMP, whose type flow logs do not have"),
    field("network.bytes", Type::Long, "bytes", "bytes of the flow"),
    field("network.packets", Type::Long, "packets", "packets of the flow"),
    field("related.ip", Type::Ip, "", "every address of the record, each once"),
    field("aws.vpcflow.tcp_flags", Type::Keyword, "tcp-flags", "names of the flags seen: SYN, SYN-ACK, FIN, RST, ..."),
    field("aws.vpcflow.pkt_srcaddr", Type::Ip, "pkt-srcaddr", "the packet's own source address"),
    field("aws.vpcflow.pkt_dstaddr", Type::Ip, "pkt-dstaddr", "the packet's own destination address"),
    field("aws.vpcflow.traffic_path", Type::Keyword, "traffic-path", "how egress traffic left, by name"),
    field("aws.vpcflow.encryption_status", Type::Keyword, "encryption-status", "who encrypted the traffic, by name"),
    field("aws.vpcflow.rest", Type::FlatObject, "", "columns that AWS has not published, and values without a name"),
    field("portcullis.normalizer", Type::Keyword, "", "name and version of what wrote the document"),
    field("portcullis.unplaced", Type::Long, "", "how many values went to the rest"),
    field("portcullis.cut", Type::Long, "", "how many values were too long and were cut"),
];

const COPIES: usize = {
    let mut count = 0;
    let mut at = 0;
    while at < COLUMNS.len() {
        count += COLUMNS[at].copy.is_some() as usize;
        at += 1;
    }
    count
};

const ALL: [Field; DERIVED.len() + COPIES] = {
    let mut all = [DERIVED[0]; DERIVED.len() + COPIES];
    let mut next = 0;
    while next < DERIVED.len() {
        all[next] = DERIVED[next];
        next += 1;
    }
    let mut at = 0;
    while at < COLUMNS.len() {
        if let Some(copy) = COLUMNS[at].copy {
            all[next] = copy;
            next += 1;
        }
        at += 1;
    }
    all
};

/// The closed list of fields that an `ecs` document of a flow log may carry.
pub const FIELDS: &[Field] = &ALL;

/// The number of a column, at compile time; a name that is not in [`COLUMNS`] does not compile.
pub(super) const fn column(name: &str) -> usize {
    let mut at = 0;
    while at < COLUMNS.len() {
        if same(COLUMNS[at].name, name) {
            return at;
        }
        at += 1;
    }
    panic!("flow logs have no such column")
}

/// Whether the table has a field of this name, at compile time.
pub(super) const fn has_field(name: &str) -> bool {
    let mut at = 0;
    while at < FIELDS.len() {
        if same(FIELDS[at].name, name) {
            return true;
        }
        at += 1;
    }
    false
}

/// Formats in AWS's documented order that are recognised without a header, by their number of columns: the first N
/// of [`COLUMNS`] for versions 2, 3, 4, 5, 7, 8, 9 and 10.
pub(super) const DOCUMENTED_PREFIXES: &[usize] = &[14, 21, 25, 29, 39, 40, 41, 42];

/// A format of 21 columns that AWS documents for TCP flags.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-records-examples.html>
#[rustfmt::skip]
pub(super) const FLAG_SEQUENCE: &[&str] = &[
    "version", "vpc-id", "subnet-id", "instance-id", "interface-id", "account-id", "type", "srcaddr", "dstaddr",
    "srcport", "dstport", "pkt-srcaddr", "pkt-dstaddr", "protocol", "bytes", "packets", "start", "end", "action",
    "tcp-flags", "log-status",
];

/// The default format of transit gateway flow logs (36 columns).
#[rustfmt::skip]
pub(super) const TRANSIT_GATEWAY: &[&str] = &[
    "version", "resource-type", "account-id", "tgw-id", "tgw-attachment-id", "tgw-src-vpc-account-id",
    "tgw-dst-vpc-account-id", "tgw-src-vpc-id", "tgw-dst-vpc-id", "tgw-src-subnet-id", "tgw-dst-subnet-id",
    "tgw-src-eni", "tgw-dst-eni", "tgw-src-az-id", "tgw-dst-az-id", "tgw-pair-attachment-id", "srcaddr", "dstaddr",
    "srcport", "dstport", "protocol", "packets", "bytes", "start", "end", "log-status", "type",
    "packets-lost-no-route", "packets-lost-blackhole", "packets-lost-mtu-exceeded", "packets-lost-ttl-expired",
    "tcp-flags", "region", "flow-direction", "pkt-src-aws-service", "pkt-dst-aws-service",
];

/// AWS's names of the paths that egress traffic may take, by number.
pub(super) const TRAFFIC_PATHS: &[(&str, &str)] = &[
    ("1", "same_vpc"),
    ("2", "internet_gateway_or_gateway_endpoint"),
    ("3", "virtual_private_gateway"),
    ("4", "intra_region_peering"),
    ("5", "inter_region_peering"),
    ("6", "local_gateway"),
    ("7", "gateway_endpoint"),
    ("8", "internet_gateway"),
];

/// Who encrypted the traffic, by AWS's number: nobody, the network cards, the programs, or both.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/vpc-encryption-controls.html>
pub(super) const ENCRYPTION: &[(&str, &str)] = &[
    ("0", "not_encrypted"),
    ("1", "nitro"),
    ("2", "application"),
    ("3", "nitro_and_application"),
];

/// TCP flags by bit, from the lowest. SYN and ACK together are the answer to a SYN and get a name of their own.
pub(super) const TCP_FLAGS: [&str; 8] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];

/// Protocol names as ECS wants them (lower case), for the numbers that flow logs show in practice.
/// <https://www.iana.org/assignments/protocol-numbers/>
pub(super) const PROTOCOLS: &[(u8, &str)] = &[
    (6, "tcp"),
    (17, "udp"),
    (1, "icmp"),
    (58, "ipv6-icmp"),
    (0, "hopopt"),
    (2, "igmp"),
    (4, "ipv4"),
    (8, "egp"),
    (27, "rdp"),
    (33, "dccp"),
    (41, "ipv6"),
    (43, "ipv6-route"),
    (44, "ipv6-frag"),
    (46, "rsvp"),
    (47, "gre"),
    (50, "esp"),
    (51, "ah"),
    (59, "ipv6-nonxt"),
    (60, "ipv6-opts"),
    (88, "eigrp"),
    (89, "ospf"),
    (94, "ipip"),
    (97, "etherip"),
    (103, "pim"),
    (108, "ipcomp"),
    (112, "vrrp"),
    (115, "l2tp"),
    (132, "sctp"),
    (136, "udplite"),
];
