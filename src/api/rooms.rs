//! A room's page and its history, and the name to enter under.

use super::ApiError;
use super::door::Door;
use crate::domain::{HistoryPage, ReadRoom, RoomPage, Seq, Username};
use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, PostUrl};

/// The page of the room named `room_name`: its newest messages, or those around `permalink`. It is for a visitor who
/// goes by the remembered name, or else by `username`.
#[server(endpoint = "open_room", protocol = Door<GetUrl>)]
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

/// A page of the room's messages: those before the one numbered `before`, after `after`, or around `around`; the newest
/// if none is given.
#[server(endpoint = "load_history", protocol = Door<GetUrl>)]
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

/// How many messages of others each of these rooms has after what was read, in their order: of the first
/// 30 rooms, and up to 100 each. What can be no room has none; a room that is named again has the count of before.
#[server(endpoint = "count_unread", protocol = Door<GetUrl>)]
pub async fn count_unread(rooms: Vec<ReadRoom>) -> Result<Vec<u64>, ApiError> {
    use crate::server::{chat::Chat, visitor};
    let counts = expect_context::<Chat>().count_unread(&rooms, &visitor::of_request()).await;
    counts.map_err(|_| {
        visitor::answer(503);
        ApiError::Unavailable
    })
}

/// Has the visitor go by `username` from now on, unless somebody else in the room does. Returns the name as it is shown.
#[server(endpoint = "join_room", protocol = Door<PostUrl>)]
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
