//! The header of the room: the link to other rooms, the title, a line about the room, and the actions on it.

use crate::domain::Timestamp;
use crate::ui::browser::{clock, dom, location};
use crate::ui::components::common::derived::{is_filled, text, when};
use crate::ui::components::common::icon::{Icon, Symbol};
use crate::ui::room::{ConnectionStatus, RoomState};
use leptos::prelude::*;
use web_sys::MouseEvent;

#[component]
pub(crate) fn RoomHeader() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let is_live = when(move || room.connection.status.get() == ConnectionStatus::Live);
    // A connection that works is a dot; only trouble has words.
    let status = text(move || match room.connection.status.get() {
        _ if !room.hydrated.get() => "",
        ConnectionStatus::Connecting => "Connecting…",
        ConnectionStatus::Live if dom::is_limited() => "Limited connection",
        ConnectionStatus::Live => "",
        ConnectionStatus::Waiting(_) => "Reconnecting…",
        ConnectionStatus::Offline => "Offline",
        ConnectionStatus::Closed(_) => "Closed",
    });
    let is_counted = when(move || is_live.get() && room.presence.count.get() > 0);
    let count = text(move || format!("{} here", room.presence.count.get()));
    let is_private = when(move || room.page.with(|page| page.room.is_private()));
    let people = text(move || if is_counted.get() { format!("People, {}", count.get()) } else { "People".to_owned() });
    let is_expanded = text(move || room.dialogs.sidebar.get().to_string());
    let is_loading = when(move || room.requests.is_loading.get());
    let topic = text(move || room.page.with(|page| page.topic.clone().unwrap_or_default()));
    let rules = rules(room);
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
    let share = move |_| room.copy(location::origin() + &room.page.with_untracked(|page| page.invitation.clone()));
    // Without JavaScript the link shows the participants as the target of the URL.
    let toggle_people = move |event: MouseEvent| {
        event.prevent_default();
        room.dialogs.toggle_sidebar();
    };
    view! {
        <header class="room-header">
            <a class="skip-link" href="#message" on:click=skip>"Skip to the message field"</a>
            <a class="icon-button" href="/" aria-label="Your rooms" title="Your rooms (Ctrl+K)" on:click=open_switcher>
                <Icon symbol=Symbol::Back />
            </a>
            <div class="room-title">
                <h1>
                    <span class="clip" dir="auto">{room.title}</span>
                    <span class="room-lock" class:is-visible=is_private role="img" aria-label="Private room" title="Private room">
                        <Icon symbol=Symbol::Lock small=true />
                    </span>
                </h1>
                <p class="room-status">
                    <span class="connection-status"><span class="connection-dot" class:live=is_live></span>{status}</span>
                    <span class="room-count" class:is-visible=is_counted>{count}</span>
                    <span class="room-rules" class:is-visible=is_filled(rules)>{rules}</span>
                    <span class="room-topic" class:is-visible=is_filled(topic)><span class="clip" dir="auto">{topic}</span></span>
                </p>
            </div>
            <p class="room-progress" class:is-visible=is_loading role="progressbar" aria-label="Loading">"Loading…"</p>
            <nav class="room-actions" aria-label="Room">
                <button class="icon-button room-share" aria-label="Share" title="Copy the invite link" on:click=share>
                    <Icon symbol=Symbol::Share />
                </button>
                <a
                    class="icon-button people-button"
                    href="#participants"
                    aria-label=people
                    title="People"
                    aria-expanded=is_expanded
                    aria-controls="participants"
                    on:click=toggle_people
                >
                    <Icon symbol=Symbol::People />
                </a>
                <a class="icon-button" href=settings aria-label="Settings" title="Settings"><Icon symbol=Symbol::Settings /></a>
            </nav>
        </header>
    }
}

/// Returns the rules that hold in the room for the visitor.
fn rules(room: RoomState) -> Signal<String> {
    text(move || {
        room.page.with(|page| {
            let end = |at: Timestamp| {
                if room.hydrated.get() { clock::local_end(at) } else { format!("{} UTC", at.time_utc()) }
            };
            let locked = page.locked.then(|| "Locked".to_owned());
            let slow = page.slow_mode.map(|seconds| format!("Slow mode: {seconds} s"));
            let muted = page.muted_until.map(|until| format!("You’re muted until {}", end(until)));
            [locked, slow, muted].into_iter().flatten().collect::<Vec<_>>().join(" · ")
        })
    })
}
