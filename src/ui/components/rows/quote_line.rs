//! The line above a reply that shows the message it replies to.

use crate::domain::Seq;
use crate::ui::components::common::derived::text;
use crate::ui::room::RoomState;
use leptos::prelude::*;

/// A link to the quoted message, with its author and the beginning of its text as it reads now.
#[component]
pub(crate) fn QuoteLine(seq: Seq) -> impl IntoView {
    let room = expect_context::<RoomState>();
    view! {
        <a class="quote" data-action="quote" data-target=seq href=format!("{}{seq}", room.path())>
            <span class="visually-hidden">"In reply to "</span>
            <b dir="auto">{text(move || room.quote_texts(seq).0)}</b>
            " "
            <span class="clip" dir="auto">{text(move || room.quote_texts(seq).1)}</span>
        </a>
    }
}
