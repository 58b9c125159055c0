//! The browser's side of the server functions: one `fetch`, whose response is read as text. On the wire it equals the
//! client that Leptos generates. That client also supports streams, sockets and redirects, and encodes every kind of
//! argument, which would add at least 6 kB to the module (docs/performance.md).

use super::ApiError;
use crate::domain::room::encode_segment;
use crate::domain::{
    HistoryCursor, HistoryPage, Quote, ReactionsPage, Reactors, RoomPosition, RoomPreviews, RoomView, Seq, Username,
};
use crate::json::{FromJson, JsonValue};
use leptos::prelude::set_timeout;
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, RequestInit, Response, UrlSearchParams};

/// Maximum time to wait for a response and its body.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Calls [`open_room`](super::rooms::open_room), under the remembered name.
///
/// # Errors
///
/// Like the function; returns [`ApiError::Call`] if the server does not answer.
pub async fn open_room(room_name: &str, permalink: Option<Seq>) -> Result<RoomView, ApiError> {
    let mut arguments = argument("room_name", room_name);
    if let Some(seq) = permalink {
        arguments += &argument("permalink", &seq.to_string());
    }
    read(call("open_room", &arguments, false).await)
}

/// Calls [`load_history`](super::rooms::load_history).
///
/// # Errors
///
/// Like the function; returns [`ApiError::Call`] if the server does not answer.
pub async fn load_history(room_name: &str, cursor: HistoryCursor) -> Result<HistoryPage, ApiError> {
    let mut arguments = argument("room_name", room_name);
    let place = match cursor {
        HistoryCursor::Newest => None,
        HistoryCursor::Before(seq) => Some(("before", seq)),
        HistoryCursor::After(seq) => Some(("after", seq)),
        HistoryCursor::Around(seq) => Some(("around", seq)),
    };
    if let Some((name, seq)) = place {
        arguments += &argument(name, &seq.to_string());
    }
    read(call("load_history", &arguments, false).await)
}

/// Calls [`load_quotes`](super::rooms::load_quotes).
///
/// # Errors
///
/// Like the function; returns [`ApiError::Call`] if the server does not answer.
pub async fn load_quotes(room_name: &str, seqs: &[Seq]) -> Result<Vec<Quote>, ApiError> {
    let mut arguments = argument("room_name", room_name);
    for (index, seq) in seqs.iter().enumerate() {
        arguments += &argument(&format!("seqs[{index}]"), &seq.to_string());
    }
    read(call("load_quotes", &arguments, false).await)
}

/// Returns names held in a room that begin with `prefix`; none if the server does not answer. `room` is the room's path.
pub async fn load_names(room: &str, prefix: &str) -> Vec<Username> {
    let response = fetch(&format!("{room}names"), &argument("prefix", prefix), false).await;
    let names = response.ok().and_then(|(_, text)| JsonValue::parse(&text)?.take("names"));
    names.unwrap_or_default()
}

/// Calls [`preview_rooms`](super::rooms::preview_rooms).
///
/// # Errors
///
/// Like the function; returns [`ApiError::Call`] if the server does not answer.
pub async fn preview_rooms(rooms: &[RoomPosition]) -> Result<RoomPreviews, ApiError> {
    let lines: Vec<String> = rooms.iter().map(RoomPosition::to_line).collect();
    read(call("preview_rooms", &argument("rooms", &lines.join("\n")), true).await)
}

/// Calls [`join_room`](super::rooms::join_room).
///
/// # Errors
///
/// Like the function; returns [`ApiError::Call`] if the server does not answer.
pub async fn join_room(room_name: &str, username: &str, only_here: bool) -> Result<Username, ApiError> {
    let only_here = if only_here { argument("only_here", "true") } else { String::new() };
    let arguments = argument("room_name", room_name) + &argument("username", username) + &only_here;
    read(call("join_room", &arguments, true).await)
}

/// Calls [`load_reactions`](super::annotations::load_reactions).
///
/// # Errors
///
/// Like the function; returns [`ApiError::Call`] if the server does not answer.
pub async fn load_reactions(room_name: &str, (first, last): (Seq, Seq)) -> Result<ReactionsPage, ApiError> {
    let range = argument("first", &first.to_string()) + &argument("last", &last.to_string());
    read(call("load_reactions", &(argument("room_name", room_name) + &range), false).await)
}

/// Calls [`load_pin`](super::annotations::load_pin).
///
/// # Errors
///
/// Like the function; returns [`ApiError::Call`] if the server does not answer.
pub async fn load_pin(room_name: &str) -> Result<Option<Quote>, ApiError> {
    read(call("load_pin", &argument("room_name", room_name), false).await)
}

/// Returns the people who reacted to the message at this path, by emoji.
///
/// # Errors
///
/// Returns [`ApiError::Call`] if the server does not answer.
pub async fn load_reactors(message_path: &str) -> Result<Vec<Reactors>, ApiError> {
    let answer = fetch(&format!("{message_path}/reactions"), "", false).await.ok();
    let reactors = answer.and_then(|(_, text)| JsonValue::parse(&text)?.take("reactions"));
    reactors.ok_or_else(|| ApiError::Call(String::new()))
}

/// Returns an argument in the form of a query.
fn argument(name: &str, value: &str) -> String {
    format!("&{name}={}", encode_segment(value))
}

/// Converts the response of a call, which consists of a success flag and the body.
fn read<T: FromJson>(response: Option<(bool, JsonValue)>) -> Result<T, ApiError> {
    // A missing response, or one that is not from the server function, says nothing about the call.
    let unknown = || ApiError::Call(String::new());
    let (is_ok, body) = response.ok_or_else(unknown)?;
    if is_ok { T::from_json(body).ok_or_else(unknown) } else { Err(ApiError::from_json(body).unwrap_or_else(unknown)) }
}

/// Calls a server function. Returns `None` if the server cannot be reached, or its response is not JSON.
async fn call(function: &str, arguments: &str, is_post: bool) -> Option<(bool, JsonValue)> {
    let (is_ok, text) = fetch(&format!("/api/{function}"), arguments, is_post).await.ok()?;
    Some((is_ok, JsonValue::parse(&text)?))
}

/// Sends a request. Returns whether the response has a success status, and its body.
///
/// # Errors
///
/// Returns the browser's error if the server cannot be reached, or has not answered within [`REQUEST_TIMEOUT`].
async fn fetch(path: &str, arguments: &str, is_post: bool) -> Result<(bool, String), JsValue> {
    let window = web_sys::window().expect("this runs in a page");
    let (request, timeout) = (RequestInit::new(), AbortController::new()?);
    request.set_signal(Some(&timeout.signal()));
    set_timeout(move || timeout.abort(), REQUEST_TIMEOUT);
    let response = if is_post {
        request.set_method("POST");
        request.set_body(&UrlSearchParams::new_with_str(arguments)?.into());
        window.fetch_with_str_and_init(path, &request)
    } else {
        window.fetch_with_str_and_init(&format!("{path}?{}", arguments.trim_start_matches('&')), &request)
    };
    let response: Response = JsFuture::from(response).await?.unchecked_into();
    let text = JsFuture::from(response.text()?).await?;
    Ok((response.ok(), text.as_string().unwrap_or_default()))
}
