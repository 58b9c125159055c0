//! Handlers of the front page: the page, and its form.

use super::front_page::{SubmittedRoom, front_page};
use super::render::remembered_username;
use super::{cookies, origin};
use crate::domain::room::encode_segment;
use crate::domain::{RoomName, RoomText, Username};
use crate::server::auth::visitor::Visitor;
use crate::server::chat::access::AccessDenied;
use crate::server::http::state::AppState;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Form, Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

#[derive(Default, Deserialize)]
pub(crate) struct FrontForm {
    username: Option<String>,
    room_name: Option<String>,
    /// `private` for a private room. Pages of earlier releases leave it out, and post only to open a private room.
    kind: Option<String>,
    /// Form token of the front page of an earlier release.
    token: Option<String>,
}

impl FrontForm {
    fn is_public(&self) -> bool {
        self.kind.as_deref() == Some("public")
    }

    fn is_private(&self) -> bool {
        self.kind.as_deref() == Some("private")
    }
}

/// `GET /`: the front page, or a redirect to the room that its form names.
pub(crate) async fn front(
    State(state): State<AppState>,
    Extension(visitor): Extension<Visitor>,
    form: Result<Query<FrontForm>, QueryRejection>,
    request: Request,
) -> Response {
    let form = form.map(|Query(form)| form).unwrap_or_default();
    let is_private = form.is_private();
    let FrontForm { username, room_name, token, .. } = form;
    let submitted = |username, room_name| SubmittedRoom { username, room_name, is_private };
    let Some(room_name) = room_name else { return front_page(&state, request, submitted(username, None)).await };
    match RoomName::parse_form(&room_name) {
        Ok(room_name) if !is_private => {
            let username = username.filter(|name| !Username::is_blank(name));
            // The form sets the visitor's name. A link only sets a missing one; unlike a form, it has no proof of its
            // origin.
            let headers = request.headers();
            let has_token = token.is_some_and(|token| state.form_tokens.proves(&visitor.author, &token));
            let own = has_token && !origin::is_elsewhere(headers)
                || origin::is_of_front_page(headers, state.config.public_url.as_deref());
            enter(&state, &visitor, &room_name, username.as_deref(), own || remembered_username(&request).is_none())
        }
        Ok(_) => front_page(&state, request, submitted(username, Some(room_name))).await,
        Err(_) => {
            let page = front_page(&state, request, submitted(username, Some(room_name))).await;
            (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
        }
    }
}

/// `POST /`: redirects to the public room that the form names, or opens a private room and redirects to it.
pub(crate) async fn open_room(
    State(state): State<AppState>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    Form(form): Form<FrontForm>,
) -> Response {
    if !origin::is_same_origin_request(&headers, state.config.public_url.as_deref()) {
        return (StatusCode::FORBIDDEN, "Pages of other sites cannot open rooms here.").into_response();
    }
    let is_public = form.is_public();
    let FrontForm { username, room_name, .. } = form;
    let typed = room_name.unwrap_or_default();
    let username = username.filter(|name| !Username::is_blank(name));
    let Ok(title) = RoomName::parse_form(&typed) else {
        // The front page shows the reason, and keeps the visitor's input.
        let [typed, username] = [typed, username.unwrap_or_default()].map(|text| encode_segment(&text));
        let kind = if is_public { "public" } else { "private" };
        return Redirect::to(&format!("/?username={username}&room_name={typed}&kind={kind}")).into_response();
    };
    if is_public {
        return enter(&state, &visitor, &title, username.as_deref(), true);
    }
    let typed = RoomText::parse_title(&typed).ok();
    match state.chat.open_private_room(&title, typed.as_ref(), &visitor).await {
        Ok(room_name) => enter(&state, &visitor, &room_name, username.as_deref(), true),
        Err(AccessDenied::TooManyRooms(limited)) => limited.response("Too many new rooms come from your network."),
        Err(denied) => (denied.status(), denied.to_string()).into_response(),
    }
}

/// Redirects from the front page to a room. Remembers the name if `may_name`.
fn enter(
    state: &AppState,
    visitor: &Visitor,
    room_name: &RoomName,
    username: Option<&str>,
    may_name: bool,
) -> Response {
    let mut response = Redirect::to(&with_username(room_name, username)).into_response();
    if let Some(Ok(username)) = username.map(Username::parse).filter(|_| may_name) {
        cookies::set_username_cookie(&mut response, &username, visitor.cookie_suffix, &state.config);
    }
    response
}

fn with_username(room: &RoomName, username: Option<&str>) -> String {
    let query = username.map(|name| format!("?username={}", encode_segment(name)));
    format!("{}{}", room.path(), query.unwrap_or_default())
}
