//! The owner's dialog: actions on a participant, and the settings of the room.

use super::modal::use_modal;
use crate::domain::moderation::ModerationAction;
use crate::ui::browser::dom;
use crate::ui::components::common::derived::{text, when};
use crate::ui::room::RoomState;
use crate::ui::room::dialogs::ModerationTarget;
use leptos::prelude::*;

/// Length of a day, in seconds.
const DAY_SECONDS: u32 = 24 * 60 * 60;

/// A button: its label, its action, and the duration in seconds, 0 for none.
type ModerationChoice = (&'static str, ModerationAction, u32);

/// Actions on a participant.
const PARTICIPANT_CHOICES: [ModerationChoice; 6] = [
    ("Mute for 10 minutes", ModerationAction::Mute, 600),
    ("Mute for a day", ModerationAction::Mute, DAY_SECONDS),
    ("Ban for a day", ModerationAction::Ban, DAY_SECONDS),
    ("Ban for 30 days", ModerationAction::Ban, 30 * DAY_SECONDS),
    ("Unmute, or lift the ban", ModerationAction::Pardon, 0),
    ("Hand the room over", ModerationAction::HandOver, 0),
];

/// Settings of the room.
const ROOM_CHOICES: [ModerationChoice; 5] = [
    ("Who may come in: nobody new", ModerationAction::Lock, 0),
    ("Who may come in: anyone with the link", ModerationAction::Unlock, 0),
    ("Slow mode: 10 seconds", ModerationAction::SlowMode, 10),
    ("Slow mode: a minute", ModerationAction::SlowMode, 60),
    ("Slow mode: off", ModerationAction::SlowMode, 0),
];

/// Actions on a member of a private room.
const MEMBER_CHOICES: [ModerationChoice; 1] = [("Remove from the room", ModerationAction::Remove, 0)];

/// Settings of a private room.
const INVITATION_CHOICES: [ModerationChoice; 1] = [("Make a new link", ModerationAction::Renew, 0)];

#[component]
pub(crate) fn ModerationDialog() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let moderating = room.dialogs.moderating;
    let dialog = use_modal(when(move || moderating.get().is_some()));
    // The label of the action that waits for a confirmation; empty if none does.
    let asked = RwSignal::new(String::new());
    let is_asked = when(move || asked.with(|label| !label.is_empty()));
    let title = text(move || {
        let name = match moderating.get() {
            Some(ModerationTarget::AuthorOf(seq)) => room
                .timeline
                .with(|timeline| timeline.message(seq).map(|message| message.username.to_string()))
                .unwrap_or_default(),
            Some(ModerationTarget::Participant(participant)) => participant.username.to_string(),
            _ => room.title.get(),
        };
        if is_asked.get() { format!("{}: {name}?", asked.get()) } else { name }
    });
    let is_participant = when(move || moderating.get().is_some_and(|target| target != ModerationTarget::Room));
    let is_private = when(move || room.page.with(|page| page.room.is_private()));
    let choose = move |choice: ModerationChoice| {
        let (label, action, seconds) = choice;
        if action.is_final() && !is_asked.get_untracked() {
            asked.set(label.to_owned());
            dom::find(".moderation .dialog-choices button").into_iter().for_each(dom::focus);
        } else {
            room.moderate(action, seconds);
        }
    };
    let confirm = move |_| {
        let all = PARTICIPANT_CHOICES.iter().chain(&MEMBER_CHOICES).chain(&INVITATION_CHOICES);
        all.filter(|choice| asked.with_untracked(|label| label == choice.0)).for_each(|choice| choose(*choice));
    };
    let choices = |is_visible: Signal<bool>, choices: &'static [ModerationChoice]| {
        let button = move |choice: &'static ModerationChoice| {
            view! { <button class="button-quiet" on:click=move |_| choose(*choice)>{choice.0}</button> }
        };
        let is_visible = when(move || is_visible.get() && !is_asked.get());
        view! { <p class="moderation-choices" class:is-visible=is_visible>{choices.iter().map(button).collect::<Vec<_>>()}</p> }
    };
    view! {
        <dialog
            class="dialog moderation"
            aria-labelledby="moderation-title"
            node_ref=dialog
            on:close=move |_| {
                asked.set(String::new());
                room.close_moderation();
            }
        >
            <h2 id="moderation-title" dir="auto">{title}</h2>
            {choices(is_participant, &PARTICIPANT_CHOICES)}
            {choices(when(move || is_participant.get() && is_private.get()), &MEMBER_CHOICES)}
            {choices(when(move || !is_participant.get()), &ROOM_CHOICES)}
            {choices(when(move || !is_participant.get() && is_private.get()), &INVITATION_CHOICES)}
            <p class="moderation-question" class:is-visible=is_asked>"You can’t undo this."</p>
            <p class="dialog-choices">
                <button class="button-quiet" on:click=move |_| _ = room.close_moderation()>
                    {text(move || if is_asked.get() { "Cancel" } else { "Close" })}
                </button>
                <button class="button" class:is-visible=is_asked on:click=confirm>
                    {asked}
                </button>
            </p>
        </dialog>
    }
}
