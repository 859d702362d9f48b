//! An AWS account in moto: reached as the program reaches it, by a role in the account, through the front that EC2's manners are in.

use std::sync::Arc;

use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{Filter, NetworkAcl};
use ipnet::IpNet;
use portcullis::network_acl::ec2::Ec2;
use portcullis::network_acl::{Acl, AclKey, Direction, Ec2Settings, Entry, Error, Inventory, NetworkAcls, Place};
use portcullis_harness::findings::{ACCOUNT, REGION};
use portcullis_servers::Server;
use portcullis_servers::front::Front;

/// The role that the program assumes.
pub(crate) const ROLE: &str = "portcullis-respond";

/// One account with its emulator.
pub(crate) struct Cloud {
    _server: Server,
    pub(crate) front: Front,
    config: SdkConfig,
    pub(crate) client: Client,
}

/// What a VPC consists of here.
pub(crate) struct Made {
    pub(crate) vpc: String,
    pub(crate) acl: AclKey,
    pub(crate) subnet: String,
}

impl Cloud {
    pub(crate) async fn start() -> Self {
        let server = portcullis_servers::moto();
        let front = Front::of(&server.url()).await;
        let keys = Credentials::new("test", "test", None, None, "test");
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(keys)
            .endpoint_url(front.url())
            .load()
            .await;
        let role = AssumeRoleProvider::builder(format!("arn:aws:iam::{ACCOUNT}:role/{ROLE}"));
        let role = role.session_name("test").configure(&config).build().await;
        let own = config
            .to_builder()
            .credentials_provider(SharedCredentialsProvider::new(role))
            .build();
        Self {
            _server: server,
            front,
            config,
            client: Client::new(&own),
        }
    }

    pub(crate) fn settings() -> Ec2Settings {
        Ec2Settings {
            accounts: vec![ACCOUNT.to_owned()],
            regions: vec![REGION.to_owned()],
            role: Some(ROLE.to_owned()),
            ..Ec2Settings::default()
        }
    }

    pub(crate) fn ec2(&self) -> Ec2 {
        self.ec2_with(Self::settings())
    }

    pub(crate) fn ec2_with(&self, settings: Ec2Settings) -> Ec2 {
        Ec2::new(&self.config, settings).expect("usable settings")
    }

    /// A VPC with a subnet, which a network ACL of no entries guards.
    pub(crate) async fn vpc(&self, cidr: &str) -> Made {
        let vpc = self.client.create_vpc().cidr_block(cidr).send().await.expect("a VPC");
        let vpc = vpc.vpc().and_then(|vpc| vpc.vpc_id()).expect("its id").to_owned();
        let subnet = self.client.create_subnet().vpc_id(&vpc).cidr_block(cidr).send().await;
        let subnet = subnet.expect("a subnet");
        let subnet = subnet
            .subnet()
            .and_then(|subnet| subnet.subnet_id())
            .expect("its id")
            .to_owned();
        let acl = self.acl(&vpc).await;
        self.associate(&subnet, &acl.acl).await;
        Made { vpc, acl, subnet }
    }

    /// One more network ACL of no entries.
    pub(crate) async fn acl(&self, vpc: &str) -> AclKey {
        let acl = self
            .client
            .create_network_acl()
            .vpc_id(vpc)
            .send()
            .await
            .expect("a network ACL");
        let acl = acl.network_acl().and_then(|acl| acl.network_acl_id()).expect("its id");
        AclKey {
            account: ACCOUNT.to_owned(),
            region: REGION.to_owned(),
            acl: acl.to_owned(),
        }
    }

