//! The forms of the Address page, and what stands after one was sent.

use std::net::IpAddr;

use maud::{Markup, html};

use crate::{
    ledger::Allowance,
    respond::report::EntryReport,
    serve::{
        Unavailable,
        access::Visitor,
        acts::{self, ENDS, Verb},
        layout::Context,
        params::Query,
        text::{moment, plural, shown},
    },
};

/// What each form says: its verb, its title, what it does, the button.
const FORMS: &[(Verb, &str, &str, &str)] = &[
    (
        Verb::Block,
        "Block",
        "A deny entry on every network ACL that is known, inwards. The guards bind: own addresses are refused.",
        "Block it",
    ),
    (
        Verb::Unblock,
        "Unblock",
        "Takes its entries away and holds off new ones for the time that the policy says.",
        "Unblock it",
    ),
    (
        Verb::Allow,
        "Allow",
        "Takes its entries away, and no finding blocks it while it is on the allow-list.",
        "Allow it",
    ),
    (
        Verb::Disallow,
        "Take off the allow-list",
        "From then on findings may block it again.",
        "Take it off",
    ),
];

/// The forms that make sense for an address, closed until they are needed.
pub(super) fn draw(
    context: &Context<'_>,
    address: IpAddr,
    visitor: &Visitor,
    entries: &[EntryReport],
    list: &Result<Vec<Allowance>, Unavailable>,
) -> Markup {
    let stands = entries.iter().any(is_live);
    let own = list
        .iter()
        .flatten()
        .any(|entry| entry.cidr == address.to_canonical().into());
    let is_of_use = |verb| match verb {
        Verb::Block => !stands,
        Verb::Unblock => stands,
        Verb::Allow => !own,
        Verb::Disallow => own,
    };
    html! {
        (spared(context, list))
        div.forms {
            @for (verb, title, what, button) in FORMS.iter().filter(|(verb, ..)| is_of_use(*verb)) {
                details.act-of {
                    summary { (title) }
                    (form(context, address, visitor, *verb, what, button))
                }
            }
        }
    }
}

fn form(context: &Context<'_>, address: IpAddr, visitor: &Visitor, verb: Verb, what: &str, button: &str) -> Markup {
    let target = Query {
        refresh: None,
        ..context.query.clone()
    };
    let has_end = matches!(verb, Verb::Block | Verb::Allow);
    html! {
        form.act action=(target.href(context.path)) method="post" {
            p.dim { (what) }
            input type="hidden" name="verb" value=(verb.word());
            input type="hidden" name="token" value=(acts::token(context.state, visitor, address, context.now));
            label { "Why" input type="text" name="reason" required maxlength="500" autocomplete="off"; }
            @match &visitor.name {
                Some(name) => p { "As " b { (shown(name)) } },
                None => label { "Your name" input type="text" name="who" required maxlength="100" autocomplete="username"; },
            }
            @if has_end {
                label { "For" select name="end" { @for (word, title, _) in ENDS { option value=(word) { (title) } } } }
            }
            button type="submit" { (button) }
        }
    }
}

/// What spares the address now.
pub(super) fn spared(context: &Context<'_>, list: &Result<Vec<Allowance>, Unavailable>) -> Markup {
    html! {
        @for entry in list.iter().flatten() {
            div.note {
                p { strong { "On the allow-list" } " as " span.mono { (entry.cidr) } ", "
                    @match entry.until { Some(until) => { "until " (moment(context.now, until)) }, None => "for good" } }
                p.dim { (shown(&entry.reason)) " · by " (shown(&entry.who)) ", " (moment(context.now, entry.at)) }
            }
        }
    }
}

/// What a person sees after a form, told from what the ledger says now.
pub(super) fn done(word: &str, entries: &[EntryReport]) -> Markup {
    let live = entries.iter().filter(|entry| is_live(entry)).count() as u64;
    let applied = entries.iter().filter(|entry| entry.state == "applied").count() as u64;
    let left = if live == 0 {
        "no entry stands".to_owned()
    } else {
        format!("{} on the way out", plural(live, "entry is", "entries are"))
    };
    let text = match word {
        "block" if live == 0 => "Nothing stands yet: in shadow mode decisions are only told.".to_owned(),
        "block" => format!(
            "{} made, {} confirmed by EC2 so far.",
            plural(live, "entry is", "entries are"),
            applied
        ),
        "unblock" => format!("Unblocked; {left}."),
        "allow" => format!("On the allow-list; {left}."),
        _ => "Off the allow-list.".to_owned(),
    };
    html! { div.note.done role="status" { p { strong { "Done. " } (text) } p.dim { "The audit below has it, with name and reason." } } }
}

fn is_live(entry: &EntryReport) -> bool {
    matches!(entry.state.as_str(), "planned" | "applied" | "evicting" | "expiring")
}
