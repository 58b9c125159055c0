//! The text of a message: links, code, and everything else as it was typed.

use crate::ui::spans::{Span, spans};
use leptos::either::EitherOf4;
use leptos::prelude::*;

#[component]
pub(super) fn MessageText(
    text: String,
    /// What is said about it, behind it.
    note: Option<&'static str>,
) -> impl IntoView {
    let pieces: Vec<_> = spans(&text).into_iter().map(piece).collect();
    view! {
        <p class="message-text" dir="auto">
            {pieces}
            {note.map(|note| view! { <span class="message-note">{note}</span> })}
        </p>
    }
}

fn piece(span: Span<'_>) -> impl IntoView + use<> {
    match span {
        Span::Text(text) => EitherOf4::A(text.to_owned()),
        Span::Link(address) => EitherOf4::B(view! {
            <a href=address.to_owned() target="_blank" rel="noopener noreferrer nofollow ugc">{address.to_owned()}</a>
        }),
        Span::Code(code) => EitherOf4::C(view! { <code>{code.to_owned()}</code> }),
        Span::Block(code) => EitherOf4::D(view! { <code class="block">{code.to_owned()}</code> }),
    }
}
