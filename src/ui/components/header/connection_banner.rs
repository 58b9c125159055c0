//! The banner above the messages while the connection is lost.

use crate::ui::components::common::derived::{text, when};
use crate::ui::components::common::icon::{Icon, Symbol};
use crate::ui::room::connection_state::RECONNECTED;
use crate::ui::room::outbox::Outbox;
use crate::ui::room::{ConnectionStatus, RoomState};
use leptos::prelude::*;

#[component]
pub(crate) fn ConnectionBanner() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let connection = room.connection;
    let announcement = text(move || connection.announcement.get());
    let is_back =
        when(move || connection.back_with.get().is_some() && connection.status.get() == ConnectionStatus::Live);
    let label = text(move || match connection.status.get() {
        ConnectionStatus::Live => match connection.back_with.get().filter(|_| !room.outbox.with(Outbox::has_pending)) {
            None | Some(0) => RECONNECTED.to_owned(),
            Some(1) => format!("{RECONNECTED} 1 message sent."),
            Some(count) => format!("{RECONNECTED} {count} messages sent."),
        },
        ConnectionStatus::Connecting => "Connecting…".to_owned(),
        ConnectionStatus::Waiting(seconds) => format!("Reconnecting in {seconds} s. Messages wait here."),
        _ => announcement.get(),
    });
    let is_lost = when(move || !matches!(announcement.get().as_str(), "" | RECONNECTED));
    let is_visible = when(move || is_lost.get() || is_back.get());
    let is_offline = when(move || connection.status.get() == ConnectionStatus::Offline);
    let choice = text(move || match connection.status.get() {
        ConnectionStatus::Closed(_) => "Try again",
        _ => "Try now",
    });
    view! {
        <section
            class="bar connection-banner"
            class:is-visible=is_visible
            class:good=is_back
            class:offline=is_offline
            aria-label="Connection"
        >
            <span class="banner-icons">
                <Icon symbol=Symbol::Reconnect />
                <Icon symbol=Symbol::Offline />
                <Icon symbol=Symbol::Check />
            </span>
            <span>{label}</span>
            <button class="button-quiet small" on:click=move |_| room.reconnect()>{choice}</button>
        </section>
        <p class="connection-announcement visually-hidden" role="status">{announcement}</p>
    }
}
