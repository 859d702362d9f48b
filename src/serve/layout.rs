//! The frame around every page: header, mode, time range, filters in force, footer.

use chrono::{DateTime, Utc};
use maud::{DOCTYPE, Markup, html};

use super::{
    State, assets,
    gate::Unavailable,
    params::{PRESETS, Query, REFRESH, Range},
    text::{absolute, sentence, shown, visible},
    values::Links,
};
use crate::{
    dashboards::Filter,
    respond::report::{Mode, StatusReport},
};

/// The menu: path and title, in the order in which an analyst reads them.
pub(super) const MENU: &[(&str, &str)] = &[
    ("/", "Overview"),
    ("/guardduty", "GuardDuty"),
    ("/securityhub", "Security Hub"),
    ("/waf", "WAF"),
    ("/vpcflow", "VPC flow"),
    ("/dns", "DNS"),
    ("/cloudtrail", "CloudTrail"),
    ("/response", "Response"),
    ("/pipeline", "Pipeline"),
    ("/search", "Search"),
];

/// What a page is drawn from beside its own data.
pub(super) struct Context<'a> {
    /// The program's state.
    pub state: &'a State,
    /// What the URL asks for.
    pub query: &'a Query,
    /// What a person has just done here with a form.
    pub done: Option<&'static str>,
    /// The page's own path.
    pub path: &'a str,
    /// The moment the page is of.
    pub now: DateTime<Utc>,
    /// The responder's state at that moment.
    pub status: Result<StatusReport, Unavailable>,
}

impl Context<'_> {
    /// Links back to this page.
    pub(super) fn links(&self) -> Links<'_> {
        Links {
            path: self.path,
            query: self.query,
        }
    }
}

/// A page's own part.
pub(super) struct Page {
    /// Title of the tab and the heading.
    pub title: String,
    /// One line below the heading.
    pub lead: Markup,
    /// Everything below.
    pub body: Markup,
    /// Whether a time range means anything on it.
    pub ranged: bool,
}

/// A whole page.
pub(super) fn whole(context: &Context<'_>, page: &Page) -> Markup {
    let refresh = context.query.refresh;
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(&page.title, refresh))
            body {
                a.skip href="#main" { "Skip to content" }
                (header(context))
                (banner(context))
                main #main tabindex="-1" {
                    div.toolbar {
                        div.title { h1 { (shown(&page.title)) } div.lead { (page.lead) } }
                        @if page.ranged { (range_form(context)) }
                        (clock(context))
                    }
                    @if page.ranged { (chips(context)) }
                    (page.body)
                }
                (footer())
            }
        }
    }
}

/// A page without data: for what went wrong.
pub(super) fn plain(title: &str, what: &str, remedy: &str) -> Markup {
    let links = html! { p { a.button href="/" { "To the overview" } " " a.button href="/search" { "Search" } } };
    apology(title, what, remedy, &links)
}

/// A page without data that ends with what can be done.
pub(super) fn apology(title: &str, what: &str, remedy: &str, next: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(title, None))
            body {
                header.top { div.bar { (brand()) } }
                main #main {
                    section.panel.apology {
                        h1 { (shown(title)) }
                        p { (shown(what)) }
                        p.dim { (remedy) }
                        (next)
                    }
                }
                (footer())
            }
        }
    }
}

fn head(title: &str, refresh: Option<u16>) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (shown(title)) " · Portcullis" }
            @if let Some(seconds) = refresh { meta http-equiv="refresh" content=(seconds); }
            link rel="icon" type="image/svg+xml" href=(assets::ICON.path);
            link rel="stylesheet" href=(assets::STYLE.path);
            script src=(assets::SCRIPT.path) defer {}
        }
    }
}

fn brand() -> Markup {
    html! {
        a.brand href="/" {
            svg viewBox="0 0 24 24" aria-hidden="true" {
                rect.tile width="24" height="24" rx="5" {}
                path.bars d="M6.5 5v14M12 5v14M17.5 5v14M4.5 8.5h15M4.5 13h15" {}
            }
            "Portcullis"
        }
    }
}

fn header(context: &Context<'_>) -> Markup {
    let bare = context.query.bare();
    html! {
        header.top {
            div.bar {
                (brand())
                nav.menu aria-label="Pages" {
                    ul {
                        @for (path, title) in MENU {
                            @let current = (*path == context.path).then_some("page");
                            li { a href=(bare.href(path)) aria-current=[current] { (title) } }
                        }
                    }
                }
                form.find role="search" action="/search" method="get" {
                    @for (name, value) in context.query.pairs() {
                        @if !matches!(name, "q" | "page") { input type="hidden" name=(name) value=(visible(&value)); }
                    }
                    input type="search" name="q" maxlength="1024" aria-label="Search all events" autocomplete="off" spellcheck="false"
                        placeholder="address, field:value, words" value=[context.query.text.as_deref().map(visible)];
                    button type="submit" { "Search" }
                    a.how href=(bare.href("/search") + "#syntax") aria-label="How to write a search" title="How to write a search" { "?" }
                }
            }
        }
    }
}

