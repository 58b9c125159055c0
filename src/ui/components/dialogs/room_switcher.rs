//! The dialog that opens another room: one of the visitor's, or any by its name.

use super::modal::use_modal;
use crate::domain::room::encode_segment;
use crate::ui::browser::{dom, location};
use crate::ui::components::common::derived::{text, when};
use crate::ui::components::common::icon::{Icon, Symbol};
use crate::ui::components::recent_rooms::{RecentRoomList, room_row};
use crate::ui::components::rows::row_list::ListRow;
use crate::ui::room::RoomState;
use crate::ui::room::recent_rooms::{RecentRoom, RecentRooms};
use leptos::html::Input;
use leptos::prelude::*;
use web_sys::{KeyboardEvent, SubmitEvent};

#[component]
pub(crate) fn RoomSwitcher(recent: RecentRooms) -> impl IntoView {
    let room = expect_context::<RoomState>();
    let is_open = room.dialogs.switcher;
    let dialog = use_modal(is_open.into());
    let field = NodeRef::<Input>::new();
    let typed = RwSignal::new(String::new());
    Effect::new(move || {
        if is_open.get() {
            typed.set(String::new());
            // The dialog gives the focus to its first element.
            if !dom::is_touch() {
                request_animation_frame(move || _ = field.get_untracked().map(|field| field.focus()));
            }
        }
    });
    let matching = move || -> Vec<RecentRoom> {
        let wanted = typed.with(|typed| location::normalized(typed.trim()));
        let mut rooms = recent.rooms.get();
        rooms.retain(|row| wanted.is_empty() || location::normalized(row.title()).contains(&wanted));
        rooms.sort_by_key(|row| (!row.visited.choices.pinned, -row.visited.visited_at));
        rooms
    };
    let open = move |path: String| {
        is_open.set(false);
        room.open(path);
    };
    let name = move || typed.with(|typed| typed.split_whitespace().collect::<Vec<_>>().join("-"));
    let open_typed = move || {
        let name = untrack(name);
        if !name.is_empty() {
            open(format!("/{}/", encode_segment(&name)));
        }
    };
    // Enter opens the first room in the list, or the one of this name if the list has none.
    let on_submit = move |event: SubmitEvent| {
        event.prevent_default();
        let is_typed = typed.with_untracked(|typed| !typed.trim().is_empty());
        match untrack(matching).into_iter().find(|row| is_typed && row.visited.room != room.name()) {
            Some(row) => open(row.visited.room.path()),
            None => open_typed(),
        }
    };
    let on_key = move |event: KeyboardEvent| {
        let step = match event.key().as_str() {
            "ArrowDown" => 1,
            "ArrowUp" => -1,
            _ => return,
        };
        event.prevent_default();
        dom::step_focus(&event, "input, a.room-row, .room-switcher-new", step);
    };
    let rooms = move || -> Vec<ListRow> {
        match is_open.get() {
            true => matching().iter().map(room_row(recent)).collect(),
            false => Vec::new(),
        }
    };
    let has_name = when(move || !name().is_empty());
    let open_label = text(move || format!("Open a room called “{}”", name()));
    view! {
        <dialog class="dialog room-switcher" aria-labelledby="switcher-title" node_ref=dialog on:keydown=on_key on:close=move |_| is_open.set(false)>
            <h2 id="switcher-title" class="visually-hidden">"Your rooms"</h2>
            <form on:submit=on_submit>
                <p class="joined">
                    <span class="lead"><Icon symbol=Symbol::Search /></span>
                    <input
                        node_ref=field
                        aria-label="Find or open a room"
                        placeholder="Find or open a room"
                        autocapitalize="none"
                        autocomplete="off"
                        dir="auto"
                        prop:value=typed
                        on:input=move |event| typed.set(event_target_value(&event))
                    />
                </p>
            </form>
            <RecentRoomList rooms=Box::new(rooms) on_open=Some(Callback::new(open)) />
            <button class="option room-switcher-new" class:is-visible=has_name on:click=move |_| open_typed()>{open_label}</button>
            <form method="dialog" class="dialog-choices">
                <a class="button-quiet" href="/">"Front page"</a>
                <button class="button-quiet">"Close"</button>
            </form>
        </dialog>
    }
}
