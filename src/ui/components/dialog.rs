//! Dialogs: shown as long as there is a reason.

use leptos::html::Dialog;
use leptos::prelude::*;

/// For a `<dialog>` that shall be open while `is_open` says so.
pub(super) fn shown_while(is_open: Signal<bool>) -> NodeRef<Dialog> {
    let dialog = NodeRef::<Dialog>::new();
    Effect::new(move || {
        let Some(dialog) = dialog.get() else { return };
        if is_open.get() {
            let _ = dialog.show_modal();
        } else {
            // Closing gives the focus back to where it was.
            dialog.close();
        }
    });
    dialog
}
