//! `GET /{room_name}/events`: a room's log as an event stream, in one of three formats.

use super::{StreamRequest, run_stream};
use crate::domain::event::parse_position;
use crate::domain::{RejectionCode, RememberedUsername, RoomName, Seq, Username};
use crate::server::auth::visitor::Visitor;
use crate::server::chat::{Resume, draining_rejection};
use crate::server::http::media_type::{self, EVENT_STREAM, JSON_LINES, PLAIN_TEXT};
use crate::server::http::origin;
use crate::server::http::problem::Problem;
use crate::server::http::room_address::redirect_to_canonical;
use crate::server::http::state::AppState;
use crate::server::websocket::{FrameEncoding, HeadOnly, Takeover};
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, Version, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

/// Query parameters of the address.
#[derive(Deserialize)]
pub(crate) struct EventsQuery {
    after: Option<String>,
    epoch: Option<String>,
    wait: Option<String>,
}

/// Streams the events after a number, and then new ones. The response ends with the connection, which is taken over so
/// that events are written to it like to a socket.
#[allow(clippy::too_many_arguments)]
pub(crate) async fn events(
    State(state): State<AppState>,
    room_name: Result<Path<String>, PathRejection>,
    query: Result<Query<EventsQuery>, QueryRejection>,
    Extension(visitor): Extension<Visitor>,
    Extension(known): Extension<RememberedUsername>,
    Extension(takeover): Extension<Takeover>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let room_name = room_name.map_or_else(|_| char::REPLACEMENT_CHARACTER.to_string(), |Path(room_name)| room_name);
    let name = match RoomName::parse(&room_name) {
        Ok(name) => name,
        Err(reason) => return Problem::not_found(reason.to_string()).into_response(),
    };
    if let Some(redirect) = redirect_to_canonical(&name, &room_name, "events", &uri) {
        return redirect;
    }
    if !origin::is_same_origin_request(&headers, state.config.public_url.as_deref()) {
        let detail = "Pages of other sites cannot read rooms here.";
        return Problem::new(StatusCode::FORBIDDEN, RejectionCode::Forbidden, detail).into_response();
    }
    match prepare(&state, &name, &visitor, query, &headers).await {
        Ok((mut request, encoding)) => {
            request.username = known.0.unwrap_or_else(Username::anonymous);
            let mut response = head(encoding);
            if method == Method::GET {
                response.extensions_mut().insert(HeadOnly);
                run_stream(state, request, takeover.claim(), encoding);
            }
            response
        }
        Err(problem) => problem.into_response(),
    }
}

/// Checks the request, the limits and the visitor's access.
async fn prepare(
    state: &AppState,
    name: &RoomName,
    visitor: &Visitor,
    query: Result<Query<EventsQuery>, QueryRejection>,
    headers: &HeaderMap,
) -> Result<(StreamRequest, FrameEncoding), Problem> {
    let Query(query) = query.map_err(|error| Problem::bad_request(error.body_text()))?;
    let after = match headers.get("last-event-id") {
        // A browser's `EventSource` that reconnects repeats the address it was opened with.
        Some(id) => Some(id.to_str().unwrap_or_default()),
        None => query.after.as_deref(),
    };
    let unreadable = || Problem::bad_request("`after` and `Last-Event-ID` are the number of an event, or 0.");
    let after: Option<Seq> = after.map(|after| parse_position(after).ok_or_else(unreadable)).transpose()?;
    let encoding = match media_type::preferred(headers, &[EVENT_STREAM, JSON_LINES, PLAIN_TEXT]) {
        JSON_LINES => FrameEncoding::JsonLines,
        PLAIN_TEXT => FrameEncoding::PlainText,
        _ => FrameEncoding::EventStream,
    };
    if state.draining.is_cancelled() {
        return Err(draining_rejection().into());
    }
    let permit = state.limiter.check_connection(visitor.network).map_err(Problem::from)?;
    let entering = state.limiter.enter(visitor.network).await;
    let room = state.chat.admit(name, visitor).await?;
    drop(entering);
    let ends = query.wait.as_deref() == Some("0");
    let resume = Resume { after, epoch: query.epoch, max_replay: Seq::MAX, is_shown: !ends };
    let request = StreamRequest { room, username: Username::anonymous(), visitor: *visitor, resume, ends, permit };
    Ok((request, encoding))
}

/// Returns the head of a stream. Its version is HTTP/1.0, in which a body without a length ends with the connection.
fn head(encoding: FrameEncoding) -> Response {
    let media_type = match encoding {
        FrameEncoding::JsonLines => JSON_LINES,
        FrameEncoding::PlainText => "text/plain; charset=utf-8",
        FrameEncoding::EventStream | FrameEncoding::WebSocket => EVENT_STREAM,
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store, no-transform")),
        (header::VARY, HeaderValue::from_static("accept")),
        // Makes nginx pass on each event as it comes.
        (header::HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    let nothing =
        Body::from_stream(futures_util::stream::empty::<Result<axum::body::Bytes, std::convert::Infallible>>());
    let mut response = (headers, nothing).into_response();
    *response.version_mut() = Version::HTTP_10;
    response
}
