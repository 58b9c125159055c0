//! Pins by HTTP: the page of all pinned messages, as HTML and as JSON, and the form with which the owner pins a message
//! without a script.

use super::annotation_request::{Addressed, AnnotationRequest};
use super::media_type::{HTML, JSON, preferred};
use super::messages::pinned;
use super::origin;
use super::problem::Problem;
use super::reactions::respond;
use super::render::{not_found, page};
use super::room_address::redirect_to_canonical;
use crate::domain::moderation::ModerationAction;
use crate::domain::{RememberedUsername, RoomName};
use crate::server::auth::visitor::Visitor;
use crate::server::chat::RoomCommand;
use crate::server::chat::access::AccessDenied;
use crate::server::http::state::AppState;
use crate::ui::{Page, PinsPageData};
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, Request, State};
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};

/// `GET /{room_name}/pins`: the pinned messages, the latest pin first.
pub(crate) async fn pins(
    State(state): State<AppState>,
    raw: Result<Path<String>, PathRejection>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
    request: Request,
) -> Response {
    let named = raw.ok().and_then(|Path(raw)| Some((RoomName::parse(&raw).ok()?, raw)));
    let Some((name, raw)) = named else { return not_found(State(state), request).await };
    if let Some(redirect) = redirect_to_canonical(&name, &raw, "pins", &uri) {
        return redirect;
    }
    let is_program = preferred(request.headers(), &[HTML, JSON]) == JSON;
    if is_program && !origin::is_same_origin_request(request.headers(), state.config.public_url.as_deref()) {
        return Problem::of_foreign_page().into_response();
    }
    let found = async {
        let found = state.chat.admit(&name, &visitor).await?;
        let messages = state.chat.store.pinned_messages(&found).await?;
        Ok::<_, AccessDenied>((found, messages))
    };
    let mut response = match found.await {
        Ok((found, messages)) if is_program => pinned(&found, messages),
        Ok((found, messages)) => {
            let title = found.title().to_owned();
            let data = PinsPageData { room: found.room.name, title, messages };
            page(&state, request, Page::Pins(Box::new(data))).await
        }
        Err(denied) if is_program => Problem::from(denied).into_response(),
        Err(denied) => (denied.status(), page(&state, request, Page::Error(denied.into())).await).into_response(),
    };
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
    response
}

/// `POST /{room_name}/{seq}/pin`: pins a message, or takes off the pin, as the owner of the room.
pub(crate) async fn pin(
    State(state): State<AppState>,
    path: Addressed,
    Extension(visitor): Extension<Visitor>,
    Extension(known): Extension<RememberedUsername>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let pinned = async {
        let asked = AnnotationRequest::read(&state, &path, (&visitor, &known), (&parts.headers, body)).await?;
        let pins = match asked.fields.on {
            Some(on) => on,
            None => {
                let pins = state.chat.store.pinned_messages(&asked.found).await.map_err(AccessDenied::from)?;
                pins.iter().all(|message| message.seq != asked.seq)
            }
        };
        let act = |pins| {
            let action = if pins { ModerationAction::Pin } else { ModerationAction::Unpin };
            let (target, username) = (Some(asked.seq), asked.username.clone());
            RoomCommand::Moderate { action, target, tag: None, seconds: None, text: None, username }
        };
        Ok(asked.submit(&state, &visitor, pins, act).await?)
    };
    let pinned = pinned.await;
    respond(&state, pinned, (path, visitor, known), (parts.uri, parts.headers)).await
}
