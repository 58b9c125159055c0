//! Handlers of a room's page: reading it, and posting by form. Programs get its messages as JSON at the same addresses.

use super::media_type::{self, HTML, JSON};
use super::messages::messages;
use super::middleware::request_limit::TOO_MANY_REQUESTS;
use super::problem::rejection_status;
use super::render::{not_found, remembered_username};
use super::room_page::{RoomRequest, room_page};
use super::{cookies, origin};
use crate::domain::event::parse_seq;
use crate::domain::room::encode_segment;
use crate::domain::{Rejection, RejectionCode, RememberedUsername, RoomName, Username};
use crate::server::auth::visitor::Visitor;
use crate::server::chat::RoomCommand;
use crate::server::http::state::AppState;
use crate::server::telemetry::metrics::record_rejection;
use crate::ui::RejectedForm;
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Extension, Form, Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct RoomQuery {
    username: Option<String>,
}

/// `GET /{room_name}/` and `GET /{room_name}/{seq}`. A visitor without a name gets the one in the address.
pub(crate) async fn room(
    State(state): State<AppState>,
    parts: Result<Path<Vec<String>>, PathRejection>,
    Extension(visitor): Extension<Visitor>,
    query: Result<Query<RoomQuery>, QueryRejection>,
    uri: Uri,
    request: Request,
) -> Response {
    // A path that is not valid UTF-8 names nothing.
    let Ok(Path(parts)) = parts else { return not_found(State(state), request).await };
    let [raw, rest @ ..] = parts.as_slice() else { return not_found(State(state), request).await };
    let wants_json = media_type::preferred(request.headers(), &[HTML, JSON]) == JSON;
    match RoomName::parse(raw) {
        Ok(name) if name.as_str() != raw => {
            let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
            let seq = rest.first().map_or("", String::as_str);
            Redirect::permanent(&format!("{}{}{query}", name.path(), encode_segment(seq))).into_response()
        }
        Ok(name) if rest.iter().all(|seq| parse_seq(seq).is_some()) && wants_json => {
            let seq = rest.first().and_then(|seq| parse_seq(seq));
            let answer = messages(&state, &name, seq, &visitor, &uri, request.headers()).await;
            answer.unwrap_or_else(IntoResponse::into_response)
        }
        Ok(name) if rest.iter().all(|seq| parse_seq(seq).is_some()) => {
            // A link does not rename a visitor who has a name.
            let known = remembered_username(&request).cloned();
            let asked = query.ok().and_then(|Query(query)| query.username).filter(|_| known.is_none());
            let asked = asked.filter(|name| !Username::is_blank(name));
            let (new, refused) = match asked.as_deref().map(Username::parse) {
                Some(Ok(username)) => (Some(username), None),
                // An invalid name is returned with the reason, like a message that was refused.
                Some(Err(reason)) => {
                    (None, Some(RejectedForm { message: String::new(), username: asked, detail: reason.to_string() }))
                }
                None => (None, None),
            };
            let mut response = if visitor.invitation.is_some() && state.chat.admit(&name, &visitor).await.is_ok() {
                // An admitted visitor no longer needs the invitation, and others should not see it in the address.
                Redirect::to(uri.path()).into_response()
            } else {
                let permalink = rest.first().and_then(|seq| parse_seq(seq));
                let wanted = RoomRequest { name, permalink, username: known.or_else(|| new.clone()), visitor };
                room_page(&state, request, wanted, refused).await
            };
            if let Some(username) = new {
                cookies::set_username_cookie(&mut response, &username, visitor.cookie_suffix, &state.config);
            }
            response.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
            response
        }
        _ => not_found(State(state), request).await,
    }
}

#[derive(Deserialize)]
pub(crate) struct PostForm {
    message: String,
    username: Option<String>,
    id: Option<String>,
}

/// `POST /{room_name}/`: sends a message without a socket, then redirects to the room. A refused message is returned in
/// the page, with the reason.
pub(crate) async fn post(
    State(state): State<AppState>,
    raw: Result<Path<String>, PathRejection>,
    Extension(visitor): Extension<Visitor>,
    Extension(known): Extension<RememberedUsername>,
    headers: HeaderMap,
    uri: Uri,
    Form(form): Form<PostForm>,
) -> Response {
    if !origin::is_same_origin_request(&headers, state.config.public_url.as_deref()) {
        return (StatusCode::FORBIDDEN, "Pages of other sites cannot post here.").into_response();
    }
    let mut again = Request::new(Body::empty());
    *again.uri_mut() = uri;
    again.extensions_mut().insert(visitor);
    again.extensions_mut().insert(known.clone());
    let Some(name) = raw.ok().and_then(|Path(raw)| RoomName::parse(&raw).ok()) else {
        return not_found(State(state), again).await;
    };
    let username = form.username.as_deref().filter(|name| !Username::is_blank(name));
    let stored = async {
        let parsed = username.map(Username::parse).transpose()?;
        let command =
            RoomCommand::Post { username: parsed.clone().unwrap_or_else(Username::anonymous), message: &form.message };
        state.chat.submit_and_wait(&name, &visitor, form.id.as_deref(), command).await.map(|_| parsed)
    };
    match stored.await {
        Ok(parsed) => {
            let mut response = Redirect::to(&name.path()).into_response();
            let suffix = visitor.cookie_suffix;
            let mut remember = |name| cookies::set_username_cookie(&mut response, name, suffix, &state.config);
            parsed.iter().for_each(&mut remember);
            response
        }
        Err(Rejection { code, detail, .. }) => {
            record_rejection(code);
            // Unless the name was refused, it is filled in again only if it is new.
            let name_refused = matches!(code, RejectionCode::UsernameTaken | RejectionCode::UsernameInvalid);
            let is_new = |name: &str| !Username::is_blank(name) && Username::parse(name).ok() != known.0;
            let username = form.username.filter(|name| name_refused || is_new(name));
            let refused = RejectedForm { message: form.message, username, detail };
            let wanted = RoomRequest { name, permalink: None, username: known.0, visitor };
            // The commit is complete. The page is like any other now, and takes its network's turn.
            let _permit = match state.limiter.work(visitor.network).await {
                Ok(permit) => permit,
                Err(limited) => return limited.response(TOO_MANY_REQUESTS),
            };
            let mut page = room_page(&state, again, wanted, Some(refused)).await;
            // If the visitor may not enter, that is the reason to show, even if the form has other mistakes.
            if page.status().is_success() {
                *page.status_mut() = rejection_status(code);
            }
            page
        }
    }
}
