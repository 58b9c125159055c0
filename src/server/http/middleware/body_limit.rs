//! Bodies of requests: read as a whole before anything is done, in bounded time and of a bounded size.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::time::Duration;
use tokio::time::timeout;

/// What a form may send: a message of 4000 characters, percent-encoded at worst, and some room.
const MAX_BODY_BYTES: usize = 64 << 10;

/// A body has so long to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Whoever sends a body drop by drop is answered with 408, whoever sends too much with 413.
pub(crate) async fn buffer_body(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match timeout(BODY_TIMEOUT, to_bytes(body, MAX_BODY_BYTES)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Ok(Err(_)) => (StatusCode::PAYLOAD_TOO_LARGE, "This is more than fits into a message.").into_response(),
        Err(_) => (StatusCode::REQUEST_TIMEOUT, "The request did not arrive in time.").into_response(),
    }
}
