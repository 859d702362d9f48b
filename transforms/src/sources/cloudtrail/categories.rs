//! From an event's name and service to ECS's categories and types, as tables.
//!
//! Values and which go together: <https://www.elastic.co/guide/en/ecs/8.11/ecs-allowed-values-event-category.html>. Where a
//! table says nothing, a call is an `api` event of type `info`: a wrong category would be worse than a general one.

/// Sign-ins and handing out credentials, by service and name: the type of an `authentication` event.
const AUTHENTICATION: &[(&str, &str, &str)] = &[
    ("signin", "CheckMfa", "info"),
    ("signin", "ConsoleLogin", "start"),
    ("signin", "CredentialChallenge", "info"),
    ("signin", "CredentialVerification", "info"),
    ("signin", "ExitRole", "end"),
    ("signin", "GetSigninToken", "start"),
    ("signin", "RenewRole", "start"),
    ("signin", "SwitchRole", "start"),
    ("signin", "UserAuthentication", "start"),
    ("sso", "Authenticate", "start"),
    ("sso", "Federate", "start"),
    ("sso", "Logout", "end"),
    ("sts", "AssumeRole", "start"),
    ("sts", "AssumeRoleWithSAML", "start"),
    ("sts", "AssumeRoleWithWebIdentity", "start"),
    ("sts", "AssumeRoot", "start"),
    ("sts", "GetFederationToken", "start"),
    ("sts", "GetSessionToken", "start"),
];

/// What a service is about. Sorted.
const SERVICES: &[(&str, &str)] = &[
    ("access-analyzer", "iam"),
    ("cloudfront", "network"),
    ("cloudtrail", "configuration"),
    ("cognito-identity", "iam"),
    ("cognito-idp", "iam"),
    ("config", "configuration"),
    ("directconnect", "network"),
    ("docdb", "database"),
    ("dynamodb", "database"),
    ("elasticloadbalancing", "network"),
    ("globalaccelerator", "network"),
    ("guardduty", "configuration"),
    ("iam", "iam"),
    ("identitystore", "iam"),
    ("inspector2", "configuration"),
    ("logs", "configuration"),
    ("macie2", "configuration"),
    ("monitoring", "configuration"),
    ("neptune", "database"),
    ("network-firewall", "network"),
    ("organizations", "configuration"),
    ("rds", "database"),
    ("rds-data", "database"),
    ("redshift", "database"),
    ("redshift-data", "database"),
    ("redshift-serverless", "database"),
    ("route53", "network"),
    ("route53resolver", "network"),
    ("s3", "configuration"),
    ("securityhub", "configuration"),
    ("sso", "iam"),
    ("sso-directory", "iam"),
    ("timestream", "database"),
    ("vpc-lattice", "network"),
    ("wafv2", "network"),
];

/// Parts of the names of EC2's operations on networks; its other operations are about hosts.
const NETWORK_PARTS: &[&str] = &[
    "Address",
    "Dhcp",
    "FlowLog",
    "Gateway",
    "NetworkAcl",
    "NetworkInterface",
    "Route",
    "SecurityGroup",
    "Subnet",
    "Vpc",
    "Vpn",
];

/// Parts of the names of EC2's operations on machines.
const HOST_PARTS: &[&str] = &["Host", "Image", "Instance", "Snapshot", "Volume"];

