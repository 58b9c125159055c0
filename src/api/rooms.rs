//! A room's page and its history.

use super::ApiError;
use crate::domain::{HistoryPage, RoomPage, Seq};
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

/// The page of the room named `room_name`, for a visitor who asks to be shown as `username`: its newest messages, or
/// those around `permalink`.
#[server(input = GetUrl)]
pub async fn open_room(
    room_name: String,
    username: Option<String>,
    permalink: Option<Seq>,
) -> Result<RoomPage, ApiError> {
    use crate::domain::{RoomName, Username};
    use crate::server::{chat::Chat, identity};
    let name = RoomName::parse(&room_name)?;
    let username = username.and_then(|name| Username::parse(&name).ok());
    let page = expect_context::<Chat>().room_page(&name, username, identity::of_request(), permalink).await;
    page.map_err(|_| ApiError::Unavailable)
}

/// The messages of the room that come before the one numbered `before`, one page of them.
#[server(input = GetUrl)]
pub async fn load_history(room_name: String, before: Seq) -> Result<HistoryPage, ApiError> {
    use crate::domain::RoomName;
    use crate::server::chat::Chat;
    let name = RoomName::parse(&room_name)?;
    expect_context::<Chat>().history(&name, before).await.map_err(|_| ApiError::Unavailable)
}
