//! The banner above the messages while the connection is lost.

use crate::ui::components::common::derived::{text, when};
use crate::ui::room::connection_state::RECONNECTED;
use crate::ui::room::{ConnectionStatus, RoomState};
use leptos::prelude::*;

#[component]
pub(crate) fn ConnectionBanner() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let connection = room.connection;
    let announcement = text(move || connection.announcement.get());
    let label = text(move || match connection.status.get() {
        ConnectionStatus::Connecting => "Connecting…".to_owned(),
        ConnectionStatus::Waiting(seconds) => format!("Reconnecting in {seconds} s. Messages wait here."),
        _ => announcement.get(),
    });
    let is_lost = when(move || !matches!(announcement.get().as_str(), "" | RECONNECTED));
    let choice = text(move || match connection.status.get() {
        ConnectionStatus::Closed(_) => "Try again",
        _ => "Try now",
    });
    view! {
        <section class="connection-banner" class:is-visible=is_lost aria-label="Connection">
            <span>{label}</span>
            <button class="button-quiet" on:click=move |_| room.reconnect()>{choice}</button>
        </section>
        <p class="connection-announcement visually-hidden" role="status">{announcement}</p>
    }
}
