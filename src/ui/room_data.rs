//! The data of a room's page. The server writes it into the document as JSON, and the island reads it there. Props of
//! the island would bring serde's deserializers into the module (docs/performance.md), and an attribute would escape
//! every quotation mark.

use super::browser::dom;
use super::rejected_form::RejectedForm;
use crate::domain::{EventId, RoomView};
use crate::json::{FromJson, JsonValue, read_by_name};
use leptos::prelude::use_context;
use serde::Serialize;

/// Id of the element that holds the data.
pub(crate) const ROOM_DATA_ID: &str = "room-data";

/// The data that the island of a room is rendered from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct RoomData {
    /// The room as the server has rendered it.
    pub(crate) page: RoomView,
    /// The form that the server has refused.
    pub(crate) rejected: Option<RejectedForm>,
}

read_by_name!(RoomData { page, rejected });

impl RoomData {
    /// Returns the data of this page. Leaves out the ids of messages: the island does not use them, and 50 of them would be
    /// a kilobyte that does not compress.
    pub(crate) fn new(mut page: RoomView, rejected: Option<RejectedForm>) -> Self {
        for message in &mut page.history.messages {
            message.id = EventId::from_trusted(String::new());
        }
        Self { page, rejected }
    }

    /// Returns the data of an empty room.
    pub(crate) fn empty() -> Self {
        Self { page: RoomView::empty(), rejected: None }
    }

    /// Returns the data of this page, from the context on the server and from the document in the browser. Returns
    /// `None` if something has removed or changed the data in the document.
    pub(crate) fn of_page() -> Option<Self> {
        if cfg!(target_arch = "wasm32") {
            let text = dom::find(&format!("#{ROOM_DATA_ID}"))?.text_content()?;
            JsonValue::parse(&text).and_then(Self::from_json)
        } else {
            use_context()
        }
    }

    /// Returns the data that the island in this page was rendered from.
    ///
    /// # Panics
    ///
    /// Panics if the page does not contain its data. `hydrate.js` then hydrates an empty room, which loads the data.
    pub(crate) fn of_island() -> Self {
        if is_renewed() { Self::empty() } else { Self::of_page().expect("the server wrote it") }
    }

    /// Returns the data as the text of a script element, without `<`, which could end the element.
    pub(crate) fn to_script(&self) -> String {
        serde_json::to_string(self).expect("it is plain data").replace('<', "\\u003c")
    }
}

/// Returns whether `repair.js` has put an empty room in the place of the page's.
pub(crate) fn is_renewed() -> bool {
    cfg!(target_arch = "wasm32") && dom::find("[data-renewed]").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Username;

    #[test]
    fn no_text_of_the_data_ends_its_element() {
        let mut data = RoomData::empty();
        let text = "</script><!--<script>\"\\\n\u{2028}";
        data.page.username = Some(Username::from_trusted(text.to_owned()));
        data.rejected =
            Some(RejectedForm { message: text.to_owned(), username: None, detail: String::new(), edited: None });
        let script = data.to_script();
        assert!(!script.contains('<'), "{script}");
        assert_eq!(JsonValue::parse(&script).and_then(RoomData::from_json), Some(data));
    }
}
