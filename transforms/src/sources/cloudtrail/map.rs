//! What the table cannot say: outcome, category and type, callers behind proxies, session names, and words in ECS's
//! spelling.

use std::net::IpAddr;

use super::{FIELDS, categories};
use crate::{
    engine::{Derived, Input, Map, RowId, row},
    policy::is_private,
    schema::Field,
    source::Source,
    sources::common::cut,
};

const NAME: RowId = row(FIELDS, "event.action");
const PROVIDER: RowId = row(FIELDS, "event.provider");
const KIND: RowId = row(FIELDS, "event.kind");
const CATEGORY: RowId = row(FIELDS, "event.category");
const TYPE: RowId = row(FIELDS, "event.type");
const OUTCOME: RowId = row(FIELDS, "event.outcome");
const ADDRESS: RowId = row(FIELDS, "source.address");
const IP: RowId = row(FIELDS, "source.ip");
const USER_NAME: RowId = row(FIELDS, "user.name");
const TLS_VERSION: RowId = row(FIELDS, "tls.version");
const ERROR_CODE: RowId = row(FIELDS, "error.code");
const ERROR_MESSAGE: RowId = row(FIELDS, "error.message");
const RELATED_IP: RowId = row(FIELDS, "related.ip");
const RELATED_USER: RowId = row(FIELDS, "related.user");
const ID: RowId = row(FIELDS, "aws.cloudtrail.event_id");
const EVENT_TYPE: RowId = row(FIELDS, "aws.cloudtrail.event_type");
const EVENT_CATEGORY: RowId = row(FIELDS, "aws.cloudtrail.event_category");
const IDENTITY_TYPE: RowId = row(FIELDS, "aws.cloudtrail.user_identity.type");
const IDENTITY_ARN: RowId = row(FIELDS, "aws.cloudtrail.user_identity.arn");
const SESSION_NAME: RowId = row(FIELDS, "aws.cloudtrail.user_identity.session_name");
const ASSUMED_ROLE_ARN: RowId = row(FIELDS, "aws.cloudtrail.assumed_role_arn");
const MFA_USED: RowId = row(FIELDS, "aws.cloudtrail.mfa_used");

/// The source.
#[derive(Debug)]
pub(crate) struct CloudTrail;

impl Map for CloudTrail {
    fn source(&self) -> Source {
        Source::CloudTrail
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn constants(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    fn wrappers(&self) -> &'static [&'static str] {
        &["detail", "Records"]
    }

    fn native_times(&self) -> &'static [&'static str] {
        &["eventTime", "userIdentity.sessionContext.attributes.creationDate"]
    }

    fn required(&self) -> &'static [&'static [RowId]] {
        &[&[NAME, PROVIDER, ID]]
    }

    fn native_id(&self) -> Option<RowId> {
        Some(ID)
    }

    fn derive(&self, input: &Input<'_>, derived: &mut Derived) {
        let error = input.text(ERROR_CODE);
        let is_insight = categorise(input, error.as_deref(), derived);
        if !is_insight {
            outcome(input, error.as_deref().is_some_and(is_failure), derived);
        }
        caller(input, derived);
        identity(input, derived);
        if let Some(version) = input.text(TLS_VERSION) {
            derived.set(TLS_VERSION, version.strip_prefix("TLSv").unwrap_or(&version));
        }
        match input.text(MFA_USED).as_deref() {
            Some("Yes") => derived.set(MFA_USED, "true"),
            Some("No") => derived.set(MFA_USED, "false"),
            _ => {}
        }
    }
}

/// Sets kind, category and type; the answer is whether this is an Insights event.
fn categorise(input: &Input<'_>, error: Option<&str>, derived: &mut Derived) -> bool {
    let [provider, name, kind, category] =
        [PROVIDER, NAME, EVENT_TYPE, EVENT_CATEGORY].map(|row| input.text(row).unwrap_or_default());
    let found = categories::of(categories::Event {
        provider: &provider,
        name: &name,
        kind: &kind,
        category: &category,
    });
    for category in found.categories.into_iter().flatten() {
        derived.set(CATEGORY, category);
    }
    derived.set(TYPE, found.ty);
    if error.is_some_and(|code| code.contains("AccessDenied") || code.contains("Unauthorized")) {
        derived.set(TYPE, "denied");
    }
    let is_insight = kind == "AwsCloudTrailInsight" || category == "Insight";
    derived.set(KIND, if is_insight { "alert" } else { "event" });
    is_insight
}

