//! Modal dialogs that follow a signal.

use leptos::html::Dialog;
use leptos::prelude::*;

/// Returns the reference of a `<dialog>` that is open while `is_open` is true.
pub(super) fn use_modal(is_open: Signal<bool>) -> NodeRef<Dialog> {
    let dialog = NodeRef::<Dialog>::new();
    Effect::new(move || {
        let Some(dialog) = dialog.get() else { return };
        if is_open.get() {
            // A click beside the dialog closes it, if the browser supports that.
            let _ = dialog.set_attribute("closedby", "any");
            let _ = dialog.show_modal();
        } else {
            // Closing returns the focus to the element that had it.
            dialog.close();
        }
    });
    dialog
}