    /// Lets a network ACL guard a subnet.
    pub(crate) async fn associate(&self, subnet: &str, acl: &str) {
        let filter = Filter::builder().name("association.subnet-id").values(subnet).build();
        let found = self
            .client
            .describe_network_acls()
            .filters(filter)
            .send()
            .await
            .expect("described");
        let mut associations = found.network_acls().iter().flat_map(NetworkAcl::associations);
        let now = associations.find(|association| association.subnet_id() == Some(subnet));
        let now = now
            .and_then(|now| now.network_acl_association_id())
            .expect("an association");
        let moved = self
            .client
            .replace_network_acl_association()
            .association_id(now)
            .network_acl_id(acl);
        moved.send().await.expect("moved");
    }

    /// Gives a subnet's VPC an internet gateway and a route to it.
    pub(crate) async fn internet(&self, made: &Made) {
        let gateway = self.client.create_internet_gateway().send().await.expect("a gateway");
        let gateway = gateway
            .internet_gateway()
            .and_then(|gateway| gateway.internet_gateway_id());
        let gateway = gateway.expect("its id").to_owned();
        let attached = self
            .client
            .attach_internet_gateway()
            .internet_gateway_id(&gateway)
            .vpc_id(&made.vpc);
        attached.send().await.expect("attached");
        let tables = self.client.describe_route_tables();
        let tables = tables.filters(Filter::builder().name("vpc-id").values(&made.vpc).build());
        let tables = tables.send().await.expect("described");
        let table = tables
            .route_tables()
            .first()
            .and_then(|table| table.route_table_id())
            .expect("a table");
        let route = self.client.create_route().route_table_id(table).gateway_id(&gateway);
        route.destination_cidr_block("0.0.0.0/0").send().await.expect("a route");
    }

    /// An interface with an elastic address.
    pub(crate) async fn public_address(&self, made: &Made) -> IpNet {
        let interface = self
            .client
            .create_network_interface()
            .subnet_id(&made.subnet)
            .send()
            .await;
        let interface = interface.expect("an interface");
        let interface = interface
            .network_interface()
            .and_then(|interface| interface.network_interface_id());
        let elastic = self.client.allocate_address().send().await.expect("an address");
        let call = self
            .client
            .associate_address()
            .set_network_interface_id(interface.map(str::to_owned));
        call.set_allocation_id(elastic.allocation_id().map(str::to_owned))
            .send()
            .await
            .expect("associated");
        let address: std::net::IpAddr = elastic.public_ip().expect("an address").parse().expect("an address");
        address.into()
    }

    /// Where a finding says that a subnet is.
    pub(crate) fn place(subnet: &str) -> Place<'_> {
        Place {
            account: ACCOUNT,
            region: REGION,
            vpc: None,
            subnet,
        }
    }
}

/// EC2 under the names that the contract uses: `acl-1` for one network ACL, any other for none.
pub(crate) struct Named {
    pub(crate) ec2: Arc<Ec2>,
    pub(crate) one: AclKey,
}

impl Named {
    fn key(&self, key: &AclKey) -> AclKey {
        if key.acl == "acl-1" {
            return self.one.clone();
        }
        AclKey {
            acl: "acl-00000000000000000".to_owned(),
            ..key.clone()
        }
    }
}

impl NetworkAcls for Named {
    async fn list(&self) -> Result<Vec<AclKey>, Error> {
        self.ec2.list().await
    }

    async fn describe(&self, key: &AclKey) -> Result<Acl, Error> {
        self.ec2.describe(&self.key(key)).await
    }

    async fn acl_of(&self, place: &Place<'_>) -> Result<Option<AclKey>, Error> {
        self.ec2.acl_of(place).await
    }

    async fn inventory(&self) -> Result<Inventory, Error> {
        self.ec2.inventory().await
    }

    async fn create(&self, key: &AclKey, entry: &Entry) -> Result<(), Error> {
        self.ec2.create(&self.key(key), entry).await
    }

    async fn replace(&self, key: &AclKey, entry: &Entry) -> Result<(), Error> {
        self.ec2.replace(&self.key(key), entry).await
    }

    async fn delete(&self, key: &AclKey, direction: Direction, rule: u16) -> Result<(), Error> {
        self.ec2.delete(&self.key(key), direction, rule).await
    }
}
