//! The words that stand above the messages while the connection is lost.

use super::room_state::RoomState;
use crate::ui::live::ConnectionStatus;
use leptos::prelude::*;

#[component]
pub(super) fn ConnectionStatusBar() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let words = move || match room.status.get() {
        ConnectionStatus::Connecting | ConnectionStatus::Live => String::new(),
        ConnectionStatus::Waiting(seconds) => format!("Reconnecting in {seconds} s. Your messages are kept."),
        ConnectionStatus::Offline => "You are offline. Your messages are kept.".to_owned(),
        ConnectionStatus::Closed => "The server has closed this room to you.".to_owned(),
    };
    let is_lost = move || !matches!(room.status.get(), ConnectionStatus::Connecting | ConnectionStatus::Live);
    let can_wake = move || matches!(room.status.get(), ConnectionStatus::Waiting(_));
    view! {
        <section class="connection-bar" class:shown=Signal::derive(is_lost) aria-label="Connection">
            <span>{Signal::derive(words)}</span>
            <button class="button-quiet" class:shown=Signal::derive(can_wake) on:click=move |_| room.reconnect()>"Now"</button>
        </section>
    }
}
