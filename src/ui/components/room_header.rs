//! The head of a room: the way to other rooms, its name, how the connection is, and how many are here.

use super::moderation::Concern;
use super::room_state::RoomState;
use crate::ui::browser;
use crate::ui::live::ConnectionStatus;
use leptos::prelude::*;
use web_sys::MouseEvent;

#[component]
pub(super) fn RoomHeader() -> impl IntoView {
    let room = expect_context::<RoomState>();
    // Then everybody sees who is here, and there is nothing to show.
    let wide = RwSignal::new(false);
    Effect::new(move || {
        let look = move || wide.set(!browser::is_narrow());
        look();
        window_event_listener_untyped("resize", move |_| look());
    });
    let live = Signal::derive(move || room.status.get() == ConnectionStatus::Live);
    let words = Signal::derive(move || {
        let words = match room.status.get() {
            _ if !room.awake.get() => "Reading",
            ConnectionStatus::Connecting => "Connecting…",
            ConnectionStatus::Live => "Live",
            ConnectionStatus::Waiting(_) => "Reconnecting…",
            ConnectionStatus::Offline => "Offline",
            ConnectionStatus::Closed(_) => "Closed",
        };
        words.to_owned()
    });
    let is_counted = Signal::derive(move || live.get() && room.others.count.get() > 0);
    let here = Signal::derive(move || format!("{} here now", room.others.count.get()));
    let is_private = Signal::derive(move || room.page.with(|page| page.room.is_private()));
    let expanded = Signal::derive(move || (room.showing_participants.get() || wide.get()).to_string());
    let switch = move |event: MouseEvent| {
        if browser::is_plain_click(&event) {
            event.prevent_default();
            room.switching.set(true);
        }
    };
    view! {
        <header class="room-header">
            <a class="room-back" href="/" aria-label="Rooms" title="Rooms (Ctrl+K)" on:click=switch>"‹"</a>
            <div class="room-title">
                <h1 dir="auto">{room.title}</h1>
                <p class="room-status">
                    <span class="connection-status">
                        <span class="connection-dot" class:live=live></span>
                        {words}
                    </span>
                    // Without script, and when it does not come, newer messages take a reload.
                    <a class="room-reload" href="">"Show newer messages"</a>
                    <button
                        class="room-count"
                        class:shown=is_counted
                        aria-expanded=expanded
                        aria-controls="participants"
                        disabled=wide
                        on:click=move |_| room.showing_participants.update(|shown| *shown = !*shown)
                    >
                        {here}
                    </button>
                    <span class="room-private" class:shown=is_private>"Private"</span>
                    <button
                        class="room-yours"
                        class:shown=Signal::derive(move || room.awake.get() && room.is_owner())
                        on:click=move |_| room.moderating.set(Some(Concern::TheRoom))
                    >
                        "Your room"
                    </button>
                </p>
            </div>
        </header>
    }
}
