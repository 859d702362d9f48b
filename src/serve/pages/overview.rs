//! The page that an analyst opens in the morning: what attacks now, what was done, what was not and why, is all well.

use maud::html;

use crate::serve::{
    answers,
    error::PageError,
    layout::{Context, Page},
    panel::{Easel, grid},
    strip::Detail,
    told,
};

/// Panels up to this width that lead the page stand above the gate, also when they are empty.
const NARROW: u8 = 3;
const MESSAGES: usize = 8;
const REASONS: usize = 8;
const AUDIT_ROWS: usize = 10;

/// The four answers and the tiles first, then the gate, then what was done and what was not, then the other panels.
pub(crate) fn page(context: &Context<'_>) -> Result<Page, PageError> {
    let links = context.links();
    let panels = context
        .state
        .views
        .panels("overview", &context.query.scope(context.now, None));
    let tiles = panels.iter().take_while(|panel| panel.width <= NARROW).count();
    let (tiles, others) = panels.split_at(tiles);
    let easel = Easel {
        links,
        now: context.now,
        page: "overview",
    };
    let audit = context.state.gate.audit(AUDIT_ROWS, None);
    Ok(Page {
        title: "Overview".to_owned(),
        lead: html! { "What attacks, what was done, what was not and why" },
        ranged: true,
        body: html! {
            (answers::draw(context, &panels))
            (grid(easel, tiles))
            (told::gate_and_alerts(context, Detail::Rows, MESSAGES))
            div.grid {
                (told::framed("done", "Done on the gate", "What happened last", 8, &audit, |rows| {
                    html! { (told::audit(links, context.now, rows, "Done on the gate")) p.more { a href=(context.query.bare().href("/response")) { "All of it on the Response page" } } }
                }))
                (told::framed("not-done", "Not blocked, and why", "Decisions since the ledger began", 4, &context.status, |status| told::refusals(links, status, REASONS)))
            }
            (grid(easel, others))
        },
    })
}
