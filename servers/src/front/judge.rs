//! What EC2 says to a call on a network ACL entry before it does anything: pure, from the call's form and what stands.

use std::collections::{BTreeMap, BTreeSet};

/// The highest rule number that a person may use.
const LAST_RULE: i64 = 32_766;

/// A refusal, as EC2 words it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    /// The answer's body.
    pub(super) fn body(&self) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{}</Code><Message>{}</Message></Error></Errors>\
             <RequestID>front</RequestID></Response>",
            self.code, self.message
        )
    }

    /// The same in the form of RDS, which has its own words too.
    pub(super) fn body_of_rds(&self) -> String {
        let code = match self.code {
            "UnauthorizedOperation" => "AccessDenied",
            "RequestLimitExceeded" => "Throttling",
            "InternalError" => "InternalFailure",
            code => code,
        };
        format!(
            "<ErrorResponse xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\"><Error><Type>Sender</Type><Code>{code}</Code>\
             <Message>{}</Message></Error><RequestId>front</RequestId></ErrorResponse>",
            self.message
        )
    }
}

/// What a call asks for.
pub(super) type Form = BTreeMap<String, String>;

/// Rule numbers that stand, each with whether it is egress; default denies left out.
pub(super) type Standing = BTreeSet<(bool, i64)>;

/// Whether the call is one of those that are judged.
pub(super) fn is_judged(action: &str) -> bool {
    matches!(
        action,
        "CreateNetworkAclEntry" | "ReplaceNetworkAclEntry" | "DeleteNetworkAclEntry"
    )
}

fn number(form: &Form) -> i64 {
    form.get("RuleNumber")
        .and_then(|text| text.parse().ok())
        .unwrap_or_default()
}

fn egress(form: &Form) -> bool {
    form.get("Egress").is_some_and(|text| text == "true")
}

/// What is wrong with the values alone.
pub(super) fn values(action: &str, form: &Form) -> Result<(), Refusal> {
    let refused = |what: String| Err(Refusal::new(400, "InvalidParameterValue", what));
    let rule = number(form);
    if !(1..=LAST_RULE).contains(&rule) {
        return refused(format!("Value ({rule}) for parameter ruleNumber is invalid."));
    }
    if action == "DeleteNetworkAclEntry" {
        return Ok(());
    }
    let protocol = form.get("Protocol").map(String::as_str).unwrap_or_default();
    if !protocol.parse::<i64>().is_ok_and(|number| (-1..=255).contains(&number)) {
        return refused(format!("Invalid value '{protocol}' for IP protocol."));
    }
    Ok(())
}

/// What is wrong given what stands.
pub(super) fn against(action: &str, form: &Form, standing: &Standing, quota: usize) -> Result<(), Refusal> {
    let place = (egress(form), number(form));
    let taken = standing.contains(&place);
    if action == "CreateNetworkAclEntry" {
        if taken {
            let what = format!("The network acl entry identified by {} already exists.", place.1);
            return Err(Refusal::new(400, "NetworkAclEntryAlreadyExists", what));
        }
        if standing.iter().filter(|(egress, _)| *egress == place.0).count() >= quota {
            let what = "The maximum number of network acl entries has been reached.";
            return Err(Refusal::new(400, "NetworkAclEntryLimitExceeded", what));
        }
    } else if !taken {
        let what = format!("The network acl entry with rule number '{}' does not exist.", place.1);
        return Err(Refusal::new(400, "InvalidNetworkAclEntry.NotFound", what));
    }
    if form.get("DryRun").is_some_and(|text| text == "true") {
        let what = "Request would have succeeded, but DryRun flag is set.";
        return Err(Refusal::new(412, "DryRunOperation", what));
    }
    Ok(())
}

/// What stands, from a description.
pub(super) fn standing(description: &str) -> Standing {
    let entries = between(description, "<entrySet>", "</entrySet>").unwrap_or_default();
    let item = |item: &str| {
        let rule = between(item, "<ruleNumber>", "</ruleNumber>")?.parse().ok()?;
        let egress = between(item, "<egress>", "</egress>")?.eq_ignore_ascii_case("true");
        (rule <= LAST_RULE).then_some((egress, rule))
    };
    entries.split("</item>").filter_map(item).collect()
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(from)?;
    rest.split_once(to).map(|(inside, _)| inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(pairs: &[(&str, &str)]) -> Form {
        let pairs = pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        pairs.collect()
    }

    #[test]
    fn what_stands_is_read_from_a_description_without_its_default_denies() {
        let text = "<x><entrySet><item><ruleNumber>71</ruleNumber><egress>false</egress></item>\
                    <item><ruleNumber>71</ruleNumber><egress>true</egress></item>\
                    <item><ruleNumber>32767</ruleNumber><egress>true</egress></item></entrySet></x>";
        assert_eq!(standing(text), Standing::from([(false, 71), (true, 71)]));
        assert_eq!(standing("<x/>"), Standing::new());
    }

    #[test]
    fn a_dry_run_says_what_would_have_come_of_it() {
        let standing = Standing::from([(false, 71)]);
        let create = form(&[("RuleNumber", "72"), ("Egress", "false"), ("DryRun", "true")]);
        let code = |form: &Form, quota| {
            let refused = against("CreateNetworkAclEntry", form, &standing, quota);
            refused.expect_err("it does nothing").code
        };
        assert_eq!(code(&create, 2), "DryRunOperation");
        assert_eq!(code(&create, 1), "NetworkAclEntryLimitExceeded");
    }
}
