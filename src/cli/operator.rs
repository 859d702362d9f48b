//! What the commands for people in the loop share: the responder that is configured, who asks, addresses and times.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;
use tokio::net::TcpListener;

use super::{Context, DataDir, Failure, output};
use crate::config::{Config, Origin};
use crate::ledger::{AnyLedger, Store};
use crate::network_acl::{self, AnyNetworkAcls};
use crate::respond::notify::Channels;
use crate::respond::policy::Policy;
use crate::respond::report::Mode;
use crate::respond::{self, ActReport, Clock, Responder};

/// The responder that the configuration describes.
pub(crate) type Configured = Responder<AnyLedger, AnyNetworkAcls>;

/// Who asks and why; both are kept in the audit. Flatten it into a command's arguments.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Asker {
    /// Why, in your words; kept in the audit and shown in the message
    #[arg(long, value_name = "TEXT", value_parser = words)]
    pub(crate) reason: String,

    /// Who asks; without it $USER@host
    #[arg(long, value_name = "NAME", value_parser = words)]
    who: Option<String>,
}

impl Asker {
    /// Who asks.
    pub(crate) fn who(&self) -> String {
        self.who.clone().unwrap_or_else(|| {
            let user = ["USER", "LOGNAME", "USERNAME"]
                .iter()
                .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()));
            format!("{}@{}", user.as_deref().unwrap_or("unknown"), host())
        })
    }
}

/// This machine's name.
pub(crate) fn host() -> String {
    std::env::var("HOSTNAME")
        .ok()
        .or_else(|| std::fs::read_to_string("/etc/hostname").ok())
        .map(|host| host.trim().to_owned())
        .filter(|host| !host.is_empty())
        .unwrap_or_else(|| "localhost".to_owned())
}

/// The responder that the configuration describes. With `create`, an embedded ledger is made when it is missing.
///
/// Where the network ACLs behind it are a model, it enforces unless the configuration itself says `shadow`.
///
/// # Errors
/// A usage failure when there is no ledger and none is to be made.
pub(crate) async fn open(context: &Context, data: &DataDir, create: bool) -> Result<Configured, Failure> {
    let effective = context.effective()?;
    let dir = data.or(&effective.config);
    if !create && !has_ledger(&effective.config, dir) {
        return Err(Failure::usage(anyhow::anyhow!(
            "{}: no ledger here; name the data directory with --data DIR, or make one with `portcullis demo --data DIR`, \
             `portcullis serve` or `portcullis respond --apply`",
            dir.display()
        )));
    }
    let mut policy = effective.config.policy.clone();
    let model = effective.config.network_acls.store == network_acl::Store::Model;
    if model && matches!(effective.origin("policy.mode"), Origin::Default) {
        policy.mode = Mode::Enforce;
    }
    responder(&effective.config, dir, valid(policy)?).await
}

/// The responder on the stores that the configuration names; those of one machine are in `dir`, which is made when it is
/// missing.
///
/// # Errors
/// When a store cannot be opened.
pub(crate) async fn responder(config: &Config, dir: &Path, policy: Policy) -> Result<Configured, Failure> {
    std::fs::create_dir_all(dir).map_err(|error| Failure::new(format_args!("{}: {error}", dir.display())))?;
    let ledger = AnyLedger::open(&config.ledger, dir)
        .await
        .map_err(respond::Error::from)?;
    let acls = AnyNetworkAcls::open(&config.network_acls, dir)
        .await
        .map_err(respond::Error::from)?;
    Ok(Responder::new(ledger, acls, policy, respond::owner()))
}

/// Reads what the guards must know before anything is judged. That it cannot be read is told and no failure: it is tried again,
/// and until then nothing is blocked.
pub(crate) async fn prepare(responder: &Configured) {
    if let Err(error) = responder.network_acls().prepare().await {
        output::tell(format_args!(
            "nothing is blocked until our own addresses can be read: {}",
            output::printable(&error.to_string())
        ));
    }
}

