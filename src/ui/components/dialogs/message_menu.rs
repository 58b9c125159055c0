//! The menu of a message: a list beside its toolbar, or on touch screens a sheet from below.

use super::modal::{close_after, give_focus_to, on_open, use_modal};
use crate::domain::Username;
use crate::domain::emoji::QUICK_EMOJI;
use crate::ui::browser::dom;
use crate::ui::components::common::derived::{text, when};
use crate::ui::components::common::icon::{Icon, Symbol};
use crate::ui::room::RoomState;
use crate::ui::room::timeline::Timeline;
use leptos::prelude::*;
use web_sys::{HtmlElement, KeyboardEvent, MouseEvent};

/// The menu. Its buttons are static: each names its action in `data-action`, and those that the visitor may not use are
/// hidden.
#[component]
pub(crate) fn MessageMenu() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let menu = room.dialogs.menu;
    let is_open = when(move || menu.get().is_some());
    let dialog = use_modal(is_open);
    on_open(dialog, is_open, place);
    let is_own = when(move || menu.get().is_some_and(|seq| room.has_own(seq)));
    let can_moderate = when(move || room.is_owner() && !is_own.get());
    let is_owner = when(move || room.is_owner());
    let pin_label = text(move || {
        let is_pinned = |timeline: &Timeline| timeline.message(menu.get()?).map(|message| message.pinned);
        if room.timeline.with(is_pinned) == Some(true) { "Unpin" } else { "Pin" }
    });
    let can_remove = when(move || is_own.get() || can_moderate.get());
    let author = move || {
        let message = |timeline: &Timeline| Some(timeline.message(menu.get()?)?.username.clone());
        room.timeline.with(message).unwrap_or_else(Username::anonymous)
    };
    let on_click = move |event: MouseEvent| {
        let seq = menu.get_untracked();
        let button = dom::closest(&event, "[data-action]");
        let emoji = button.as_ref().and_then(|button| button.get_attribute("data-emoji"));
        let action = button.and_then(|button| button.get_attribute("data-action"));
        close_after(&event, dialog, action.is_some());
        match (action, emoji, seq) {
            (Some(_), Some(emoji), Some(seq)) => room.react(seq, &emoji),
            (Some(action), None, Some(seq)) => room.act_on_message(&action, seq),
            _ => {}
        }
    };
    let on_close = move |_| {
        let Some(seq) = menu.get_untracked() else { return };
        menu.set(None);
        give_focus_to(room, seq);
    };
    view! {
        <dialog
            class="menu"
            aria-label="This message"
            node_ref=dialog
            on:click=on_click
            on:keydown=on_key
            on:close=on_close
        >
            <ul>
                // On touch screens.
                <li class="quick-emoji">
                    {QUICK_EMOJI.into_iter().take(5).map(|emoji| view! { <button class="option" data-action="react" data-emoji=emoji>{emoji}</button> }).collect_view()}
                    <button class="option" data-action="palette" aria-label="More emoji"><Icon symbol=Symbol::Plus /></button>
                </li>
                <li class="without-lane"><button class="option" data-action="reply"><Icon symbol=Symbol::Reply />"Reply"</button></li>
                <li class="without-lane pointed-only"><button class="option" data-action="palette"><Icon symbol=Symbol::React />"Add a reaction"</button></li>
                <li><button class="option" data-action="copy-text"><Icon symbol=Symbol::Copy />"Copy the text"</button></li>
                <li><button class="option" data-action="copy-link"><Icon symbol=Symbol::Link />"Copy the link"</button></li>
                <li class="hidden-option" class:is-visible=when(move || !is_own.get())>
                    <button class="option" data-action="unread"><Icon symbol=Symbol::Unread />"Mark as unread"</button>
                </li>
                <li class="hidden-option" class:is-visible=is_owner>
                    <button class="option" data-action="pin"><Icon symbol=Symbol::Pin />{pin_label}</button>
                </li>
                <li class="hidden-option" class:is-visible=is_own>
                    <button class="option" data-action="edit"><Icon symbol=Symbol::Edit />"Edit"</button>
                </li>
                <li class="hidden-option begins-part" class:is-visible=can_moderate>
                    <button class="option" data-action="mute"><Icon symbol=Symbol::Mute />{text(move || format!("Mute {}…", author()))}</button>
                </li>
                <li class="hidden-option" class:is-visible=can_moderate>
                    <button class="option" data-action="ban"><Icon symbol=Symbol::Ban />{text(move || format!("Ban {}…", author()))}</button>
                </li>
                <li class="hidden-option" class:is-visible=can_remove>
                    <button class="option danger" data-action="delete"><Icon symbol=Symbol::Remove />"Remove"</button>
                </li>
            </ul>
        </dialog>
    }
}

/// Places the menu below the button that has opened it, or above it if there is no room. A sheet has its place from its
/// style.
fn place(dialog: &HtmlElement) {
    let Some(button) = dom::find(".toolbar [data-action=more]") else { return };
    place_beside(dialog, dom::edges(&button));
}

/// Places a menu beside a button with these edges, as [`dom::edges`] returns them.
pub(super) fn place_beside(dialog: &HtmlElement, (right, upper, lower): (f64, f64, f64)) {
    let menu = dialog.get_bounding_client_rect();
    let (width, height) = dom::window_size();
    let below = lower + 4.0;
    let top = if below + menu.height() < height { below } else { (upper - menu.height() - 4.0).max(4.0) };
    let left = (right - menu.width()).clamp(4.0, (width - menu.width() - 4.0).max(4.0));
    let style = dialog.style();
    // Whole pixels: the module has no formatting of fractions.
    let _ = style.set_property("--x", &format!("{}px", left as i32));
    let _ = style.set_property("--y", &format!("{}px", top as i32));
}

/// Moves the focus between the options of the menu by the arrow keys.
pub(super) fn on_key(event: KeyboardEvent) {
    let is_down = match event.key().as_str() {
        "ArrowDown" => true,
        "ArrowUp" => false,
        _ => return,
    };
    event.prevent_default();
    let mut item = dom::closest(&event, "li");
    while let Some(current) = item {
        item = if is_down { current.next_element_sibling() } else { current.previous_element_sibling() };
        if let Some(shown) = item.as_ref().filter(|item| dom::is_shown(item)) {
            return shown.first_element_child().map(dom::focus).unwrap_or_default();
        }
    }
}
