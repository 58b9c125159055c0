//! The bar in the composer that shows which message it replies to.

use crate::ui::browser::dom;
use crate::ui::components::common::derived::{text, when};
use crate::ui::components::common::icon::{Icon, Symbol};
use crate::ui::room::RoomState;
use leptos::prelude::*;
use web_sys::MouseEvent;

#[component]
pub(super) fn ReplyBar() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let target = room.replying.target;
    room.restore_reply();
    let is_shown = when(move || target.get().is_some() && room.editing.target.with(Option::is_none));
    let texts = move || target.get().map(|seq| room.quote_texts(seq)).unwrap_or_default();
    let on_cancel = move |event: MouseEvent| {
        if dom::is_plain_click(&event) {
            event.prevent_default();
            room.set_reply(None);
            room.editing.focus_on_desktop();
        }
    };
    view! {
        <div class="composer-context" class:is-visible=is_shown>
            <Icon symbol=Symbol::Reply />
            <p class="clip"><b dir="auto">{text(move || texts().0)}</b>" "<span dir="auto">{text(move || texts().1)}</span></p>
            // Without script, the page without the reply.
            <a
                class="icon-button"
                href=text(move || room.page.with(|page| page.room.path()))
                aria-label="Cancel the reply"
                title="Cancel the reply"
                on:click=on_cancel
            >
                <Icon symbol=Symbol::Close />
            </a>
        </div>
        <input type="hidden" name="reply_to" value=text(move || target.get().map(|seq| seq.to_string()).unwrap_or_default()) />
    }
}
