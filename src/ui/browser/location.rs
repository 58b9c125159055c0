//! The URL of the page and the session history: the room that the URL names, and the scroll position in it.

use super::dom::window;
use crate::domain::event::parse_seq;
use crate::domain::{RoomName, Seq};
use wasm_bindgen::JsValue;

/// A scroll position in a room, relative to a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ScrollPosition {
    /// The message.
    pub(crate) seq: Seq,
    /// Distance from the upper edge of the timeline to the lower edge of the message, in hundredths of a CSS pixel.
    pub(crate) below: i32,
}

/// A scroll position as it is saved in the session history.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum SavedScroll {
    /// The end of the room.
    End,
    /// A position in the room.
    At(ScrollPosition),
}

const END_STATE: &str = "end";

/// Returns the room in the URL, and the message if there is one.
pub(crate) fn current_room() -> Option<(String, Option<Seq>)> {
    parse_path(&path())
}

/// Parses the path of a room: `/harbour/`, `/harbour/42`.
pub(crate) fn parse_path(path: &str) -> Option<(String, Option<Seq>)> {
    let mut segments = path.trim_start_matches('/').split('/');
    let room = segments.next().filter(|room| !room.is_empty())?;
    let seq = segments.next().and_then(parse_seq);
    Some((js_sys::decode_uri_component(room).ok()?.into(), seq))
}

/// Returns the name of a room in the server's normalization: NFC in lower case.
pub(crate) fn normalized(room: &str) -> String {
    js_sys::JsString::from(room).normalize("NFC").to_lower_case().into()
}

/// Returns the path of the page.
pub(crate) fn path() -> String {
    window().location().pathname().unwrap_or_default()
}

/// Returns the origin of the page, such as `https://chat.example`.
pub(crate) fn origin() -> String {
    window().location().origin().unwrap_or_default()
}

/// Returns the URL of a room's WebSocket: `ws://host/ws/{room_name}/`, or `wss:` if the page was served over https.
pub(crate) fn socket_url(room: &RoomName) -> String {
    let scheme = if origin().starts_with("https:") { "wss" } else { "ws" };
    format!("{scheme}://{}/ws{}", window().location().host().unwrap_or_default(), room.path())
}

/// Changes the URL in place and adds it to the session history.
pub(crate) fn push_path(path: &str) {
    let _ = history().push_state_with_url(&JsValue::NULL, "", Some(path));
}

/// Loads another page.
pub(crate) fn assign(path: &str) {
    let _ = window().location().assign(path);
}

/// Removes the query from the URL: a name in it would be shared with the link.
pub(crate) fn drop_query() {
    let location = window().location();
    if location.search().is_ok_and(|query| !query.is_empty()) {
        let _ = history().replace_state_with_url(&history().state().unwrap_or_default(), "", Some(&path()));
    }
}

/// Saves the scroll position in the session history entry of the page.
pub(crate) fn save_scroll(scroll: SavedScroll) {
    let state = match scroll {
        SavedScroll::End => END_STATE.to_owned(),
        SavedScroll::At(ScrollPosition { seq, below }) => format!("{seq} {below}"),
    };
    let _ = history().replace_state(&state.into(), "");
}

/// Returns the scroll position saved in the session history entry of the page, if there is one.
pub(crate) fn saved_scroll() -> Option<SavedScroll> {
    let state = history().state().ok()?.as_string()?;
    if state == END_STATE {
        return Some(SavedScroll::End);
    }
    let (seq, below) = state.split_once(' ')?;
    Some(SavedScroll::At(ScrollPosition { seq: seq.parse().ok()?, below: below.parse().ok()? }))
}

fn history() -> web_sys::History {
    window().history().expect("a page has a history")
}
