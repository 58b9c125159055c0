//! Asks before an own message is removed.

use super::dialog::shown_while;
use super::room_state::RoomState;
use crate::ui::browser;
use crate::ui::outbox::Wish;
use leptos::prelude::*;

#[component]
pub(super) fn RemovalDialog() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let dialog = shown_while(Signal::derive(move || room.removing.get().is_some()));
    // The button that led here is gone by then, with its message or because nothing points at it.
    let keep = move |_| {
        if let Some(target) = room.removing.get_untracked() {
            room.removing.set(None);
            request_animation_frame(move || browser::focus(&format!("#m{target} .message-time")));
        }
    };
    let close = move |_| {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let remove = move |_| {
        if let Some(target) = room.removing.get_untracked() {
            room.removing.set(None);
            if room.editing.get_untracked() == Some(target) {
                room.stop_editing();
            }
            room.wish(Wish::Delete { target });
            request_animation_frame(browser::offer_composer);
        }
    };
    view! {
        <dialog class="dialog" aria-labelledby="removal-title" node_ref=dialog on:close=keep>
            <h2 id="removal-title">"Remove this message?"</h2>
            <p>"It goes for everybody, and does not come back."</p>
            <p class="dialog-choices">
                <button class="button-quiet" on:click=close>"Keep"</button>
                <button class="button" on:click=remove>"Remove"</button>
            </p>
        </dialog>
    }
}
