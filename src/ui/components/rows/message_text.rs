//! The text of a message, with links and code.

use crate::domain::Username;
use crate::ui::components::common::derived::when;
use crate::ui::room::RoomState;
use crate::ui::text_spans::{Span, spans, with_mentions};
use leptos::either::EitherOf5;
use leptos::prelude::*;

/// Minimum number of line breaks of a folded text (`message_text.css`).
const FOLDED_LINES: usize = 40;

#[component]
pub(crate) fn MessageText(
    text: String,
    /// A remark after the text.
    note: Option<&'static str>,
    /// The names that the text mentions.
    mentions: Vec<Username>,
) -> impl IntoView {
    let is_long = text.matches('\n').count() >= FOLDED_LINES;
    let room = expect_context::<RoomState>();
    let spans = with_mentions(spans(&text), &mentions);
    let spans: Vec<_> = spans.into_iter().map(|span| span_view(room, span)).collect();
    view! {
        <p class="message-text" dir="auto" translate="yes">
            {spans}
            {note.map(|note| view! { <span class="message-note">{note}</span> })}
        </p>
        {is_long.then(|| view! { <details class="message-fold"><summary data-action="unfold">"Show all"</summary></details> })}
    }
}

fn span_view(room: RoomState, span: Span<'_>) -> impl IntoView + use<> {
    match span {
        Span::Text(text) => EitherOf5::A(text.to_owned()),
        Span::Link(url) => EitherOf5::B(view! {
            <a href=url.to_owned() target="_blank" rel="noopener noreferrer nofollow ugc">{url.to_owned()}</a>
        }),
        Span::Code(code) => EitherOf5::C(view! { <code>{code.to_owned()}</code> }),
        Span::Block(code) => EitherOf5::D(view! { <code class="block">{code.to_owned()}</code> }),
        Span::Mention(text, name) => {
            let names = [name.clone()];
            let is_me = when(move || room.is_mentioned(&names));
            EitherOf5::E(view! { <span class="mention" class:me=is_me>{text.to_owned()}</span> })
        }
    }
}
