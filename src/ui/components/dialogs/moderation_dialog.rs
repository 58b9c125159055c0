//! The owner's dialog: actions on a participant, and the settings of the room.

use super::modal::use_modal;
use crate::domain::moderation::ModerationAction;
use crate::ui::browser::dom;
use crate::ui::components::common::derived::{text, when};
use crate::ui::room::RoomState;
use crate::ui::room::dialogs::ModerationTarget;
use leptos::prelude::*;
use web_sys::MouseEvent;

/// The dialog. The buttons are static: `data-choice` holds an action and its duration in seconds, or nothing to close the
/// dialog. One listener handles all of them; `moderation_dialog.css` shows those that fit the subject.
#[component]
pub(crate) fn ModerationDialog() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let moderating = room.dialogs.moderating;
    let dialog = use_modal(when(move || moderating.get().is_some()));
    // The choice that waits for a confirmation, and its label; empty if none does.
    let asked = RwSignal::new(String::new());
    let asked_label = RwSignal::new(String::new());
    let is_asked = when(move || !asked.with(String::is_empty));
    let title = text(move || {
        let name = match moderating.get() {
            Some(ModerationTarget::AuthorOf(seq)) => room
                .timeline
                .with(|timeline| timeline.message(seq).map(|message| message.username.to_string()))
                .unwrap_or_default(),
            Some(ModerationTarget::Participant(participant)) => participant.username.to_string(),
            _ => room.title.get(),
        };
        if is_asked.get() { format!("{}: {name}?", asked_label.get()) } else { name }
    });
    let is_participant = when(move || moderating.get().is_some_and(|target| target != ModerationTarget::Room));
    let is_private = when(move || room.page.with(|page| page.room.is_private()));
    let on_click = move |event: MouseEvent| {
        let Some(button) = dom::closest(&event, "[data-choice]") else { return };
        let choice = button.get_attribute("data-choice").unwrap_or_default();
        let (action, seconds) = choice.split_once(' ').unwrap_or((&choice, "0"));
        let action = ModerationAction::from_name(action);
        if action == ModerationAction::Other {
            room.close_moderation();
        } else if action.is_final() && asked.with_untracked(String::is_empty) {
            asked_label.set(button.text_content().unwrap_or_default());
            asked.set(choice);
            dom::find(".moderation .dialog-choices button").into_iter().for_each(dom::focus);
        } else {
            room.moderate(action, seconds.parse().unwrap_or_default());
        }
    };
    let on_close = move |_| {
        asked.set(String::new());
        room.close_moderation();
    };
    view! {
        <dialog
            class="dialog moderation"
            class:is-participant=is_participant
            class:is-private=is_private
            class:is-asked=is_asked
            aria-labelledby="moderation-title"
            node_ref=dialog
            on:click=on_click
            on:close=on_close
        >
            <h2 id="moderation-title" dir="auto">{title}</h2>
            <div class="moderation-choices">
                <div class="of-participant">
                    <button class="button-quiet" data-choice="mute 600">"Mute for 10 minutes"</button>
                    <button class="button-quiet" data-choice="mute 86400">"Mute for a day"</button>
                    <button class="button-quiet" data-choice="ban 86400">"Ban for a day"</button>
                    <button class="button-quiet" data-choice="ban 2592000">"Ban for 30 days"</button>
                    <button class="button-quiet" data-choice="pardon">"Unmute, or lift the ban"</button>
                    <button class="button-quiet" data-choice="hand_over">"Hand the room over"</button>
                    <button class="button-quiet if-private" data-choice="remove">"Remove from the room"</button>
                </div>
                <div class="of-room">
                    <button class="button-quiet" data-choice="lock">"Who may come in: nobody new"</button>
                    <button class="button-quiet" data-choice="unlock">"Who may come in: anyone with the link"</button>
                    <button class="button-quiet" data-choice="slow_mode 10">"Slow mode: 10 seconds"</button>
                    <button class="button-quiet" data-choice="slow_mode 60">"Slow mode: a minute"</button>
                    <button class="button-quiet" data-choice="slow_mode 0">"Slow mode: off"</button>
                    <button class="button-quiet if-private" data-choice="renew">"Make a new link"</button>
                </div>
            </div>
            <p class="moderation-question">"You can’t undo this."</p>
            <p class="dialog-choices">
                <button class="button-quiet" data-choice="">
                    {text(move || if is_asked.get() { "Cancel" } else { "Close" })}
                </button>
                <button class="button" data-choice=asked>
                    {asked_label}
                </button>
            </p>
        </dialog>
    }
}
