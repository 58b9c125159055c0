//! The menu of a room in the visitor's list.

use super::message_menu::{on_key, place_beside};
use super::modal::{close_after, on_open, use_modal};
use crate::ui::browser::{clock, dom};
use crate::ui::components::common::derived::{text, when};
use crate::ui::components::common::icon::{Icon, Symbol};
use crate::ui::room::recent_rooms::{RecentRoom, RecentRooms};
use leptos::prelude::*;
use web_sys::MouseEvent;

/// The menu. Each button names its action in `data-action`.
#[component]
pub(crate) fn RoomMenu(recent: RecentRooms) -> impl IntoView {
    let is_open = when(move || recent.menu.with(Option::is_some));
    let dialog = use_modal(is_open);
    on_open(dialog, is_open, move |dialog| place_beside(dialog, recent.menu_button.get_value()));
    let is = move |property: fn(&RecentRoom) -> bool| {
        recent.menu.with(|room| room.as_ref().is_some_and(|room| recent.of(room, property)))
    };
    let title = text(move || {
        let title = |row: &RecentRoom| row.title().to_owned();
        recent.menu.with(|room| room.as_ref().map(|room| recent.of(room, title)).unwrap_or_default())
    });
    let pin = text(move || if is(|row| row.visited.choices.pinned) { "Unpin" } else { "Pin to the top" });
    let mute = text(move || if is(|row| row.visited.choices.muted) { "Unmute" } else { "Mute" });
    let on_click = move |event: MouseEvent| {
        let button = dom::closest(&event, "[data-action]");
        let action = button.and_then(|button| button.get_attribute("data-action"));
        let room = recent.menu.get_untracked();
        close_after(&event, dialog, action.is_some());
        if let (Some(action), Some(room)) = (action, room) {
            recent.choose(&room, |choices| match action.as_str() {
                "pin-room" => choices.pinned = !choices.pinned,
                "mute-room" => choices.muted = !choices.muted,
                _ => (choices.pinned, choices.removed_at) = (false, clock::now() as i64),
            });
        }
    };
    view! {
        <dialog
            class="menu"
            aria-label=title
            node_ref=dialog
            on:click=on_click
            on:keydown=on_key
            on:close=move |_| recent.menu.set(None)
        >
            <ul>
                <li><button class="option" data-action="pin-room"><Icon symbol=Symbol::Pin />{pin}</button></li>
                <li><button class="option" data-action="mute-room"><Icon symbol=Symbol::Mute />{mute}</button></li>
                <li><button class="option" data-action="remove-room"><Icon symbol=Symbol::Close />"Take off the list"</button></li>
            </ul>
        </dialog>
    }
}
