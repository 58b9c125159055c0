//! The way to other rooms: those visited before, with what is unread there, and a new one.

use super::dialog::shown_while;
use super::recent_rooms::{Recent, RecentRooms, refresh};
use super::room_state::RoomState;
use crate::domain::room::encode_segment;
use crate::ui::browser;
use leptos::html::Input;
use leptos::prelude::*;
use web_sys::SubmitEvent;

#[component]
pub(super) fn RoomSwitcher() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let shown = room.switching;
    let dialog = shown_while(shown.into());
    let field = NodeRef::<Input>::new();
    let rooms = RwSignal::new(Vec::<Recent>::new());
    Effect::new(move || {
        if shown.get() {
            refresh(rooms);
            // The dialog gives the focus to whatever is first in it.
            if !browser::is_touch() {
                request_animation_frame(move || _ = field.get_untracked().map(|field| field.focus()));
            }
        }
    });
    let open = move |path: String| {
        shown.set(false);
        room.open(path);
    };
    let open_named = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(field) = field.get_untracked() else { return };
        let name = field.value().split_whitespace().collect::<Vec<_>>().join("-");
        if !name.is_empty() {
            field.set_value("");
            open(format!("/{}/", encode_segment(&name)));
        }
    };
    view! {
        <dialog class="dialog room-switcher" aria-labelledby="switcher-title" node_ref=dialog on:close=move |_| shown.set(false)>
            <h2 id="switcher-title">"Rooms"</h2>
            <RecentRooms rooms=rooms choose=Some(Callback::new(open)) />
            <form class="room-switcher-new" on:submit=open_named>
                <input node_ref=field aria-label="Open a room" placeholder="Open a room" autocapitalize="none" autocomplete="off" dir="auto" />
                <button class="button">"Open"</button>
            </form>
            <p class="dialog-choices">
                <a class="button-quiet" href="/">"Front page"</a>
                <button class="button-quiet" on:click=move |_| shown.set(false)>"Close"</button>
            </p>
        </dialog>
    }
}
