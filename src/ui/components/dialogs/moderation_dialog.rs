//! The owner's dialog about somebody in the room: mute and ban. Everything else is in the room's settings.

use super::modal::use_modal;
use crate::domain::moderation::ModerationAction;
use crate::ui::browser::dom;
use crate::ui::components::common::derived::{text, when};
use crate::ui::room::RoomState;
use crate::ui::room::dialogs::ModerationTarget;
use leptos::prelude::*;
use web_sys::MouseEvent;

/// The dialog. The buttons are static: `data-choice` holds an action and its duration in seconds, or nothing to close the
/// dialog. One listener handles all of them.
#[component]
pub(crate) fn ModerationDialog() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let moderating = room.dialogs.moderating;
    let dialog = use_modal(when(move || moderating.get().is_some()));
    let title = text(move || match moderating.get() {
        Some(ModerationTarget::AuthorOf(seq)) => room
            .timeline
            .with(|timeline| timeline.message(seq).map(|message| message.username.to_string()))
            .unwrap_or_default(),
        Some(ModerationTarget::Participant(participant)) => participant.username.to_string(),
        None => String::new(),
    });
    let on_click = move |event: MouseEvent| {
        let Some(button) = dom::closest(&event, "[data-choice]") else { return };
        let choice = button.get_attribute("data-choice").unwrap_or_default();
        let (action, seconds) = choice.split_once(' ').unwrap_or((&choice, "0"));
        match ModerationAction::from_name(action) {
            ModerationAction::Other => _ = room.close_moderation(),
            action => room.moderate(action, seconds.parse().unwrap_or_default()),
        }
    };
    view! {
        <dialog
            class="dialog moderation"
            aria-labelledby="moderation-title"
            node_ref=dialog
            on:click=on_click
            on:close=move |_| _ = room.close_moderation()
        >
            <h2 id="moderation-title" dir="auto">{title}</h2>
            <div class="moderation-choices">
                <button class="button-quiet" data-choice="mute 600">"Mute for 10 minutes"</button>
                <button class="button-quiet" data-choice="mute 86400">"Mute for a day"</button>
                <button class="button-quiet" data-choice="ban 86400">"Ban for a day"</button>
                <button class="button-quiet" data-choice="ban 2592000">"Ban for 30 days"</button>
                <button class="button-quiet" data-choice="pardon">"Unmute, lift the ban"</button>
            </div>
            <p class="dialog-choices">
                <button class="button-quiet" data-choice="">"Close"</button>
            </p>
        </dialog>
    }
}
