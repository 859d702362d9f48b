use super::*;

/// What it is about, whether it is public, its zones, the subnets of its group, and where it stands.
type Case<'a> = (&'a str, bool, &'a str, &'a [(&'a str, &'a str)], Database);

/// As RDS answers, with what a case is about.
fn answer(public: bool, zones: &str, subnets: &[(&str, &str)]) -> String {
    let subnets: String = subnets
        .iter()
        .map(|(id, zone)| {
            format!(
                "<Subnet><SubnetStatus>Active</SubnetStatus><SubnetIdentifier>{id}</SubnetIdentifier>\
                 <SubnetAvailabilityZone><Name>{zone}</Name></SubnetAvailabilityZone><SubnetOutpost/></Subnet>"
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\"?><DescribeDBInstancesResponse xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\">\
         <DescribeDBInstancesResult><DBInstances><DBInstance><DBInstanceIdentifier>orders-1</DBInstanceIdentifier>\
         <Endpoint><Address>orders-1.example</Address><AvailabilityZone>nowhere</AvailabilityZone></Endpoint>{zones}\
         <DBSubnetGroup><VpcId>vpc-1</VpcId><Subnets>{subnets}</Subnets></DBSubnetGroup>\
         <PubliclyAccessible>{public}</PubliclyAccessible></DBInstance></DBInstances></DescribeDBInstancesResult>\
         <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></DescribeDBInstancesResponse>"
    )
}

fn stands(answer: &str) -> Option<Database> {
    let read = read(answer).expect("readable");
    read.map(|instance| instance.stands())
}

#[test]
fn a_database_is_in_the_only_subnet_of_its_zone_and_its_standby_likewise() {
    let (a, b) = (
        "<AvailabilityZone>eu-1a</AvailabilityZone>",
        "<AvailabilityZone>eu-1a</AvailabilityZone><SecondaryAvailabilityZone>eu-1b</SecondaryAvailabilityZone>",
    );
    let within = |ids: &[&str]| Database::In(ids.iter().map(|id| (*id).to_owned()).collect());
    let one_each = [("subnet-a", "eu-1a"), ("subnet-b", "eu-1b")];
    let two = [("subnet-a", "eu-1a"), ("subnet-b", "eu-1b"), ("subnet-c", "eu-1b")];
    let cases: &[Case<'_>] = &[
        ("one zone", true, a, &one_each, within(&["subnet-a"])),
        ("with a standby", true, b, &one_each, within(&["subnet-a", "subnet-b"])),
        ("another zone has two subnets", true, a, &two, within(&["subnet-a"])),
        ("its standby's zone has two subnets", true, b, &two, Database::Unknown),
        ("no subnet in its zone", true, a, &one_each[1..], Database::Unknown),
        ("no subnets", true, a, &[], Database::Unknown),
        ("no zone", true, "", &one_each, Database::Unknown),
        ("not public", false, a, &one_each, Database::NotPublic),
    ];
    for (name, public, zones, subnets, expected) in cases {
        assert_eq!(
            stands(&answer(*public, zones, subnets)).as_ref(),
            Some(expected),
            "{name}"
        );
    }
}

#[test]
fn an_answer_that_describes_no_instance_or_several_describes_none() {
    let one = answer(
        true,
        "<AvailabilityZone>eu-1a</AvailabilityZone>",
        &[("subnet-a", "eu-1a")],
    );
    let start = one.find("<DBInstance>").expect("an instance");
    let end = one.find("</DBInstances>").expect("an end");
    let none = one.replace(&one[start..end], "");
    let twice = one.replace(&one[start..end], &one[start..end].repeat(2));
    for text in [none, twice, "<html><body>Sign in</body></html>".to_owned()] {
        assert_eq!(stands(&text), None, "{text}");
    }
}

#[test]
fn text_that_is_no_answer_describes_no_public_instance_and_is_no_panic() {
    let whole = answer(
        true,
        "<AvailabilityZone>eu-1a</AvailabilityZone>",
        &[("subnet-a", "eu-1a")],
    );
    for end in 0..whole.len() {
        if let Ok(Some(instance)) = read(&whole[..end]) {
            assert!(!matches!(instance.stands(), Database::In(subnets) if subnets != ["subnet-a"]));
        }
    }
    for text in [
        "",
        "{}",
        "<a",
        "<a><b></a>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
    ] {
        assert_ne!(
            read(text).ok().flatten().map(|instance| instance.public),
            Some(true),
            "{text}"
        );
        drop(refusal(text));
    }
    let deep = "<DBInstance>".repeat(100_000);
    assert!(!matches!(read(&deep), Ok(Some(_))));
}

#[test]
fn a_refusal_has_a_word_and_a_reason() {
    let text = "<ErrorResponse xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\"><Error><Type>Sender</Type>\
                <Code>AccessDenied</Code><Message>User: arn:aws:iam::1:user/a &amp; b may not</Message></Error></ErrorResponse>";
    let expected = (
        "AccessDenied".to_owned(),
        "User: arn:aws:iam::1:user/a & b may not".to_owned(),
    );
    assert_eq!(refusal(text).expect("readable"), expected);
}

#[test]
fn only_what_may_be_an_identifier_is_asked_for() {
    for (text, expected) in [
        ("orders-1", true),
        ("", false),
        ("orders&Action=DeleteDBInstance", false),
        ("orders 1", false),
        (&"a".repeat(64), false),
    ] {
        assert_eq!(is_identifier(text), expected, "{text}");
    }
}
