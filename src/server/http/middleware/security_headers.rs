//! What browsers are told about every answer: where it may stand, what it may load, that nothing is guessed, and who may
//! keep it.

use crate::server::AppState;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

/// Of whatever is no page: it loads nothing, and stands in no frame.
const DEFAULT_CSP: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// Of whatever does not say how long it is good for: it is of one visitor, and nobody keeps it.
const NO_STORE: HeaderValue = HeaderValue::from_static("private, no-store");

/// Half a year, in seconds, as the HSTS preload list once asked for (RFC 6797).
const HSTS: HeaderValue = HeaderValue::from_static("max-age=15552000");

/// Nobody is told where somebody came from. A page lets its own site know, by a word in its head, so that its forms are
/// sent with an `Origin`.
const COMMON_HEADERS: [(HeaderName, HeaderValue); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
];

/// Adds them to whatever is answered. A page brings a policy of its own, and an asset how long it may be kept.
pub(crate) async fn set_security_headers(State(shared): State<AppState>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.extend(COMMON_HEADERS);
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(DEFAULT_CSP);
    headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
    if shared.config.is_https() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    response
}

/// The policy of a page (Content Security Policy Level 3, W3C): scripts run that carry this nonce, and what they load;
/// everything else comes from here. `watched` pages also ask cargo-leptos for news, on another port.
pub(crate) fn page_policy(nonce: &str, watched: bool) -> HeaderValue {
    let reload = if watched { " ws:" } else { "" };
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self'; connect-src 'self'{reload}; manifest-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("a nonce is visible ASCII")
}
