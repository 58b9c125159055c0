//! Modal dialogs that follow a signal.

use crate::domain::Seq;
use crate::ui::browser::dom;
use crate::ui::room::RoomState;
use leptos::html::Dialog;
use leptos::prelude::*;
use web_sys::{HtmlElement, MouseEvent};

/// Returns the reference of a `<dialog>` that is open while `is_open` is true.
pub(super) fn use_modal(is_open: Signal<bool>) -> NodeRef<Dialog> {
    let dialog = NodeRef::<Dialog>::new();
    Effect::new(move || {
        let Some(dialog) = dialog.get() else { return };
        if is_open.get() {
            // A click beside the dialog closes it, if the browser supports that.
            let _ = dialog.set_attribute("closedby", "any");
            dialog.set_return_value("");
            let _ = dialog.show_modal();
        } else {
            // Closing returns the focus to the element that had it.
            dialog.close();
        }
    });
    dialog
}

/// Calls `place` when the dialog of a menu opens. It has a size only once it is open.
pub(super) fn on_open(dialog: NodeRef<Dialog>, is_open: Signal<bool>, place: impl Fn(&HtmlElement) + 'static) {
    Effect::new(move || {
        if let Some(dialog) = dialog.get().filter(|_| is_open.get()) {
            // If `use_modal` has opened it, this does nothing.
            let _ = dialog.show_modal();
            place(&dialog);
        }
    });
}

/// Closes the dialog if something was chosen, or if the click is beside it, and so on the dialog itself. That gives the
/// focus back at once; what was chosen may move it.
pub(super) fn close_after(event: &MouseEvent, dialog: NodeRef<Dialog>, is_chosen: bool) {
    if (is_chosen || dom::closest(event, "dialog > *").is_none())
        && let Some(dialog) = dialog.get_untracked()
    {
        dialog.close();
    }
}

/// Focuses a message after its menu has closed, if nothing has the focus: the button that had it is hidden if the pointer
/// has left the message.
pub(super) fn give_focus_to(room: RoomState, seq: Seq) {
    request_animation_frame(move || {
        if dom::focused().is_none_or(|focused| focused.matches("body").unwrap_or(true)) {
            room.scroll.focus_message(seq);
        }
    });
}
