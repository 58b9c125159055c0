//! Pins by HTTP: the page of all pinned messages, as HTML and as JSON, and the form with which the owner pins a message
//! without a script.

use super::media_type::{HTML, JSON, preferred};
use super::message_body::idempotency_key;
use super::messages::pinned;
use super::origin;
use super::problem::Problem;
use super::reaction_form::ReactionFields;
use super::reactions::{addressed, answer, change_state, refusal};
use super::render::{not_found, page};
use crate::domain::moderation::ModerationAction;
use crate::domain::{RejectionCode, RememberedUsername, RoomName, Username};
use crate::server::auth::visitor::Visitor;
use crate::server::chat::RoomCommand;
use crate::server::chat::access::AccessDenied;
use crate::server::http::state::AppState;
use crate::ui::{Page, PinsPageData};
use axum::body::to_bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, Request, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};

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
    if name.as_str() != raw {
        let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
        return Redirect::permanent(&format!("{}pins{query}", name.path())).into_response();
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
    path: Result<Path<(String, String)>, PathRejection>,
    Extension(visitor): Extension<Visitor>,
    Extension(known): Extension<RememberedUsername>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let is_program = Problem::is_readable_by(&parts.headers);
    let pinned = async {
        if !origin::is_same_origin_request(&parts.headers, state.config.public_url.as_deref()) {
            return Err(Problem::of_foreign_page());
        }
        let (name, seq, _) = addressed(&path).ok_or_else(|| Problem::not_found("No message has this address."))?;
        let found = state.chat.admit(&name, &visitor).await?;
        let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
        let fields = ReactionFields::read(&parts.headers, &body)?;
        if fields.token.as_ref().is_some_and(|token| !state.form_tokens.proves(&visitor.author, token)) {
            let detail = "This page was out of date. Try again.";
            return Err(Problem::new(StatusCode::FORBIDDEN, RejectionCode::Forbidden, detail));
        }
        let id = if fields.id.is_some() { fields.id.clone() } else { idempotency_key(&parts.headers)? };
        let pins = match fields.on {
            Some(on) => on,
            None => {
                let pins = state.chat.store.pinned_messages(&found).await.map_err(AccessDenied::from)?;
                pins.iter().all(|message| message.seq != seq)
            }
        };
        let username = known.0.clone().unwrap_or_else(Username::anonymous);
        let act = |pins| {
            let action = if pins { ModerationAction::Pin } else { ModerationAction::Unpin };
            let (target, tag, seconds, text, username) = (Some(seq), None, None, None, username.clone());
            let command = RoomCommand::Moderate { action, target, tag, seconds, text, username };
            state.chat.submit_and_wait(&name, &visitor, id.as_deref(), command)
        };
        let stored = change_state(fields.on, pins, act).await?;
        Ok((name, seq, stored))
    };
    match pinned.await {
        Ok((_, _, stored)) if is_program => answer(&stored),
        Ok((name, seq, _)) => Redirect::to(&format!("{}{seq}", name.path())).into_response(),
        Err(problem) => refusal(&state, problem, (path, visitor, known), (parts.uri, parts.headers), is_program).await,
    }
}
