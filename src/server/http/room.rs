//! Handler of a room's page. Programs get its messages as JSON at the same addresses, and `posting` takes new ones.

use super::cookies;
use super::media_type::{self, HTML, JSON};
use super::messages::messages;
use super::render::{not_found, remembered_username};
use super::room_address::redirect_to_canonical;
use super::room_page::{RoomRequest, room_page};
use crate::domain::event::parse_seq;
use crate::domain::room::encode_segment;
use crate::domain::{RoomName, Username};
use crate::server::auth::visitor::Visitor;
use crate::server::http::state::AppState;
use crate::ui::RejectedForm;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, Request, State};
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct RoomQuery {
    username: Option<String>,
    reply_to: Option<String>,
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
    let seq = encode_segment(rest.first().map_or("", String::as_str));
    let parsed = RoomName::parse(raw);
    if let Some(redirect) = parsed.as_ref().ok().and_then(|name| redirect_to_canonical(name, raw, &seq, &uri)) {
        return redirect;
    }
    match parsed {
        Ok(name) if rest.iter().all(|seq| parse_seq(seq).is_some()) && wants_json => {
            let seq = rest.first().and_then(|seq| parse_seq(seq));
            let answer = messages(&state, &name, seq, &visitor, &uri, request.headers()).await;
            answer.unwrap_or_else(IntoResponse::into_response)
        }
        Ok(name) if rest.iter().all(|seq| parse_seq(seq).is_some()) => {
            // A link does not rename a visitor who has a name.
            let known = remembered_username(&request).cloned();
            let (asked, reply_to) = query.ok().map(|Query(query)| (query.username, query.reply_to)).unwrap_or_default();
            let asked = asked.filter(|_| known.is_none());
            let asked = asked.filter(|name| !Username::is_blank(name));
            let (new, refused) = match asked.as_deref().map(Username::parse) {
                Some(Ok(username)) => (Some(username), None),
                // An invalid name is returned with the reason, like a message that was refused.
                Some(Err(reason)) => (
                    None,
                    Some(RejectedForm {
                        message: String::new(),
                        username: asked,
                        detail: reason.to_string(),
                        edited: None,
                    }),
                ),
                None => (None, None),
            };
            let mut response = if visitor.invitation.is_some() && state.chat.admit(&name, &visitor).await.is_ok() {
                // An admitted visitor no longer needs the invitation, and others should not see it in the address.
                Redirect::to(uri.path()).into_response()
            } else {
                let permalink = rest.first().and_then(|seq| parse_seq(seq));
                let reply_to = reply_to.as_deref().and_then(parse_seq);
                let username = known.or_else(|| new.clone());
                let wanted = RoomRequest { name, permalink, reply_to, username, visitor };
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
