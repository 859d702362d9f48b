//! CloudTrail events: machines that read and write objects, people at work and in the console, services that act for
//! them, and a key in the wrong hands.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>

use std::net::Ipv4Addr;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    environment::{Environment, Vpc},
    identity::{Callers, Identity, MACHINE_ROLES, arn, push_all},
    json::{self, Object},
    random::Random,
};

/// What people look at: service, operation, program.
const READS: &[(&str, &str)] = &[
    ("ec2", "DescribeInstances"),
    ("ec2", "DescribeSecurityGroups"),
    ("ec2", "DescribeNetworkAcls"),
    ("iam", "ListUsers"),
    ("iam", "GetAccountSummary"),
    ("s3", "ListBuckets"),
    ("s3", "GetBucketPolicy"),
    ("logs", "DescribeLogGroups"),
    ("guardduty", "ListFindings"),
    ("rds", "DescribeDBInstances"),
    ("lambda", "ListFunctions20150331"),
    ("cloudtrail", "LookupEvents"),
];

/// What people change: service, operation, a member of the request with its value.
const WRITES: &[(&str, &str, &str, &str)] = &[
    (
        "ec2",
        "AuthorizeSecurityGroupIngress",
        "groupId",
        "sg-0c4b1a2f3e5d6978a",
    ),
    ("ec2", "CreateTags", "resourceId", "i-0a1b2c3d4e5f60718"),
    ("ec2", "ReplaceNetworkAclEntry", "networkAclId", "acl-0f1e2d3c4b5a69788"),
    ("iam", "AttachRolePolicy", "roleName", "shop-app"),
    ("iam", "CreateAccessKey", "userName", "backup-agent"),
    ("iam", "PutUserPolicy", "userName", "ci-deploy"),
    ("s3", "PutBucketPolicy", "bucketName", "meridian-exports"),
    (
        "lambda",
        "UpdateFunctionCode20150331v2",
        "functionName",
        "orders-resize",
    ),
    ("rds", "ModifyDBInstance", "dBInstanceIdentifier", "orders"),
    ("cloudformation", "CreateChangeSet", "stackName", "shop"),
];

/// What somebody tries first with a key that is not theirs, and what it is answered.
const TRIES: &[(&str, &str, Option<&str>)] = &[
    ("sts", "GetCallerIdentity", None),
    ("s3", "ListBuckets", Some("AccessDenied")),
    ("iam", "ListUsers", Some("AccessDenied")),
    ("iam", "CreateUser", Some("AccessDenied")),
    ("ec2", "DescribeInstances", Some("Client.UnauthorizedOperation")),
    ("ec2", "RunInstances", Some("Client.UnauthorizedOperation")),
    ("secretsmanager", "ListSecrets", Some("AccessDenied")),
    ("cloudtrail", "StopLogging", Some("AccessDenied")),
];

/// Services that call by themselves: name, operation, role.
const SERVICES: &[(&str, &str, &str)] = &[
    ("autoscaling.amazonaws.com", "DescribeInstances", "shop-web"),
    ("config.amazonaws.com", "DescribeSecurityGroups", "report-reader"),
    ("ecs.amazonaws.com", "DescribeNetworkInterfaces", "shop-app"),
];

/// Buckets and the objects in them.
const OBJECTS: &[(&str, &str)] = &[
    ("meridian-product-images", "jackets/trail-jacket.webp"),
    ("meridian-product-images", "socks/wool-socks.webp"),
    ("meridian-exports", "orders/2026/orders.parquet"),
    ("meridian-exports", "reports/weekly.csv"),
    ("meridian-artifacts", "shop/app.8f21c0.tar.gz"),
];

const BROWSER: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15";
const AGENTS: &[&str] = &[
    "aws-cli/2.31.4 md/awscrt#0.27.6 ua/2.1 os/macos#25.1.0 md/arch#arm64 lang/python#3.13.7",
    "AWS-Cloud-Console/2.0",
    "HashiCorp Terraform/1.13.5 terraform-provider-aws/6.20.0",
];
const MACHINE_AGENT: &str = "aws-sdk-java/2.38.1 md/io#sync md/http#Apache ua/2.1 os/Linux#6.8.0 lang/java#21.0.9";
const INTRUDER_AGENT: &str = "Boto3/1.41.2 md/Botocore#1.41.2 ua/2.1 os/linux#5.15.0 lang/python#3.11.9";