/// The mode in a word, and what it means for what stands below.
fn banner(context: &Context<'_>) -> Markup {
    let (class, word, meaning) = match &context.status {
        Err(error) => (
            "paused",
            "UNKNOWN",
            format!("The responder's ledger cannot be read: {}", visible(&error.0)),
        ),
        Ok(StatusReport { paused: Some(why), .. }) => (
            "paused",
            "PAUSED",
            format!(
                "Findings are read and told, nothing new is blocked: {}. Go on with `portcullis resume`.",
                visible(why)
            ),
        ),
        Ok(StatusReport { mode: Mode::Shadow, .. }) => (
            "shadow",
            "SHADOW",
            "Decisions are made and told; no network ACL is touched.".to_owned(),
        ),
        Ok(StatusReport {
            mode: Mode::Enforce, ..
        }) => (
            "enforce",
            "ENFORCE",
            "Addresses that the policy matches are denied on the network ACLs.".to_owned(),
        ),
    };
    html! {
        aside.banner.(class) aria-label="Mode" {
            p {
                strong { (word) } " " (sentence(&meaning))
                @if context.state.demo { " " span.demo { b { "Demo:" } " generated events, and a model of EC2's network ACLs. This is not AWS." } }
            }
        }
    }
}

fn range_form(context: &Context<'_>) -> Markup {
    let links = context.links();
    let (from, to) = context.query.window(context.now);
    let field = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M").to_string();
    let is_absolute = matches!(context.query.range, Range::Between(..));
    html! {
        div.range role="group" aria-label="Time range" {
            ul.segments {
                @for preset in PRESETS {
                    @let current = (context.query.range == Range::Last(preset)).then_some("true");
                    li { a href=(context.query.over(Range::Last(preset)).href(links.path)) aria-current=[current] { (preset.label) } }
                }
            }
            details.menu {
                summary.on[is_absolute] { @if is_absolute { (absolute(context.now, from)) " – " (absolute(context.now, to)) " UTC" } @else { "From – to" } }
                form.sheet action=(links.path) method="get" {
                    @for (name, value) in context.query.pairs() {
                        @if !matches!(name, "range" | "from" | "to" | "page") { input type="hidden" name=(name) value=(value); }
                    }
                    label { "From (UTC)" input type="datetime-local" name="from" required value=(field(from)); }
                    label { "To (UTC)" input type="datetime-local" name="to" required value=(field(to)); }
                    button type="submit" { "Show" }
                }
            }
        }
    }
}

fn clock(context: &Context<'_>) -> Markup {
    let (label, next) = match context.query.refresh {
        Some(seconds) => (format!("every {seconds} s"), None),
        None => ("off".to_owned(), Some(REFRESH)),
    };
    let other = Query {
        refresh: next,
        ..context.query.clone()
    };
    html! {
        div.clock {
            span title="When this page was drawn" { "as of " time datetime=(super::text::rfc3339(context.now)) { (context.now.format("%-d %b %H:%M:%S")) } " UTC" }
            a.toggle href=(other.href(context.path)) aria-pressed=[context.query.refresh.map(|_| "true")] role="button"
                title=(if next.is_some() { "Load this page again every 10 seconds" } else { "Stop loading this page again" }) {
                "Auto refresh: " (label)
            }
        }
    }
}

/// The filters in force; each can be taken away.
fn chips(context: &Context<'_>) -> Markup {
    let query = context.query;
    let has_text = query.text.is_some() && context.path != "/search";
    if query.filters.is_empty() && !has_text {
        return html! {};
    }
    let cleared = Query {
        filters: Vec::new(),
        text: if has_text { None } else { query.text.clone() },
        page: 1,
        ..query.clone()
    };
    html! {
        ul.chips aria-label="Filters in force" {
            @for filter in &query.filters {
                @let words = format!("{} {} {}", filter.field, if filter.negated { "is not" } else { "is" }, visible(&filter.value));
                li.not[filter.negated] {
                    @let turned = Filter { negated: !filter.negated, ..filter.clone() };
                    span {
                        (filter.field) " "
                        a.turn href=(query.with(turned).href(context.path)) aria-label=(format!("Turn filter {words} round"))
                            title=(if filter.negated { "Keep only this value instead" } else { "Filter it out instead" }) {
                            @if filter.negated { "is not" } @else { "is" }
                        }
                        " " span.mono { (shown(&filter.value)) }
                    }
                    a href=(query.without(filter).href(context.path)) aria-label=(format!("Remove filter {words}")) title="Remove this filter" { "×" }
                }
            }
            @if let Some(text) = query.text.as_ref().filter(|_| has_text) {
                li { span { "search " span.mono { (shown(text)) } }
                    a href=(Query { text: None, ..query.clone() }.href(context.path)) aria-label="Remove search text" { "×" } }
            }
            li.clear { a href=(cleared.href(context.path)) { "Clear all" } }
        }
    }
}

fn footer() -> Markup {
    html! {
        footer.foot {
            p { "Portcullis " (env!("CARGO_PKG_VERSION")) " · all times are UTC · blocked means that EC2 confirmed the entry" }
            p { a href="/healthz" { "health" } " · " a href="/metrics" { "metrics" } }
        }
    }
}
