//! The header of the room: the link to other rooms, the title, the connection, and the number of participants.

use crate::domain::Timestamp;
use crate::ui::browser::{clock, dom};
use crate::ui::components::common::derived::{text, when};
use crate::ui::room::{ConnectionStatus, RoomState};
use leptos::prelude::*;
use web_sys::MouseEvent;

#[component]
pub(crate) fn RoomHeader() -> impl IntoView {
    let room = expect_context::<RoomState>();
    // On a wide page the sidebar is always visible, and the count opens nothing.
    let is_wide = RwSignal::new(false);
    Effect::new(move || {
        let update = move || is_wide.set(!dom::is_narrow());
        update();
        dom::on_window("resize", Box::new(move |_| update()));
    });
    let is_live = when(move || room.connection.status.get() == ConnectionStatus::Live);
    let status = text(move || match room.connection.status.get() {
        _ if !room.hydrated.get() => "Reading",
        ConnectionStatus::Connecting => "Connecting…",
        ConnectionStatus::Live if dom::is_limited() => "Limited connection",
        ConnectionStatus::Live => "Live",
        ConnectionStatus::Waiting(_) => "Reconnecting…",
        ConnectionStatus::Offline => "Offline",
        ConnectionStatus::Closed(_) => "Closed",
    });
    let is_counted = when(move || is_live.get() && room.presence.count.get() > 0);
    let count = text(move || format!("{} here now", room.presence.count.get()));
    let hydrated = room.hydrated;
    let rules = text(move || {
        room.page.with(|page| {
            let end = |at: Timestamp| {
                if hydrated.get() { clock::local_end(at) } else { format!("{} UTC", at.time_utc()) }
            };
            let mut rules = String::new();
            let mut add = |rule: &str| {
                if !rules.is_empty() {
                    rules.push_str(" · ");
                }
                rules.push_str(rule);
            };
            if page.room.is_private() {
                add("Private");
            }
            if page.locked {
                add("Locked");
            }
            if let Some(seconds) = page.slow_mode {
                add(&format!("Slow mode: {seconds} s"));
            }
            if let Some(until) = page.muted_until {
                add(&format!("You’re muted until {}", end(until)));
            }
            rules
        })
    });
    let is_expanded = text(move || (room.dialogs.sidebar.get() || is_wide.get()).to_string());
    let is_loading = when(move || room.requests.is_loading.get());
    let topic = text(move || room.page.with(|page| page.topic.clone().unwrap_or_default()));
    let settings = text(move || room.page.with(|page| page.room.settings_path()));
    let skip = move |event: MouseEvent| {
        event.prevent_default();
        room.editing.focus();
    };
    let open_switcher = move |event: MouseEvent| {
        if dom::is_plain_click(&event) {
            event.prevent_default();
            room.dialogs.switcher.set(true);
        }
    };
    view! {
        <header class="room-header">
            <a class="skip-link" href="#message" on:click=skip>"Skip to the message field"</a>
            <a class="room-back" href="/" aria-label="Rooms" title="Rooms (Ctrl+K)" on:click=open_switcher>"‹"</a>
            <div class="room-title">
                <h1 dir="auto">{room.title}</h1>
                <p class="room-status">
                    <span class="connection-status">
                        <span class="connection-dot" class:live=is_live></span>
                        {status}
                    </span>
                    // Without JavaScript, or if the module does not load, new messages need a reload.
                    <a class="room-reload" href="">"Show new messages"</a>
                    <button
                        class="room-count"
                        class:is-visible=is_counted
                        aria-expanded=is_expanded
                        aria-controls="participants"
                        disabled=is_wide
                        on:click=move |_| room.dialogs.toggle_sidebar()
                    >
                        {count}
                    </button>
                    <span class="room-rules">{rules}</span>
                    <span class="room-topic" dir="auto">{topic}</span>
                </p>
            </div>
            <p class="room-progress" class:is-visible=is_loading role="progressbar" aria-label="Loading">"Loading…"</p>
            <a class="room-settings" href=settings>"Settings"</a>
        </header>
    }
}
