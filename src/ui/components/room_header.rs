//! The head of a room: the way out, its name, and how the connection is.

use super::room::RoomState;
use crate::ui::live::ConnectionStatus;
use leptos::prelude::*;

#[component]
pub(super) fn RoomHeader() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let live = move || room.status.get() == ConnectionStatus::Live;
    let words = move || match room.status.get() {
        _ if !room.awake.get() => "Reading",
        ConnectionStatus::Connecting => "Connecting…",
        ConnectionStatus::Live => "Live",
        ConnectionStatus::Waiting(_) => "Reconnecting…",
        ConnectionStatus::Offline => "Offline",
        ConnectionStatus::Closed => "Closed",
    };
    let here = move || {
        let count = room.others.count.get();
        (count > 0 && live()).then(|| format!(" · {count} here now"))
    };
    view! {
        <header class="room-header">
            <a class="room-back" href="/" aria-label="To the front page">"‹"</a>
            <div class="room-title">
                <h1 dir="auto">{room.name().to_string()}</h1>
                <p class="room-status">
                    <span class="connection-status">
                        <span class="connection-dot" class:live=live></span>
                        {words}
                    </span>
                    <span class="room-count">{here}</span>
                </p>
            </div>
        </header>
    }
}
