//! A room's page and its history, and the name to enter under.

use super::ApiError;
use crate::domain::{HistoryPage, RoomPage, Seq, Username};
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

/// The page of the room named `room_name`: its newest messages, or those around `permalink`. It is for a visitor who
/// goes by the remembered name, or else by `username`.
#[server(input = GetUrl)]
pub async fn open_room(
    room_name: String,
    username: Option<String>,
    permalink: Option<Seq>,
) -> Result<RoomPage, ApiError> {
    use crate::domain::RoomName;
    use crate::server::{chat::Chat, visitor};
    let name = RoomName::parse(&room_name)?;
    let asked = || username.and_then(|name| Username::parse(&name).ok());
    let username = visitor::username_of_request().or_else(asked);
    let page = expect_context::<Chat>().room_page(&name, username, visitor::author_of_request(), permalink).await;
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

/// Has the visitor go by `username` from now on, unless somebody else in the room does. Returns the name as it is shown.
#[server(endpoint = "join_room")]
pub async fn join_room(room_name: String, username: String) -> Result<Username, ApiError> {
    use crate::domain::RoomName;
    use crate::server::{chat::Chat, visitor};
    let name = RoomName::parse(&room_name)?;
    let username = Username::parse(&username)?;
    let taken = expect_context::<Chat>().taken(&name, &username, &visitor::author_of_request()).await;
    if let Some(rejection) = taken.map_err(|_| ApiError::Unavailable)? {
        return Err(ApiError::UsernameTaken { detail: rejection.detail });
    }
    visitor::remember_by_function(&username);
    Ok(username)
}