/// Who calls, kept from event to event.
#[derive(Clone, Debug)]
pub(crate) struct Activity {
    callers: Callers,
}

/// Where a call comes from.
#[derive(Clone, Copy)]
enum Origin {
    Address(Ipv4Addr),
    Service(&'static str),
}

type Body<'c> = Option<&'c dyn Fn(&mut Object<'_>)>;

/// One call, before it is written.
struct Call<'c> {
    identity: Identity<'c>,
    service: &'c str,
    name: &'c str,
    origin: Origin,
    agent: &'c str,
    /// Code and message.
    error: Option<(&'c str, &'c str)>,
    request: Body<'c>,
    response: Body<'c>,
    additional: Body<'c>,
    /// `eventType`
    kind: &'static str,
    /// The object that a data event is about: bucket and key.
    object: Option<(&'static str, &'static str)>,
}

impl<'c> Call<'c> {
    fn new(identity: Identity<'c>, service: &'c str, name: &'c str, origin: Origin, agent: &'c str) -> Self {
        Self {
            identity,
            service,
            name,
            origin,
            agent,
            error: None,
            request: None,
            response: None,
            additional: None,
            kind: "AwsApiCall",
            object: None,
        }
    }

    fn is_read(&self) -> bool {
        ["Describe", "Get", "List", "Lookup", "Assume"]
            .iter()
            .any(|verb| self.name.starts_with(verb))
    }
}

impl Activity {
    pub(crate) fn new(environment: &Environment, random: &mut Random) -> Self {
        Self {
            callers: Callers::new(environment, random),
        }
    }

    /// Appends one event.
    pub(crate) fn write(&self, environment: &Environment, at: DateTime<Utc>, random: &mut Random, out: &mut Vec<u8>) {
        let what = random.weighted(&[36, 12, 24, 6, 5, 9, 5, 3]);
        // Users are of the first account; roles are in both.
        let places: &[u16] = if what < 4 { &[6, 3, 1] } else { &[6, 3] };
        let vpc = &environment.vpcs[random.weighted(places)];
        let writer = Writer {
            callers: &self.callers,
            vpc,
            at: at - TimeDelta::milliseconds(random.between(1_000, 90_000)),
        };
        match what {
            0 => self.data(&writer, random, out),
            1 => self.service(&writer, random, out),
            2 => self.read(&writer, random, out),
            3 => self.change(&writer, random, out),
            4 => self.sign_in(&writer, random, out),
            5 => self.take_role(&writer, environment, random, out),
            6 => self.stolen_key(&writer, random, out),
            _ => self.guess(&writer, random, out),
        }
    }

