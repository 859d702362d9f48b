//! Logins to databases: RDS is asked where one stands, by the role of its account, and in doubt nothing is blocked.

use aws_config::SdkConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::SharedCredentialsProvider;
use aws_sdk_ec2::types::{Subnet, Vpc};
use portcullis::network_acl::ec2::Ec2;
use portcullis::network_acl::{Code, Database, Ec2Settings, NetworkAcls as _};
use portcullis::sigv4::Signer;
use portcullis_servers::front::Fault;
use serde_json::json;

use crate::account::{self, ACCOUNT, Account, NOW, REGION};

/// Another account, which only a role of its own reaches.
const OTHER: &str = "444455556666";
const ROLE: &str = "portcullis-respond";

/// An instance of RDS in a group of this one subnet.
async fn database(config: &SdkConfig, subnet: &str, name: &str, public: bool) {
    let subnets = Client::new(config).describe_subnets().subnet_ids(subnet).send().await;
    let subnets = subnets.expect("described");
    let zone = subnets.subnets()[0].availability_zone().expect("a zone").to_owned();
    let group = format!("group-of-{name}");
    let form = [
        ("DBSubnetGroupName", group.as_str()),
        ("DBSubnetGroupDescription", "d"),
        ("SubnetIds.SubnetIdentifier.1", subnet),
    ];
    rds(config, "CreateDBSubnetGroup", &form).await;
    let public = public.to_string();
    let form = [
        ("DBInstanceIdentifier", name),
        ("DBInstanceClass", "db.t3.small"),
        ("Engine", "postgres"),
        ("AllocatedStorage", "20"),
        ("MasterUsername", "root"),
        ("MasterUserPassword", "not-a-secret"),
        ("DBSubnetGroupName", &group),
        ("AvailabilityZone", &zone),
        ("PubliclyAccessible", &public),
    ];
    rds(config, "CreateDBInstance", &form).await;
}

/// A subnet in a VPC of its own.
async fn subnet(ec2: &Client) -> String {
    let vpc = ec2.create_vpc().cidr_block("10.1.0.0/24").send().await.expect("made");
    let vpc = vpc.vpc().and_then(Vpc::vpc_id).expect("a VPC");
    let subnet = ec2.create_subnet().vpc_id(vpc).cidr_block("10.1.0.0/24").send().await;
    let subnet = subnet.expect("made");
    subnet
        .subnet()
        .and_then(Subnet::subnet_id)
        .expect("a subnet")
        .to_owned()
}

