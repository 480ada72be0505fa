//! The style sheet and the icon of the pages.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use super::error::PageError;

pub(crate) const STYLE: &str = include_str!("style.css");
const ICON: &str = include_str!("icon.svg");
/// Browsers may cache both files for a year: the style sheet's file name changes with its content, and the icon never
/// changes.
const ASSET_LIFE: &str = "public, max-age=31536000, immutable";

pub(crate) async fn asset(Path(name): Path<String>) -> Result<Response, PageError> {
    let (kind, content) = match name.as_str() {
        "icon.svg" => ("image/svg+xml", ICON),
        name if name == style_name() => ("text/css; charset=utf-8", STYLE),
        _ => return Err(PageError::NotFound),
    };
    Ok(([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, ASSET_LIFE)], content).into_response())
}

/// The style sheet's file name, which contains a hash of its content.
pub(crate) fn style_name() -> &'static str {
    static NAME: LazyLock<String> = LazyLock::new(|| format!("style-{}.css", &store::keys::secret_hash(STYLE)[..12]));
    &NAME
}
