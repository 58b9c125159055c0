//! The text of a message, with links and code.

use crate::ui::text_spans::{Span, spans};
use leptos::either::EitherOf4;
use leptos::prelude::*;

/// Minimum number of line breaks of a folded text (`message_text.css`).
const FOLDED_LINES: usize = 40;

#[component]
pub(crate) fn MessageText(
    text: String,
    /// A remark after the text.
    note: Option<&'static str>,
) -> impl IntoView {
    let is_long = text.matches('\n').count() >= FOLDED_LINES;
    let spans: Vec<_> = spans(&text).into_iter().map(span_view).collect();
    view! {
        <p class="message-text" dir="auto" translate="yes">
            {spans}
            {note.map(|note| view! { <span class="message-note">{note}</span> })}
        </p>
        {is_long.then(|| view! { <details class="message-fold"><summary data-action="unfold">"Show all"</summary></details> })}
    }
}

fn span_view(span: Span<'_>) -> impl IntoView + use<> {
    match span {
        Span::Text(text) => EitherOf4::A(text.to_owned()),
        Span::Link(url) => EitherOf4::B(view! {
            <a href=url.to_owned() target="_blank" rel="noopener noreferrer nofollow ugc">{url.to_owned()}</a>
        }),
        Span::Code(code) => EitherOf4::C(view! { <code>{code.to_owned()}</code> }),
        Span::Block(code) => EitherOf4::D(view! { <code class="block">{code.to_owned()}</code> }),
    }
}
