//! What types cannot say: limits that contradict each other, secrets in the wrong place.

use std::fmt;

use portcullis_transforms::{
    Normalizer, Options, Source,
    policy::{limits, redact},
};

use super::{Config, SourceChoice};
use crate::network_acl;
use crate::respond::report::Mode;

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

/// The sources whose records may come.
fn sources(config: &Config) -> Vec<Source> {
    let named: Option<Vec<Source>> = config
        .sources
        .iter()
        .map(|input| match input.source {
            SourceChoice::Auto => None,
            SourceChoice::Named(source) => Some(source),
        })
        .collect();
    named
        .filter(|named| !named.is_empty())
        .unwrap_or_else(|| Source::ALL.to_vec())
}

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
        must(
            !input.community_id || flow,
            &format!("sources[{place}].community_id"),
            "is for flow logs only; remove it or set source = \"vpcflow\"".to_owned(),
        );
        let waf = matches!(input.source, SourceChoice::Auto | SourceChoice::Named(Source::Waf));
        must(
            input.trusted_proxies.is_none() || waf,
            &format!("sources[{place}].trusted_proxies"),
            "is for WAF logs only; remove it or set source = \"waf\"".to_owned(),
        );
    }

    let serve = &config.serve;
    must(
        is_variable(&serve.token_env),
        "serve.token_env",
        "is no name of a variable; put the token into an environment variable and that variable's name here".to_owned(),
    );
    must(
        serve.user_header.is_none() || !serve.proxies.is_empty(),
        "serve.proxies",
        "is empty; name the networks that the proxy's connections come from, or anybody could send serve.user_header"
            .to_owned(),
    );
    must(
        serve.user_header.is_some() || serve.proxies.is_empty(),
        "serve.user_header",
        "is missing; serve.proxies is of use only with the header in which the proxy names people".to_owned(),
    );
    must(
        !serve.proxies.iter().any(|net| net.prefix_len() == 0),
        "serve.proxies",
        "lets everybody be the proxy; name its own networks".to_owned(),
    );

    if let Err(error) = redact::names(&config.normalize.redact.join(",")) {
        must(false, "normalize.redact", error.to_string());
    }
    for (place, filter) in config.normalize.drop.iter().enumerate() {
        for source in sources(config) {
            let options = Options {
                drop: vec![filter.clone()],
                ..Options::default()
            };
            if let Err(refusal) = Normalizer::new(source, options) {
                must(false, &format!("normalize.drop[{place}]"), refusal.message);
                break;
            }
        }
    }

    let normalize = &config.normalize;
    for (key, value, range) in [
        ("unpacked_limit", normalize.unpacked_limit, limits::UNPACKED),
        ("ratio_limit", normalize.ratio_limit, limits::RATIO),
        ("entries_limit", normalize.entries_limit, limits::ENTRIES),
    ] {
        must(
            range.contains(&value),
            &format!("normalize.{key}"),
            format!("must be from {} to {}, not {value}", range.start(), range.end()),
        );
    }

    for error in config.policy.validate().err().unwrap_or_default() {
        let message = format!("{}: {}", error.value, error.remedy);
        must(false, &error.key, message);
    }

    let table = &config.ledger.table;
    must(
        (3..=255).contains(&table.len())
            && table
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')),
        "ledger.table",
        format!("{table:?} is no name of a DynamoDB table; write 3 to 255 of a-z, A-Z, 0-9, `_`, `-` and `.`"),
    );

    if config.network_acls.store == network_acl::Store::Ec2 {
        for problem in config.network_acls.ec2.problems() {
            must(false, &format!("network_acls.ec2.{}", problem.key), problem.message);
        }
        let policy = &config.policy;
        must(
            policy.mode == Mode::Shadow || !policy.accounts.is_empty(),
            "policy.accounts",
            "is empty; on EC2, mode = \"enforce\" names each account that may be touched".to_owned(),
        );
        for (place, account) in policy.accounts.iter().enumerate() {
            must(
                config.network_acls.ec2.accounts.contains(account),
                &format!("policy.accounts[{place}]"),
                format!("{account:?} is not among network_acls.ec2.accounts; add it there too"),
            );
        }
    }

    // The value is not repeated: it may be the secret itself.
    must(
        is_variable(&config.slack.webhook_env),
        "slack.webhook_env",
        "is no name of a variable; put the webhook's URL into an environment variable and that variable's name here"
            .to_owned(),
    );
    let places = config.slack.places();
    must(
        places.len() < 2,
        places.get(1).unwrap_or(&"slack"),
        format!(
            "the webhook has one place; leave all but one of {} out",
            places.join(", ")
        ),
    );
    if let Some(variable) = &config.slack.webhook_encrypted_env {
        must(
            !variable.is_empty() && variable.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'),
            "slack.webhook_encrypted_env",
            "is no name of a variable; put the encrypted URL into an environment variable and that variable's name here"
                .to_owned(),
        );
    }
    if let Some(topic) = &config.sns.topic_arn {
        must(
            topic.starts_with("arn:") && topic.split(':').count() == 6 && topic.contains(":sns:"),
            "sns.topic_arn",
            format!("{topic:?} is no topic; write arn:aws:sns:REGION:ACCOUNT:NAME"),
        );
    }
    must(
        config.retention.days > 0,
        "retention.days",
        "0 would keep nothing; write 1 or more".to_owned(),
    );
    must(
        !config.responses.opensearch || config.opensearch.endpoint.is_some(),
        "responses.opensearch",
        "needs opensearch.endpoint, the cluster's address".to_owned(),
    );
    if let Some(stream) = &config.responses.firehose {
        must(
            (1..=64).contains(&stream.len())
                && stream
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')),
            "responses.firehose",
            format!("{stream:?} is no delivery stream; write its name, 1 to 64 of a-z, A-Z, 0-9, `_`, `-` and `.`"),
        );
    }
    let opensearch = &config.opensearch;
    for (key, name, what) in [
        ("opensearch.user_env", &opensearch.user_env, "user"),
        ("opensearch.password_env", &opensearch.password_env, "password"),
    ] {
        must(
            is_variable(name),
            key,
            format!(
                "is no name of a variable; put the {what} into an environment variable and that variable's name here"
            ),
        );
    }
    must(
        !opensearch.serve || opensearch.endpoint.is_some(),
        "opensearch.serve",
        "needs opensearch.endpoint, the cluster's address".to_owned(),
    );
    must(
        (100_000..=100_000_000).contains(&opensearch.bulk_bytes),
        "opensearch.bulk_bytes",
        "takes 100000 to 100000000".to_owned(),
    );
    must(
        (1..=1_024).contains(&opensearch.shards),
        "opensearch.shards",
        "takes 1 to 1024".to_owned(),
    );
    found
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
