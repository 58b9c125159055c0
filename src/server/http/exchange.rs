//! Handler of `POST /api/exchange`, which reads and writes a room for clients without WebSockets.

use super::origin;
use super::state::AppState;
use crate::domain::RoomName;
use crate::protocol::close;
use crate::server::auth::visitor::Visitor;
use crate::server::chat::access::AccessDenied;
use crate::server::chat::exchange::{ExchangeRequest, Exchanged};

use axum::extract::{Extension, Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

/// An [`ExchangeRequest`] and its room, as texts.
#[derive(Deserialize)]
pub(crate) struct ExchangeForm {
    room_name: String,
    epoch: Option<String>,
    after: Option<String>,
    username: Option<String>,
    frame: Option<String>,
    welcome: Option<String>,
}

/// Returns lines: the position after all frames, then one frame per line. If the visitor may not enter, the first line
/// is the negative close code instead.
pub(crate) async fn exchange(
    State(state): State<AppState>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    Form(form): Form<ExchangeForm>,
) -> Response {
    if !origin::is_same_origin_request(&headers, state.config.public_url.as_deref()) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let ExchangeForm { room_name, epoch, after, username, frame, welcome } = form;
    let Ok(name) = RoomName::parse(&room_name) else { return StatusCode::NOT_FOUND.into_response() };
    let after = after.and_then(|after| after.parse().ok());
    let request = ExchangeRequest { epoch, after, username, frame, welcome: welcome.is_some() };
    // Each request of a guest comes from another author.
    let visitor = Visitor { author: visitor.author.of_request(), ..visitor };
    let closed = |code: u16| format!("-{code}\n").into_response();
    match state.chat.exchange(&name, &visitor, request).await {
        Ok(Exchanged { after, frames }) => {
            let frames = frames.iter().map(|frame| frame.encode() + "\n");
            std::iter::once(format!("{after}\n")).chain(frames).collect::<String>().into_response()
        }
        Err(AccessDenied::Banned(_)) => closed(close::BANNED),
        Err(AccessDenied::Locked | AccessDenied::Missing) => closed(close::NO_ACCESS),
        Err(denied) => (denied.status(), denied.to_string()).into_response(),
    }
}
