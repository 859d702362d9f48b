//! The page of a source: its panels and nothing else.

use maud::html;

use crate::serve::{
    error::PageError,
    layout::{Context, Page},
    panel::{Easel, grid},
    told::nothing,
};

/// The pages that are panels alone: name, title, and what they answer.
pub(crate) const BOARDS: &[(&str, &str, &str)] = &[
    ("guardduty", "GuardDuty", "Who attacks, what, and how badly"),
    (
        "securityhub",
        "Security Hub",
        "Which controls fail, where, and what can be fixed",
    ),
    ("waf", "WAF", "What the web ACLs let through and what they stopped"),
    ("vpcflow", "VPC flow", "Who talks to whom, and what is turned away"),
    ("dns", "DNS", "Which names are asked for, by whom, and what is stopped"),
    (
        "cloudtrail",
        "CloudTrail",
        "Who calls which API, from where, and what is denied",
    ),
];

/// Draws one of [`BOARDS`].
pub(crate) fn page(context: &Context<'_>, name: &str) -> Result<Page, PageError> {
    let (_, title, lead) = BOARDS
        .iter()
        .find(|(id, ..)| *id == name)
        .ok_or_else(|| PageError::NotFound("such page".to_owned()))?;
    let panels = context
        .state
        .views
        .panels(name, &context.query.scope(context.now, None));
    let easel = Easel {
        links: context.links(),
        now: context.now,
        page: name,
    };
    Ok(Page {
        title: (*title).to_owned(),
        lead: html! { (lead) },
        ranged: true,
        body: html! {
            @if panels.is_empty() { section.panel { (nothing("This page has no panels.", "They are defined in dashboards/panels.")) } }
            (grid(easel, &panels))
        },
    })
}
