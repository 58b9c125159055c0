//! Request logging: an id for the request's log lines, its outcome, and its duration.

use crate::server::telemetry::metrics::{self, READINESS_ROUTE};
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use std::time::Instant;
use tracing::Instrument;
use uuid::Uuid;

/// Header with the id of a request, as it appears in the logs of every system that the request passes.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Maximum length of a request id that a proxy has chosen, in bytes.
const MAX_REQUEST_ID: usize = 64;

/// Gives a request an id, unless a proxy has chosen one already, then logs its outcome and records its duration. Logs
/// the route only, not the room, which is private.
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
        // What makes the node not ready is logged when it begins, not at each probe.
        if status.is_server_error() && route != READINESS_ROUTE {
            tracing::warn!(status = status.as_u16(), ms, "Answered a request");
        } else {
            tracing::debug!(status = status.as_u16(), ms, "Answered a request");
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
