//! What types cannot say: limits that contradict each other, secrets in the wrong place.

use std::fmt;

use portcullis_transforms::Source;

use super::{Config, SourceChoice};

/// A value that cannot stand, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// Dotted key.
    pub(super) key: String,
    message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.message)
    }
}

/// EC2's largest rule number for people; 32767 is the default deny.
const LAST_RULE: u16 = 32_766;
/// EC2's quota of entries per direction, once raised.
const MOST_ENTRIES: usize = 40;

/// Everything that is wrong, in the order of the file.
pub(super) fn problems(config: &Config) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut must = |holds: bool, key: &str, message: String| {
        if !holds {
            found.push(Problem {
                key: key.to_owned(),
                message,
            });
        }
    };

    must(
        !config.data.as_os_str().is_empty(),
        "data",
        "is empty; write a directory".to_owned(),
    );

    let stdin = config.sources.iter().filter(|input| input.path == "-").count();
    for (place, input) in config.sources.iter().enumerate() {
        must(
            !input.path.is_empty(),
            &format!("sources[{place}].path"),
            "is empty; write a file, a directory, a pattern, or \"-\" for standard input".to_owned(),
        );
        must(
            input.path != "-" || stdin == 1,
            &format!("sources[{place}].path"),
            "standard input is named more than once; keep one".to_owned(),
        );
        let flow = matches!(input.source, SourceChoice::Auto | SourceChoice::Named(Source::VpcFlow));
        must(
            input.flow_format.is_none() || flow,
            &format!("sources[{place}].flow_format"),
            "is for flow logs only; remove it or set source = \"vpcflow\"".to_owned(),
        );
    }

    let policy = &config.policy;
    for (place, account) in policy.accounts.iter().enumerate() {
        must(
            account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()),
            &format!("policy.accounts[{place}]"),
            format!("{account:?} is no account id; write its twelve digits in quotes"),
        );
    }
    must(
        policy.max_age_hours > 0,
        "policy.max_age_hours",
        "0 would make every finding too old; write 1 or more".to_owned(),
    );
    let limits = &policy.limits;
    must(
        (1..=MOST_ENTRIES).contains(&limits.entries_per_direction),
        "policy.limits.entries_per_direction",
        format!(
            "{} is outside 1 to {MOST_ENTRIES}, which is EC2's quota once raised",
            limits.entries_per_direction
        ),
    );
    must(
        limits.first_rule >= 1,
        "policy.limits.first_rule",
        "rule numbers start at 1".to_owned(),
    );
    must(
        limits.last_rule <= LAST_RULE,
        "policy.limits.last_rule",
        format!("{} is above {LAST_RULE}, EC2's largest", limits.last_rule),
    );
    must(
        limits.first_rule <= limits.last_rule,
        "policy.limits.last_rule",
        format!("{} is below first_rule {}", limits.last_rule, limits.first_rule),
    );
    let room = usize::from(limits.last_rule.saturating_sub(limits.first_rule)) + 1;
    must(
        limits.entries_per_direction <= room,
        "policy.limits.last_rule",
        format!(
            "rule numbers {} to {} hold {room} entries and entries_per_direction is {}; widen the range",
            limits.first_rule, limits.last_rule, limits.entries_per_direction
        ),
    );
    must(
        limits.slots_per_finding > 0,
        "policy.limits.slots_per_finding",
        "0 would block nothing; for that set mode = \"shadow\"".to_owned(),
    );

    // The value is not repeated: it may be the secret itself.
    let name = &config.slack.webhook_env;
    must(
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'),
        "slack.webhook_env",
        "is no name of a variable; put the webhook's URL into an environment variable and that variable's name here"
            .to_owned(),
    );
    must(
        config.retention.days > 0,
        "retention.days",
        "0 would keep nothing; write 1 or more".to_owned(),
    );
    found
}
