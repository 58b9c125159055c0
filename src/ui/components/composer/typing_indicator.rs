//! The participants who are typing.

use crate::ui::components::common::derived::{is_filled, text};
use crate::ui::room::RoomState;
use leptos::prelude::*;

#[component]
pub(crate) fn TypingIndicator() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let label = text(move || {
        let typing = room.presence.typing.get();
        match typing.as_slice() {
            [] => String::new(),
            [(one, _)] => format!("{} is typing", one.username),
            [(one, _), (two, _)] => format!("{} and {} are typing", one.username, two.username),
            _ => "Several people are typing".to_owned(),
        }
    });
    view! { <p class="typing-indicator" class:is-visible=is_filled(label)>{label}</p> }
}
