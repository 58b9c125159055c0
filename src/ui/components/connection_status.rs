//! The words that stand above the messages while the connection is lost.

use super::room_state::RoomState;
use crate::ui::live::ConnectionStatus;
use leptos::prelude::*;

#[component]
pub(super) fn ConnectionStatusBar() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let words = move || match room.status.get() {
        ConnectionStatus::Connecting | ConnectionStatus::Live => None,
        ConnectionStatus::Waiting(seconds) => Some(format!("Reconnecting in {seconds} s. Your messages are kept.")),
        ConnectionStatus::Offline => Some("You are offline. Your messages are kept.".to_owned()),
        ConnectionStatus::Closed => Some("The server has closed this room to you.".to_owned()),
    };
    let can_wake = move || matches!(room.status.get(), ConnectionStatus::Waiting(_));
    view! {
        <section class="connection-bar" class:shown=move || words().is_some() aria-label="Connection">
            <span>{words}</span>
            <Show when=can_wake>
                <button class="button-quiet" on:click=move |_| room.wake()>"Now"</button>
            </Show>
        </section>
    }
}
