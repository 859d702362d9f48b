//! The finding's page in the console of its region and partition.

use crate::finding::FindingSummary;

/// Console host of each partition whose console is reachable under a public name.
const HOSTS: &[(&str, &str)] = &[
    ("aws", "console.aws.amazon.com"),
    ("aws-cn", "console.amazonaws.cn"),
    ("aws-us-gov", "console.amazonaws-us-gov.com"),
];

/// `None` for a partition without a public console, or an id or region that AWS would not write.
pub(super) fn console(finding: &FindingSummary) -> Option<String> {
    let (_, host) = HOSTS.iter().find(|(partition, _)| *partition == finding.partition)?;
    let region = word(&finding.region, 32)?;
    let id = word(&finding.id, 64)?;
    Some(format!(
        "https://{region}.{host}/guardduty/home?region={region}#/findings?macros=current&fId={id}"
    ))
}

fn word(text: &str, longest: usize) -> Option<&str> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (!text.is_empty() && text.len() <= longest && text.bytes().all(is_word)).then_some(text)
}
