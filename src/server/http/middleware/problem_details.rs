//! Errors of middleware and of unknown addresses, as programs read them: problem details instead of a sentence or a page.
//! Handlers answer programs themselves.

use crate::server::http::message_body::is_bare;
use crate::server::http::problem::{Problem, reason};
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Beginnings of the paths whose clients do not read problem details: functions of pages, sockets and assets.
const OTHER_CLIENTS: [&str; 3] = ["/api/", "/ws/", "/assets/"];

/// Maximum length of a sentence that becomes the detail of a problem, in bytes.
const MAX_DETAIL_BYTES: usize = 2048;

/// Turns errors into problem details if the client is a program. Pages are left to clients that may be browsers.
pub(crate) async fn explain_errors(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if OTHER_CLIENTS.iter().any(|prefix| path.starts_with(prefix)) {
        return next.run(request).await;
    }
    let is_program = Problem::is_readable_by(request.headers());
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let is_bare = !reads && is_bare(request.headers());
    let response = next.run(request).await;
    let is_error = response.status().is_client_error() || response.status().is_server_error();
    let is_page = is_of_type(response.headers(), "text/html");
    let is_sentence = is_of_type(response.headers(), "text/plain");
    // Other bodies are for programs already.
    if !is_error || !is_page && !is_sentence && response.headers().contains_key(header::CONTENT_TYPE) {
        return response;
    }
    if is_program || is_bare && !is_page { explain(response).await } else { response }
}

/// Returns the problem details of a response. Keeps its headers, except those of its body.
async fn explain(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let is_sentence = is_of_type(&parts.headers, "text/plain") && !parts.headers.contains_key(header::CONTENT_ENCODING);
    let sentence = match is_sentence {
        true => to_bytes(body, MAX_DETAIL_BYTES).await.unwrap_or_default(),
        false => Default::default(),
    };
    let sentence = str::from_utf8(&sentence).unwrap_or_default().trim();
    let detail = if sentence.is_empty() { reason(parts.status) } else { sentence };
    let problem = Problem::of_status(parts.status, detail, retry_after_ms(&parts.headers));
    for name in [
        header::CONTENT_TYPE,
        header::CONTENT_LENGTH,
        header::CONTENT_ENCODING,
        header::CONTENT_SECURITY_POLICY,
        header::RETRY_AFTER,
    ] {
        parts.headers.remove(name);
    }
    let mut explained = problem.into_response();
    explained.headers_mut().extend(parts.headers);
    explained
}

/// Returns the time after which the client may try again, in milliseconds, if the response says so.
fn retry_after_ms(headers: &HeaderMap) -> Option<u32> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.parse::<u32>().ok()?;
    Some(seconds.saturating_mul(1000))
}

/// Returns whether the content is of this media type, whatever its parameters.
fn is_of_type(headers: &HeaderMap, media_type: &str) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(media_type.as_bytes()))
}
