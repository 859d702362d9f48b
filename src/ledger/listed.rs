//! A row of the table that the widely copied Python Lambda keeps of its entries: for taking them over.

use chrono::{DateTime, Utc};
use ipnet::IpNet;

/// One deny that the Lambda made, ingress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Region of the network ACL.
    pub region: String,
    /// `acl-...`
    pub acl: String,
    /// The address that it denied.
    pub cidr: IpNet,
    /// At this rule number.
    pub rule: u16,
    /// When.
    pub created: Option<DateTime<Utc>>,
}

impl Listed {
    /// Reads a row from its attributes `NetACLId`, `Region`, `HostIp`, `RuleNo` and `CreatedAt` (seconds or milliseconds), as text
    /// whatever their type was.
    ///
    /// # Errors
    /// Says which attribute cannot be read.
    pub fn read(attribute: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let text = |name: &str| {
            let text = attribute(name).filter(|text| !text.is_empty());
            text.ok_or_else(|| format!("{name} is missing"))
        };
        let host = text("HostIp")?;
        let address = host.parse::<std::net::IpAddr>().map(IpNet::from).ok();
        let cidr = address.or_else(|| host.parse().ok());
        let rule = text("RuleNo")?;
        Ok(Self {
            region: text("Region")?,
            acl: text("NetACLId")?,
            cidr: cidr.ok_or("HostIp is no address")?.trunc(),
            rule: rule.trim().parse().map_err(|_| "RuleNo is no rule number")?,
            created: attribute("CreatedAt").and_then(|text| moment(&text)),
        })
    }
}

fn moment(text: &str) -> Option<DateTime<Utc>> {
    /// Seconds of a time far ahead: above are milliseconds.
    const SECONDS: i64 = 100_000_000_000;
    let number: i64 = text.split('.').next()?.parse().ok()?;
    if number > SECONDS {
        return DateTime::from_timestamp_millis(number);
    }
    DateTime::from_timestamp(number, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(changed: &str, to: Option<&str>) -> Result<Listed, String> {
        Listed::read(|name| {
            let usual = match name {
                "NetACLId" => "acl-1",
                "Region" => "eu-central-1",
                "HostIp" => "45.83.64.9",
                "RuleNo" => "71",
                _ => "1763712000",
            };
            if name == changed { to } else { Some(usual) }.map(str::to_owned)
        })
    }

    #[test]
    fn a_row_is_read_whatever_form_its_values_have() {
        let usual = read("", None).expect("a row");
        assert_eq!(usual.cidr.to_string(), "45.83.64.9/32");
        let created = usual.created.map(|at| at.to_rfc3339());
        assert_eq!(created.as_deref(), Some("2025-11-21T08:00:00+00:00"));
        for (name, text) in [
            ("HostIp", "45.83.64.9/32"),
            ("CreatedAt", "1763712000.25"),
            ("CreatedAt", "1763712000000"),
        ] {
            assert_eq!(read(name, Some(text)), Ok(usual.clone()), "{name} {text}");
        }
        assert_eq!(read("CreatedAt", Some("yesterday")).map(|row| row.created), Ok(None));
    }

    #[test]
    fn a_row_without_what_it_needs_is_refused_by_name() {
        for (name, text) in [
            ("HostIp", None),
            ("HostIp", Some("example.org")),
            ("RuleNo", Some("-1")),
            ("NetACLId", Some("")),
            ("Region", None),
        ] {
            let refused = read(name, text).expect_err(name);
            assert!(refused.contains(name), "{refused}");
        }
    }
}
