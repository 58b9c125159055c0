//! The palette of reactions: six quick emoji at once, and all of them as soon as `public/palette.js` has loaded them.

use super::message_menu::place_beside;
use super::modal::use_modal;
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
    let dialog = use_modal(when(move || palette.get().is_some()));
    Effect::new(move || {
        let Some(dialog) = dialog.get().filter(|_| palette.get().is_some()) else { return };
        // It has a size only once it is open. If `use_modal` has opened it, this does nothing.
        let _ = dialog.show_modal();
        if let Some(button) = dom::find(".toolbar [data-action=palette]") {
            place_beside(&dialog, dom::edges(&button));
        }
        if let Some(all) = dom::find("[data-palette]") {
            all.unchecked_into::<HtmlElement>().click();
        }
    });
    let on_click = move |event: MouseEvent| {
        let emoji = dom::closest(&event, ".emoji button").and_then(|button| button.text_content());
        let is_beside = dom::closest(&event, "dialog > *").is_none();
        let seq = palette.get_untracked();
        if let Some(dialog) = dialog.get_untracked().filter(|_| is_beside || emoji.is_some()) {
            dialog.close();
        }
        if let (Some(emoji), Some(seq)) = (emoji, seq) {
            room.react(seq, emoji.trim());
        }
    };
    let on_close = move |_| {
        let Some(seq) = palette.get_untracked() else { return };
        palette.set(None);
        request_animation_frame(move || {
            if dom::focused().is_none_or(|focused| focused.matches("body").unwrap_or(true)) {
                room.scroll.focus_message(seq);
            }
        });
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
