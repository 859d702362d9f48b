//! The table: what an `ecs` document of a DNS query log may carry.
//!
//! Where a path has two spellings, the second is that of the events that DNS Firewall sends to `EventBridge`; names that
//! only the text form has are those that [`super`] gives to its columns.

use crate::schema::{
    Field,
    Type::{Boolean, Date, FlatObject, Ip, Keyword, Long},
    field,
};

/// The rows of DNS query logs.
#[rustfmt::skip]
pub const FIELDS: &[Field] = &[
    field("@timestamp", Date, "query_timestamp | last-observed-at", "when the query was sent"),
    field("event.action", Keyword, "", "query; alert or block when DNS Firewall acted"),
    field("event.outcome", Keyword, "", "success when the answer is NOERROR and was let through, otherwise failure"),
    field("event.type", Keyword, "", "protocol; with it denied or allowed when DNS Firewall acted"),
    field("cloud.account.id", Keyword, "account_id | account-id", "account of the VPC"),
    field("cloud.region", Keyword, "region | ^region", "Region of the VPC"),
    field("cloud.instance.id", Keyword, "srcids.instance | resources[].instance-details.id", "EC2 instance that asked"),
    field("dns.type", Keyword, "", "answer when the response is known, otherwise query"),
    field("dns.question.name", Keyword, "query_name | query-name", "name that was asked for, in lower case and without the last dot"),
    field("dns.question.type", Keyword, "query_type | query-type", "record type that was asked for, such as A"),
    field("dns.question.class", Keyword, "query_class | query-class", "class, nearly always IN"),
    field("dns.question.registered_domain", Keyword, "", "the part of the name that somebody registered, by the public suffix list"),
    field("dns.question.subdomain", Keyword, "", "what stands before the registered domain"),
    field("dns.question.top_level_domain", Keyword, "", "public suffix, such as com or co.uk"),
    field("dns.answers.data", Keyword, "{answers[].Rdata,answers[].rdata,answers[]}", "data of each answer, in order; names as in dns.question.name"),
    field("dns.answers.type", Keyword, "answers[].{Type,type}", "type of each answer, in order"),
    field("dns.answers.class", Keyword, "answers[].{Class,class}", "class of each answer, in order"),
    field("dns.resolved_ip", Ip, "{answers[].Rdata,answers[].rdata,answers[]}", "every address among the answers"),
    field("dns.response_code", Keyword, "rcode", "NOERROR, NXDOMAIN, SERVFAIL and so on"),
    field("network.transport", Keyword, "transport", "udp or tcp"),
    field("network.type", Keyword, "", "ipv4 or ipv6, by the address of the client"),
    field("source.address", Keyword, "srcaddr | src-addr | resolver_ip", "client, when it is no address"),
    field("source.ip", Ip, "srcaddr | src-addr | resolver_ip", "client; for a public hosted zone, the resolver that asked Route 53"),
    field("source.port", Long, "srcport | src-port", "port of the client"),
    field("related.ip", Ip, "", "every address in the record"),
    field("related.hosts", Keyword, "", "every name in question and answers"),
    field("rule.id", Keyword, "firewall_domain_list_id | firewall-domain-list-id | firewall_threat_protection_id | firewall-threat-protection-id", "domain list or DNS Firewall Advanced rule that matched"),
    field("rule.ruleset", Keyword, "firewall_rule_group_id | firewall-rule-group-id", "DNS Firewall rule group that matched"),
    field("aws.dns.version", Keyword, "version", "version of the log format"),
    field("aws.dns.vpc_id", Keyword, "vpc_id | vpc-id", "VPC that the query came from"),
    field("aws.dns.query_name", Keyword, "", "the name as it was spelled, when it had capitals"),
    field("aws.dns.question_ip", Ip, "", "address that a reverse look-up is about"),
    field("aws.dns.firewall_rule_action", Keyword, "firewall_rule_action | firewall-rule-action", "ALERT or BLOCK"),
    field("aws.dns.firewall_rule_group_id", Keyword, "firewall_rule_group_id | firewall-rule-group-id", "rule group that matched"),
    field("aws.dns.firewall_domain_list_id", Keyword, "firewall_domain_list_id | firewall-domain-list-id", "domain list that matched"),
    field("aws.dns.firewall_threat_protection_id", Keyword, "firewall_threat_protection_id | firewall-threat-protection-id", "DNS Firewall Advanced rule that matched"),
    field("aws.dns.firewall_protection", Keyword, "firewall_protection | firewall-protection | dns_threat_protection | dns-threat-protection", "threat that DNS Firewall Advanced saw: DGA, DICTIONARY_DGA or DNS_TUNNELING"),
    field("aws.dns.firewall_confidence", Keyword, "confidence_threshold | confidence-threshold | firewall_confidence_threshold | firewall-confidence-threshold", "its confidence: LOW, MEDIUM or HIGH"),
    field("aws.dns.resolver_endpoint", Keyword, "srcids.resolver_endpoint | srcids.resolver-endpoint | resources[].resolver-endpoint-details.id", "Resolver endpoint that the query passed"),
    field("aws.dns.resolver_network_interface", Keyword, "srcids.resolver_network_interface | srcids.resolver-network-interface | resources[].resolver-network-interface-details.id", "network interface of that endpoint"),
    field("aws.dns.resource_type", Keyword, "resources[].resource-type", "kinds of the sources named in an EventBridge event"),
    field("aws.dns.delayed", Boolean, "additional_properties.is_delayed", "whether AWS delivered the record late"),
    field("aws.dns.hosted_zone_id", Keyword, "hosted_zone_id", "public hosted zone that was asked"),
    field("aws.dns.edge_location", Keyword, "edge_location", "Route 53 edge location that answered, such as FRA6"),
    field("aws.dns.edns_client_subnet", Keyword, "edns_client_subnet", "network of the client, when the resolver told it"),
    field("aws.dns.rest", FlatObject, "", "what no field took"),
];
