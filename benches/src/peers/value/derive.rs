//! What the tables cannot say, source by source.

use anyhow::{Result, bail};
use portcullis_transforms::Source;
use serde_json::Value;

use super::{
    fields::{Mapper, common_constants},
    record::Found,
};

/// What stands in place of a row's own values.
pub(super) struct Derive {
    pub(super) values: Vec<Option<Vec<Value>>>,
    pub(super) swapped: bool,
}

/// Members that are the same in every document of a source.
pub(super) fn constants(source: Source) -> Result<Vec<(&'static str, &'static str)>> {
    let mut constants = common_constants(source);
    constants.extend_from_slice(match source {
        Source::Waf => &[("event.kind", "event"), ("event.category", "web")],
        Source::GuardDuty => &[("event.category", "intrusion_detection"), ("event.type", "info")],
        _ => bail!("the serde_json::Value peer does not know {source} yet"),
    });
    Ok(constants)
}

/// Adds what depends on more than one value.
pub(super) fn derive(mapper: &Mapper, found: &Found) -> Derive {
    let mut deriving = Deriving {
        mapper,
        found,
        derive: Derive {
            values: vec![None; mapper.rows.len()],
            swapped: false,
        },
    };
    match mapper.source() {
        Source::GuardDuty => deriving.guardduty(),
        _ => deriving.waf(),
    }
    deriving.derive
}

struct Deriving<'a> {
    mapper: &'a Mapper,
    found: &'a Found,
    derive: Derive,
}

impl<'a> Deriving<'a> {
    fn text(&self, name: &str) -> Option<&'a str> {
        self.mapper.text(self.found, name)
    }

    fn set(&mut self, name: &str, value: impl Into<Value>) {
        if let Some(&row) = self.mapper.by_name.get(name) {
            self.derive.values[row].get_or_insert_default().push(value.into());
        }
    }

    fn waf(&mut self) {
        if let Some(action) = self.text("event.action") {
            self.set("event.action", action.to_ascii_lowercase());
            let (outcome, kind) = match action {
                "ALLOW" | "COUNT" => ("success", "allowed"),
                _ => ("failure", "denied"),
            };
            self.set("event.outcome", outcome);
            self.set("event.type", kind);
        }
        let arn: Vec<&str> = self
            .text("aws.waf.acl_arn")
            .unwrap_or_default()
            .splitn(6, ':')
            .collect();
        let mut acl = None;
        if let [_, _, _, region, account, resource] = *arn {
            self.set("cloud.region", region);
            self.set("cloud.account.id", account);
            acl = resource.split('/').nth(2);
            self.set("aws.waf.generation", "v2");
            if let Some(id) = resource.split('/').nth(3) {
                self.set("aws.waf.acl_id", id);
            }
        }
        if let Some(name) = acl {
            self.set("aws.waf.acl_name", name);
        }
        if let Some(rule) = self.text("rule.id") {
            if self.text("rule.name").is_none() {
                self.set("rule.name", rule);
            }
            let is_group = matches!(self.text("aws.waf.rule_type"), Some("GROUP" | "MANAGED_RULE_GROUP"));
            if let Some(ruleset) = if is_group { Some(rule) } else { acl } {
                self.set("rule.ruleset", ruleset);
            }
        }
        if let Some(version) = self.text("http.version") {
            self.set("http.version", version.trim_start_matches("HTTP/"));
        }
        if let (Some(scheme), Some(domain)) = (self.text("url.scheme"), self.text("url.domain")) {
            let path = self.text("url.path").unwrap_or_default();
            let full = match self.text("url.query") {
                Some(query) => format!("{scheme}://{domain}{path}?{query}"),
                None => format!("{scheme}://{domain}{path}"),
            };
            self.set("url.full", full);
        }
    }

    fn guardduty(&mut self) {
        self.set("event.kind", "alert");
        if let Some(kind) = self.text("aws.guardduty.type") {
            let (purpose, rest) = kind.split_once(':').unwrap_or((kind, ""));
            let (affected, rest) = rest.split_once('/').unwrap_or((rest, ""));
            let (rest, artifact) = rest.split_once('!').unwrap_or((rest, ""));
            let (family, mechanism) = rest.split_once('.').unwrap_or((rest, ""));
            for (name, part) in [
                ("rule.category", purpose),
                ("aws.guardduty.threat_purpose", purpose),
                ("aws.guardduty.resource_affected", affected),
                ("aws.guardduty.family", family),
                ("aws.guardduty.mechanism", mechanism),
                ("aws.guardduty.artifact", artifact),
            ] {
                self.set(name, part);
            }
        }
        if let Some(severity) = self.mapper.number(self.found, "event.severity") {
            let label = match severity {
                9.0.. => "Critical",
                7.0.. => "High",
                4.0.. => "Medium",
                _ => "Low",
            };
            self.set("aws.guardduty.severity_label", label);
        }
        for name in ["event.action", "network.transport"] {
            if let Some(text) = self.text(name) {
                self.set(name, text.to_ascii_lowercase());
            }
        }
        if let Some(direction) = self.text("aws.guardduty.direction") {
            self.derive.swapped = direction == "OUTBOUND";
            self.set("network.direction", direction.to_ascii_lowercase());
        }
        let sample = self
            .text("aws.guardduty.additional_info")
            .is_some_and(|info| info.contains("\"sample\":true"));
        self.set("aws.guardduty.sample", sample);
    }
}
