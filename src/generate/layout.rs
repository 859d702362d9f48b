//! The lay-out of the fictional organisation, the same for every seed. Data only.

use std::net::Ipv4Addr;

/// One row per network. Subnets are named by their network ACL (index) and whether they are public.
pub(crate) struct VpcRow {
    pub(crate) name: &'static str,
    pub(crate) account: usize,
    pub(crate) region: &'static str,
    pub(crate) octet: u8,
    pub(crate) acls: &'static [(&'static str, bool)],
    pub(crate) subnets: &'static [(usize, bool)],
    pub(crate) host: &'static str,
    pub(crate) application: &'static str,
    /// EC2's own range in the region.
    pub(crate) elastic: (Ipv4Addr, u8),
}

/// Names of the accounts.
pub(crate) const ACCOUNTS: &[&str] = &["production", "staging"];

/// The networks. The first network ACL of the first one meets the most attackers.
pub(crate) const VPCS: &[VpcRow] = &[
    VpcRow {
        name: "production-eu",
        account: 0,
        region: "eu-west-1",
        octet: 20,
        acls: &[("production-eu-public", false), ("production-eu-private", false)],
        subnets: &[(0, true), (0, true), (0, true), (1, false), (1, false), (1, false)],
        host: "shop.meridian-outfitters.com",
        application: "shop",
        elastic: (Ipv4Addr::new(52, 16, 0, 0), 15),
    },
    VpcRow {
        name: "production-us",
        account: 0,
        region: "us-east-1",
        octet: 40,
        acls: &[("production-us-public", false), ("production-us-private", false)],
        subnets: &[(0, true), (0, true), (1, false), (1, false)],
        host: "api.meridian-outfitters.com",
        application: "api",
        elastic: (Ipv4Addr::new(34, 192, 0, 0), 12),
    },
    VpcRow {
        name: "staging-eu",
        account: 1,
        region: "eu-west-1",
        octet: 60,
        acls: &[("staging-public", false), ("staging-default", true)],
        subnets: &[(0, true), (0, true), (1, true)],
        host: "staging.meridian-outfitters.com",
        application: "staging",
        elastic: (Ipv4Addr::new(54, 72, 0, 0), 15),
    },
];

/// Network (index), subnet (index), name, type, ports. Machines of a public subnet have an elastic address.
pub(crate) type InstanceRow = (usize, usize, &'static str, &'static str, &'static [u16]);

/// The machines.
pub(crate) const INSTANCES: &[InstanceRow] = &[
    (0, 0, "bastion", "t3.small", &[22]),
    (0, 0, "web-a", "m6i.large", &[443, 22]),
    (0, 1, "web-b", "m6i.large", &[443, 22]),
    (0, 1, "files", "t3.large", &[22, 21]),
    (0, 2, "desktop", "m6i.xlarge", &[3389]),
    (0, 2, "runner", "c6i.2xlarge", &[22]),
    (0, 3, "app-a", "m6i.xlarge", &[8080]),
    (0, 4, "app-b", "m6i.xlarge", &[8080]),
    (0, 5, "orders-db", "r6i.large", &[5432]),
    (1, 0, "bastion-us", "t3.small", &[22]),
    (1, 0, "web-us-a", "m6i.large", &[443, 22]),
    (1, 1, "web-us-b", "m6i.large", &[443, 22]),
    (1, 2, "app-us", "m6i.xlarge", &[8080]),
    (1, 3, "batch-us", "c6i.4xlarge", &[9092]),
    (2, 0, "staging-web", "t3.medium", &[443, 22]),
    (2, 1, "staging-jump", "t3.micro", &[22, 3389]),
    (2, 2, "lab", "t3.micro", &[22]),
];

/// The company that scans the organisation because it is paid to.
pub(crate) const PARTNER: &str = "Ravelin Assurance (external scanner)";

/// Ranges of AWS services, as published.
pub(crate) const SERVICE_PREFIXES: &[(Ipv4Addr, u8, &str)] = &[
    (Ipv4Addr::new(13, 224, 0, 0), 14, "CLOUDFRONT"),
    (Ipv4Addr::new(54, 228, 16, 0), 26, "ROUTE53_HEALTHCHECKS"),
    (Ipv4Addr::new(15, 177, 0, 0), 18, "ROUTE53_HEALTHCHECKS"),
    (Ipv4Addr::new(52, 218, 0, 0), 17, "S3"),
];
