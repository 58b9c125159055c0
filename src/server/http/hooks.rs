//! Handler of `POST /{room_name}/hooks/{key}`, by which other programs post into a room.

use super::message_body::idempotency_key;
use super::origin;
use super::problem::Problem;
use super::state::AppState;
use crate::domain::{Rejection, RejectionCode};
use crate::server::chat::access::AccessDenied;
use crate::server::hooks::incoming::{InvalidBody, read_body};
use crate::server::network::Network;
use crate::server::telemetry::metrics::record_rejection;
use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Answer to a message that is stored, as Slack gives it.
const STORED: &str = "ok";

/// Posts the message in the body, and answers `ok`. Whatever is wrong with the address is answered alike.
pub(crate) async fn incoming_hook(
    State(state): State<AppState>,
    address: Result<Path<(String, String)>, PathRejection>,
    Extension(network): Extension<Network>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let posted = async {
        if !origin::is_same_origin_request(&headers, state.config.public_url.as_deref()) {
            let detail = "Pages of other sites cannot post here.";
            return Err(Problem::new(StatusCode::FORBIDDEN, RejectionCode::Forbidden, detail));
        }
        let missing = || Problem::from(AccessDenied::Missing);
        let Path((room, key)) = address.map_err(|_| missing())?;
        let hook = state.chat.incoming_hook(&room, &key).await.map_err(Rejection::from)?.ok_or_else(missing)?;
        let coding = headers.get(header::CONTENT_ENCODING).map(|coding| coding.as_bytes());
        if coding.is_some_and(|coding| !coding.eq_ignore_ascii_case(b"identity")) {
            return Err(InvalidBody::MediaType.into());
        }
        let content_type = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or("unreadable"));
        let post = read_body(content_type, &body)?;
        let id = idempotency_key(&headers)?;
        state
            .chat
            .post_by_hook(&hook, network, id.as_deref(), &post)
            .await
            .inspect_err(|rejection| record_rejection(rejection.code))?;
        Ok::<_, Problem>(())
    };
    match posted.await {
        Ok(()) => STORED.into_response(),
        Err(problem) => problem.into_response(),
    }
}

impl From<InvalidBody> for Problem {
    fn from(invalid: InvalidBody) -> Self {
        let status = match invalid {
            InvalidBody::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            InvalidBody::Encoding | InvalidBody::Syntax => StatusCode::BAD_REQUEST,
            InvalidBody::FieldType => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::new(status, RejectionCode::Invalid, invalid.to_string())
    }
}
