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
    let told = Signal::derive(move || room.connection_told.get());
    let words = move || match room.status.get() {
        ConnectionStatus::Connecting => "Connecting…".to_owned(),
        ConnectionStatus::Waiting(seconds) => format!("Reconnecting in {seconds} s. Your messages are kept."),
        _ => told.get(),
    };
    let is_lost = move || !matches!(told.get().as_str(), "" | AGAIN);
    let can_wake = move || !matches!(room.status.get(), ConnectionStatus::Closed(_));
    view! {
        <section class="connection-bar" class:shown=Signal::derive(is_lost) aria-label="Connection">
            <span>{Signal::derive(words)}</span>
            <button class="button-quiet" class:shown=Signal::derive(can_wake) on:click=move |_| room.reconnect()>"Now"</button>
        </section>
        <p class="connection-told visually-hidden" role="status">{told}</p>
    }
}

impl RoomState {
    /// The connection is another. What is told of it is told once, and not with every second; it stands from the first
    /// loss until the room lives again.
    pub(super) fn show_connection(self, status: ConnectionStatus) {
        self.status.set(status);
        let before = self.connection_told.get_untracked();
        let told = match status {
            ConnectionStatus::Connecting => &before,
            ConnectionStatus::Live if before.is_empty() => "",
            ConnectionStatus::Live => AGAIN,
            ConnectionStatus::Waiting(_) => "The connection is lost. Your messages are kept.",
            ConnectionStatus::Offline => "You are offline. Your messages are kept.",
            ConnectionStatus::Closed(code) => closed(code),
        };
        if told != before {
            self.connection_told.set(told.to_owned());
        }
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
