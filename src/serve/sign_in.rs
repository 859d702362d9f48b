//! The sign-in: a token for a cookie. Shown in place of the page that was asked for, and leads back to it.

use axum::{
    Form,
    extract::State as Shared,
    http::header,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;
use tokio::time::{Duration, sleep};

use super::{State, error::PageError, layout, text::visible};

/// Where the form goes.
pub(super) const PATH: &str = "/sign-in";
/// After a wrong token, so that nobody tries many.
const PAUSE: Duration = Duration::from_millis(500);

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Sent {
    #[serde(default)]
    token: String,
    #[serde(default)]
    back: String,
}

/// The form, which leads back to `path`.
pub(super) fn form(title: &str, what: &str, remedy: &str, path: &str) -> Markup {
    let form = html! {
        form.act action=(PATH) method="post" {
            input type="hidden" name="back" value=(visible(ours(path)));
            label { "Token" input type="password" name="token" required autofocus autocomplete="current-password"; }
            button type="submit" { "Sign in" }
        }
    };
    layout::apology(title, what, remedy, &form)
}

/// The path, when it is one of this program: a link elsewhere could begin like one.
fn ours(path: &str) -> &str {
    let is_ours = path.starts_with('/') && !path.starts_with("//") && !path.contains('\\') && !path.starts_with(PATH);
    if is_ours { path } else { "/" }
}

/// `POST /sign-in`
pub(super) async fn sign_in(Shared(state): Shared<State>, Form(sent): Form<Sent>) -> Result<Response, PageError> {
    let back = ours(&sent.back);
    match state.access.sign_in(&sent.token, (state.clock)()) {
        Some(cookie) => Ok(([(header::SET_COOKIE, cookie)], Redirect::to(back)).into_response()),
        None => {
            sleep(PAUSE).await;
            Err(PageError::Unknown(back.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_never_leads_elsewhere() {
        for (path, back) in [
            ("/waf?range=6h", "/waf?range=6h"),
            ("//evil.example/", "/"),
            ("/\\evil.example/", "/"),
            ("https://evil.example/", "/"),
            ("", "/"),
            ("/sign-in", "/"),
        ] {
            assert_eq!(ours(path), back, "{path}");
        }
    }
}