    /// A machine reads or writes an object.
    fn data(&self, writer: &Writer<'_>, random: &mut Random, out: &mut Vec<u8>) {
        let instance = random.pick(&writer.vpc.instances);
        let (bucket, key) = *random.pick(OBJECTS);
        let reads = random.chance(80);
        let bytes = random.between(300, 4_000_000);
        let role = *random.pick(MACHINE_ROLES);
        let identity = writer.session(role, &instance.id, None, random);
        let name = if reads { "GetObject" } else { "PutObject" };
        let request = |o: &mut Object<'_>| {
            o.text("bucketName", bucket);
            o.text("key", key);
        };
        let additional = |o: &mut Object<'_>| {
            o.text("SignatureVersion", "SigV4");
            o.text("AuthenticationMethod", "AuthHeader");
            o.number("bytesTransferredIn", if reads { 0 } else { bytes });
            o.number("bytesTransferredOut", if reads { bytes } else { 0 });
        };
        let call = Call {
            request: Some(&request),
            additional: Some(&additional),
            object: Some((bucket, key)),
            ..Call::new(
                identity,
                "s3",
                name,
                Origin::Address(instance.private_address),
                MACHINE_AGENT,
            )
        };
        writer.write(&call, random, out);
    }

    /// A service calls with a role of ours.
    fn service(&self, writer: &Writer<'_>, random: &mut Random, out: &mut Vec<u8>) {
        let (service, name, role) = *random.pick(SERVICES);
        let identity = writer.session(role, "service", Some(service), random);
        writer.write(
            &Call::new(identity, "ec2", name, Origin::Service(service), service),
            random,
            out,
        );
    }

    /// Somebody looks; not everybody may see everything.
    fn read(&self, writer: &Writer<'_>, random: &mut Random, out: &mut Vec<u8>) {
        let person = random.pick(&self.callers.people);
        let (service, name) = *random.pick(READS);
        let identity = writer.session(person.role, person.name, None, random);
        let denied = person.role == "Developer" && random.chance(9);
        let call = Call {
            error: denied.then_some(("AccessDenied", "no identity-based policy allows the action")),
            ..Call::new(
                identity,
                service,
                name,
                Origin::Address(person.address),
                random.pick::<&str>(AGENTS),
            )
        };
        writer.write(&call, random, out);
    }

    /// Somebody changes something.
    fn change(&self, writer: &Writer<'_>, random: &mut Random, out: &mut Vec<u8>) {
        let person = random.pick(&self.callers.people);
        let (service, name, member, value) = *random.pick(WRITES);
        let identity = writer.session(person.role, person.name, None, random);
        let request = |o: &mut Object<'_>| o.text(member, value);
        let response = |o: &mut Object<'_>| o.bool("_return", true);
        let call = Call {
            request: Some(&request),
            response: (service == "ec2").then_some(&response),
            ..Call::new(
                identity,
                service,
                name,
                Origin::Address(person.address),
                random.pick::<&str>(AGENTS),
            )
        };
        writer.write(&call, random, out);
    }

    /// Somebody signs in to the console, now and then with the wrong password, once in a long while as root.
    fn sign_in(&self, writer: &Writer<'_>, random: &mut Random, out: &mut Vec<u8>) {
        let person = random.pick(&self.callers.people);
        let root = random.chance(3);
        let fails = !root && random.chance(14);
        let identity = if root {
            Identity::Root
        } else {
            Identity::User(person, false)
        };
        let second_factor = random.chance(85);
        writer.sign_in(
            identity,
            person.address,
            fails.then_some("Failed authentication"),
            second_factor,
            random,
            out,
        );
    }

    /// A person or a service takes a role, sometimes in the other account.
    fn take_role(&self, writer: &Writer<'_>, environment: &Environment, random: &mut Random, out: &mut Vec<u8>) {
        let person = random.pick(&self.callers.people);
        let account = &random.pick(&environment.accounts).id;
        let machine = random.chance(40);
        let role = if machine {
            *random.pick(MACHINE_ROLES)
        } else {
            person.role
        };
        let session = if machine { "service" } else { person.name };
        let request = |o: &mut Object<'_>| {
            arn(o, "roleArn", "iam", account, &["role/", role]);
            o.text("roleSessionName", session);
        };
        let response = |o: &mut Object<'_>| {
            o.object("assumedRoleUser", |o| {
                arn(o, "arn", "sts", account, &["assumed-role/", role, "/", session]);
            });
        };
        let (identity, origin, agent) = if machine {
            let service = "ec2.amazonaws.com";
            (Identity::Service(service), Origin::Service(service), service)
        } else {
            (Identity::User(person, true), Origin::Address(person.address), AGENTS[0])
        };
        let call = Call {
            request: Some(&request),
            response: Some(&response),
            ..Call::new(identity, "sts", "AssumeRole", origin, agent)
        };
        writer.write(&call, random, out);
    }

    /// Somebody tries what a key that is not theirs can do.
    fn stolen_key(&self, writer: &Writer<'_>, random: &mut Random, out: &mut Vec<u8>) {
        let user = &self.callers.machines[0];
        let intruder = *random.pick(&self.callers.intruders[..3]);
        let (service, name, error) = *random.pick(TRIES);
        let call = Call {
            error: error.map(|code| (code, "You are not authorized to perform this operation.")),
            ..Call::new(
                Identity::User(user, true),
                service,
                name,
                Origin::Address(intruder),
                INTRUDER_AGENT,
            )
        };
        writer.write(&call, random, out);
    }

    /// Somebody guesses user names and passwords.
    fn guess(&self, writer: &Writer<'_>, random: &mut Random, out: &mut Vec<u8>) {
        let intruder = *random.pick(&self.callers.intruders[3..]);
        let message = Some("No username found in supplied account");
        writer.sign_in(Identity::Hidden, intruder, message, false, random, out);
    }
}

