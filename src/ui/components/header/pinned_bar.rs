//! The bar with the latest pinned message.

use crate::domain::Quote;
use crate::ui::browser::{dom, storage};
use crate::ui::components::common::derived::{text, when};
use crate::ui::components::common::icon::{Icon, Symbol};
use crate::ui::room::RoomState;
use leptos::prelude::*;
use web_sys::MouseEvent;

/// The bar. It leads to its message; once hidden, it stays so until another message is pinned.
#[component]
pub(crate) fn PinnedBar() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let of_pin = move |read: fn(&Quote) -> String| {
        text(move || room.page.with(|page| page.pin.as_ref().map_or_else(String::new, read)))
    };
    let pinned = move || room.page.with(|page| page.pin.as_ref().map(|pin| pin.seq));
    let is_shown = when(move || {
        pinned().is_some_and(|seq| {
            let is_hidden = room.hydrated.get() && storage::hidden_pin(&room.name()) == Some(seq);
            room.reacting.hidden_pin.get() != Some(seq) && !is_hidden
        })
    });
    let path = text(move || format!("{}{}", room.path(), pinned().unwrap_or_default()));
    let all = text(move || format!("{}pins", room.path()));
    let open = move |event: MouseEvent| {
        if let Some(seq) = untrack(pinned).filter(|_| dom::is_plain_click(&event)) {
            event.prevent_default();
            room.open_permalink(seq);
        }
    };
    let hide = move |_| {
        if let Some(seq) = untrack(pinned) {
            storage::save_hidden_pin(&room.name(), seq);
            room.reacting.hidden_pin.set(Some(seq));
        }
    };
    view! {
        <section class="pinned" class:is-visible=is_shown aria-label="Pinned message">
            <Icon symbol=Symbol::Pin />
            <a href=path on:click=open><b>"Pinned"</b><span class="clip" dir="auto">{of_pin(|pin| pin.excerpt.clone())}</span></a>
            <a class="pinned-all" href=all aria-label="All pinned messages">"All"</a>
            <button class="icon-button" aria-label="Hide the pinned message" title="Hide the pinned message" on:click=hide>
                <Icon symbol=Symbol::Close />
            </button>
        </section>
    }
}
