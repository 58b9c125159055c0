//! Moderation: ownership of the room and the owner's actions.

use super::dialogs::ModerationTarget;
use super::outbox::OutboxCommand;
use super::state::RoomState;
use crate::api::open_room;
use crate::domain::history::Ownership;
use crate::domain::moderation::{Moderation, ModerationAction};
use crate::domain::{Event, EventBody, Message, Participant, Seq};
use leptos::prelude::*;
use leptos::task::spawn_local;

impl RoomState {
    /// Returns whether the visitor owns the room.
    pub(crate) fn is_owner(self) -> bool {
        self.page.with(|page| page.ownership == Ownership::Own)
    }

    /// Requests the current invitation link. It is not in the log, which former members can read too.
    fn request_invitation(self) {
        let (name, visit) = (self.name(), self.visit.latest());
        spawn_local(async move {
            if let Ok(response) = open_room(name.as_str(), None).await
                && self.visit.is_latest(visit)
            {
                self.page.update(|page| page.invitation = response.invitation);
            }
        });
    }

    /// Closes the moderation dialog. Returns its subject, or `None` if it was not open.
    pub(crate) fn close_moderation(self) -> Option<ModerationTarget> {
        let target = self.dialogs.moderating.get_untracked()?;
        self.dialogs.moderating.set(None);
        if let ModerationTarget::AuthorOf(seq) = target {
            // The button that opened the dialog is hidden by then: it shows only while its message is pointed at.
            request_animation_frame(move || self.scroll.focus_message(seq));
        }
        Some(target)
    }

    /// Takes an action on the subject of the moderation dialog, for `seconds` if it expires, and closes the dialog.
    pub(crate) fn moderate(self, action: ModerationAction, seconds: u32) {
        let (target, tag, subject) = match self.close_moderation() {
            Some(ModerationTarget::AuthorOf(seq)) => (Some(seq), None, self.author_of(seq)),
            Some(ModerationTarget::Participant(participant)) => {
                (None, Some(participant.tag.clone()), Some(participant))
            }
            _ => (None, None, None),
        };
        let text = Moderation { action, subject, until: None, seconds: Some(seconds) }.to_string();
        if !self.connection.is_live() {
            self.notice.set("That waits until you’re connected again.".to_owned());
        }
        self.submit(OutboxCommand::Moderate { action, target, tag, seconds, text });
    }

    fn author_of(self, seq: Seq) -> Option<Participant> {
        self.timeline.with_untracked(|timeline| {
            let Message { username, tag, .. } = timeline.message(seq)?.clone();
            Some(Participant { username, tag })
        })
    }

    /// Updates the ownership of the room after an event, and shows moderation events to the visitor.
    pub(super) fn apply_ownership(self, event: &Event) {
        let before = self.page.with_untracked(|page| page.ownership);
        let of = |tag| if self.is_own(tag) { Ownership::Own } else { Ownership::Other };
        let now = match &event.body {
            EventBody::Message { tag, .. } if before == Ownership::Unowned => of(tag),
            EventBody::Moderated(moderation) => {
                self.notice.set(moderation.to_string());
                let is_own = moderation.subject.as_ref().is_some_and(|subject| self.is_own(&subject.tag));
                if matches!(moderation.action, ModerationAction::Renew | ModerationAction::Remove) && !is_own {
                    self.request_invitation();
                }
                match (moderation.action, &moderation.subject) {
                    (ModerationAction::HandOver, Some(new_owner)) => of(&new_owner.tag),
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
