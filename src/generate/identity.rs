//! Who calls AWS: people, roles, services, and whoever got hold of a key. Data, and how CloudTrail writes it.

use std::net::Ipv4Addr;

use chrono::{DateTime, Utc};

use super::{
    environment::Environment,
    json::Object,
    provider::{ACCESS, ATTACKERS},
    random::Random,
};

/// People with a user of their own, and the role that each takes for work.
const PEOPLE: &[(&str, &str)] = &[
    ("alice.moreau", "PlatformAdmin"),
    ("ben.okafor", "Developer"),
    ("chiara.rossi", "Developer"),
    ("dmitri.petrov", "NetworkEngineer"),
    ("elena.garcia", "Developer"),
    ("farid.haddad", "ReadOnly"),
    ("grace.lindqvist", "SecurityAudit"),
    ("hana.sato", "Developer"),
];

/// Users of machines. The first one's key was left in a public repository.
const MACHINE_USERS: &[&str] = &["ci-deploy", "backup-agent"];

/// Roles of instances and of services.
pub(crate) const MACHINE_ROLES: &[&str] = &["shop-web", "shop-app", "orders-batch", "report-reader"];

/// One user.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) name: &'static str,
    /// The role that the user takes for work.
    pub(crate) role: &'static str,
    pub(crate) key: String,
    principal: String,
    /// Where the user usually calls from.
    pub(crate) address: Ipv4Addr,
}

/// Everybody who calls.
#[derive(Clone, Debug)]
pub(crate) struct Callers {
    pub(crate) people: Vec<User>,
    pub(crate) machines: Vec<User>,
    /// Whose hands a key fell into, and who guesses passwords.
    pub(crate) intruders: Vec<Ipv4Addr>,
    /// Principal id of each role, by its place in the lists of roles.
    roles: Vec<(&'static str, String)>,
}

impl Callers {
    pub(crate) fn new(environment: &Environment, random: &mut Random) -> Self {
        let office = environment.allow_list.last().map(|listed| listed.cidr.addr());
        let user = |name, role, random: &mut Random| {
            let home = random.pick(ACCESS).address(random);
            User {
                name,
                role,
                key: id("AKIA", random),
                principal: id("AIDA", random),
                address: match office {
                    Some(std::net::IpAddr::V4(office)) if random.chance(60) => office,
                    _ => home,
                },
            }
        };
        let people = PEOPLE.iter().map(|&(name, role)| user(name, role, random)).collect();
        let machines = MACHINE_USERS.iter().map(|&name| user(name, "Deploy", random)).collect();
        let intruders = (0..9).map(|_| random.pick(ATTACKERS).address(random)).collect();
        let named = PEOPLE
            .iter()
            .map(|(_, role)| *role)
            .chain(MACHINE_ROLES.iter().copied());
        let mut roles: Vec<(&str, String)> = named.map(|role| (role, id("AROA", random))).collect();
        roles.push(("Deploy", id("AROA", random)));
        Self {
            people,
            machines,
            intruders,
            roles,
        }
    }

    /// Principal id of a role.
    fn principal(&self, role: &str) -> &str {
        self.roles
            .iter()
            .find(|(name, _)| *name == role)
            .map_or("AROAEXAMPLE", |(_, principal)| principal)
    }
}

/// Four letters and sixteen more.
fn id(prefix: &str, random: &mut Random) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut id = prefix.to_owned();
    id.extend((0..16).map(|_| char::from(*random.pick(LETTERS))));
    id
}

/// Who makes one call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Identity<'c> {
    /// A user with a key, or in the console without one.
    User(&'c User, bool),
    /// A session of a role.
    Session {
        role: &'static str,
        name: &'c str,
        since: DateTime<Utc>,
        /// A service that calls in the role's place.
        invoked_by: Option<&'static str>,
        second_factor: bool,
    },
    /// A service of AWS.
    Service(&'static str),
    /// Somebody whose user name was wrong, and is hidden.
    Hidden,
    /// The account's root user.
    Root,
}

impl Identity<'_> {
    /// Writes the member `userIdentity`.
    pub(crate) fn write(self, callers: &Callers, account: &str, o: &mut Object<'_>) {
        o.object("userIdentity", |o| match self {
            Identity::User(user, with_key) => {
                o.text("type", "IAMUser");
                o.text("principalId", &user.principal);
                arn(o, "arn", "iam", account, &["user/", user.name]);
                o.text("accountId", account);
                if with_key {
                    o.text("accessKeyId", &user.key);
                }
                o.text("userName", user.name);
            }
            Identity::Session {
                role,
                name,
                since,
                invoked_by,
                second_factor,
            } => {
                let principal = callers.principal(role);
                o.text("type", "AssumedRole");
                o.built("principalId", |out| push_all(&[principal, ":", name], out));
                arn(o, "arn", "sts", account, &["assumed-role/", role, "/", name]);
                o.text("accountId", account);
                o.built("accessKeyId", |out| {
                    out.extend_from_slice(b"ASIA");
                    out.extend(principal.bytes().skip(4));
                });
                o.object("sessionContext", |o| {
                    o.object("sessionIssuer", |o| {
                        o.text("type", "Role");
                        o.text("principalId", principal);
                        arn(o, "arn", "iam", account, &["role/", role]);
                        o.text("accountId", account);
                        o.text("userName", role);
                    });
                    o.object("attributes", |o| {
                        o.seconds("creationDate", since);
                        o.text("mfaAuthenticated", if second_factor { "true" } else { "false" });
                    });
                });
                if let Some(service) = invoked_by {
                    o.text("invokedBy", service);
                }
            }
            Identity::Service(service) => {
                o.text("type", "AWSService");
                o.text("invokedBy", service);
            }
            Identity::Hidden => {
                o.text("type", "IAMUser");
                o.text("accountId", account);
                o.text("accessKeyId", "");
                o.text("userName", "HIDDEN_DUE_TO_SECURITY_REASONS");
            }
            Identity::Root => {
                o.text("type", "Root");
                o.text("principalId", account);
                arn(o, "arn", "iam", account, &["root"]);
                o.text("accountId", account);
                o.text("accessKeyId", "");
            }
        });
    }
}

/// Writes the member `name`: the ARN of something that has no Region.
pub(crate) fn arn(o: &mut Object<'_>, name: &str, service: &str, account: &str, resource: &[&str]) {
    o.built(name, |out| {
        push_all(&["arn:aws:", service, "::", account, ":"], out);
        push_all(resource, out);
    });
}

/// Appends the parts one after another.
pub(crate) fn push_all(parts: &[&str], out: &mut Vec<u8>) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}