/// Listens on an address; `option` is the one that names another.
///
/// # Errors
/// When somebody else does, or it is none of this machine's.
pub(crate) async fn listen(address: SocketAddr, option: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        Failure::new(format_args!(
            "cannot listen on {address}: {error}; choose another address with {option}"
        ))
    })
}

/// Whether there is a ledger to look into. One on DynamoDB is taken to be there: opening it says so when it is not.
pub(crate) fn has_ledger(config: &Config, dir: &Path) -> bool {
    match config.ledger.store {
        Store::Embedded => dir.join("ledger.sqlite").is_file(),
        Store::DynamoDb => true,
    }
}

/// The policy, once its values can work.
///
/// # Errors
/// A usage failure that names every key that cannot.
pub(crate) fn valid(policy: Policy) -> Result<Policy, Failure> {
    match policy.validate() {
        Ok(()) => Ok(policy),
        Err(errors) => {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            Err(Failure::usage(anyhow::anyhow!(
                "the policy cannot work: {}",
                lines.join("; ")
            )))
        }
    }
}

/// The channels that are configured. Ask for them before anything is done.
///
/// # Errors
/// A usage failure when one cannot be used; it names the place, never the secret.
pub(crate) async fn channels(config: &Config) -> Result<Option<Channels>, Failure> {
    Channels::open(&config.slack, &config.sns).await.map_err(Failure::usage)
}

/// Acts on what is pending and tells people; `false`, and a line that says why, when something was left for later.
///
/// # Errors
/// When the ledger fails. A channel that cannot be reached is no failure: the message waits in the outbox.
pub(crate) async fn finish(
    responder: &Configured,
    channels: Option<&Channels>,
    clock: &impl Clock,
) -> Result<bool, Failure> {
    let swept = responder.sweep(clock).await?;
    if swept.postponed > 0 {
        let why = swept.last_error.as_deref().unwrap_or("another process acts on it");
        output::tell(format_args!(
            "{} network ACL(s) left for later: {}; `portcullis status` shows what is pending",
            swept.postponed,
            output::clipped(why, 200)
        ));
    }
    if let Some(channels) = channels {
        responder.deliver(channels, clock).await?;
    }
    Ok(swept.postponed == 0)
}

/// An address or a CIDR, as clap reads it. Host bits must be clear, so that nobody denies more than was meant.
pub(crate) fn network(text: &str) -> Result<IpNet, String> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Ok(IpNet::from(ip.to_canonical()));
    }
    let net: IpNet = text
        .parse()
        .map_err(|_| "write an address such as 192.0.2.7, or a CIDR such as 192.0.2.0/24".to_owned())?;
    if net != net.trunc() {
        return Err(format!(
            "its host bits are set; write {} or {}/{}",
            net.trunc(),
            net.addr(),
            net.max_prefix_len()
        ));
    }
    Ok(net)
}

/// `192.0.2.7` for a single address, else the CIDR.
pub(crate) fn shown(net: IpNet) -> String {
    if net.prefix_len() == net.max_prefix_len() {
        net.addr().to_string()
    } else {
        net.to_string()
    }
}

/// Where the entry of a report is, to be said behind its address: ` on acl-0a1b ingress` and `, rule 71`, as far as it is known.
pub(crate) fn placed(report: &ActReport) -> (String, String) {
    let place = match (&report.acl, report.direction) {
        (Some(key), Some(direction)) => format!(" on {} {direction}", key.acl),
        _ => String::new(),
    };
    let rule = report.rule.map(|rule| format!(", rule {rule}")).unwrap_or_default();
    (place, rule)
}

/// What people tell a finding by where a line is short: `EC2/SSHBruteForce` of `UnauthorizedAccess:EC2/SSHBruteForce`.
pub(crate) fn short_type(finding_type: &str) -> &str {
    finding_type.split_once(':').map_or(finding_type, |(_, rest)| rest)
}

/// A moment, or a time from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    At(DateTime<Utc>),
    In(TimeDelta),
}

