//! EC2's answers, as a table: what is done to a network ACL that has ingress rule 71 and a quota of 3.

use super::*;
use crate::network_acl::Code::{AclNotFound, EntryAlreadyExists, EntryLimitExceeded, EntryNotFound, InvalidParameter};
use Direction::{Egress, Ingress};

fn key(acl: &str) -> AclKey {
    AclKey {
        account: "111122223333".into(),
        region: "eu-west-1".into(),
        acl: acl.into(),
    }
}

fn entry(rule: u16, direction: Direction, cidr: &str) -> Entry {
    Entry {
        cidr: cidr.parse().expect("a network"),
        ..Entry::deny(rule, direction, "185.220.101.1/32".parse().expect("a network"))
    }
}

async fn model() -> Model {
    let model = Model::in_memory().expect("a model");
    let mut vpc = Vpc::new("111122223333", "eu-west-1", "vpc-1", "acl-1").with_subnet("subnet-a");
    vpc.quota = 3;
    model.define(&vpc).expect("defined");
    let first = entry(71, Ingress, "185.220.101.1/32");
    model.create(&key("acl-1"), &first).await.expect("created");
    model
}

enum Call {
    Create(&'static str, Entry),
    Replace(&'static str, Entry),
    Delete(&'static str, Direction, u16),
}

#[tokio::test]
async fn calls_are_answered_with_the_codes_of_ec2() {
    use Call::{Create, Delete, Replace};
    let protocol = |protocol: &str| Entry {
        protocol: protocol.into(),
        ..entry(72, Ingress, "185.220.101.2/32")
    };
    let net = "185.220.101.2/32";
    let table = [
        (Create("acl-1", entry(72, Ingress, net)), None),
        (Create("acl-1", entry(71, Egress, net)), None),
        (Create("acl-1", entry(71, Ingress, net)), Some(EntryAlreadyExists)),
        (Create("acl-9", entry(72, Ingress, net)), Some(AclNotFound)),
        (Create("acl-1", entry(0, Ingress, net)), Some(InvalidParameter)),
        (Create("acl-1", entry(32_766, Ingress, net)), None),
        (Create("acl-1", entry(32_767, Ingress, net)), Some(InvalidParameter)),
        (Create("acl-1", entry(72, Ingress, "2a00::1/128")), None),
        (Create("acl-1", protocol("tcp")), Some(InvalidParameter)),
        (Create("acl-1", protocol("256")), Some(InvalidParameter)),
        (Create("acl-1", protocol("6")), None),
        (Replace("acl-1", entry(71, Ingress, net)), None),
        (Replace("acl-1", entry(72, Ingress, net)), Some(EntryNotFound)),
        (Replace("acl-1", entry(71, Egress, net)), Some(EntryNotFound)),
        (Replace("acl-9", entry(71, Ingress, net)), Some(AclNotFound)),
        (Delete("acl-1", Ingress, 71), None),
        (Delete("acl-1", Egress, 71), Some(EntryNotFound)),
        (Delete("acl-1", Ingress, 72), Some(EntryNotFound)),
        (Delete("acl-1", Ingress, 32_767), Some(InvalidParameter)),
        (Delete("acl-9", Ingress, 71), Some(AclNotFound)),
    ];
    for (at, (call, expected)) in table.into_iter().enumerate() {
        let model = model().await;
        let answer = match call {
            Create(acl, entry) => model.create(&key(acl), &entry).await,
            Replace(acl, entry) => model.replace(&key(acl), &entry).await,
            Delete(acl, direction, rule) => model.delete(&key(acl), direction, rule).await,
        };
        assert_eq!(answer.err().map(|error| error.code), expected, "row {at}");
    }
}

#[tokio::test]
async fn the_quota_counts_each_direction_and_the_default_deny_only_when_told() {
    for (counts, room) in [(false, 2), (true, 1)] {
        let model = model().await.default_deny_counts(counts);
        for rule in 0..room {
            let more = entry(80 + rule, Ingress, "185.220.101.2/32");
            model.create(&key("acl-1"), &more).await.expect("there is room");
        }
        let over = model
            .create(&key("acl-1"), &entry(90, Ingress, "185.220.101.3/32"))
            .await;
        assert_eq!(over.err().map(|error| error.code), Some(EntryLimitExceeded));
        let other = model
            .create(&key("acl-1"), &entry(90, Egress, "185.220.101.3/32"))
            .await;
        assert!(other.is_ok(), "the other direction has its own quota");
        let swapped = model
            .replace(&key("acl-1"), &entry(71, Ingress, "185.220.101.3/32"))
            .await;
        assert!(swapped.is_ok(), "replacing needs no room");
    }
}

#[tokio::test]
async fn blocks_are_stored_canonically_and_described_in_order() {
    let model = model().await;
    model
        .create(&key("acl-1"), &entry(60, Ingress, "185.220.101.77/24"))
        .await
        .expect("created");
    let described = model.describe(&key("acl-1")).await.expect("described");
    let shown: Vec<(u16, String)> = described
        .entries
        .iter()
        .map(|entry| (entry.rule, entry.cidr.to_string()))
        .collect();
    assert_eq!(
        shown,
        [(60, "185.220.101.0/24".to_owned()), (71, "185.220.101.1/32".to_owned())]
    );
    assert_eq!(described.subnets, ["subnet-a"]);
}

#[tokio::test]
async fn defining_twice_keeps_entries() {
    let model = model().await;
    model
        .define(&Vpc::new("111122223333", "eu-west-1", "vpc-1", "acl-1").with_allow_all())
        .expect("defined");
    let described = model.describe(&key("acl-1")).await.expect("described");
    assert_eq!(described.entries.len(), 1);
    assert_eq!(described.quota, QUOTA);
}

#[tokio::test]
async fn an_unknown_subnet_gets_a_network_acl_only_when_discovering() {
    let place = Place {
        account: "111122223333",
        region: "eu-west-1",
        vpc: None,
        subnet: "subnet-new",
    };
    let model = model().await;
    assert_eq!(model.acl_of(&place).await, Ok(None));
    let model = model.discover(true);
    let promised = model.acl_of(&place).await.expect("an answer").expect("a promise");
    assert_eq!(
        model.describe(&promised).await.err().map(|error| error.code),
        Some(AclNotFound)
    );
    model.ensure(&place).await.expect("made");
    model.ensure(&place).await.expect("made once");
    assert!(!model.describe(&promised).await.expect("there").is_default);
    assert_eq!(model.acl_of(&place).await, Ok(Some(promised)));
}