/// Managed Grafana puts HTTP's status where others have an error.
fn is_failure(code: &str) -> bool {
    !(code.len() == 3 && code.starts_with(['2', '3']) && code.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A service behind proxies hands on all of `X-Forwarded-For`. What the client wrote into it itself stands first, so the
/// caller is the last public address; all of them are related.
fn caller(input: &Input<'_>, derived: &mut Derived) {
    let Some(hops) = input.text(ADDRESS).filter(|said| said.contains(',')) else {
        return;
    };
    let addresses = || hops.split(',').filter_map(|hop| hop.trim().parse::<IpAddr>().ok());
    let public = addresses().rfind(|address| !is_private(*address));
    if let Some(caller) = public.or_else(|| addresses().next_back()) {
        derived.set_display(IP, caller);
    }
    for address in addresses() {
        derived.set_display(RELATED_IP, address);
    }
}

/// A call failed when it has an error; a sign-in says itself whether it did.
fn outcome(input: &Input<'_>, has_error: bool, derived: &mut Derived) {
    let failed = has_error
        || input.text(ERROR_MESSAGE).is_some()
        || input.texts(OUTCOME).any(|said| said.eq_ignore_ascii_case("failure"));
    derived.set(OUTCOME, if failed { "failure" } else { "success" });
}

/// `arn:aws:sts::111122223333:assumed-role/Role/session` and `...:federated-user/name` end with the session's name.
fn identity(input: &Input<'_>, derived: &mut Derived) {
    let caller = input.text(IDENTITY_ARN);
    let own = caller.as_deref().and_then(session);
    if let Some((role, name)) = own {
        derived.set(SESSION_NAME, name);
        if input.text(USER_NAME).is_none() {
            derived.set(USER_NAME, role);
        }
    }
    if own.is_none() && input.text(IDENTITY_TYPE).as_deref() == Some("Root") && input.text(USER_NAME).is_none() {
        derived.set(USER_NAME, "root");
    }
    let assumed = input.text(ASSUMED_ROLE_ARN);
    let assumed = assumed.as_deref().and_then(session);
    for (_, name) in own.into_iter().chain(assumed) {
        derived.add(RELATED_USER, name);
    }
}

/// Role (or `name`, for a federated user) and session.
fn session(arn: &str) -> Option<(&str, &str)> {
    let resource = (0..5).try_fold(arn, |rest, _| Some(cut(rest, b':')?.1))?;
    match cut(resource, b'/')? {
        ("assumed-role", role) => {
            let at = memchr::memrchr(b'/', role.as_bytes())?;
            Some((role.get(..at)?, role.get(at + 1..)?))
        }
        ("federated-user", name) => Some((name, name)),
        _ => None,
    }
    .filter(|(role, name)| !role.is_empty() && !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_stands_at_the_end_of_the_arn() {
        let cases = [
            (
                "arn:aws:sts::111122223333:assumed-role/Deploy/build-17",
                Some(("Deploy", "build-17")),
            ),
            ("arn:aws-cn:sts::111122223333:assumed-role/a/b/c", Some(("a/b", "c"))),
            (
                "arn:aws:sts::111122223333:federated-user/alice",
                Some(("alice", "alice")),
            ),
            ("arn:aws:iam::111122223333:user/alice", None),
            ("arn:aws:iam::111122223333:root", None),
            ("arn:aws:sts::111122223333:assumed-role/Deploy", None),
            ("arn:aws:sts::111122223333:assumed-role/Deploy/", None),
            ("", None),
        ];
        for (arn, expected) in cases {
            assert_eq!(session(arn), expected, "{arn}");
        }
    }
}
