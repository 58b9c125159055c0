//! The rooms that the front page lists as the server knows them. Like the data of a room's page, they are in the document
//! as JSON, because props of the island would bring serde's deserializers into the module.

use super::browser::dom;
use crate::domain::{RoomPreview, Timestamp};
use crate::json::{FromJson, JsonValue, read_by_name};
use leptos::prelude::use_context;
use serde::Serialize;

/// Id of the element that holds the rooms.
pub(crate) const ROOM_LIST_DATA_ID: &str = "room-list-data";

/// The rooms in which the visitor has written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoomListData {
    /// The rooms, those that the visitor has written in last first.
    pub rooms: Vec<RoomPreview>,
    /// The time at which the page was rendered.
    pub now: Timestamp,
}

read_by_name!(RoomListData { rooms, now });

impl RoomListData {
    /// Returns the rooms of this page, from the context on the server and from the document in the browser; none if the
    /// page has no such data.
    pub(crate) fn of_page() -> Self {
        let of_document = || {
            let text = dom::find(&format!("#{ROOM_LIST_DATA_ID}"))?.text_content()?;
            JsonValue::parse(&text).and_then(Self::from_json)
        };
        let known = if cfg!(target_arch = "wasm32") { of_document() } else { use_context() };
        known.unwrap_or_else(Self::empty)
    }

    /// Returns no rooms.
    pub(crate) fn empty() -> Self {
        Self { rooms: Vec::new(), now: Timestamp(0) }
    }

    /// Returns the rooms as the text of a script element, without `<`, which could end the element.
    pub(crate) fn to_script(&self) -> String {
        serde_json::to_string(self).expect("it is plain data").replace('<', "\\u003c")
    }
}
