//! Errors for programs: problem details in JSON (RFC 9457), with the rejection codes of the protocol.

use super::media_type::{HTML, JSON, PLAIN_TEXT, preferred};
use crate::domain::{Rejection, RejectionCode};
use crate::server::chat::access::AccessDenied;
use crate::server::limits::rate_limiter::ConnectError;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Time after which a client may try again if nothing says when, in milliseconds.
const DEFAULT_RETRY_MS: u32 = 1000;

/// An error response for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    status: StatusCode,
    rejection: Rejection,
}

#[derive(Serialize)]
struct ProblemBody<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    #[serde(flatten)]
    rejection: &'a Rejection,
}

impl Problem {
    /// Creates a problem with this status and code. `detail` is one sentence for people.
    pub(crate) fn new(status: StatusCode, code: RejectionCode, detail: impl Into<String>) -> Self {
        Self { status, rejection: Rejection::new(code, detail) }
    }

    /// Creates the problem of a response with this status, which may be tried again after a time in milliseconds.
    pub(crate) fn of_status(status: StatusCode, detail: impl Into<String>, retry_after_ms: Option<u32>) -> Self {
        let code = match status {
            StatusCode::NOT_FOUND => RejectionCode::NotFound,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => RejectionCode::Forbidden,
            StatusCode::PAYLOAD_TOO_LARGE => RejectionCode::TooLong,
            StatusCode::TOO_MANY_REQUESTS => RejectionCode::RateLimited,
            _ if status.is_server_error() => RejectionCode::Unavailable,
            _ => RejectionCode::Invalid,
        };
        Self { status, rejection: Rejection { retry_after_ms, ..Rejection::new(code, detail) } }
    }

    /// Creates the problem of a page of another site that has sent a request.
    pub(crate) fn of_foreign_page() -> Self {
        Self::new(StatusCode::FORBIDDEN, RejectionCode::Forbidden, "Pages of other sites cannot read or post here.")
    }

    /// Returns whether a client with these headers is a program, which reads problem details: it prefers JSON, or sends
    /// JSON or text.
    pub(crate) fn is_readable_by(headers: &HeaderMap) -> bool {
        let sent = headers.get(header::CONTENT_TYPE).and_then(|sent| sent.to_str().ok()).unwrap_or_default();
        let sent = sent.split(';').next().unwrap_or_default().trim();
        let sends_text = [JSON, PLAIN_TEXT].iter().any(|media_type| sent.eq_ignore_ascii_case(media_type));
        sends_text || preferred(headers, &[HTML, JSON]) == JSON
    }

    /// Returns the status of the response.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the code and the sentence for people.
    pub(crate) fn rejection(&self) -> &Rejection {
        &self.rejection
    }

    /// Returns the header that tells when to try again, or `None` if the problem does not say when.
    pub(crate) fn retry_after(&self) -> Option<(HeaderName, HeaderValue)> {
        // RFC 9110, section 10.2.3: whole seconds.
        let milliseconds = self.rejection.retry_after_ms?;
        Some((header::RETRY_AFTER, milliseconds.div_ceil(1000).max(1).into()))
    }

    /// Returns the response to a client that does not read problem details: the sentence.
    pub(crate) fn into_text(self) -> Response {
        let mut response = (self.status, self.rejection.detail.clone()).into_response();
        response.headers_mut().extend(self.retry_after());
        response
    }

    /// Returns this problem for an address that names the target of the command: a missing target is a missing address.
    pub(crate) fn of_addressed(self) -> Self {
        let is_missing = self.rejection.code == RejectionCode::NotFound;
        if is_missing { Self { status: StatusCode::NOT_FOUND, ..self } } else { self }
    }

    /// Creates the problem of an address at which nothing is.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, RejectionCode::NotFound, detail)
    }

    /// Creates the problem of a request that does not parse.
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, RejectionCode::Invalid, detail)
    }
}

/// Returns the name of a status by RFC 9110, section 15, which has renamed two since the library was written.
pub(crate) fn reason(status: StatusCode) -> &'static str {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => "Content Too Large",
        StatusCode::UNPROCESSABLE_ENTITY => "Unprocessable Content",
        _ => status.canonical_reason().unwrap_or("Error"),
    }
}

/// Returns the HTTP status of a rejection code, for a command whose fields, not whose address, name its target.
pub(crate) fn rejection_status(code: RejectionCode) -> StatusCode {
    use RejectionCode::*;
    match code {
        RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Forbidden => StatusCode::FORBIDDEN,
        UsernameTaken | IdConflict => StatusCode::CONFLICT,
        TooLong => StatusCode::PAYLOAD_TOO_LARGE,
        Draining | Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Empty | Invalid | UsernameInvalid | NotFound => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        Self { status: rejection_status(rejection.code), rejection }
    }
}

impl From<AccessDenied> for Problem {
    fn from(denied: AccessDenied) -> Self {
        Self { status: denied.status(), rejection: denied.into() }
    }
}

impl From<ConnectError> for Problem {
    fn from(full: ConnectError) -> Self {
        match full {
            ConnectError::NodeFull => {
                let detail = "This room is full.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, RejectionCode::Unavailable, detail)
            }
            ConnectError::NetworkFull => {
                let detail = "Too many connections are open from your network.";
                Self::new(StatusCode::TOO_MANY_REQUESTS, RejectionCode::RateLimited, detail)
            }
            ConnectError::RateLimited(limited) => limited.rejection("Your network connects too often.").into(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, mut rejection } = self;
        let is_temporary = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        if is_temporary {
            rejection.retry_after_ms.get_or_insert(DEFAULT_RETRY_MS);
        }
        let title = reason(status);
        let body = ProblemBody { r#type: "about:blank", title, status: status.as_u16(), rejection: &rejection };
        let body = serde_json::to_vec(&body).expect("a problem is plain data");
        let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))];
        let mut response = (status, content_type, body).into_response();
        response.headers_mut().extend(Self { status, rejection }.retry_after());
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;

    #[tokio::test]
    async fn a_rejection_becomes_problem_details() {
        let response = Problem::from(Rejection::unavailable()).into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["type"], "about:blank");
        assert_eq!(body["title"], "Service Unavailable");
        assert_eq!(body["status"], 503);
        assert_eq!(body["code"], "unavailable");
        assert_eq!(body["retry_after_ms"], 1000);
        assert!(body["detail"].as_str().unwrap().contains("try again"));
    }

    #[test]
    fn every_code_has_a_status_of_an_error() {
        for code in RejectionCode::ALL {
            assert!(rejection_status(code).is_client_error() || rejection_status(code).is_server_error(), "{code:?}");
        }
    }
}
