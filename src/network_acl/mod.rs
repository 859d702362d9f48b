//! Network ACL entries: the trait that the responder acts through, and what stands behind it.

#[cfg(any(feature = "embedded", feature = "aws"))]
mod any;
#[cfg(feature = "aws")]
pub mod ec2;
pub mod error;
#[cfg(feature = "embedded")]
pub mod model;
pub mod settings;

use std::fmt;

use chrono::TimeDelta;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

#[cfg(any(feature = "embedded", feature = "aws"))]
pub use any::AnyNetworkAcls;
pub use error::{Code, Error};
pub use settings::{Ec2Settings, Settings, Store};

/// The longest that one call may take, from its start to its answer or to giving up.
pub const CALL: TimeDelta = TimeDelta::seconds(10);

/// Which way the traffic goes that an entry judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Traffic into the subnet.
    Ingress,
    /// Traffic out of the subnet.
    Egress,
}

impl Direction {
    /// `ingress` or `egress`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Direction::Ingress => "ingress",
            Direction::Egress => "egress",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Names one network ACL: everything the responder does, it does within one of these.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AclKey {
    /// Twelve-digit account id.
    pub account: String,
    /// Region, such as `eu-west-1`.
    pub region: String,
    /// `acl-...`
    pub acl: String,
}

/// One entry of a network ACL, as EC2 describes it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Entry {
    /// 1 to 32766; the lowest matching number wins.
    pub rule: u16,
    /// Which way.
    pub direction: Direction,
    /// Canonical CIDR (host bits are zero).
    pub cidr: IpNet,
    /// Protocol number as text; `-1` is every protocol.
    pub protocol: String,
    /// Whether the entry allows; the responder only ever writes denies.
    pub allow: bool,
}

impl Entry {
    /// The only kind of entry that the responder writes: deny everything to or from `cidr`.
    #[must_use]
    pub fn deny(rule: u16, direction: Direction, cidr: IpNet) -> Self {
        Self {
            rule,
            direction,
            cidr: cidr.trunc(),
            protocol: "-1".to_owned(),
            allow: false,
        }
    }
}

/// A network ACL as EC2 describes it, with what the responder must know before it writes to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acl {
    /// VPC it belongs to.
    pub vpc: Option<String>,
    /// Whether it is its VPC's default network ACL.
    pub is_default: bool,
    /// Subnets associated with it, sorted.
    pub subnets: Vec<String>,
    /// Entries allowed per direction.
    pub quota: usize,
    /// Who else manages it, by its tags (AWS Firewall Manager): nothing is written to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<String>,
    /// All entries but the default deny 32767, by direction and then rule number.
    pub entries: Vec<Entry>,
}

/// What the guards must know of the accounts: never blocked, whatever a finding says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// Public addresses of our own interfaces: elastic, NAT, load balancer, auto-assigned.
    pub own_addresses: Vec<IpNet>,
    /// Our own and peered networks.
    pub own_networks: Vec<IpNet>,
    /// Prefixes of AWS services other than EC2.
    pub aws_services: Vec<IpNet>,
}

/// Where a finding says that the attacked resource is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// Twelve-digit account id.
    pub account: &'a str,
    /// Region.
    pub region: &'a str,
    /// VPC, when the finding names it.
    pub vpc: Option<&'a str>,
    /// `subnet-...`
    pub subnet: &'a str,
}

/// Where a database stands, as far as a network ACL could guard it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Database {
    /// In this subnet, or in these: where it runs, and where its standby waits.
    In(Vec<String>),
    /// Nobody reaches it from the internet through its subnet.
    NotPublic,
    /// There is no such database, or which of several subnets it is in cannot be told.
    #[default]
    Unknown,
}

/// Reads and writes network ACL entries with the meaning, the errors and the lack of a compare-and-swap that EC2 has.
///
/// Create is create-if-absent, replace swaps the content of a rule number in one call, delete of a missing entry is an
/// error. See [CreateNetworkAclEntry](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkAclEntry.html).
///
/// A call about one network ACL or subnet ends within [`CALL`]: whoever implements this gives up by then, with [`Code::Unavailable`] when it is not known what
/// the call did.
pub trait NetworkAcls: Send + Sync {
    /// A description that was asked for this long after a call shows what the call did. EC2's are eventually consistent.
    fn lag(&self) -> TimeDelta {
        TimeDelta::seconds(60)
    }

    /// Every network ACL that can be seen.
    ///
    /// # Errors
    /// [`Error`] with EC2's code, as for every call here.
    fn list(&self) -> impl Future<Output = Result<Vec<AclKey>, Error>> + Send;

    /// Every network ACL that can be seen and read, with its entries.
    fn describe_all(&self) -> impl Future<Output = Result<Vec<(AclKey, Acl)>, Error>> + Send {
        async {
            let mut all = Vec::new();
            for key in self.list().await? {
                if let Ok(acl) = self.describe(&key).await {
                    all.push((key, acl));
                }
            }
            Ok(all)
        }
    }

    /// One network ACL with its entries.
    fn describe(&self, key: &AclKey) -> impl Future<Output = Result<Acl, Error>> + Send;

    /// The network ACL that guards a subnet, `None` when the subnet is not known. Changes nothing.
    fn acl_of(&self, place: &Place<'_>) -> impl Future<Output = Result<Option<AclKey>, Error>> + Send;

    /// Brings about what [`NetworkAcls::acl_of`] promised, where a store makes network ACLs on first sight.
    fn ensure(&self, _place: &Place<'_>) -> impl Future<Output = Result<(), Error>> + Send {
        async { Ok(()) }
    }

    /// Whether the subnet's longest-prefix route for an address leads to an internet, egress-only or NAT gateway; a deny
    /// anywhere else would only hurt ourselves. Stores that know no routes say yes.
    fn reaches_internet(
        &self,
        _place: &Place<'_>,
        _address: std::net::IpAddr,
    ) -> impl Future<Output = Result<bool, Error>> + Send {
        async { Ok(true) }
    }

    /// Where an instance of RDS stands, by the identifier that a finding of this account and region gives it. Stores that know no databases say so.
    fn database(
        &self,
        _account: &str,
        _region: &str,
        _identifier: &str,
    ) -> impl Future<Output = Result<Database, Error>> + Send {
        async { Ok(Database::Unknown) }
    }

    /// What the guards must know of the accounts.
    fn inventory(&self) -> impl Future<Output = Result<Inventory, Error>> + Send;

    /// Adds an entry; [`Code::EntryAlreadyExists`] when the rule number is taken in that direction.
    fn create(&self, key: &AclKey, entry: &Entry) -> impl Future<Output = Result<(), Error>> + Send;

    /// Swaps the content of a rule number in one call; [`Code::EntryNotFound`] when there is none.
    fn replace(&self, key: &AclKey, entry: &Entry) -> impl Future<Output = Result<(), Error>> + Send;

    /// Removes an entry; [`Code::EntryNotFound`] when there is none.
    fn delete(&self, key: &AclKey, direction: Direction, rule: u16) -> impl Future<Output = Result<(), Error>> + Send;
}
