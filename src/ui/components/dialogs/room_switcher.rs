//! The dialog that opens another room: a visited one, or any by its name.

use super::modal::use_modal;
use crate::domain::room::encode_segment;
use crate::ui::browser::dom;
use crate::ui::components::recent_rooms::RecentRoomList;
use crate::ui::room::RoomState;
use crate::ui::room::recent_rooms::RecentRooms;
use leptos::html::Input;
use leptos::prelude::*;
use web_sys::SubmitEvent;

#[component]
pub(crate) fn RoomSwitcher() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let is_open = room.dialogs.switcher;
    let dialog = use_modal(is_open.into());
    let field = NodeRef::<Input>::new();
    let recent = RecentRooms::new();
    Effect::new(move || {
        if is_open.get() {
            recent.refresh();
            // The dialog gives the focus to its first element.
            if !dom::is_touch() {
                request_animation_frame(move || _ = field.get_untracked().map(|field| field.focus()));
            }
        }
    });
    let open = move |path: String| {
        is_open.set(false);
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
        <dialog class="dialog room-switcher" aria-labelledby="switcher-title" node_ref=dialog on:close=move |_| is_open.set(false)>
            <h2 id="switcher-title">"Rooms"</h2>
            <RecentRoomList recent=recent on_open=Some(Callback::new(open)) />
            <form class="room-switcher-new" on:submit=open_named>
                <input node_ref=field aria-label="Open a room" placeholder="Open a room" autocapitalize="none" autocomplete="off" dir="auto" />
                <button class="button">"Open"</button>
            </form>
            <form method="dialog" class="dialog-choices">
                <a class="button-quiet" href="/">"Front page"</a>
                <button class="button-quiet">"Close"</button>
            </form>
        </dialog>
    }
}
