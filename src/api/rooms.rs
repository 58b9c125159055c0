//! Server functions of rooms: pages, history, unread counts, and the visitor's name. Browsers call them by `client`.

use super::ApiError;
use crate::domain::{HistoryPage, Quote, ReadMarker, RoomPreviews, RoomView, Seq, Username};
use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, PostUrl};

/// Returns a room with its newest messages, or with those around `permalink`. The visitor's name is the remembered one,
/// or else `username`.
///
/// # Errors
///
/// Returns [`ApiError::Refused`] if the name is invalid or the visitor may not enter the room.
#[server(endpoint = "open_room", input = GetUrl)]
pub async fn open_room(
    room_name: String,
    username: Option<String>,
    permalink: Option<Seq>,
) -> Result<RoomView, ApiError> {
    use crate::server::chat::Chat;
    use crate::server::http::server_fn;
    let name = server_fn::parse_room(&room_name)?;
    let asked = || username.and_then(|name| Username::parse(&name).ok());
    let username = server_fn::current_username().or_else(asked);
    let page = expect_context::<Chat>().room_page(&name, username, &server_fn::current_visitor(), permalink).await;
    page.map_err(|denied| server_fn::access_denied(&denied))
}

/// Returns a page of a room's messages: those before, after or around a number, or the newest ones if none is given.
///
/// # Errors
///
/// Returns [`ApiError::Refused`] if the name is invalid or the visitor may not enter the room.
#[server(endpoint = "load_history", input = GetUrl)]
pub async fn load_history(
    room_name: String,
    before: Option<Seq>,
    after: Option<Seq>,
    around: Option<Seq>,
) -> Result<HistoryPage, ApiError> {
    use crate::domain::HistoryCursor;
    use crate::server::chat::Chat;
    use crate::server::http::server_fn;
    let name = server_fn::parse_room(&room_name)?;
    let place = match (before, after, around) {
        (Some(seq), _, _) => HistoryCursor::Before(seq),
        (_, Some(seq), _) => HistoryCursor::After(seq),
        (_, _, Some(seq)) => HistoryCursor::Around(seq),
        _ => HistoryCursor::Newest,
    };
    expect_context::<Chat>()
        .history(&name, &server_fn::current_visitor(), place)
        .await
        .map_err(|denied| server_fn::access_denied(&denied))
}

/// Returns quotes of the messages with these numbers, oldest first; of the first 50 numbers, and as far as the room has
/// these messages.
///
/// # Errors
///
/// Returns [`ApiError::Refused`] if the name is invalid or the visitor may not enter the room.
#[server(endpoint = "load_quotes", input = GetUrl)]
pub async fn load_quotes(room_name: String, seqs: Vec<Seq>) -> Result<Vec<Quote>, ApiError> {
    use crate::server::chat::Chat;
    use crate::server::http::server_fn;
    let name = server_fn::parse_room(&room_name)?;
    expect_context::<Chat>()
        .quotes(&name, &server_fn::current_visitor(), seqs)
        .await
        .map_err(|denied| server_fn::access_denied(&denied))
}

/// Returns the unread count of each room, in order. Counts are capped at 100, rooms at 30. Invalid room names count 0.
/// A duplicate room repeats the first count.
///
/// # Errors
///
/// Returns [`ApiError::Unavailable`] if the database cannot be read.
#[server(endpoint = "count_unread", input = GetUrl)]
pub async fn count_unread(rooms: Vec<ReadMarker>) -> Result<Vec<u64>, ApiError> {
    use crate::server::chat::Chat;
    use crate::server::http::server_fn;
    let counts = expect_context::<Chat>().count_unread(&rooms, &server_fn::current_visitor()).await;
    counts.map_err(server_fn::unavailable)
}

/// Returns previews of rooms whose state is another one than the visitor knows, at most 30. `rooms` has a line for each
/// room, as [`RoomPosition`](crate::domain::RoomPosition) writes it. Leaves out rooms that do not exist, and those that
/// the visitor may not enter.
///
/// # Errors
///
/// Returns [`ApiError::Refused`] if too many rooms are asked for, and [`ApiError::Unavailable`] if the database cannot be
/// read.
#[server(endpoint = "preview_rooms", input = PostUrl)]
pub async fn preview_rooms(rooms: String) -> Result<RoomPreviews, ApiError> {
    use crate::domain::RoomPosition;
    use crate::domain::history::MAX_UNREAD_ROOMS;
    use crate::server::chat::Chat;
    use crate::server::http::server_fn;
    let positions = RoomPosition::parse_lines(&rooms, MAX_UNREAD_ROOMS);
    server_fn::check_previews(positions.len())?;
    let previews = expect_context::<Chat>().preview_rooms(&positions, &server_fn::current_visitor()).await;
    previews.map_err(server_fn::unavailable)
}

/// Remembers the visitor's name, unless another visitor uses it in the room. Returns the name as it is shown. A name
/// that is taken `only_here` is not remembered for other rooms.
///
/// # Errors
///
/// Returns [`ApiError::Refused`] if a name is invalid, if the visitor may not enter the room, or if the name is taken.
#[server(endpoint = "join_room", input = PostUrl)]
pub async fn join_room(room_name: String, username: String, only_here: Option<bool>) -> Result<Username, ApiError> {
    use crate::server::chat::Chat;
    use crate::server::http::server_fn;
    use axum::http::StatusCode;
    let name = server_fn::parse_room(&room_name)?;
    let username =
        Username::parse(&username).map_err(|reason| server_fn::refused(StatusCode::UNPROCESSABLE_ENTITY, reason))?;
    let taken = expect_context::<Chat>().taken(&name, &username, &server_fn::current_visitor()).await;
    if let Some(rejection) = taken.map_err(|denied| server_fn::access_denied(&denied))? {
        return Err(server_fn::refused(StatusCode::CONFLICT, rejection.detail));
    }
    if only_here != Some(true) {
        server_fn::set_username_cookie(&username);
    }
    Ok(username)
}
