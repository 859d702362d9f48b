//! An account with a VPC that the internet reaches, a ledger, and the program that is configured for them.

use std::path::Path;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::Credentials;
use aws_sdk_ec2::types::NetworkAcl;
use serde_json::{Value, json};

use crate::program::{Run, portcullis_with};
use portcullis_servers::Server;
use portcullis_servers::front::Front;
use portcullis_servers::network::guarded_subnet;

/// The emulator's own account.
pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const REGION: &str = "eu-central-1";

/// When findings arrive.
pub(crate) const NOW: &str = "2026-11-20T12:00:00Z";

/// The account.
pub(crate) struct Account {
    _servers: [Server; 2],
    pub(crate) front: Front,
    config: SdkConfig,
    tables: String,
    pub(crate) ec2: Client,
    pub(crate) acl: String,
    pub(crate) subnet: String,
    dir: tempfile::TempDir,
}

impl Account {
    /// With a ledger that `setup ledger` made, and a configuration with `policy` as its `[policy]`.
    pub(crate) async fn new(policy: &str) -> Self {
        let (moto, dynamodb) = (portcullis_servers::moto(), portcullis_servers::dynamodb_local());
        let front = Front::of(&moto.url()).await;
        let tables = dynamodb.url();
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .endpoint_url(front.url())
            .load()
            .await;
        let ec2 = Client::new(&config);
        let (acl, subnet) = guarded_subnet(front.url()).await;
        let dir = tempfile::tempdir().expect("a directory");
        let text = format!(
            "[policy]\n{policy}\n[ledger]\nstore = \"dynamodb\"\n[network_acls]\nstore = \"ec2\"\n[network_acls.ec2]\n\
             accounts = [\"{ACCOUNT}\"]\nregions = [\"{REGION}\"]\n"
        );
        std::fs::write(dir.path().join("portcullis.toml"), text).expect("written");
        let account = Self {
            _servers: [moto, dynamodb],
            tables,
            front,
            config,
            ec2,
            acl,
            subnet,
            dir,
        };
        account.run(&["setup", "ledger"], b"").ended(0);
        account
    }

    /// Runs the program in this account.
    pub(crate) fn run(&self, arguments: &[&str], input: &[u8]) -> Run {
        let environment = [
            ("AWS_ENDPOINT_URL_EC2", self.front.url()),
            ("AWS_ENDPOINT_URL_RDS", self.front.url()),
            ("AWS_ENDPOINT_URL_DYNAMODB", &self.tables),
            ("AWS_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ];
        portcullis_with(self.dir(), arguments, input, &environment)
    }

    /// Where tables are.
    pub(crate) fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let config = self.config.to_builder().endpoint_url(&self.tables).build();
        aws_sdk_dynamodb::Client::new(&config)
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Ingress denies as EC2 has them, as `rule address`.
    pub(crate) async fn denies(&self) -> Vec<String> {
        let acls = self.ec2.describe_network_acls().network_acl_ids(&self.acl).send().await;
        let acls = acls.expect("described");
        let mut denies: Vec<(i32, String)> = acls
            .network_acls()
            .iter()
            .flat_map(NetworkAcl::entries)
            .filter(|entry| entry.egress() == Some(false))
            .filter_map(|entry| Some((entry.rule_number()?, entry.cidr_block()?.to_owned())))
            .filter(|(rule, _)| (1..32_767).contains(rule))
            .collect();
        denies.sort();
        denies
            .into_iter()
            .map(|(rule, cidr)| format!("{rule} {cidr}"))
            .collect()
    }

    /// Credentials and endpoint.
    pub(crate) fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// An SSH brute force on an instance in the subnet.
    pub(crate) fn finding(&self, id: &str, address: &str) -> Vec<u8> {
        finding(&self.subnet, id, address).to_string().into_bytes()
    }
}

pub(crate) fn finding(subnet: &str, id: &str, address: &str) -> Value {
    json!({"schemaVersion": "2.0", "accountId": ACCOUNT, "region": REGION, "partition": "aws", "id": id,
        "arn": format!("arn:aws:guardduty:{REGION}:{ACCOUNT}:detector/d/finding/{id}"),
        "type": "UnauthorizedAccess:EC2/SSHBruteForce", "severity": 2, "title": "Brute force", "description": "Someone tries.",
        "createdAt": "2026-11-20T11:00:00Z", "updatedAt": "2026-11-20T11:55:00Z",
        "resource": {"resourceType": "Instance", "instanceDetails": {"instanceId": "i-1",
            "networkInterfaces": [{"subnetId": subnet, "vpcId": "vpc-1"}]}},
        "service": {"resourceRole": "TARGET", "archived": false, "count": 3, "eventLastSeen": "2026-11-20T11:50:00Z",
            "action": {"actionType": "NETWORK_CONNECTION", "networkConnectionAction": {"connectionDirection": "INBOUND",
                "protocol": "TCP", "blocked": false, "remoteIpDetails": {"ipAddressV4": address,
                "organization": {"asn": "64500", "asnOrg": "Example"}, "country": {"countryName": "Netherlands"}}}}}})
}
