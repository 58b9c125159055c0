//! A swipe over a message, on touch screens: it replies to the message.

use super::replying::SwipeStart;
use super::state::RoomState;
use crate::domain::Seq;
use crate::ui::browser::dom;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, MouseEvent};

/// Distance after which a finger that moves sideways swipes, and one that moves up or down scrolls, in CSS pixels.
const SWIPE_SLOP_PX: i32 = 12;

/// Distance after which the end of a swipe replies, and that of the message at most, in CSS pixels.
const SWIPE_PX: i32 = 56;
const MAX_SWIPE_PX: i32 = 80;

impl RoomState {
    /// Begins a swipe where a finger is put down on a message. Code that is too wide scrolls instead.
    pub(crate) fn begin_swipe(self, event: &MouseEvent) {
        let message = dom::closest(event, ".message:not(.is-deleted)")
            .filter(|_| dom::is_touch() && dom::closest(event, ".block").is_none());
        let seq = message.and_then(|message| message.get_attribute("data-seq")?.parse().ok());
        let start = |seq| SwipeStart { seq, x: event.client_x(), y: event.client_y(), distance: 0 };
        self.replying.swipe.set_value(seq.map(start));
    }

    /// Moves the message with the finger.
    pub(crate) fn move_swipe(self, event: &MouseEvent) {
        let Some(start) = self.replying.swipe.get_value() else { return };
        let (right, down) = (event.client_x() - start.x, event.client_y() - start.y);
        if start.distance == 0 && down.abs() > SWIPE_SLOP_PX {
            return self.replying.swipe.set_value(None);
        }
        if start.distance != 0 || right.abs() > SWIPE_SLOP_PX {
            self.replying.swipe.set_value(Some(SwipeStart { distance: right, ..start }));
            shift(start.seq, right.clamp(-MAX_SWIPE_PX, MAX_SWIPE_PX));
        }
    }

    /// Ends the swipe, and replies to the message if the finger has gone far enough.
    pub(crate) fn end_swipe(self, is_complete: bool) {
        let Some(SwipeStart { seq, distance, .. }) = self.replying.swipe.get_value() else { return };
        self.replying.swipe.set_value(None);
        if distance != 0 {
            shift(seq, 0);
        }
        if is_complete && distance.abs() >= SWIPE_PX {
            self.reply_to(seq);
        }
    }
}

fn shift(seq: Seq, distance: i32) {
    if let Some(message) = dom::find(&format!("#m{seq}")) {
        let _ = message.unchecked_into::<HtmlElement>().style().set_property("--swipe", &format!("{distance}px"));
    }
}