impl Until {
    /// The moment, which must lie ahead.
    ///
    /// # Errors
    /// A usage failure when it has passed.
    pub(crate) fn after(self, now: DateTime<Utc>) -> Result<DateTime<Utc>, Failure> {
        let at = match self {
            Until::At(at) => at,
            Until::In(delta) => now + delta,
        };
        if at <= now {
            return Err(Failure::usage(anyhow::anyhow!(
                "--until {} has passed; now is {}",
                time(at),
                time(now)
            )));
        }
        Ok(at)
    }
}

/// `2026-11-21T18:00:00Z`, or `30m`, `24h`, `7d` from now; as clap reads it.
pub(crate) fn until(text: &str) -> Result<Until, String> {
    const UNITS: &[(char, i64)] = &[('m', 60), ('h', 3600), ('d', 86_400), ('w', 604_800)];
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(Until::At(at.to_utc()));
    }
    let relative = UNITS.iter().find_map(|(unit, seconds)| {
        let number: i64 = text.strip_suffix(*unit)?.parse().ok()?;
        (1..=100_000)
            .contains(&number)
            .then(|| TimeDelta::seconds(number * seconds))
    });
    relative.map(Until::In).ok_or_else(|| {
        "write a time with its offset, such as 2026-11-21T18:00:00Z, or 30m, 24h, 7d from now".to_owned()
    })
}

/// A time of an earlier run, as clap reads it.
pub(crate) fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.to_utc())
        .map_err(|_| "write a time with its offset, such as 2026-11-21T18:00:00Z".to_owned())
}

fn words(text: &str) -> Result<String, String> {
    const LONGEST: usize = 500;
    match text.trim() {
        "" => Err("say it in a few words".to_owned()),
        text if text.chars().count() > LONGEST => Err(format!("at most {LONGEST} characters")),
        text => Ok(text.to_owned()),
    }
}

/// `2026-11-21 18:00:00 UTC`
pub(crate) fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// `2026-11-21 18:00 UTC, 3 min ago`
pub(crate) fn time_and_age(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let age = age(at, now);
    let relative = if at > now {
        format!("in {age}")
    } else {
        format!("{age} ago")
    };
    format!("{}, {relative}", at.format("%Y-%m-%d %H:%M UTC"))
}

/// The time between, in its largest unit: `40 s`, `3 min`, `5 h`, `12 d`.
pub(crate) fn age(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = (now - at).abs().to_std().unwrap_or(Duration::ZERO).as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_or_a_cidr_without_host_bits_is_a_network() {
        assert_eq!(network("45.83.64.9").map(shown), Ok("45.83.64.9".to_owned()));
        assert_eq!(network("::ffff:45.83.64.9").map(shown), Ok("45.83.64.9".to_owned()));
        assert_eq!(network("45.83.64.0/24").map(shown), Ok("45.83.64.0/24".to_owned()));
        let error = network("45.83.64.9/24").expect_err("host bits");
        assert!(
            error.contains("45.83.64.0/24") && error.contains("45.83.64.9/32"),
            "{error}"
        );
        assert!(network("example.org").is_err());
    }

    #[test]
    fn until_is_a_moment_or_a_time_from_now() {
        let now = DateTime::UNIX_EPOCH;
        for (text, seconds) in [
            ("30m", 1800),
            ("24h", 86_400),
            ("7d", 604_800),
            ("1970-01-01T00:00:09Z", 9),
        ] {
            let at = until(text).expect(text).after(now).expect(text);
            assert_eq!(at.timestamp(), seconds, "{text}");
        }
        for text in [
            "",
            "h",
            "0h",
            "-3h",
            "24",
            "tomorrow",
            "99999999999999999999h",
            "2026-11-21T18:00:00",
        ] {
            assert!(until(text).is_err(), "{text}");
        }
        assert!(until("1969-01-01T00:00:00Z").expect("a time").after(now).is_err());
    }

    #[test]
    fn ages_are_told_in_their_largest_unit() {
        let at = |seconds| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
        for (seconds, shown) in [(0, "0 s"), (59, "59 s"), (60, "1 min"), (7200, "2 h"), (172_800, "2 d")] {
            assert_eq!(age(at(0), at(seconds)), shown);
            assert_eq!(age(at(seconds), at(0)), shown);
        }
    }
}