/// Writes the events of one moment.
struct Writer<'w> {
    callers: &'w Callers,
    vpc: &'w Vpc,
    at: DateTime<Utc>,
}

impl Writer<'_> {
    /// A session that began within the hour.
    fn session<'c>(
        &self,
        role: &'static str,
        name: &'c str,
        invoked_by: Option<&'static str>,
        random: &mut Random,
    ) -> Identity<'c> {
        Identity::Session {
            role,
            name,
            since: self.at - TimeDelta::seconds(random.between(30, 3_500)),
            invoked_by,
            second_factor: invoked_by.is_none() && random.chance(70),
        }
    }

    fn sign_in(
        &self,
        identity: Identity<'_>,
        address: Ipv4Addr,
        error: Option<&str>,
        second_factor: bool,
        random: &mut Random,
        out: &mut Vec<u8>,
    ) {
        let response = |o: &mut Object<'_>| o.text("ConsoleLogin", if error.is_some() { "Failure" } else { "Success" });
        let additional = |o: &mut Object<'_>| {
            o.text("LoginTo", "https://console.aws.amazon.com/console/home");
            o.text("MobileVersion", "No");
            o.text("MFAUsed", if second_factor { "Yes" } else { "No" });
        };
        let call = Call {
            error: error.map(|message| ("", message)),
            response: Some(&response),
            additional: Some(&additional),
            kind: "AwsConsoleSignIn",
            ..Call::new(identity, "signin", "ConsoleLogin", Origin::Address(address), BROWSER)
        };
        self.write(&call, random, out);
    }

    /// Appends the event, its members in the order in which AWS writes them.
    fn write(&self, call: &Call<'_>, random: &mut Random, out: &mut Vec<u8>) {
        let account = &self.vpc.account;
        json::object(out, |o| {
            o.text("eventVersion", "1.11");
            call.identity.write(self.callers, account, o);
            o.seconds("eventTime", self.at);
            o.built("eventSource", |out| push_all(&[call.service, ".amazonaws.com"], out));
            o.text("eventName", call.name);
            o.text("awsRegion", self.vpc.region);
            match call.origin {
                Origin::Address(address) => o.address("sourceIPAddress", address),
                Origin::Service(name) => o.text("sourceIPAddress", name),
            }
            o.text("userAgent", call.agent);
            if let Some((code, message)) = call.error {
                if !code.is_empty() {
                    o.text("errorCode", code);
                }
                o.text("errorMessage", message);
            }
            body(o, "requestParameters", call.request);
            body(
                o,
                "responseElements",
                call.response
                    .filter(|_| call.error.is_none() || call.kind != "AwsApiCall"),
            );
            if call.additional.is_some() {
                body(o, "additionalEventData", call.additional);
            }
            if call.kind == "AwsApiCall" {
                o.built("requestID", |out| push_uuid(random, out));
            }
            o.built("eventID", |out| push_uuid(random, out));
            o.bool("readOnly", call.is_read());
            if let Some((bucket, key)) = call.object {
                o.array("resources", |a| {
                    a.object(|o| {
                        o.text("type", "AWS::S3::Object");
                        o.built("ARN", |out| push_all(&["arn:aws:s3:::", bucket, "/", key], out));
                    });
                });
            }
            o.text("eventType", call.kind);
            o.bool("managementEvent", call.object.is_none());
            o.text("recipientAccountId", account);
            o.text(
                "eventCategory",
                if call.object.is_some() { "Data" } else { "Management" },
            );
            if matches!(call.origin, Origin::Address(_)) {
                o.object("tlsDetails", |o| {
                    o.text("tlsVersion", "TLSv1.3");
                    o.text("cipherSuite", "TLS_AES_128_GCM_SHA256");
                    o.built("clientProvidedHostHeader", |out| {
                        push_all(&[call.service, ".", self.vpc.region, ".amazonaws.com"], out);
                    });
                });
            }
        });
    }
}

fn body(o: &mut Object<'_>, name: &str, body: Body<'_>) {
    match body {
        Some(members) => o.object(name, |o| members(o)),
        None => o.null(name),
    }
}

fn push_uuid(random: &mut Random, out: &mut Vec<u8>) {
    for (index, digits) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if index > 0 {
            out.push(b'-');
        }
        random.push_hex(digits, out);
    }
}
