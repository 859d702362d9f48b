//! The addresses of AWS services, from a copy of `ip-ranges.json`.
//!
//! See [AWS IP address ranges](https://docs.aws.amazon.com/vpc/latest/userguide/aws-ip-ranges.html). `EC2` is what anybody may rent, and
//! `AMAZON` holds every other list, so neither spares an address.

use std::path::Path;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use ipnet::IpNet;
use serde::Deserialize;

/// Lists that spare nothing.
const RENTED: &[&str] = &["AMAZON", "EC2"];

/// Bytes that such a file may have; it has about three million.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

#[derive(Deserialize)]
struct File {
    #[serde(rename = "createDate")]
    made: String,
    prefixes: Vec<Prefix>,
    #[serde(default)]
    ipv6_prefixes: Vec<Prefix>,
}

#[derive(Deserialize)]
struct Prefix {
    #[serde(alias = "ip_prefix", alias = "ipv6_prefix")]
    prefix: IpNet,
    service: String,
}

/// Every prefix of a service other than EC2.
///
/// # Errors
/// Says what is wrong with the file, and the remedy.
pub(super) fn read(path: &Path, oldest: TimeDelta, now: DateTime<Utc>) -> Result<Vec<IpNet>, String> {
    let fails = |what: &dyn std::fmt::Display| {
        format!(
            "network_acls.ec2.ip_ranges: {}: {what}; put a copy of https://ip-ranges.amazonaws.com/ip-ranges.json there",
            path.display()
        )
    };
    let length = std::fs::metadata(path).map_err(|error| fails(&error))?.len();
    if length > MOST_BYTES {
        return Err(fails(&"it is too long"));
    }
    let text = std::fs::read(path).map_err(|error| fails(&error))?;
    prefixes(&text, oldest, now).map_err(|what| fails(&what))
}

fn prefixes(text: &[u8], oldest: TimeDelta, now: DateTime<Utc>) -> Result<Vec<IpNet>, String> {
    let file: File = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let made = NaiveDateTime::parse_from_str(&file.made, "%Y-%m-%d-%H-%M-%S")
        .map_err(|_| "its createDate cannot be read".to_owned())?
        .and_utc();
    if now - made > oldest {
        return Err(format!(
            "it was made on {}, which is too long ago",
            made.format("%Y-%m-%d")
        ));
    }
    let all = file.prefixes.into_iter().chain(file.ipv6_prefixes);
    let mut found: Vec<IpNet> = all
        .filter(|prefix| !RENTED.contains(&prefix.service.as_str()))
        .map(|prefix| prefix.prefix.trunc())
        .collect();
    found.sort();
    found.dedup();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"syncToken": "1", "createDate": "2026-11-20-17-07-12", "prefixes": [
        {"ip_prefix": "3.2.34.0/26", "region": "af-south-1", "service": "AMAZON", "network_border_group": "af-south-1"},
        {"ip_prefix": "3.5.140.0/22", "region": "ap-northeast-2", "service": "S3", "network_border_group": "ap-northeast-2"},
        {"ip_prefix": "3.5.140.0/22", "region": "ap-northeast-2", "service": "AMAZON", "network_border_group": "ap-northeast-2"},
        {"ip_prefix": "18.153.0.0/16", "region": "eu-central-1", "service": "EC2", "network_border_group": "eu-central-1"}],
        "ipv6_prefixes": [
        {"ipv6_prefix": "2600:9000::/28", "region": "GLOBAL", "service": "CLOUDFRONT", "network_border_group": "GLOBAL"}]}"#;

    fn on(day: &str) -> DateTime<Utc> {
        format!("{day}T00:00:00Z").parse().expect("a time")
    }

    #[test]
    fn services_other_than_ec2_are_spared() {
        let found = prefixes(TEXT.as_bytes(), TimeDelta::days(30), on("2026-11-21")).expect("a file");
        let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["3.5.140.0/22", "2600:9000::/28"]);
    }

    #[test]
    fn an_old_or_broken_file_is_no_list() {
        let old = prefixes(TEXT.as_bytes(), TimeDelta::days(30), on("2026-12-25")).expect_err("old");
        assert!(old.contains("2026-11-20"), "{old}");
        for text in [
            "",
            "{}",
            &TEXT.replace("3.5.140.0/22", "3.5.140.0/99"),
            &TEXT.replace("-17-07-12", ""),
        ] {
            assert!(prefixes(text.as_bytes(), TimeDelta::days(30), on("2026-11-21")).is_err());
        }
        let missing = read(Path::new("nowhere.json"), TimeDelta::days(30), on("2026-11-21")).expect_err("missing");
        assert!(
            missing.contains("nowhere.json") && missing.contains("network_acls.ec2.ip_ranges"),
            "{missing}"
        );
    }
}