async fn rds(config: &SdkConfig, action: &str, form: &[(&str, &str)]) {
    let body: String = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("Action", action), ("Version", "2014-10-31")])
        .extend_pairs(form)
        .finish();
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let request = client
        .post(config.endpoint_url().expect("an endpoint"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    let mut request = request.build().expect("a request");
    let credentials = config.credentials_provider().expect("credentials");
    let signed = Signer::new(credentials, REGION, "rds").sign(&mut request).await;
    signed.expect("signed");
    let answer = client.execute(request).await.expect("an answer");
    let (status, text) = (answer.status(), answer.text().await.expect("text"));
    assert!(status.is_success(), "{action}: {status}: {text}");
}

fn login(id: &str, database: &str, address: &str) -> Vec<u8> {
    let mut finding = account::finding("none", id, address);
    finding["type"] = json!("CredentialAccess:RDS/MaliciousIPCaller.FailedLogin");
    finding["severity"] = json!(5);
    finding["resource"] = json!({"resourceType": "RDSDBInstance", "rdsDbInstanceDetails": {"dbInstanceIdentifier": database,
        "engine": "Aurora PostgreSQL", "dbInstanceArn": format!("arn:aws:rds:{REGION}:{ACCOUNT}:db:{database}")}});
    finding["service"]["action"] = json!({"actionType": "RDS_LOGIN_ATTEMPT", "rdsLoginAttemptAction": {
        "remoteIpDetails": {"ipAddressV4": address}, "LoginAttributes": [{"user": "root", "failedLoginAttempts": 9}]}});
    finding.to_string().into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_closes_the_network_acl_of_the_databases_subnet_only_where_the_policy_says_so() {
    let apply = ["respond", "--apply", "--now", NOW, "--json"];
    let enforce = "mode = \"enforce\"\naccounts = [\"123456789012\"]";
    let account = Account::new(enforce).await;
    database(account.config(), &account.subnet, "orders-1", true).await;
    database(account.config(), &account.subnet, "private-1", false).await;
    drop(account.front.calls());
    let off = account.run(&apply, &login("f0", "orders-1", "185.220.101.4")).ended(0);
    assert_eq!(off.lines()[0]["reason"], "rds_login", "{}", off.out);
    assert!(!account.front.calls().contains(&"DescribeDBInstances".to_owned()));

    let path = account.dir().join("portcullis.toml");
    let text = std::fs::read_to_string(&path).expect("the configuration");
    std::fs::write(&path, text.replacen("[policy]\n", "[policy]\nrds_logins = true\n", 1)).expect("written");
    for (id, name, address, reason) in [
        ("f1", "orders-1", "10.0.0.9", "private"),
        ("f2", "private-1", "185.220.101.4", "database_not_public"),
        ("f3", "orders-2", "185.220.101.4", "database_unknown"),
        ("f4", "orders-1", "185.220.101.4", "matched"),
    ] {
        let run = account.run(&apply, &login(id, name, address)).ended(0);
        assert_eq!(run.lines()[0]["reason"], reason, "{name}: {}{}", run.out, run.err);
        let asked = account.front.calls().contains(&"DescribeDBInstances".to_owned());
        assert_eq!(asked, reason != "private", "{name}: only what would block is looked up");
    }
    assert_eq!(account.denies().await, ["71 185.220.101.4/32"]);

    account.front.fail("DescribeDBInstances", Fault::Unauthorized, 100);
    let run = account.run(&apply, &login("f5", "orders-1", "45.83.64.9")).ended(0);
    assert_eq!(run.lines()[0]["reason"], "database_unknown", "{}", run.out);
    for word in ["rds:DescribeDBInstances", "arn:aws:rds:eu-central-1:123456789012:db:*"] {
        assert!(run.err.contains(word), "{}", run.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_asked_for_once_by_the_role_of_its_account() {
    let account = Account::new("").await;
    let arn = format!("arn:aws:iam::{OTHER}:role/{ROLE}");
    let role = AssumeRoleProvider::builder(arn)
        .session_name("test")
        .configure(account.config());
    let role = SharedCredentialsProvider::new(role.build().await);
    let there = account.config().to_builder().credentials_provider(role).build();
    let subnet = subnet(&Client::new(&there)).await;
    database(&there, &subnet, "orders-1", true).await;

    let settings = Ec2Settings {
        accounts: vec![ACCOUNT.to_owned(), OTHER.to_owned()],
        regions: vec![REGION.to_owned()],
        role: Some(ROLE.to_owned()),
        ..Ec2Settings::default()
    };
    let ec2 = Ec2::new(account.config(), settings).expect("usable settings");
    drop(account.front.calls());
    let found = Database::In(vec![subnet]);
    account.front.fail("DescribeDBInstances", Fault::Throttled, 1);
    for _ in 0..3 {
        assert_eq!(ec2.database(OTHER, REGION, "orders-1").await, Ok(found.clone()));
    }
    assert_eq!(
        account.front.calls(),
        ["DescribeDBInstances"; 2],
        "refused, then asked, then remembered"
    );
    assert_eq!(
        ec2.database(ACCOUNT, REGION, "orders-1").await,
        Ok(Database::Unknown),
        "it is the other's"
    );
    let elsewhere = ec2.database("999988887777", REGION, "orders-1").await;
    assert_eq!(elsewhere, Ok(Database::Unknown), "that account is not reached");
    for odd in ["orders-1&Action=DeleteDBInstance", "", "a b"] {
        drop(account.front.calls());
        assert_eq!(ec2.database(OTHER, REGION, odd).await, Ok(Database::Unknown));
        assert!(account.front.calls().is_empty(), "{odd}");
    }
    account.front.fail("DescribeDBInstances", Fault::Unauthorized, 1);
    let refused = ec2.database(OTHER, REGION, "orders-2").await.expect_err("refused");
    assert_eq!(refused.code, Code::Unauthorized);
    let words = refused.to_string();
    let allow = "allow arn:aws:iam::444455556666:role/portcullis-respond rds:DescribeDBInstances on arn:aws:rds:eu-central-1:444455556666:db:*";
    assert!(words.contains(allow), "{words}");
    account.front.fail("DescribeDBInstances", Fault::Failed, 100);
    let failed = ec2.database(OTHER, REGION, "orders-3").await.expect_err("it fails");
    assert!(failed.code.is_transient(), "{failed}");
}
