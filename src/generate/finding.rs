//! What GuardDuty saw: the kinds of finding that the generator knows, and one finding of a kind.
//!
//! Types, severities and roles are AWS's:
//! <https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-active.html>. Titles and descriptions are our own words.

use std::net::Ipv4Addr;

use chrono::{DateTime, TimeDelta, Utc};

use super::{environment::Environment, flow::Local, provider::Provider, random::Random};

/// What a finding is about, as GuardDuty's action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// A connection from outside.
    Inbound(&'static str),
    /// A connection that the machine made.
    Outbound(&'static str),
    /// A connection whose direction GuardDuty could not tell.
    Unknown(&'static str),
    /// Probes of a port, by several addresses.
    PortProbe,
    /// An API call with somebody's keys: API, service.
    ApiCall(&'static str, &'static str),
    /// A name that was asked for.
    Dns(&'static str),
    /// A call to a cluster's control plane: verb, path.
    Kubernetes(&'static str, &'static str),
    /// Failed logins at a database.
    RdsLogin,
    /// A file found on a volume: no network action.
    Malware,
}

/// One kind of finding: a row of the tables below.
#[derive(Debug)]
pub(crate) struct Kind {
    /// GuardDuty's type.
    pub(crate) name: &'static str,
    /// GuardDuty's severity, as it is written.
    pub(crate) severity: &'static str,
    pub(crate) action: Action,
    /// `TARGET` or `ACTOR`.
    pub(crate) role: &'static str,
    /// The remote port of an outbound connection; the local port of an inbound one is the machine's.
    pub(crate) port: u16,
    /// `{instance}`, `{remote}`, `{port}` and `{name}` are filled in.
    pub(crate) title: &'static str,
    pub(crate) description: &'static str,
    /// The threat list that the address was on.
    pub(crate) list: Option<(&'static str, &'static str)>,
}

const fn kind(
    name: &'static str,
    severity: &'static str,
    (action, role, port): (Action, &'static str, u16),
    title: &'static str,
    description: &'static str,
) -> Kind {
    Kind {
        name,
        severity,
        action,
        role,
        port,
        title,
        description,
        list: None,
    }
}

impl Kind {
    const fn listed(mut self, list: &'static str, threat: &'static str) -> Self {
        self.list = Some((list, threat));
        self
    }
}

const INBOUND: Action = Action::Inbound("TCP");
const OUTBOUND: Action = Action::Outbound("TCP");

/// Attacks from outside on a machine that can be reached.
pub(crate) const FROM_OUTSIDE: &[Kind] = &[
    kind(
        "UnauthorizedAccess:EC2/SSHBruteForce",
        "2",
        (INBOUND, "TARGET", 22),
        "{remote} is guessing SSH passwords of {instance}.",
        "{remote} opens one SSH session after another to {instance} and fails to log in, as password-guessing tools do.",
    ),
    kind(
        "UnauthorizedAccess:EC2/RDPBruteForce",
        "2",
        (INBOUND, "TARGET", 3389),
        "{remote} is guessing RDP passwords of {instance}.",
        "{remote} opens one remote-desktop session after another to {instance} and fails to log in.",
    ),
    kind(
        "Recon:EC2/PortProbeUnprotectedPort",
        "2",
        (Action::PortProbe, "TARGET", 22),
        "An open port of {instance} is being probed.",
        "Hosts that are known to scan the internet probe port {port} of {instance}, which no rule protects.",
    )
    .listed("ProofPoint", "Scanner"),
    kind(
        "UnauthorizedAccess:EC2/MaliciousIPCaller.Custom",
        "5",
        (INBOUND, "TARGET", 443),
        "{remote} of a threat list talks to {instance}.",
        "{instance} exchanges traffic on port {port} with {remote}, an address of the threat list that you uploaded.",
    )
    .listed("meridian-threats", "Customer Threat Intel"),
];

/// What a machine does that was taken over.
pub(crate) const FROM_INSIDE: &[Kind] = &[
    kind(
        "CryptoCurrency:EC2/BitcoinTool.B",
        "8",
        (OUTBOUND, "ACTOR", 3333),
        "{instance} talks to a mining pool at {remote}.",
        "{instance} keeps a connection to {remote} on port {port}, an address that belongs to a crypto-currency mining pool.",
    ),
    kind(
        "Backdoor:EC2/C&CActivity.B",
        "8",
        (OUTBOUND, "ACTOR", 8443),
        "{instance} calls a command and control server at {remote}.",
        "{instance} connects to {remote} on port {port}, which is known to give orders to compromised machines.",
    )
    .listed("Amazon", "Command and Control"),
    kind(
        "UnauthorizedAccess:EC2/TorClient",
        "8",
        (OUTBOUND, "ACTOR", 9001),
        "{instance} connects to the Tor network through {remote}.",
        "{instance} opens connections to {remote}, a guard of the Tor network.",
    ),
    kind(
        "Trojan:EC2/DropPoint",
        "5",
        (OUTBOUND, "ACTOR", 443),
        "{instance} sends data to a drop point at {remote}.",
        "{instance} sends data to {remote}, which is known to collect what malware steals.",
    ),
];

/// Findings that name an address, but whose traffic crosses no subnet, or that name none.
pub(crate) const API_CALL: &Kind = &kind(
    "UnauthorizedAccess:IAMUser/MaliciousIPCaller",
    "5",
    (Action::ApiCall("ListBuckets", "s3.amazonaws.com"), "TARGET", 0),
    "An API was called from the malicious address {remote}.",
    "The keys of a user were used for ListBuckets from {remote}, an address that is known for attacks.",
)
.listed("ProofPoint", "Scanner");

/// A name that belongs to a mining pool.
pub(crate) const DNS_REQUEST: &Kind = &kind(
    "CryptoCurrency:EC2/BitcoinTool.B!DNS",
    "8",
    (Action::Dns("pool.supportxmr.example"), "ACTOR", 0),
    "{instance} asks for a name of a mining pool.",
    "{instance} resolves {name}, a name that is used for crypto-currency mining.",
);

/// A call to a cluster's control plane.
pub(crate) const KUBERNETES_CALL: &Kind = &kind(
    "Discovery:Kubernetes/MaliciousIPCaller",
    "5",
    (
        Action::Kubernetes("list", "/api/v1/namespaces/kube-system/secrets"),
        "TARGET",
        0,
    ),
    "A cluster's API was called from the malicious address {remote}.",
    "An API that lists resources of a Kubernetes cluster was called from {remote}.",
)
.listed("ProofPoint", "Scanner");

/// Failed logins at a database.
pub(crate) const RDS_LOGIN: &Kind = &kind(
    "CredentialAccess:RDS/MaliciousIPCaller.FailedLogin",
    "5",
    (Action::RdsLogin, "TARGET", 0),
    "{remote} fails to log in to a database.",
    "{remote}, an address that is known for attacks, tried to log in to a database and failed.",
);

/// A file found on a volume.
pub(crate) const MALWARE: &Kind = &kind(
    "Execution:EC2/MaliciousFile",
    "8",
    (Action::Malware, "TARGET", 0),
    "Malware on a volume of {instance}.",
    "A scan of the volumes of {instance} found files that are malware.",
);

/// Datagrams from outside: their source can be forged.
pub(crate) const DATAGRAMS: &Kind = &kind(
    "UnauthorizedAccess:EC2/MaliciousIPCaller.Custom",
    "5",
    (Action::Inbound("UDP"), "TARGET", 53),
    "{remote} of a threat list talks to {instance}.",
    "{instance} receives datagrams on port {port} from {remote}, an address of the threat list that you uploaded.",
)
.listed("meridian-threats", "Customer Threat Intel");

/// A direction that GuardDuty could not tell.
pub(crate) const UNDIRECTED: &Kind = &kind(
    "UnauthorizedAccess:EC2/MaliciousIPCaller.Custom",
    "5",
    (Action::Unknown("TCP"), "TARGET", 9031),
    "{remote} of a threat list talks to {instance}.",
    "{instance} exchanges traffic on port {port} with {remote}, an address of the threat list that you uploaded.",
)
.listed("meridian-threats", "Customer Threat Intel");

/// Unusual, but by no means an attack.
pub(crate) const UNUSUAL: &Kind = &kind(
    "Behavior:EC2/NetworkPortUnusual",
    "3",
    (OUTBOUND, "ACTOR", 6667),
    "{instance} uses an unusual port to talk to {remote}.",
    "{instance} talks to {remote} on port {port}, which it never used before.",
);

/// One remote party of a finding.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Remote {
    pub(crate) address: Ipv4Addr,
    pub(crate) provider: &'static Provider,
    pub(crate) port: u16,
}

impl Remote {
    pub(crate) fn of(provider: &'static Provider, random: &mut Random) -> Self {
        Self {
            address: provider.address(random),
            provider,
            port: super::flow::ephemeral(random),
        }
    }
}

/// One finding; its versions differ in [`Version`] only.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) kind: &'static Kind,
    /// 32 hexadecimal digits.
    pub(crate) id: String,
    pub(crate) local: Local,
    /// One, or several for port probes; none for kinds without an address.
    pub(crate) remotes: Vec<Remote>,
    pub(crate) first_seen: DateTime<Utc>,
    pub(crate) created: DateTime<Utc>,
    pub(crate) sample: bool,
    pub(crate) archived: bool,
    /// GuardDuty saw that the traffic was rejected already.
    pub(crate) blocked: bool,
    /// How long its versions lie about before they are delivered; zero but for stale ones.
    pub(crate) late: TimeDelta,
    /// Whether it is delivered bare instead of in EventBridge's envelope.
    pub(crate) bare: bool,
}

/// What changes when a finding is published again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Version {
    pub(crate) last_seen: DateTime<Utc>,
    pub(crate) updated: DateTime<Utc>,
    pub(crate) count: i64,
}

impl Finding {
    /// The local port that is attacked, or that a machine connects from.
    pub(crate) fn local_port(&self, environment: &Environment) -> u16 {
        match self.kind.action {
            Action::Outbound(_) => 49_152 + self.remotes.first().map_or(0, |remote| remote.port % 8_192),
            Action::PortProbe => self.local.instance(environment).ports[0],
            _ => self.kind.port,
        }
    }

    /// The remote port: what a machine connects to, or where an attacker connects from.
    pub(crate) fn remote_port(&self) -> u16 {
        match self.kind.action {
            Action::Outbound(_) => self.kind.port,
            _ => self.remotes.first().map_or(0, |remote| remote.port),
        }
    }

    /// A title or description with its placeholders filled in.
    pub(crate) fn fill(&self, environment: &Environment, template: &str) -> String {
        let remote = self.remotes.first().map(|r| r.address.to_string()).unwrap_or_default();
        let port = match self.kind.action {
            Action::Outbound(_) => self.remote_port(),
            _ => self.local_port(environment),
        };
        let name = match self.kind.action {
            Action::Dns(name) => name,
            _ => "",
        };
        template
            .replace("{instance}", &self.local.instance(environment).id)
            .replace("{remote}", &remote)
            .replace("{port}", &port.to_string())
            .replace("{name}", name)
    }

    /// Its title; samples carry GuardDuty's mark.
    pub(crate) fn title(&self, environment: &Environment) -> String {
        let title = self.fill(environment, self.kind.title);
        if self.sample {
            format!("[SAMPLE] {title}")
        } else {
            title
        }
    }

    /// Its ARN.
    pub(crate) fn arn(&self, environment: &Environment) -> String {
        let vpc = self.local.vpc(environment);
        let (region, account, detector, id) = (vpc.region, &vpc.account, &vpc.detector, &self.id);
        format!("arn:aws:guardduty:{region}:{account}:detector/{detector}/finding/{id}")
    }
}
