//! What is known of every request: an id for its lines in the logs, how it ended, and how long it took.

use crate::server::telemetry::metrics;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use std::time::Instant;
use tracing::Instrument;
use uuid::Uuid;

/// Names one request, in the logs of everything that it passes.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What a proxy may call a request.
const MAX_REQUEST_ID: usize = 64;

/// Follows a request: gives it an id, which a proxy may have chosen already, writes down how it ended, and times it.
/// Which room it is about is nobody's business: the route says enough.
pub(crate) async fn log_request(request: Request, next: Next) -> Response {
    let since = Instant::now();
    let given = request.headers().get(REQUEST_ID).filter(|id| is_request_id(id)).cloned();
    let id = given.or_else(|| HeaderValue::try_from(Uuid::new_v4().simple().to_string()).ok());
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let shown = id.as_ref().and_then(|id| id.to_str().ok()).unwrap_or_default();
    let span = tracing::info_span!("request", request_id = shown, method = %request.method(), route);
    let mut response = next.run(request).instrument(span.clone()).await;
    let status = response.status();
    span.in_scope(|| {
        let ms = since.elapsed().as_millis() as u64;
        if status.is_server_error() {
            tracing::warn!(status = status.as_u16(), ms, "a request was answered");
        } else {
            tracing::debug!(status = status.as_u16(), ms, "a request was answered");
        }
    });
    metrics::record_request(route, status.as_u16(), since);
    if let Some(id) = id {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

fn is_request_id(id: &HeaderValue) -> bool {
    let id = id.as_bytes();
    (1..=MAX_REQUEST_ID).contains(&id.len())
        && id.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}
