//! The bar above the composer that shows which message it replies to.

use crate::ui::components::common::derived::{text, when};
use crate::ui::room::RoomState;
use leptos::prelude::*;

#[component]
pub(crate) fn ReplyBar() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let replying = room.replying;
    let is_replying = when(move || replying.quote.with(Option::is_some));
    let name =
        text(move || replying.quote.with(|quote| quote.as_ref().map(|it| it.username.to_string())).unwrap_or_default());
    let excerpt =
        text(move || replying.quote.with(|quote| quote.as_ref().map(|it| it.excerpt.clone())).unwrap_or_default());
    let target = text(move || replying.target().map(|seq| seq.to_string()).unwrap_or_default());
    let cancel = text(move || room.page.with(|page| page.room.path()));
    view! {
        <p class="composer-reply" class:is-visible=is_replying>
            <span class="composer-reply-quote">
                <b dir="auto">{name}</b>
                " "
                <span dir="auto">{excerpt}</span>
            </span>
            <a class="button-quiet" href=cancel>"Cancel"</a>
        </p>
        <input type="hidden" name="reply_to" value=target />
    }
}
