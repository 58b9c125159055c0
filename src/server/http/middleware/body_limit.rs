//! Request bodies: read completely before anything is done, within a time and a size limit.

use crate::domain::RejectionCode;
use crate::server::http::problem::Problem;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::time::Duration;
use tokio::time::timeout;

/// Maximum size of a form, in bytes: a message of 4000 characters, percent-encoded at worst, and some room.
const MAX_BODY_BYTES: usize = 64 << 10;

/// Maximum size of a webhook's body, in bytes: other programs say much that is not shown.
const MAX_HOOK_BODY_BYTES: usize = 256 << 10;

/// Maximum time for a body to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

const CUT_OFF: &str = "The body of the request is malformed or incomplete.";

/// Returns whether a body could not be read although it is not too long.
fn is_cut_off(error: &axum::Error) -> bool {
    !std::error::Error::source(error).is_some_and(|source| source.is::<http_body_util::LengthLimitError>())
}

/// Reads the request's body. Answers 400 if it is malformed, 408 if it arrives too slowly, and 413 if it is too large.
pub(crate) async fn buffer_body(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match timeout(BODY_TIMEOUT, to_bytes(body, MAX_BODY_BYTES)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Ok(Err(error)) if is_cut_off(&error) => (StatusCode::BAD_REQUEST, CUT_OFF).into_response(),
        Ok(Err(_)) => (StatusCode::PAYLOAD_TOO_LARGE, "This is too long for a message.").into_response(),
        Err(_) => (StatusCode::REQUEST_TIMEOUT, "The request did not arrive in time.").into_response(),
    }
}

/// Like [`buffer_body`], for the bodies of webhooks. Answers with problem details.
pub(crate) async fn buffer_hook_body(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match timeout(BODY_TIMEOUT, to_bytes(body, MAX_HOOK_BODY_BYTES)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Ok(Err(error)) if is_cut_off(&error) => Problem::bad_request(CUT_OFF).into_response(),
        Ok(Err(_)) => {
            let detail = "A webhook takes bodies of at most 256 KiB.";
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, RejectionCode::TooLong, detail).into_response()
        }
        Err(_) => {
            let detail = "The request did not arrive in time.";
            Problem::new(StatusCode::REQUEST_TIMEOUT, RejectionCode::Invalid, detail).into_response()
        }
    }
}
