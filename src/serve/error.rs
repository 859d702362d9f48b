//! What a page answers when it cannot be drawn: a status, what is wrong, and what to do. One page for all of them.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};

use super::{gate::Unavailable, layout, params::Invalid, sign_in, syntax};
use crate::index;

/// Why a request got no page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PageError {
    /// A parameter that cannot be read.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// A search that cannot be read: what was typed, and why not.
    #[error("{why}")]
    Text {
        /// What was typed.
        text: String,
        /// Where it goes wrong, and what to write.
        why: String,
    },
    /// No such page or document.
    #[error("There is no {0} here.")]
    NotFound(String),
    /// The engine or the ledger failed.
    #[error("{0}")]
    Unavailable(String),
    /// It took too long, or too many pages are being drawn.
    #[error("This page took too long.")]
    Slow,
    /// A method that the page does not have.
    #[error("This page is only read.")]
    Method,
    /// A form, where acting from the pages is not enabled.
    #[error("Acting from the pages is not enabled here.")]
    ReadOnly,
    /// A form that these pages have not written for this visitor, or that lay open too long.
    #[error("This form did not come from these pages, or it lay open too long. Nothing was done.")]
    Forged,
    /// Nobody knows who asks; the path that was asked for.
    #[error("These pages ask who you are.")]
    Unknown(String),
    /// Nobody knows who asks, and the proxy in front has to say it.
    #[error("These pages are opened through the proxy in front of them, which says who you are.")]
    NotThroughProxy,
    /// A `Host` header that is not this machine's.
    #[error("This address is not served under the name that was asked for.")]
    Host,
}

impl PageError {
    fn status(&self) -> StatusCode {
        match self {
            PageError::Invalid(_) | PageError::Text { .. } => StatusCode::BAD_REQUEST,
            PageError::NotFound(_) => StatusCode::NOT_FOUND,
            PageError::Unavailable(_) => StatusCode::INTERNAL_SERVER_ERROR,
            PageError::Slow => StatusCode::SERVICE_UNAVAILABLE,
            PageError::Method => StatusCode::METHOD_NOT_ALLOWED,
            PageError::ReadOnly | PageError::Forged | PageError::NotThroughProxy => StatusCode::FORBIDDEN,
            PageError::Unknown(_) => StatusCode::UNAUTHORIZED,
            PageError::Host => StatusCode::MISDIRECTED_REQUEST,
        }
    }

    fn title(&self) -> &'static str {
        match self {
            PageError::Invalid(_) => "That link cannot be read",
            PageError::Text { .. } => "That search cannot be read",
            PageError::NotFound(_) => "Nothing here",
            PageError::Unavailable(_) => "The page could not be drawn",
            PageError::Slow => "Too slow",
            PageError::Method => "Only GET",
            PageError::ReadOnly => "Only reading",
            PageError::Forged => "Not done",
            PageError::Unknown(_) => "Sign in",
            PageError::NotThroughProxy => "Not this way",
            PageError::Host => "Wrong name",
        }
    }

    fn remedy(&self) -> &'static str {
        match self {
            PageError::Text { .. } => "Correct it here:",
            PageError::Invalid(_) => "Correct the parameter in the address, or start again from the overview.",
            PageError::NotFound(_) => {
                "A document may have been outside of what is kept. Search for it, or start again from the overview."
            }
            PageError::Unavailable(_) => "Load the page again. If it stays, the log of the program says more.",
            PageError::Slow => "Narrow the time range, or load the page again in a moment.",
            PageError::Method => "Open it with a link.",
            PageError::ReadOnly => "Set serve.acts = true in the configuration, or use the portcullis command.",
            PageError::Forged => "Open the page of the address again, and send the form from there.",
            PageError::Unknown(_) => "The token is the one that serve.token_env of the configuration names.",
            PageError::NotThroughProxy => {
                "serve.user_header and serve.proxies of the configuration say which header, and from where."
            }
            PageError::Host => "Use localhost or a loopback address.",
        }
    }
}

impl From<index::Error> for PageError {
    fn from(error: index::Error) -> Self {
        match error {
            index::Error::Query(why) => Self::Invalid(Invalid {
                parameter: "q".to_owned(),
                found: "this text".to_owned(),
                remedy: why,
            }),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl From<Unavailable> for PageError {
    fn from(error: Unavailable) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let page = match &self {
            PageError::Unknown(path) => sign_in::form(self.title(), &self.to_string(), self.remedy(), path),
            PageError::Text { text, .. } => {
                let next = syntax::correct(text);
                layout::apology(self.title(), &self.to_string(), self.remedy(), &next)
            }
            _ => layout::plain(self.title(), &self.to_string(), self.remedy()),
        };
        let mut response = (self.status(), Html(page.into_string())).into_response();
        if matches!(self, PageError::Unknown(_)) {
            let scheme = HeaderValue::from_static("Bearer realm=\"portcullis\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}
