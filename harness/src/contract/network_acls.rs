//! The contract of [`NetworkAcls`]: EC2's answers, as a table.

use ipnet::IpNet;
use portcullis::network_acl::Code::{
    AclNotFound, EntryAlreadyExists, EntryLimitExceeded, EntryNotFound, InvalidParameter,
};
use portcullis::network_acl::Direction::{Egress, Ingress};
use portcullis::network_acl::{AclKey, Code, Direction, Entry, Error, NetworkAcls};

use super::{Broken, must};
use crate::world::acl;

/// Holds a store to every sentence. `make` gives one with a network ACL `acl-1` of no entries and a quota of 3 entries per
/// direction, the default deny not counted, and no `acl-9`.
///
/// # Errors
/// The first sentence that it does not keep.
pub async fn hold<N: NetworkAcls>(make: impl Fn() -> N) -> Result<(), Broken> {
    for (number, (call, expected)) in table().into_iter().enumerate() {
        let store = with_one(make()).await?;
        let code = made(&store, &call).await.err().map(|error| error.code);
        must(
            code == expected,
            &format!("row {number}, {call:?}: expected {expected:?}, got {code:?}"),
        )?;
    }
    quota(&with_one(make()).await?).await?;
    descriptions(&with_one(make()).await?).await
}

#[derive(Debug)]
enum Call {
    Create(&'static str, Entry),
    Replace(&'static str, Entry),
    Delete(&'static str, Direction, u16),
}

fn key(id: &str) -> AclKey {
    acl(id)
}

fn entry(rule: u16, direction: Direction, cidr: &str) -> Entry {
    let cidr: IpNet = cidr.parse().expect("a network");
    Entry {
        cidr,
        ..Entry::deny(rule, direction, cidr)
    }
}

/// One that has ingress rule 71.
async fn with_one<N: NetworkAcls>(store: N) -> Result<N, Broken> {
    let first = store
        .create(&key("acl-1"), &entry(71, Ingress, "185.220.101.1/32"))
        .await;
    first.map_err(|error| format!("the first entry is refused: {error}"))?;
    Ok(store)
}

async fn made<N: NetworkAcls>(store: &N, call: &Call) -> Result<(), Error> {
    match call {
        Call::Create(acl, entry) => store.create(&key(acl), entry).await,
        Call::Replace(acl, entry) => store.replace(&key(acl), entry).await,
        Call::Delete(acl, direction, rule) => store.delete(&key(acl), *direction, *rule).await,
    }
}

fn table() -> Vec<(Call, Option<Code>)> {
    use Call::{Create, Delete, Replace};
    let net = "185.220.101.2/32";
    let protocol = |protocol: &str| Entry {
        protocol: protocol.to_owned(),
        ..entry(72, Ingress, net)
    };
    vec![
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
        (Replace("acl-1", entry(71, Ingress, "2a00::1/128")), None),
        (Replace("acl-1", entry(72, Ingress, net)), Some(EntryNotFound)),
        (Replace("acl-1", entry(71, Egress, net)), Some(EntryNotFound)),
        (Replace("acl-9", entry(71, Ingress, net)), Some(AclNotFound)),
        (Delete("acl-1", Ingress, 71), None),
        (Delete("acl-1", Egress, 71), Some(EntryNotFound)),
        (Delete("acl-1", Ingress, 72), Some(EntryNotFound)),
        (Delete("acl-1", Ingress, 32_767), Some(InvalidParameter)),
        (Delete("acl-9", Ingress, 71), Some(AclNotFound)),
    ]
}

async fn quota<N: NetworkAcls>(store: &N) -> Result<(), Broken> {
    let fails = |error: Error| format!("a call failed: {error}");
    for rule in [80, 81] {
        let more = entry(rule, Ingress, "185.220.101.2/32");
        store.create(&key("acl-1"), &more).await.map_err(fails)?;
    }
    let over = store
        .create(&key("acl-1"), &entry(90, Ingress, "185.220.101.3/32"))
        .await;
    let code = over.err().map(|error| error.code);
    must(code == Some(EntryLimitExceeded), "the quota is kept")?;
    let taken = store
        .create(&key("acl-1"), &entry(71, Ingress, "185.220.101.3/32"))
        .await;
    let code = taken.err().map(|error| error.code);
    must(
        code == Some(EntryAlreadyExists),
        "that a number is taken is said before the quota",
    )?;
    let other = store
        .create(&key("acl-1"), &entry(90, Egress, "185.220.101.3/32"))
        .await;
    must(other.is_ok(), "each direction has its own quota")?;
    let swapped = store
        .replace(&key("acl-1"), &entry(71, Ingress, "185.220.101.3/32"))
        .await;
    must(swapped.is_ok(), "replacing needs no room")
}

async fn descriptions<N: NetworkAcls>(store: &N) -> Result<(), Broken> {
    let fails = |error: Error| format!("a call failed: {error}");
    let made = store
        .create(&key("acl-1"), &entry(60, Ingress, "185.220.101.77/24"))
        .await;
    made.map_err(fails)?;
    let described = store.describe(&key("acl-1")).await.map_err(fails)?;
    let shown: Vec<(u16, String)> = described
        .entries
        .iter()
        .map(|entry| (entry.rule, entry.cidr.to_string()))
        .collect();
    let expected = [(60, "185.220.101.0/24".to_owned()), (71, "185.220.101.1/32".to_owned())];
    must(shown == expected, "blocks are canonical, and rules are in order")?;
    must(described.quota == 3, "the quota is shown")?;
    let gone = store.describe(&key("acl-9")).await.err().map(|error| error.code);
    must(
        gone == Some(AclNotFound),
        "a network ACL that is not there is not described",
    )
}
