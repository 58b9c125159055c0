//! What the owner of a room can do about it, and about somebody in it.

use super::dialog::shown_while;
use super::room_state::RoomState;
use crate::api::open_room;
use crate::domain::moderation::Action;
use crate::domain::page::Ownership;
use crate::domain::{Event, EventBody, Participant, Seq};
use crate::protocol::ClientFrame;
use crate::ui::browser;
use crate::ui::live::ConnectionStatus;
use leptos::prelude::*;
use leptos::task::spawn_local;

const DAY: u32 = 24 * 60 * 60;

/// What can be done about somebody.
const ABOUT_SOMEBODY: [(&str, Action, u32); 6] = [
    ("Mute for 10 minutes", Action::Mute, 600),
    ("Mute for a day", Action::Mute, DAY),
    ("Ban for a day", Action::Ban, DAY),
    ("Ban for 30 days", Action::Ban, 30 * DAY),
    ("Let them talk again", Action::Pardon, 0),
    ("Hand the room over", Action::HandOver, 0),
];

/// What can be done about the room.
const ABOUT_THE_ROOM: [(&str, Action, u32); 5] = [
    ("Lock: nobody else comes in", Action::Lock, 0),
    ("Unlock: others may come in", Action::Unlock, 0),
    ("Slow: a message every 10 seconds", Action::SlowMode, 10),
    ("Slow: a message every minute", Action::SlowMode, 60),
    ("No slow mode", Action::SlowMode, 0),
];

/// What else can be done in a private room: about somebody, and about the room.
const REMOVE: [(&str, Action, u32); 1] = [("Remove from the room", Action::Remove, 0)];
const RENEW: [(&str, Action, u32); 1] = [("Renew the invitation: the link so far ends", Action::Renew, 0)];

/// What the dialog is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Concern {
    TheRoom,
    /// Whoever wrote this message.
    AuthorOf(Seq),
    /// Somebody who is here.
    Somebody(Participant),
}

#[component]
pub(super) fn ModerationDialog() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let dialog = shown_while(Signal::derive(move || room.moderating.get().is_some()));
    let title = move || match room.moderating.get() {
        Some(Concern::AuthorOf(seq)) => {
            let author = room.timeline.with(|it| it.message(seq).map(|message| message.username.to_string()));
            author.unwrap_or_default()
        }
        Some(Concern::Somebody(participant)) => participant.username.to_string(),
        _ => room.title.get(),
    };
    let is_personal = Signal::derive(move || room.moderating.get().is_some_and(|it| it != Concern::TheRoom));
    let is_private = Signal::derive(move || room.page.with(|page| page.room.is_private()));
    let choices = |shown: Signal<bool>, choices: &'static [(&'static str, Action, u32)]| {
        let button = move |&(label, action, seconds)| {
            view! { <button class="button-quiet" on:click=move |_| room.moderate(action, seconds)>{label}</button> }
        };
        view! { <p class="moderation-choices" class:shown=shown>{choices.iter().map(button).collect::<Vec<_>>()}</p> }
    };
    view! {
        <dialog
            class="dialog moderation"
            aria-labelledby="moderation-title"
            node_ref=dialog
            on:close=move |_| _ = room.stop_moderating()
        >
            <h2 id="moderation-title" dir="auto">{Signal::derive(title)}</h2>
            {choices(is_personal, &ABOUT_SOMEBODY)}
            {choices(Signal::derive(move || is_personal.get() && is_private.get()), &REMOVE)}
            {choices(Signal::derive(move || !is_personal.get()), &ABOUT_THE_ROOM)}
            {choices(Signal::derive(move || !is_personal.get() && is_private.get()), &RENEW)}
            <p class="dialog-choices">
                <button class="button" on:click=move |_| _ = room.stop_moderating()>"Close"</button>
            </p>
        </dialog>
    }
}

impl RoomState {
    /// Whether the visitor owns the room.
    pub(super) fn is_owner(self) -> bool {
        self.page.with(|page| page.ownership == Ownership::Yours)
    }

    /// The invitation itself is not in the log, which those read too who were removed.
    fn ask_for_invitation(self) {
        let name = self.name();
        spawn_local(async move {
            if let Ok(page) = open_room(name.to_string(), None, None).await
                && name == self.name()
            {
                self.page.update(|it| it.invitation = page.invitation);
            }
        });
    }

    /// Closes the dialog. Returns what it was about.
    fn stop_moderating(self) -> Option<Concern> {
        let concern = self.moderating.get_untracked()?;
        self.moderating.set(None);
        if let Concern::AuthorOf(seq) = concern {
            // The button that led here is gone by then, because nothing points at its message.
            request_animation_frame(move || browser::focus(&format!("#m{seq} .message-time")));
        }
        Some(concern)
    }

    fn moderate(self, action: Action, seconds: u32) {
        let (target, tag) = match self.stop_moderating() {
            Some(Concern::AuthorOf(seq)) => (Some(seq), None),
            Some(Concern::Somebody(participant)) => (None, Some(participant.tag)),
            _ => (None, None),
        };
        if self.status.get_untracked() != ConnectionStatus::Live {
            return self.notice.set("Nothing was done: there is no connection just now.".to_owned());
        }
        let id = Some(browser::new_id().as_str().to_owned());
        self.send(ClientFrame::Moderate { id, action, target, tag, seconds: Some(seconds) });
    }

    /// What an event means for whose the room is, and what everybody is told of it.
    pub(super) fn hear_of_ownership(self, event: &Event) {
        let before = self.page.with_untracked(|page| page.ownership);
        let of = |tag| if self.is_own(tag) { Ownership::Yours } else { Ownership::Anothers };
        let now = match &event.body {
            EventBody::Message { tag, .. } if before == Ownership::Nobodys => of(tag),
            EventBody::Moderated(moderation) => {
                self.notice.set(moderation.to_string());
                let is_oneself = moderation.subject.as_ref().is_some_and(|subject| self.is_own(&subject.tag));
                if matches!(moderation.action, Action::Renew | Action::Remove) && !is_oneself {
                    self.ask_for_invitation();
                }
                match (moderation.action, &moderation.subject) {
                    (Action::HandOver, Some(heir)) => of(&heir.tag),
                    _ => before,
                }
            }
            _ => before,
        };
        if now != before {
            self.page.update(|page| page.ownership = now);
        }
    }
}
