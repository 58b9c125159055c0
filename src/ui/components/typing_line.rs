//! Who is writing just now.

use super::room_state::RoomState;
use leptos::prelude::*;

#[component]
pub(super) fn TypingLine() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let words = move || {
        let writing = room.others.writing.get();
        match writing.as_slice() {
            [] => String::new(),
            [(one, _)] => format!("{} is typing…", one.username),
            [(one, _), (two, _)] => format!("{} and {} are typing…", one.username, two.username),
            _ => "Several people are typing…".to_owned(),
        }
    };
    view! { <p class="typing-line" role="status">{Signal::derive(words)}</p> }
}