/// What the first word of an operation's name does. Sorted.
const VERBS: &[(&str, &str)] = &[
    ("Abort", "deletion"),
    ("Add", "change"),
    ("Allocate", "creation"),
    ("Assign", "change"),
    ("Associate", "change"),
    ("Attach", "change"),
    ("Authorize", "change"),
    ("Batch", ""),
    ("Cancel", "deletion"),
    ("Change", "change"),
    ("Check", "access"),
    ("Clone", "creation"),
    ("Copy", "creation"),
    ("Create", "creation"),
    ("Deactivate", "change"),
    ("Delete", "deletion"),
    ("Deregister", "deletion"),
    ("Describe", "access"),
    ("Detach", "change"),
    ("Disable", "change"),
    ("Disassociate", "change"),
    ("Download", "access"),
    ("Enable", "change"),
    ("Get", "access"),
    ("Head", "access"),
    ("Import", "creation"),
    ("Issue", "creation"),
    ("Launch", "creation"),
    ("Leave", "change"),
    ("List", "access"),
    ("Lookup", "access"),
    ("Modify", "change"),
    ("Move", "change"),
    ("Pause", "change"),
    ("Publish", "creation"),
    ("Purge", "deletion"),
    ("Put", "change"),
    ("Query", "access"),
    ("Read", "access"),
    ("Reboot", "change"),
    ("Register", "creation"),
    ("Release", "deletion"),
    ("Remove", "change"),
    ("Replace", "change"),
    ("Reset", "change"),
    ("Restore", "creation"),
    ("Resume", "change"),
    ("Revoke", "change"),
    ("Rotate", "change"),
    ("Run", "creation"),
    ("Scan", "access"),
    ("Schedule", "change"),
    ("Search", "access"),
    ("Select", "access"),
    ("Set", "change"),
    ("Simulate", "access"),
    ("Start", "start"),
    ("Stop", "end"),
    ("Tag", "change"),
    ("Terminate", "deletion"),
    ("Unassign", "change"),
    ("Untag", "change"),
    ("Update", "change"),
    ("Upload", "creation"),
    ("Write", "change"),
];

/// Categories and types of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Categories {
    /// At most two, the general one first.
    pub(super) categories: [Option<&'static str>; 2],
    pub(super) ty: &'static str,
}

/// What is known of an event.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Event<'a> {
    /// `iam.amazonaws.com`
    pub(super) provider: &'a str,
    /// `CreateUser`
    pub(super) name: &'a str,
    /// `AwsApiCall`; empty in the oldest versions.
    pub(super) kind: &'a str,
    /// `Management`
    pub(super) category: &'a str,
}

/// Looks the event up in the tables.
pub(super) fn of(event: Event<'_>) -> Categories {
    let service = event.provider.split('.').next().unwrap_or_default();
    let is_call = !matches!(event.kind, "AwsServiceEvent" | "AwsConsoleSignIn");
    let api = is_call.then_some("api");
    if event.category == "Insight" || event.kind == "AwsCloudTrailInsight" {
        return Categories {
            categories: [api, None],
            ty: "info",
        };
    }
    let sign_in = AUTHENTICATION
        .iter()
        .find(|(of, name, _)| *of == service && *name == event.name);
    if let Some((.., ty)) = sign_in {
        return Categories {
            categories: [api, Some("authentication")],
            ty,
        };
    }
    let about = match event.category {
        "NetworkActivity" => Some("network"),
        "Data" if service == "s3" => Some("file"),
        _ if event.kind == "AwsConsoleSignIn" => Some("authentication"),
        _ => about(service, event.name),
    };
    let ty = match (verb(event.name), api, about) {
        // These categories know few types; beside `api`, every type is expected.
        ("access" | "start" | "end", None, Some("iam" | "configuration" | "database")) => "info",
        (_, None, Some("authentication")) => "info",
        (verb, ..) => verb,
    };
    Categories {
        categories: [api, about],
        ty,
    }
}

fn about(service: &str, name: &str) -> Option<&'static str> {
    if service == "ec2" {
        // They all begin with a capital letter.
        let capitals = || (0..name.len()).filter(|at| name.as_bytes()[*at].is_ascii_uppercase());
        let begins = |at: usize, part: &str| name.as_bytes()[at..].starts_with(part.as_bytes());
        let has = |parts: &[&str]| capitals().any(|at| parts.iter().any(|part| begins(at, part)));
        return match () {
            () if has(NETWORK_PARTS) => Some("network"),
            () if has(HOST_PARTS) => Some("host"),
            () => None,
        };
    }
    look_up(SERVICES, service)
}

