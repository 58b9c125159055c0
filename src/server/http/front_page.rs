//! The front page: its form, and the rooms that the server knows to be the visitor's.

use super::origin;
use super::render::{page, remembered_username};
use crate::domain::{RoomPreview, Timestamp};
use crate::server::auth::visitor::Visitor;
use crate::server::http::state::AppState;
use crate::server::time::now_ms;
use crate::ui::{FrontPageData, Page, RoomListData};
use axum::extract::Request;
use axum::response::Response;

/// Values of the form, as they were submitted.
#[derive(Default)]
pub(crate) struct SubmittedRoom {
    pub(crate) username: Option<String>,
    pub(crate) room_name: Option<String>,
    pub(crate) is_private: bool,
}

/// Renders the front page: the form with these values, or else with the remembered name.
pub(crate) async fn front_page(state: &AppState, request: Request, submitted: SubmittedRoom) -> Response {
    let SubmittedRoom { username, room_name, is_private } = submitted;
    let username = username.or_else(|| remembered_username(&request).map(ToString::to_string));
    let site = origin::own(request.headers(), state.config.public_url.as_deref());
    let host = site.as_deref().and_then(|site| site.split_once("://")).map(|(_, host)| host.to_owned());
    let visitor = request.extensions().get::<Visitor>().copied();
    let list = RoomListData { rooms: own_rooms(state, visitor).await, now: Timestamp(now_ms()) };
    let is_indexed = state.config.front_page_indexed;
    let data = FrontPageData { username, room_name, is_private, host, list, is_indexed };
    page(state, request, Page::Front(Box::new(data))).await
}

/// Returns the rooms that the server knows to be the visitor's. The form is there without them, too, as when the
/// database does not answer or the visitor asks too often.
async fn own_rooms(state: &AppState, visitor: Option<Visitor>) -> Vec<RoomPreview> {
    let Some(visitor) = visitor else { return Vec::new() };
    if state.limiter.previews(&visitor.author, visitor.network, 1).is_err() {
        return Vec::new();
    }
    state.chat.preview_own_rooms(&visitor).await.unwrap_or_default()
}
