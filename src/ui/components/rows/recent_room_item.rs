//! A room of the visitor's list. Its texts and counts change while its row stays.

use crate::domain::history::MAX_UNREAD_COUNT;
use crate::domain::room_preview::room_hue;
use crate::domain::{LastMessage, RoomName};
use crate::ui::browser::{clock, dom};
use crate::ui::components::common::avatar::first_letter;
use crate::ui::components::common::derived::{text, when};
use crate::ui::components::common::icon::{Icon, Symbol};
use crate::ui::room::recent_rooms::{RecentRoom, RecentRooms};
use leptos::prelude::*;
use web_sys::MouseEvent;

#[component]
pub(super) fn RecentRoomItem(recent: RecentRooms, room: RoomName) -> impl IntoView {
    let (path, is_private) = (room.path(), room.is_private());
    let class = format!("tile hue-{}", room_hue(&room));
    let room = StoredValue::new(room);
    let title = text(move || of(recent, room, |row| row.title().to_owned()));
    let letter = text(move || first_letter(&title.get()));
    let last = text(move || of(recent, room, |row| row.last().map(last_line).unwrap_or_default()));
    let time = text(move || {
        let Some(at) = of(recent, room, |row| row.last().map(|last| last.at)) else { return String::new() };
        if recent.hydrated.get() { clock::local_short(at) } else { at.short_utc(recent.rendered_at) }
    });
    let is_muted = when(move || of(recent, room, |row| row.visited.choices.muted));
    let counts = move || of(recent, room, RecentRoom::unread);
    let has_new = when(move || counts().0 > 0);
    let unread = text(move || match counts() {
        (0, _) => String::new(),
        (unread, 0) => count_text(unread),
        (unread, _) => format!("@ {}", count_text(unread)),
    });
    let unread_label = text(move || match counts() {
        (0, _) => "",
        (_, 0) => " new",
        _ => " new, and you are mentioned",
    });
    let unsent = text(move || match of(recent, room, |row| row.unsent) {
        0 => String::new(),
        count => format!("{count} not sent"),
    });
    let is_open = move || recent.open.with(|open| room.with_value(|room| open == room.as_str()));
    let current = text(move || if is_open() { "page" } else { "false" });
    let open_menu = move |event: MouseEvent| {
        if let Some(button) = dom::closest(&event, "button") {
            recent.menu_button.set_value(dom::edges(&button));
        }
        recent.menu.set(Some(room.get_value()));
    };
    let menu_label = text(move || format!("More about {}", title.get()));
    view! {
        <li class="room-entry" class:is-muted=is_muted>
            <a class="room-row" class:new=has_new href=path aria-current=current title=title>
                <span class=class aria-hidden="true">{letter}</span>
                <b>
                    <span class="clip" dir="auto">{title}</span>
                    {is_private.then(|| view! { <Icon symbol=Symbol::Lock small=true /><span class="visually-hidden">"private"</span> })}
                </b>
                <span class="time">{time}</span>
                <span class="last clip" dir="auto">{last}</span>
                <span class="marks">
                    <span class="recent-unsent">{unsent}</span>
                    <span class="badge" class:is-visible=has_new>
                        {unread}
                        <span class="visually-hidden">{unread_label}</span>
                    </span>
                </span>
            </a>
            <button
                type="button"
                class="icon-button room-more"
                aria-haspopup="dialog"
                aria-label=menu_label
                title=menu_label
                on:click=open_menu
            >
                <Icon symbol=Symbol::More />
            </button>
        </li>
    }
}

/// Returns a property of the row, and tracks it.
fn of<T: Default>(recent: RecentRooms, room: StoredValue<RoomName>, property: impl Fn(&RecentRoom) -> T) -> T {
    room.with_value(|room| recent.of(room, property))
}

fn last_line(last: &LastMessage) -> String {
    let author = if last.own { "You" } else { last.username.as_str() };
    format!("{author}: {}", last.excerpt)
}

fn count_text(count: u64) -> String {
    if count >= MAX_UNREAD_COUNT { format!("{}+", MAX_UNREAD_COUNT - 1) } else { count.to_string() }
}