/// What the name's first word does; `Batch` says nothing, so there the second word counts.
fn verb(name: &str) -> &'static str {
    let (word, rest) = split_word(name);
    match look_up(VERBS, word) {
        Some("") => look_up(VERBS, split_word(rest).0).unwrap_or("info"),
        Some(ty) => ty,
        None => "info",
    }
}

/// The first letter and the small ones behind it.
fn split_word(name: &str) -> (&str, &str) {
    let end = name
        .bytes()
        .enumerate()
        .position(|(at, byte)| at > 0 && !byte.is_ascii_lowercase())
        .unwrap_or(name.len());
    name.split_at_checked(end).unwrap_or((name, ""))
}

fn look_up(table: &[(&str, &'static str)], key: &str) -> Option<&'static str> {
    let at = table.binary_search_by(|(known, _)| (*known).cmp(key)).ok()?;
    table.get(at).map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_for_the_look_up() {
        for table in [SERVICES, VERBS] {
            assert!(table.windows(2).all(|pair| pair[0].0 < pair[1].0));
        }
    }

    #[test]
    fn name_and_service_tell_category_and_type() {
        let call = "AwsApiCall";
        let cases = [
            (("iam", "CreateUser", call, "Management"), "api iam", "creation"),
            (("iam", "ListUsers", call, "Management"), "api iam", "access"),
            (("iam", "AttachUserPolicy", call, "Management"), "api iam", "change"),
            (
                ("ec2", "AuthorizeSecurityGroupIngress", call, "Management"),
                "api network",
                "change",
            ),
            (("ec2", "RunInstances", call, "Management"), "api host", "creation"),
            (("ec2", "DescribeRegions", call, "Management"), "api", "access"),
            (("s3", "GetObject", call, "Data"), "api file", "access"),
            (
                ("s3", "PutBucketPolicy", call, "Management"),
                "api configuration",
                "change",
            ),
            (("dynamodb", "BatchGetItem", call, "Data"), "api database", "access"),
            (
                ("lambda", "UpdateFunctionCode20150331v2", call, "Management"),
                "api",
                "change",
            ),
            (("lambda", "Invoke", call, "Data"), "api", "info"),
            (("ssm", "Settings", call, "Management"), "api", "info"),
            (("sts", "AssumeRole", call, "Management"), "api authentication", "start"),
            (("sts", "GetCallerIdentity", call, "Management"), "api", "access"),
            (
                ("signin", "ConsoleLogin", "AwsConsoleSignIn", "Management"),
                "authentication",
                "start",
            ),
            (
                ("signin", "PasswordUpdated", "AwsConsoleSignIn", "Management"),
                "authentication",
                "info",
            ),
            (("kms", "RotateKey", "AwsServiceEvent", "Management"), "", "change"),
            (
                ("config", "ListThings", "AwsServiceEvent", "Management"),
                "configuration",
                "info",
            ),
            (
                ("kms", "Decrypt", "AwsVpceEvent", "NetworkActivity"),
                "api network",
                "info",
            ),
            (
                ("ec2", "RunInstances", "AwsCloudTrailInsight", "Insight"),
                "api",
                "info",
            ),
            (("", "", "", ""), "api", "info"),
            (("x", "ÄGet", "", ""), "api", "info"),
        ];
        for ((service, name, kind, category), categories, ty) in cases {
            let provider = format!("{service}.amazonaws.com");
            let answer = of(Event {
                provider: &provider,
                name,
                kind,
                category,
            });
            let names: Vec<&str> = answer.categories.into_iter().flatten().collect();
            assert_eq!(
                (names.join(" ").as_str(), answer.ty),
                (categories, ty),
                "{service} {name}"
            );
        }
    }
}
