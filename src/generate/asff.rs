//! The frame of every Security Hub finding (ASFF), one to an EventBridge envelope.
//!
//! <https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-syntax.html>

use chrono::{DateTime, Utc};

use super::{
    environment::{Environment, Vpc},
    flow::Local,
    json::{self, Object},
};

/// What every finding has, whoever made it.
pub(crate) struct Frame<'f> {
    pub(crate) vpc: &'f Vpc,
    pub(crate) id: &'f str,
    pub(crate) product: &'static str,
    pub(crate) product_name: &'static str,
    pub(crate) company: &'static str,
    pub(crate) generator: &'f str,
    pub(crate) kind: &'f str,
    pub(crate) title: &'f str,
    pub(crate) description: &'f str,
    pub(crate) severity: (&'static str, i64),
    /// First and last observed, created, updated.
    pub(crate) times: [DateTime<Utc>; 4],
    /// Whether there is nothing left to do.
    pub(crate) resolved: bool,
    pub(crate) archived: bool,
}

impl Frame<'_> {
    fn product_arn(&self) -> String {
        format!("arn:aws:securityhub:{}::product/aws/{}", self.vpc.region, self.product)
    }

    /// Appends the envelope and, in it, the finding with the members that `rest` adds.
    pub(crate) fn write(&self, event: &str, out: &mut Vec<u8>, rest: impl FnOnce(&mut Object<'_>)) {
        let Vpc { account, region, .. } = self.vpc;
        json::object(out, |o| {
            o.text("version", "0");
            o.text("id", event);
            o.text("detail-type", "Security Hub Findings - Imported");
            o.text("source", "aws.securityhub");
            o.text("account", account);
            o.seconds("time", self.times[3]);
            o.text("region", region);
            o.array("resources", |a| a.text(&format!("{}/{}", self.product_arn(), self.id)));
            o.object("detail", |o| {
                o.array("findings", |a| {
                    a.object(|o| {
                        self.members(o);
                        rest(o);
                    });
                });
            });
        });
    }

    fn members(&self, o: &mut Object<'_>) {
        o.text("SchemaVersion", "2018-10-08");
        o.text("Id", self.id);
        o.text("ProductArn", &self.product_arn());
        o.text("ProductName", self.product_name);
        o.text("CompanyName", self.company);
        o.text("Region", self.vpc.region);
        o.text("GeneratorId", self.generator);
        o.text("AwsAccountId", &self.vpc.account);
        o.array("Types", |a| a.text(self.kind));
        for (name, time) in ["FirstObservedAt", "LastObservedAt", "CreatedAt", "UpdatedAt"]
            .iter()
            .zip(self.times)
        {
            o.time(name, time);
        }
        let (label, normalized) = self.severity;
        o.object("Severity", |o| {
            o.text("Label", label);
            o.number("Normalized", normalized);
            o.text("Original", label);
        });
        o.text("Title", self.title);
        o.text("Description", self.description);
        o.object("Workflow", |o| {
            o.text("Status", if self.resolved { "RESOLVED" } else { "NEW" });
        });
        o.text("WorkflowState", "NEW");
        o.text("RecordState", if self.archived { "ARCHIVED" } else { "ACTIVE" });
        o.object("FindingProviderFields", |o| {
            o.object("Severity", |o| {
                o.text("Label", label);
                o.text("Original", label);
            });
            o.array("Types", |a| a.text(self.kind));
        });
    }

    pub(crate) fn product_fields(&self, o: &mut Object<'_>, more: impl FnOnce(&mut Object<'_>)) {
        o.object("ProductFields", |o| {
            more(o);
            o.text(
                "aws/securityhub/FindingId",
                &format!("{}/{}", self.product_arn(), self.id),
            );
            o.text("aws/securityhub/ProductName", self.product_name);
            o.text("aws/securityhub/CompanyName", self.company);
        });
    }
}

/// Details of a machine as a resource.
pub(crate) fn instance_details(o: &mut Object<'_>, vpc: &Vpc, local: Local, environment: &Environment) {
    let instance = local.instance(environment);
    o.object("AwsEc2Instance", |o| {
        o.text("Type", instance.instance_type);
        o.text("ImageId", &instance.image);
        o.array("IpV4Addresses", |a| {
            a.text(&instance.private_address.to_string());
            if let Some(elastic) = instance.elastic_address {
                a.text(&elastic.to_string());
            }
        });
        o.text("VpcId", &vpc.id);
        o.text("SubnetId", &vpc.subnet_of(instance).id);
        o.text("LaunchedAt", "2026-08-03T07:12:44.000Z");
    });
}
