//! Every command for people, on a ledger in DynamoDB and network ACLs on EC2.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_sdk_ec2::types::RuleAction;

use crate::account::{ACCOUNT, Account, NOW, REGION};
use portcullis_servers::front::Fault;

const ENFORCE: &str = "mode = \"enforce\"\naccounts = [\"123456789012\"]";

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_becomes_one_entry_and_people_have_the_last_word() {
    let account = Account::new(ENFORCE).await;
    let finding = account.finding("f1", "185.220.101.4");
    let apply = ["respond", "--apply", "--now", NOW, "--json"];

    let preview = account.run(&["respond", "--now", NOW, "--json"], &finding).ended(0);
    assert_eq!(preview.lines()[0]["reason"], "matched", "{}", preview.out);
    assert!(account.denies().await.is_empty(), "a preview touches nothing");

    account.run(&apply, &finding).ended(0);
    assert_eq!(account.denies().await, ["71 185.220.101.4/32"]);
    let again = account.run(&apply, &finding).ended(0);
    assert_eq!(again.lines()[0]["reason"], "duplicate", "{}", again.out);
    assert_eq!(account.denies().await, ["71 185.220.101.4/32"]);

    let listed = account.run(&["list", "--json"], b"").ended(0);
    assert_eq!(listed.lines()[0]["nacl"], account.acl.as_str());
    assert_eq!(listed.lines()[0]["state"], "applied");
    let why = ["--reason", "test", "--json"];
    let person = |words: &[&str]| account.run(&[words, &why].concat(), b"");
    person(&["block", "45.83.64.9", "--nacl", &account.acl]).ended(0);
    assert_eq!(account.denies().await, ["71 185.220.101.4/32", "72 45.83.64.9/32"]);
    let pinned = person(&["pin", "185.220.101.4"]).ended(0);
    assert_eq!(pinned.lines()[0]["entries"], 1);
    assert_eq!(person(&["unpin", "185.220.101.4"]).ended(0).lines()[0]["entries"], 1);
    person(&["unblock", "45.83.64.9"]).ended(0);
    assert_eq!(account.denies().await, ["71 185.220.101.4/32"]);
    person(&["allow", "add", "185.220.101.0/24"]).ended(0);
    assert!(account.denies().await.is_empty(), "what is allowed is not denied");
    person(&["pause"]).ended(0);
    let paused = account.run(&apply, &account.finding("f2", "45.83.64.10")).ended(0);
    assert_eq!(paused.lines()[0]["reason"], "paused", "{}", paused.out);
    person(&["resume"]).ended(0);

    let drift = account.run(&["reconcile", "--json"], b"").ended(0);
    assert_eq!(drift.lines().len(), 0, "{}", drift.out);
    let status = account.run(&["status", "--json"], b"").ended(0);
    assert_eq!(status.lines()[0]["mode"], "enforce");
    assert_eq!(status.lines()[0]["blocked"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn shadow_is_the_default_on_aws_and_our_own_addresses_are_never_denied() {
    let account = Account::new("").await;
    let shadow = account.run(
        &["respond", "--apply", "--now", NOW, "--json"],
        &account.finding("f1", "185.220.101.4"),
    );
    assert_eq!(shadow.ended(0).lines()[0]["reason"], "shadow");
    let guarded = account.run(
        &["respond", "--apply", "--now", NOW, "--json"],
        &account.finding("f2", "10.0.0.5"),
    );
    assert_eq!(guarded.ended(0).lines()[0]["reason"], "private");
    assert!(account.denies().await.is_empty());

    account.front.fail("DescribeVpcs", Fault::Unauthorized, 100);
    let blind = account.run(
        &["respond", "--apply", "--now", NOW, "--json"],
        &account.finding("f3", "185.220.101.5"),
    );
    let blind = blind.ended(0);
    assert_eq!(blind.lines()[0]["reason"], "list_unavailable", "{}", blind.out);
    for word in ["nothing is blocked", "ec2:DescribeVpcs", ACCOUNT] {
        assert!(blind.err.contains(word), "{word}: {}", blind.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_does_not_let_us_look_is_told_and_stops_nothing() {
    let account = Account::new(ENFORCE).await;
    // The look at all subnets that comes first, and the one at the first finding's.
    account.front.fail("DescribeNetworkAcls", Fault::Unauthorized, 2);
    let findings = [
        account.finding("f1", "185.220.101.4"),
        account.finding("f2", "185.220.101.5"),
    ];
    let run = account.run(&["respond", "--apply", "--now", NOW, "--json"], &findings.join(&b'\n'));
    let run = run.ended(0);
    assert_eq!(run.lines()[0]["reason"], "unknown_subnet", "{}", run.out);
    assert_eq!(run.lines()[1]["reason"], "matched", "{}", run.out);
    for word in ["ec2:DescribeNetworkAcls", ACCOUNT, &account.subnet] {
        assert!(run.err.contains(word), "{word}: {}", run.err);
    }
    assert_eq!(account.denies().await, ["71 185.220.101.5/32"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_of_the_python_lambda_are_taken_over_with_its_table() {
    let account = Account::new(ENFORCE).await;
    for (rule, cidr) in [
        (71, "45.83.64.9/32"),
        (72, "10.0.0.9/32"),
        (75, "45.83.64.11/32"),
        (120, "45.83.64.12/32"),
    ] {
        let entry = account.ec2.create_network_acl_entry().network_acl_id(&account.acl);
        let entry = entry.rule_number(rule).cidr_block(cidr).egress(false).protocol("-1");
        entry.rule_action(RuleAction::Deny).send().await.expect("an entry");
    }
    let before = account.denies().await;
    let here = account.acl.as_str();
    let rows = [
        (here, "45.83.64.9", "71", "1763712000"),
        (here, "10.0.0.9", "72", "1763712001"),
        (here, "45.83.64.10", "73", "1763712002"),
        (here, "45.83.64.12", "120", "1763712003"),
        (here, "not-an-address", "74", "1763712004"),
        ("acl-gone", "45.83.64.13", "71", "1763712005"),
    ];
    lambda_table(&account, &rows).await;

    let adopt = [
        "adopt",
        "--table",
        "GuardDutytoACL",
        "--reason",
        "migration",
        "--who",
        "ada",
        "--json",
    ];
    let planned = account.run(&[&adopt[..], &["--dry-run"]].concat(), b"").ended(3);
    assert_eq!(
        account.run(&["list", "--json"], b"").ended(0).lines().len(),
        0,
        "a dry run touches nothing"
    );
    let done = account.run(&adopt, b"").ended(3);
    assert_eq!(planned.out, done.out);
    assert!(done.err.contains("HostIp is no address"), "{}", done.err);
    let told: Vec<String> = done
        .lines()
        .iter()
        .map(|line| {
            format!(
                "{} {} {} {}",
                line["outcome"], line["cidr"], line["rule"], line["reason"]
            )
            .replace('"', "")
        })
        .collect();
    let expected = [
        "adopted 45.83.64.9/32 71 manual",
        "refused 10.0.0.9/32 72 private",
        "missing 45.83.64.10/32 73 manual",
        "out_of_range 45.83.64.12/32 120 manual",
        "unknown_acl 45.83.64.13/32 71 manual",
    ];
    for line in expected {
        assert!(told.iter().any(|told| told == line), "{line} in {told:#?}");
    }
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    assert_eq!(account.denies().await, before, "only the ledger changes");

    let listed = account.run(&["list", "--json"], b"").ended(0).lines();
    assert_eq!(listed.len(), 1, "{listed:#?}");
    assert_eq!(listed[0]["since"], "2025-11-21T08:00:00Z");
    let audit = account.run(&["list", "--audit", "--json"], b"").ended(0).lines();
    let row = audit
        .iter()
        .find(|row| row["event"] == "adopted")
        .expect("it is audited");
    assert_eq!((&row["who"], &row["reason"]), (&"ada".into(), &"migration".into()));

    let again = account.run(&adopt, b"").ended(3);
    assert!(!again.out.contains("adopted"), "{}", again.out);
    account.run(&["adopt", "--reason", "the rest"], b"").ended(0);
    account
        .run(&["unblock", "45.83.64.9", "--reason", "test"], b"")
        .ended(0);
    account
        .run(&["unblock", "45.83.64.11", "--reason", "test"], b"")
        .ended(0);
    assert_eq!(account.denies().await, ["72 10.0.0.9/32", "120 45.83.64.12/32"]);
}

async fn lambda_table(account: &Account, rows: &[(&str, &str, &str, &str)]) {
    let client = account.dynamodb();
    let attribute = |name: &str, kind| {
        let made = AttributeDefinition::builder().attribute_name(name).attribute_type(kind);
        made.build().expect("an attribute")
    };
    let key = |name: &str, kind| {
        let made = KeySchemaElement::builder().attribute_name(name).key_type(kind);
        made.build().expect("a key")
    };
    client
        .create_table()
        .table_name("GuardDutytoACL")
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("NetACLId", ScalarAttributeType::S))
        .attribute_definitions(attribute("CreatedAt", ScalarAttributeType::N))
        .key_schema(key("NetACLId", KeyType::Hash))
        .key_schema(key("CreatedAt", KeyType::Range))
        .send()
        .await
        .expect("a table");
    let text = |text: &str| AttributeValue::S(text.to_owned());
    for (acl, host, rule, created) in rows {
        client
            .put_item()
            .table_name("GuardDutytoACL")
            .item("NetACLId", text(acl))
            .item("CreatedAt", AttributeValue::N((*created).to_owned()))
            .item("HostIp", text(host))
            .item("RuleNo", text(rule))
            .item("Region", text(REGION))
            .send()
            .await
            .expect("an item");
    }
}
