//! What a page answers when it cannot be drawn: a status, what is wrong, and what to do. One page for all of them.

use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};

use super::{gate::Unavailable, layout, params::Invalid};
use crate::index;

/// Why a request got no page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PageError {
    /// A parameter that cannot be read.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// No such page or document.
    #[error("There is no {0} here.")]
    NotFound(String),
    /// The engine or the ledger failed.
    #[error("{0}")]
    Unavailable(String),
    /// It took too long, or too many pages are being drawn.
    #[error("This page took too long.")]
    Slow,
    /// A method other than GET and HEAD.
    #[error("Pages are only read here.")]
    Method,
    /// A `Host` header that is not this machine's.
    #[error("This address is not served under the name that was asked for.")]
    Host,
}

impl PageError {
    fn status(&self) -> StatusCode {
        match self {
            PageError::Invalid(_) => StatusCode::BAD_REQUEST,
            PageError::NotFound(_) => StatusCode::NOT_FOUND,
            PageError::Unavailable(_) => StatusCode::INTERNAL_SERVER_ERROR,
            PageError::Slow => StatusCode::SERVICE_UNAVAILABLE,
            PageError::Method => StatusCode::METHOD_NOT_ALLOWED,
            PageError::Host => StatusCode::MISDIRECTED_REQUEST,
        }
    }

    fn title(&self) -> &'static str {
        match self {
            PageError::Invalid(_) => "That link cannot be read",
            PageError::NotFound(_) => "Nothing here",
            PageError::Unavailable(_) => "The page could not be drawn",
            PageError::Slow => "Too slow",
            PageError::Method => "Only GET",
            PageError::Host => "Wrong name",
        }
    }

    fn remedy(&self) -> &'static str {
        match self {
            PageError::Invalid(_) => "Correct the parameter in the address, or start again from the overview.",
            PageError::NotFound(_) => {
                "A document may have been outside of what is kept. Search for it, or start again from the overview."
            }
            PageError::Unavailable(_) => "Load the page again. If it stays, the log of the program says more.",
            PageError::Slow => "Narrow the time range, or load the page again in a moment.",
            PageError::Method => "Blocking, unblocking and allowing is done with the portcullis command.",
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
        let page = layout::plain(self.title(), &self.to_string(), self.remedy());
        (self.status(), Html(page.into_string())).into_response()
    }
}
