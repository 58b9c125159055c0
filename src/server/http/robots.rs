//! `robots.txt`: what search engines may list (RFC 9309).

use super::assets;
use super::state::AppState;
use axum::extract::State;
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};

/// Rules that let search engines list the front page and load its assets, but no room.
const FRONT_PAGE_INDEXED: &str = "User-agent: *\nAllow: /$\nAllow: /assets/\nDisallow: /\n";

/// `GET /robots.txt`.
pub(crate) async fn robots(State(state): State<AppState>, uri: Uri, headers: HeaderMap) -> Response {
    if state.config.front_page_indexed {
        return ([(header::CACHE_CONTROL, "public, max-age=86400")], FRONT_PAGE_INDEXED).into_response();
    }
    assets::at_root(State(state.assets.clone()), uri, headers).await
}
