//! The address of the page, and the way back: which room it names, and where in it the reader was.

use super::window;
use crate::domain::{Seq, event::parse_seq};
use wasm_bindgen::JsValue;

/// Where a reader is in a room: at this message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    /// The message.
    pub(crate) seq: Seq,
    /// From the upper edge of the timeline to the lower edge of the message, in hundredths of a pixel.
    pub(crate) below: i32,
}

/// Where a room was left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Left {
    /// At its end.
    End,
    /// At this place.
    At(Place),
}

const END: &str = "end";

/// The room that the address names, and the message if it names one.
pub(crate) fn named() -> Option<(String, Option<Seq>)> {
    parse(&path())
}

/// The same for a path: `/harbour/`, `/harbour/42`.
pub(crate) fn parse(path: &str) -> Option<(String, Option<Seq>)> {
    let mut segments = path.trim_start_matches('/').split('/');
    let room = segments.next().filter(|room| !room.is_empty())?;
    let seq = segments.next().and_then(parse_seq);
    Some((js_sys::decode_uri_component(room).ok()?.into(), seq))
}

/// The path of the page.
pub(crate) fn path() -> String {
    window().location().pathname().unwrap_or_default()
}

/// Goes to a path in place: Back leads back.
pub(crate) fn go(path: &str) {
    let _ = history().push_state_with_url(&JsValue::NULL, "", Some(path));
}

/// Loads another page.
pub(crate) fn load(path: &str) {
    let _ = window().location().assign(path);
}

/// Takes the query off the address: a name in it would be shared with the link.
pub(crate) fn drop_query() {
    let location = window().location();
    if location.search().is_ok_and(|query| !query.is_empty()) {
        let _ = history().replace_state_with_url(&history().state().unwrap_or_default(), "", Some(&path()));
    }
}

/// Notes where the reader is, for the way back.
pub(crate) fn leave(left: Left) {
    let state = match left {
        Left::End => END.to_owned(),
        Left::At(Place { seq, below }) => format!("{seq} {below}"),
    };
    let _ = history().replace_state(&state.into(), "");
}

/// Where the reader was when this address was left; `None` if it never was.
pub(crate) fn left() -> Option<Left> {
    let state = history().state().ok()?.as_string()?;
    if state == END {
        return Some(Left::End);
    }
    let (seq, below) = state.split_once(' ')?;
    Some(Left::At(Place { seq: seq.parse().ok()?, below: below.parse().ok()? }))
}

fn history() -> web_sys::History {
    window().history().expect("a page has a history")
}
