//! One file per page. Each is a function from a [`Context`](super::layout::Context) to a page; none knows HTTP.

pub(super) mod address;
pub(super) mod board;
pub(super) mod document;
mod forms;
pub(super) mod overview;
pub(super) mod pipeline;
pub(super) mod response;
pub(super) mod search;
