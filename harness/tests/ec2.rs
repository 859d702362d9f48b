//! Network ACLs on EC2 keep the contract; beyond it, subnets, routes, the inventory, and what is said when a call fails.
#![cfg(feature = "aws")]

mod cloud;
#[allow(dead_code)]
mod dynamodb_local;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use portcullis::network_acl::{AclKey, Code, Direction, Ec2Settings, Entry, NetworkAcls};
use portcullis_harness::contract;
use portcullis_harness::findings::{ACCOUNT, REGION};
use portcullis_servers::front::Fault;

use chrono::{TimeDelta, Utc};
use portcullis::ledger::dynamodb::DynamoDbLedger;
use portcullis::ledger::{Ask, Ledger as _, Remembered};
use portcullis::respond::notify::{Sender, slack::Sending};
use portcullis::respond::policy::Policy;
use portcullis::respond::report::Mode;
use portcullis::respond::{Reason, Responder, verify};
use portcullis_harness::findings::{self, Kind};

use cloud::{Cloud, Named};
use dynamodb_local::DynamoDbLocal;

fn deny(rule: u16) -> Entry {
    Entry::deny(rule, Direction::Ingress, "185.220.101.4/32".parse().expect("a network"))
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

#[tokio::test(flavor = "multi_thread")]
async fn network_acls_on_ec2_keep_the_contract() {
    let cloud = Cloud::start().await;
    cloud.front.set_quota(3);
    let vpc = cloud.vpc("10.0.0.0/24").await.vpc;
    let settings = Ec2Settings {
        quota: 3,
        ..Cloud::settings()
    };
    let ec2 = Arc::new(cloud.ec2_with(settings));
    let make = || {
        let acl = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(cloud.acl(&vpc)));
        Named {
            ec2: Arc::clone(&ec2),
            one: acl,
        }
    };
    assert_eq!(contract::network_acls::hold(make).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_network_acls_are_described_with_one_call_and_as_each_is_alone() {
    let cloud = Cloud::start().await;
    let made = cloud.vpc("10.0.0.0/24").await;
    let ec2 = cloud.ec2();
    ec2.create(&made.acl, &deny(71)).await.expect("created");
    drop(cloud.front.calls());
    let all = ec2.describe_all().await.expect("described");
    assert_eq!(cloud.front.calls(), ["DescribeNetworkAcls"]);
    let keys: BTreeSet<AclKey> = all.iter().map(|(key, _)| key.clone()).collect();
    assert_eq!(keys, ec2.list().await.expect("listed").into_iter().collect());
    for (key, acl) in all {
        assert_eq!(ec2.describe(&key).await, Ok(acl), "{key:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_network_acl_of_a_subnet_is_remembered_until_it_moves() {
    let cloud = Cloud::start().await;
    let made = cloud.vpc("10.0.0.0/24").await;
    let ec2 = cloud.ec2();
    let place = Cloud::place(&made.subnet);
    assert_eq!(ec2.acl_of(&place).await, Ok(Some(made.acl.clone())));
    drop(cloud.front.calls());
    assert_eq!(ec2.acl_of(&place).await, Ok(Some(made.acl.clone())));
    assert!(cloud.front.calls().is_empty(), "it is remembered");

    let other = cloud.acl(&made.vpc).await;
    cloud.associate(&made.subnet, &other.acl).await;
    assert!(ec2.describe(&made.acl).await.expect("described").subnets.is_empty());
    assert_eq!(
        ec2.acl_of(&place).await,
        Ok(Some(other)),
        "the description says that it moved"
    );

    assert_eq!(ec2.acl_of(&Cloud::place("subnet-00000000")).await, Ok(None));
    let elsewhere = portcullis::network_acl::Place {
        account: "999900001111",
        ..place
    };
    drop(cloud.front.calls());
    let fresh = cloud.ec2();
    assert_eq!(fresh.acl_of(&elsewhere).await, Ok(None), "an account that nobody named");
    assert!(cloud.front.calls().is_empty(), "is not even asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_route_to_a_gateway_of_the_internet_reaches_it() {
    let cloud = Cloud::start().await;
    let (open, closed) = (cloud.vpc("10.0.0.0/24").await, cloud.vpc("10.1.0.0/24").await);
    cloud.internet(&open).await;
    let ec2 = cloud.ec2();
    for (subnet, to, expected) in [
        (&open.subnet, "185.220.101.4", true),
        (&open.subnet, "10.0.0.7", false),
        (&open.subnet, "2a00::1", false),
        (&closed.subnet, "185.220.101.4", false),
    ] {
        let reaches = ec2.reaches_internet(&Cloud::place(subnet), address(to)).await;
        assert_eq!(reaches, Ok(expected), "{to}");
    }
    drop(cloud.front.calls());
    assert_eq!(
        ec2.reaches_internet(&Cloud::place(&open.subnet), address("8.8.8.8"))
            .await,
        Ok(true)
    );
    assert!(cloud.front.calls().is_empty(), "routes are remembered");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_inventory_has_our_public_addresses_and_networks_or_there_is_none() {
    let cloud = Cloud::start().await;
    let made = cloud.vpc("10.0.0.0/24").await;
    let ours = cloud.public_address(&made).await;
    let inventory = cloud.ec2().inventory().await.expect("an inventory");
    assert!(
        inventory.own_addresses.contains(&ours),
        "{ours} in {:?}",
        inventory.own_addresses
    );
    let network = "10.0.0.0/24".parse().expect("a network");
    assert!(
        inventory.own_networks.contains(&network),
        "{:?}",
        inventory.own_networks
    );

    cloud.front.fail("DescribeVpcs", Fault::Unauthorized, 1);
    let none = cloud.ec2().inventory().await.expect_err("half an inventory is none");
    assert_eq!(none.code, Code::Unauthorized);
    for word in ["ec2:DescribeVpcs", ACCOUNT, REGION, "role/portcullis-respond", "on *"] {
        assert!(none.message.contains(word), "{word}: {none}");
    }

    let settings = Ec2Settings {
        ip_ranges: Some("nowhere/ip-ranges.json".into()),
        ..Cloud::settings()
    };
    let none = cloud
        .ec2_with(settings)
        .inventory()
        .await
        .expect_err("no file, no inventory");
    assert!(none.message.contains("nowhere/ip-ranges.json"), "{none}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_repeated_only_when_that_does_no_harm() {
    let cloud = Cloud::start().await;
    let key = cloud.vpc("10.0.0.0/24").await.acl;
    let ec2 = cloud.ec2();
    let outcome = |calls: Vec<String>, action: &str| calls.iter().filter(|call| *call == action).count();
    let create = "CreateNetworkAclEntry";

    cloud.front.fail(create, Fault::Throttled, 2);
    assert_eq!(
        ec2.create(&key, &deny(71)).await,
        Ok(()),
        "EC2 said that it did nothing"
    );
    assert_eq!(outcome(cloud.front.calls(), create), 3);

    for fault in [Fault::Lost, Fault::Failed] {
        cloud.front.fail(create, fault, 1);
        let code = ec2.create(&key, &deny(72)).await.err().map(|error| error.code);
        assert_eq!(code, Some(Code::Unavailable), "{fault:?}: nobody knows what it did");
        assert_eq!(outcome(cloud.front.calls(), create), 1, "{fault:?}");
    }
    let described = ec2.describe(&key).await.expect("described");
    assert_eq!(
        described.entries,
        [deny(71), deny(72)],
        "the answer was lost, not the entry"
    );

    cloud.front.fail("DescribeNetworkAcls", Fault::Failed, 2);
    assert!(ec2.describe(&key).await.is_ok(), "to look again does no harm");

    cloud.front.fail(create, Fault::Unauthorized, 1);
    let refused = ec2.create(&key, &deny(73)).await.expect_err("refused");
    assert_eq!(refused.code, Code::Unauthorized);
    for word in [
        "ec2:CreateNetworkAclEntry",
        &key.acl,
        "ingress rule 73",
        "role/portcullis-respond",
        ":network-acl/*",
    ] {
        assert!(refused.message.contains(word), "{word}: {refused}");
    }
    assert!(!refused.message.contains("c2VjcmV0"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_accounts_credentials_never_write() {
    let cloud = Cloud::start().await;
    let made = cloud.vpc("10.0.0.0/24").await;
    let settings = Ec2Settings {
        accounts: vec![ACCOUNT.to_owned(), "444455556666".to_owned()],
        ..Cloud::settings()
    };
    let ec2 = cloud.ec2_with(settings);
    let elsewhere = AclKey {
        account: "444455556666".to_owned(),
        ..made.acl.clone()
    };
    let code = ec2.create(&elsewhere, &deny(71)).await.err().map(|error| error.code);
    assert_eq!(code, Some(Code::AclNotFound), "each account is reached by its own role");
    assert!(ec2.list().await.expect("listed").contains(&made.acl));
    let nobody = AclKey {
        account: "777788889999".to_owned(),
        ..made.acl
    };
    let refused = ec2.describe(&nobody).await.expect_err("not configured");
    assert!(refused.message.contains("network_acls.ec2.accounts"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_costs_one_write_and_a_new_block_three_and_two_calls_of_ec2_eviction_included() {
    let (cloud, server) = (Cloud::start().await, DynamoDbLocal::start());
    let made = cloud.vpc("10.0.0.0/24").await;
    cloud.internet(&made).await;
    let ((config, wire), table) = (server.counted().await, server.table());
    DynamoDbLedger::setup(&config, &table, false).await.expect("set up");
    let ledger = DynamoDbLedger::open(&config, &table).await.expect("a ledger");
    let mut policy = Policy {
        mode: Mode::Enforce,
        accounts: vec![ACCOUNT.to_owned()],
        ..Policy::default()
    };
    policy.limits.entries_per_direction = 2;
    let responder = Responder::new(Remembered::new(ledger), cloud.ec2(), policy, "one");
    let now = Utc::now();
    let version = |id: &str, address: &str, updated| {
        findings::finding(id, Kind::Inbound, &[address.to_owned()], &[&made.subnet], updated)
    };
    let record = |id: &str, address: &str| version(id, address, now);
    let first = record("f1", "185.220.101.4");
    responder.accept(&first, now).await.expect("accepted");
    responder.sweep(now).await.expect("swept");
    assert_eq!(responder.deliver(&Takes, now).await.expect("delivered"), 1);
    drop((cloud.front.calls(), wire.calls()));

    let again = responder.accept(&first, now).await.expect("accepted");
    assert_eq!(again[0].reason, Reason::Duplicate);
    assert_eq!(wire.calls(), ["TransactWriteItems"]);
    assert!(cloud.front.calls().is_empty());

    let newer = version("f1", "185.220.101.4", now + TimeDelta::minutes(15));
    let hit = responder.accept(&newer, now).await.expect("accepted");
    assert_eq!(hit[0].reason, Reason::AlreadyBlocked);
    assert_eq!(wire.calls(), ["TransactWriteItems"]);
    assert!(cloud.front.calls().is_empty());

    // The third finds no place, and the oldest goes.
    for (id, address, evicted, call) in [
        ("f2", "185.220.101.5", 0, "CreateNetworkAclEntry"),
        ("f3", "185.220.101.6", 1, "ReplaceNetworkAclEntry"),
        ("f4", "185.220.101.7", 1, "ReplaceNetworkAclEntry"),
    ] {
        let new = responder.accept(&record(id, address), now).await.expect("accepted");
        assert_eq!(new[0].reason, Reason::Matched);
        assert_eq!(wire.calls(), ["TransactWriteItems"], "{id}: the plan");
        let swept = responder.sweep(now).await.expect("swept");
        assert_eq!((swept.applied, swept.evicted), (1, evicted), "{swept:?}");
        assert_eq!(wire.calls(), ["TransactWriteItems"], "{id}: the confirmation");
        assert_eq!(cloud.front.calls(), ["DescribeNetworkAcls", call]);
        assert_eq!(responder.deliver(&Takes, now).await.expect("delivered"), 1);
        assert_eq!(wire.calls(), ["TransactWriteItems"], "{id}: that people were told");
    }
    let problems = verify(responder.ledger(), responder.network_acls(), responder.policy()).await;
    assert_eq!(problems.expect("a comparison"), Vec::<String>::new());
    assert!(responder.ledger().pending(now).await.expect("the table").is_empty());
    let known = [made.acl.clone()];
    let left = responder
        .ledger()
        .read(Ask {
            acls: &known,
            ..Ask::default()
        })
        .await;
    assert_eq!(left.expect("the table").acls[0].meta.lease, None, "it is given back");
    assert_eq!(responder.ledger().counts().await.expect("the table").sent, 4);
}

/// A channel that takes everything.
struct Takes;

impl Sender for Takes {
    fn send<'a>(&'a self, _: &'a serde_json::Value) -> Sending<'a> {
        Box::pin(async { Ok(()) })
    }
}
