//! Security headers of every response: framing, content sources, MIME sniffing, referrers and caching.

use crate::server::http::state::AppState;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

/// Policy of responses that are not pages: they load nothing and cannot be framed.
const DEFAULT_CSP: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// Default of responses without `Cache-Control`: they belong to one visitor and must not be stored.
const NO_STORE: HeaderValue = HeaderValue::from_static("private, no-store");

/// Half a year, in seconds, as the HSTS preload list once asked for (RFC 6797).
const HSTS: HeaderValue = HeaderValue::from_static("max-age=15552000");

/// Headers of every response. No other site learns the address of the previous page. A page allows its own site to
/// learn it, by a tag in its head, so that its forms are sent with an `Origin`.
const COMMON_HEADERS: [(HeaderName, HeaderValue); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
];

/// Adds these headers to a response. A page keeps its own policy, and an asset its own caching rules.
pub(crate) async fn set_security_headers(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.extend(COMMON_HEADERS);
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(DEFAULT_CSP);
    headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
    if state.config.is_https() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    response
}

/// Returns the policy of a page (Content Security Policy Level 3, W3C). Scripts with this nonce run, and so do scripts
/// that they load; everything else must come from this site. `watched` pages also connect to cargo-leptos for reloads,
/// on another port.
pub(crate) fn page_policy(nonce: &str, watched: bool) -> HeaderValue {
    let reload = if watched { " ws:" } else { "" };
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self'; connect-src 'self'{reload}; manifest-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("a nonce is visible ASCII")
}
