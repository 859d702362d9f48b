//! Which network ACLs the operator chose, and for EC2's, which accounts and regions they are in and how they are reached.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `[network_acls]`: where entries are made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// What holds them.
    pub store: Store,
    /// How EC2 is reached; of no account in the model.
    pub ec2: Ec2Settings,
}

/// What holds network ACLs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Store {
    /// The model in the data directory: nothing is done to an AWS account.
    #[default]
    Model,
    /// EC2.
    Ec2,
}

/// `[network_acls.ec2]`: how EC2 is reached. Endpoints and first credentials come from the standard AWS variables and files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ec2Settings {
    /// Every account of ours, by its twelve digits: their public addresses are never blocked, and only there may anything be
    /// blocked at all.
    pub accounts: Vec<String>,
    /// Every region that is used in them.
    pub regions: Vec<String>,
    /// Name of the role that is assumed in each account, with its path; without one the process's own credentials have to
    /// be those of the one account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// What the role's trust policy asks for as `sts:ExternalId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Entries that a network ACL may have per direction (Service Quotas L-2AEEBF1A). EC2 has the last word.
    pub quota: usize,
    /// An inventory of our own addresses that is older, in minutes, counts as none: nothing is blocked then.
    pub inventory_minutes: u32,
    /// A copy of AWS's `ip-ranges.json`, for the addresses of AWS services beside the managed prefix lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_ranges: Option<PathBuf>,
    /// A copy that AWS made longer ago, in days, counts as none: nothing is blocked then.
    pub ip_ranges_days: u32,
}

impl Default for Ec2Settings {
    fn default() -> Self {
        Self {
            accounts: Vec::new(),
            regions: Vec::new(),
            role: None,
            external_id: None,
            quota: 20,
            inventory_minutes: 60,
            ip_ranges: None,
            ip_ranges_days: 30,
        }
    }
}

/// A value that cannot work: the key within the section, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// Such as `regions[1]`.
    pub key: String,
    /// What is wrong, and the remedy.
    pub message: String,
}

impl Ec2Settings {
    /// The role's ARN in one account, in the partition that the regions are in.
    #[must_use]
    pub fn role_in(&self, account: &str) -> Option<String> {
        let partition = self.regions.first().map_or("aws", |region| partition(region));
        let role = self.role.as_ref()?;
        Some(format!("arn:{partition}:iam::{account}:role/{role}"))
    }

    /// Every value that cannot work.
    #[must_use]
    pub fn problems(&self) -> Vec<Unusable> {
        let mut found = Vec::new();
        let mut must = |holds: bool, key: String, message: &str| {
            if !holds {
                let message = message.to_owned();
                found.push(Unusable { key, message });
            }
        };
        must(
            !self.accounts.is_empty(),
            "accounts".to_owned(),
            "is empty; write the id of each account of yours, twelve digits in quotes",
        );
        for (at, account) in self.accounts.iter().enumerate() {
            must(
                account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()),
                format!("accounts[{at}]"),
                "is no account id; write its twelve digits, in quotes",
            );
        }
        must(
            !self.regions.is_empty(),
            "regions".to_owned(),
            "is empty; write each region that you use, such as \"eu-central-1\"",
        );
        for (at, region) in self.regions.iter().enumerate() {
            must(
                is_region(region),
                format!("regions[{at}]"),
                "is no region; write one such as \"eu-central-1\"",
            );
            must(
                partition(region) == partition(&self.regions[0]),
                format!("regions[{at}]"),
                "is in another partition than the first; a program has credentials of one: run another for it",
            );
        }
        must(
            self.role.is_some() || self.accounts.len() <= 1,
            "role".to_owned(),
            "is missing, and there are several accounts; write the name of the role to assume in each",
        );
        let is_role = |role: &String| {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/+=,.@_-".contains(&byte);
            !role.is_empty() && role.len() <= 512 && !role.starts_with('/') && role.bytes().all(allowed)
        };
        must(
            self.role.as_ref().is_none_or(is_role),
            "role".to_owned(),
            "is no name of a role; write what stands after `role/` in its ARN, such as \"portcullis-respond\"",
        );
        must(
            self.external_id.is_none() || self.role.is_some(),
            "external_id".to_owned(),
            "is for a role only; write `role` too, or remove it",
        );
        must(
            (1..=40).contains(&self.quota),
            "quota".to_owned(),
            "write 1 to 40; EC2 allows 20 entries a direction, 40 on request",
        );
        must(
            (5..=1440).contains(&self.inventory_minutes),
            "inventory_minutes".to_owned(),
            "write 5 to 1440; a day is the longest, since new public addresses are not guarded until they are known",
        );
        must(
            (1..=365).contains(&self.ip_ranges_days),
            "ip_ranges_days".to_owned(),
            "write 1 to 365; AWS changes the file several times a month",
        );
        found
    }
}

/// The partition that a region is in.
#[must_use]
pub fn partition(region: &str) -> &'static str {
    const PREFIXES: &[(&str, &str)] = &[
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-isof-", "aws-iso-f"),
        ("eusc-", "aws-eusc"),
    ];
    PREFIXES
        .iter()
        .find(|(prefix, _)| region.starts_with(prefix))
        .map_or("aws", |(_, partition)| partition)
}

fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let is_word = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let number = parts
        .last()
        .is_some_and(|last| !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()));
    (3..=5).contains(&parts.len()) && number && parts[..parts.len() - 1].iter().all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usable() -> Ec2Settings {
        Ec2Settings {
            accounts: vec!["111122223333".to_owned()],
            regions: vec!["eu-central-1".to_owned()],
            ..Ec2Settings::default()
        }
    }

    #[test]
    fn every_value_that_cannot_work_is_told_with_its_key_and_a_remedy() {
        type Change = fn(&mut Ec2Settings);
        let table: &[(&str, Change)] = &[
            ("accounts", |s| s.accounts.clear()),
            ("accounts[0]", |s| s.accounts = vec!["1111".into()]),
            ("regions", |s| s.regions.clear()),
            ("regions[0]", |s| s.regions = vec!["frankfurt".into()]),
            ("regions[1]", |s| s.regions.push("cn-north-1".into())),
            ("role", |s| s.accounts.push("222233334444".into())),
            ("role", |s| s.role = Some("arn:aws:iam::1:role/x".into())),
            ("external_id", |s| s.external_id = Some("x".into())),
            ("quota", |s| s.quota = 0),
            ("inventory_minutes", |s| s.inventory_minutes = 0),
            ("ip_ranges_days", |s| s.ip_ranges_days = 0),
        ];
        assert_eq!(usable().problems(), []);
        for (key, change) in table {
            let mut settings = usable();
            change(&mut settings);
            let keys: Vec<String> = settings.problems().into_iter().map(|problem| problem.key).collect();
            assert_eq!(keys, [*key]);
        }
    }

    #[test]
    fn the_role_is_named_in_the_partition_of_the_regions() {
        for (region, arn) in [
            ("eu-central-1", "arn:aws:iam::111122223333:role/ops/portcullis"),
            ("cn-north-1", "arn:aws-cn:iam::111122223333:role/ops/portcullis"),
            ("us-gov-west-1", "arn:aws-us-gov:iam::111122223333:role/ops/portcullis"),
        ] {
            let settings = Ec2Settings {
                regions: vec![region.to_owned()],
                role: Some("ops/portcullis".to_owned()),
                ..usable()
            };
            assert_eq!(settings.problems(), []);
            assert_eq!(settings.role_in("111122223333").as_deref(), Some(arn));
        }
        assert_eq!(usable().role_in("111122223333"), None);
    }
}
