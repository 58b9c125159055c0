//! Server functions of rooms: pages, history, unread counts, and the visitor's name.

use super::ApiError;
use super::fetch_protocol::FetchProtocol;
use crate::domain::{HistoryPage, ReadRoom, RoomPage, Seq, Username};
use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, PostUrl};

/// Returns a room with its newest messages, or with those around `permalink`. The page is for a visitor with the
/// remembered name, or else with `username`.
///
/// # Errors
///
/// Returns [`ApiError::Refused`] if the name is invalid or the visitor may not enter the room.
#[server(endpoint = "open_room", protocol = FetchProtocol<GetUrl>)]
pub async fn open_room(
    room_name: String,
    username: Option<String>,
    permalink: Option<Seq>,
) -> Result<RoomPage, ApiError> {
    use crate::domain::RoomName;
    use crate::server::{chat::Chat, visitor};
    let name = RoomName::parse(&room_name).inspect_err(|_| visitor::answer(404))?;
    let asked = || username.and_then(|name| Username::parse(&name).ok());
    let username = visitor::username_of_request().or_else(asked);
    let page = expect_context::<Chat>().room_page(&name, username, &visitor::of_request(), permalink).await;
    page.map_err(|denied| ApiError::Refused(visitor::refused(&denied)))
}

/// Returns a page of a room's messages: those before, after or around a number, or the newest ones if none is given.
///
/// # Errors
///
/// Returns [`ApiError::Refused`] if the name is invalid or the visitor may not enter the room.
#[server(endpoint = "load_history", protocol = FetchProtocol<GetUrl>)]
pub async fn load_history(
    room_name: String,
    before: Option<Seq>,
    after: Option<Seq>,
    around: Option<Seq>,
) -> Result<HistoryPage, ApiError> {
    use crate::domain::{HistoryPlace, RoomName};
    use crate::server::{chat::Chat, visitor};
    let name = RoomName::parse(&room_name).inspect_err(|_| visitor::answer(404))?;
    let place = match (before, after, around) {
        (Some(seq), _, _) => HistoryPlace::Before(seq),
        (_, Some(seq), _) => HistoryPlace::After(seq),
        (_, _, Some(seq)) => HistoryPlace::Around(seq),
        _ => HistoryPlace::Newest,
    };
    expect_context::<Chat>()
        .history(&name, &visitor::of_request(), place)
        .await
        .map_err(|denied| ApiError::Refused(visitor::refused(&denied)))
}

/// Returns the unread count of each room, in order. Counts are capped at 100, rooms at 30. Invalid room names count 0.
/// A duplicate room repeats the first count.
///
/// # Errors
///
/// Returns [`ApiError::Unavailable`] if the database cannot be read.
#[server(endpoint = "count_unread", protocol = FetchProtocol<GetUrl>)]
pub async fn count_unread(rooms: Vec<ReadRoom>) -> Result<Vec<u64>, ApiError> {
    use crate::server::{chat::Chat, visitor};
    let counts = expect_context::<Chat>().count_unread(&rooms, &visitor::of_request()).await;
    counts.map_err(|_| {
        visitor::answer(503);
        ApiError::Unavailable
    })
}

/// Remembers the visitor's name, unless another visitor uses it in the room. Returns the name as it is shown.
///
/// # Errors
///
/// Returns [`ApiError::Refused`] if a name is invalid, if the visitor may not enter the room, or if the name is taken.
#[server(endpoint = "join_room", protocol = FetchProtocol<PostUrl>)]
pub async fn join_room(room_name: String, username: String) -> Result<Username, ApiError> {
    use crate::domain::RoomName;
    use crate::server::{chat::Chat, visitor};
    let name = RoomName::parse(&room_name).inspect_err(|_| visitor::answer(404))?;
    let username = Username::parse(&username).inspect_err(|_| visitor::answer(422))?;
    let taken = expect_context::<Chat>().taken(&name, &username, &visitor::of_request()).await;
    if let Some(rejection) = taken.map_err(|denied| ApiError::Refused(visitor::refused(&denied)))? {
        visitor::answer(409);
        return Err(ApiError::Refused(rejection.detail));
    }
    visitor::remember_by_function(&username);
    Ok(username)
}
