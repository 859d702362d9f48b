//! Style sheet, script and icon, served under a name that carries their content's hash, so that they can be kept for good.

use std::sync::LazyLock;

use axum::{
    extract::Path,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::{IntoResponse, Response},
};

use super::error::PageError;

/// One file, with the path it is served under.
pub(super) struct Asset {
    /// `/assets/<hash>-<name>`
    pub path: String,
    content_type: &'static str,
    content: &'static str,
}

impl Asset {
    fn new(name: &str, content_type: &'static str, content: &'static str) -> Self {
        let hash = blake3::hash(content.as_bytes()).to_hex();
        Self {
            path: format!("/assets/{}-{name}", &hash[..12]),
            content_type,
            content,
        }
    }
}

/// The style sheet.
pub(super) static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("pages.css", "text/css; charset=utf-8", include_str!("pages.css")));
/// The script; every page works without it.
pub(super) static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("pages.js", "text/javascript; charset=utf-8", include_str!("pages.js")));
/// The icon.
pub(super) static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon.svg", "image/svg+xml", include_str!("icon.svg")));

/// `/assets/{name}`
pub(super) async fn serve(Path(name): Path<String>) -> Result<Response, PageError> {
    let path = format!("/assets/{name}");
    let asset = [&STYLE, &SCRIPT, &ICON].into_iter().find(|asset| asset.path == path);
    let asset = asset.ok_or_else(|| PageError::NotFound("such file".to_owned()))?;
    let headers = [
        (CONTENT_TYPE, asset.content_type),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Ok((headers, asset.content).into_response())
}
