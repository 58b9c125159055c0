//! The words that stand above the messages while the connection is lost.

use super::room_state::RoomState;
use crate::protocol::close;
use crate::ui::live::ConnectionStatus;
use leptos::prelude::*;

/// It was lost, and is no more.
const AGAIN: &str = "Connected again.";

#[component]
pub(super) fn ConnectionStatusBar() -> impl IntoView {
    let room = expect_context::<RoomState>();
    // What is said once, and not with every second; it stands from the first loss until the room lives again.
    let told = Memo::new(move |before: Option<&&'static str>| match room.status.get() {
        ConnectionStatus::Connecting => before.copied().unwrap_or_default(),
        ConnectionStatus::Live if before.is_none_or(|before| before.is_empty()) => "",
        ConnectionStatus::Live => AGAIN,
        ConnectionStatus::Waiting(_) => "The connection is lost. Your messages are kept.",
        ConnectionStatus::Offline => "You are offline. Your messages are kept.",
        ConnectionStatus::Closed(code) => closed(code),
    });
    let is_lost = move || !matches!(told.get(), "" | AGAIN);
    let words = move || match room.status.get() {
        ConnectionStatus::Connecting => "Connecting…".to_owned(),
        ConnectionStatus::Waiting(seconds) => format!("Reconnecting in {seconds} s. Your messages are kept."),
        _ => told.get().to_owned(),
    };
    let can_wake = move || !matches!(room.status.get(), ConnectionStatus::Closed(_));
    view! {
        <section class="connection-bar" class:shown=Signal::derive(is_lost) aria-label="Connection">
            <span>{Signal::derive(words)}</span>
            <button class="button-quiet" class:shown=Signal::derive(can_wake) on:click=move |_| room.reconnect()>"Now"</button>
        </section>
        <p class="connection-told visually-hidden" role="status">{Signal::derive(move || told.get().to_owned())}</p>
    }
}

/// Why the server does not want a connection back, by the code it was closed with.
pub(super) fn closed(code: u16) -> &'static str {
    match code {
        close::BANNED => "You are banned from this room for a while.",
        close::DELETED => "This room was deleted.",
        _ => "The server has closed this room to you.",
    }
}
