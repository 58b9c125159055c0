//! The palette of reactions: six quick emoji at once, and all of them as soon as `public/palette.js` has loaded them.

use super::message_menu::place_beside;
use super::modal::{close_after, give_focus_to, on_open, use_modal};
use crate::domain::emoji::QUICK_EMOJI;
use crate::ui::browser::dom;
use crate::ui::components::common::derived::when;
use crate::ui::room::RoomState;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, MouseEvent};

/// The palette: a dialog on wide screens, a sheet on phones.
#[component]
pub(crate) fn ReactionPalette() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let palette = room.reacting.palette;
    let is_open = when(move || palette.get().is_some());
    let dialog = use_modal(is_open);
    on_open(dialog, is_open, |dialog| {
        if let Some(button) = dom::find(".toolbar [data-action=palette]") {
            place_beside(dialog, dom::edges(&button));
        }
        if let Some(all) = dom::find("[data-palette]") {
            all.unchecked_into::<HtmlElement>().click();
        }
    });
    let on_click = move |event: MouseEvent| {
        let emoji = dom::closest(&event, ".emoji button").and_then(|button| button.text_content());
        let seq = palette.get_untracked();
        close_after(&event, dialog, emoji.is_some());
        if let (Some(emoji), Some(seq)) = (emoji, seq) {
            room.react(seq, emoji.trim());
        }
    };
    let on_close = move |_| {
        let Some(seq) = palette.get_untracked() else { return };
        palette.set(None);
        give_focus_to(room, seq);
    };
    view! {
        <dialog class="palette" aria-label="Reactions" node_ref=dialog on:click=on_click on:close=on_close>
            <div class="emoji">
                {QUICK_EMOJI.map(|emoji| view! { <button type="button">{emoji}</button> })}
            </div>
            <div class="palette-more"><button class="button-quiet" type="button" data-palette="">"All emoji"</button></div>
        </dialog>
    }
}
