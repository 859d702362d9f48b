//! Search over all sources: the text, the sources, the documents.

use maud::{Markup, html};
use serde_json::Value;

use crate::index;
use crate::serve::{
    document::Flat,
    error::PageError,
    layout::{Context, Page},
    panel::{Easel, grid},
    params::{Query, SOURCES},
    syntax,
    text::{count, moment, plural, shown},
    told::nothing,
};

const PER_PAGE: usize = 50;

/// Draws the results of the query.
pub(crate) fn page(context: &Context<'_>) -> Result<Page, PageError> {
    let query = context.query;
    let scope = query.scope(context.now, None);
    let first = (query.page as usize - 1) * PER_PAGE;
    let found = match context.state.views.search(&scope, first, PER_PAGE) {
        Err(index::Error::Query(why)) => return Err(PageError::Text { text: scope.query, why }),
        found => found?,
    };
    let easel = Easel {
        links: context.links(),
        now: context.now,
        page: "search",
    };
    let panels = context.state.views.panels("search", &scope);
    Ok(Page {
        title: "Search".to_owned(),
        lead: html! { (plural(found.total, "document", "documents")) @if let Some(text) = &query.text { " for " code { (shown(text)) } } },
        ranged: true,
        body: html! {
            (sources(query))
            (syntax::panel(false))
            (grid(easel, &panels))
            section.panel aria-labelledby="documents" {
                header { h2 #documents { "Documents" } p.question { "Newest first" } }
                @if found.hits.is_empty() {
                    (nothing("Nothing matches.", "Widen the time range, take a filter away, or write the text another way: words, \"a phrase\", field:value, AND, OR, NOT."))
                } @else {
                    (hits(context, &found.hits))
                    (pager(query, found.total, first, found.hits.len()))
                }
            }
        },
    })
}

fn sources(query: &Query) -> Markup {
    let all = Query {
        source: None,
        page: 1,
        ..query.clone()
    };
    html! {
        nav.tabs aria-label="Sources" {
            ul {
                li { a href=(all.href("/search")) aria-current=[query.source.is_none().then_some("true")] { "All" } }
                @for (name, title) in SOURCES {
                    @let only = Query { source: Some(name), ..all.clone() };
                    li { a href=(only.href("/search")) aria-current=[(query.source == Some(name)).then_some("true")] { (title) } }
                }
            }
        }
    }
}

fn pager(query: &Query, total: u64, first: usize, shown_now: usize) -> Markup {
    let to = |page: u32| Query { page, ..query.clone() }.href("/search");
    let last = first + shown_now;
    #[expect(clippy::cast_precision_loss, reason = "counts on a page")]
    let written = |n: u64| count(n as f64);
    html! {
        nav.pager aria-label="Pages of results" {
            @if query.page > 1 { a.button rel="prev" href=(to(query.page - 1)) { "Newer" } }
            span { (written(first as u64 + 1)) "–" (written(last as u64)) " of " (written(total)) }
            @if (last as u64) < total && query.page < 200 { a.button rel="next" href=(to(query.page + 1)) { "Older" } }
        }
    }
}

/// Documents as a table: when, from where, what, which addresses.
pub(crate) fn hits(context: &Context<'_>, hits: &[Value]) -> Markup {
    if hits.is_empty() {
        return nothing("No document in this range.", "Widen the time range.");
    }
    let links = context.links();
    html! {
        div.scroll tabindex="0" role="region" aria-label="Documents" {
            table.rows.hits {
                thead { tr { th { "When" } th { "Source" } th { "What" } th { "From" } th { "To" } th { "Outcome" } } }
                tbody {
                    @for hit in hits {
                        @let flat = Flat::of(&hit["_source"]);
                        tr {
                            td { @match flat.first("@timestamp").and_then(|at| at.parse().ok()) { Some(at) => (moment(context.now, at)), None => "–" } }
                            td { (title(hit["_index"].as_str().unwrap_or_default())) }
                            td.what {
                                @match flat.first("event.id").or_else(|| hit["_id"].as_str()) {
                                    Some(id) => a href=(links.document(id)) title="The whole document" { (shown(&flat.summary())) },
                                    None => (shown(&flat.summary())),
                                }
                            }
                            @for field in ["source.ip", "destination.ip", "event.outcome"] {
                                td { @match flat.first(field) { Some(value) => (links.value(field, value)), None => span.dim { "–" } } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The name a person reads of an index.
pub(crate) fn title(index: &str) -> &str {
    let base = index::latest::base(index);
    SOURCES
        .iter()
        .find(|(name, _)| *name == base)
        .map_or(index, |(_, title)| title)
}
