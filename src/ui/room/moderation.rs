//! Moderation: ownership and rules of the room, and the owner's actions.

use super::dialogs::{ModerationRequest, ModerationTarget};
use super::outbox::OutboxCommand;
use super::state::RoomState;
use super::timeline::Timeline;
use crate::api::open_room;
use crate::domain::history::Ownership;
use crate::domain::moderation::{Moderation, ModerationAction};
use crate::domain::{Event, EventBody, Message, Participant, Seq};
use crate::ui::browser::clock;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::time::Duration;

/// Pins a message, or takes off its pin.
pub(super) fn pin(room: RoomState, seq: Seq, pins: bool) {
    let action = if pins { ModerationAction::Pin } else { ModerationAction::Unpin };
    room.send_moderation(ModerationRequest { action, target: Some(seq), tag: None, seconds: 0 }, None);
}

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
            // The button that opened the dialog is in a menu that is closed.
            request_animation_frame(move || self.scroll.focus_message(seq));
        }
        Some(target)
    }

    /// Takes an action on the subject of the moderation dialog, for `seconds` if it expires, and closes the dialog.
    pub(crate) fn moderate(self, action: ModerationAction, seconds: u32) {
        let (target, tag, subject) = match self.close_moderation() {
            Some(ModerationTarget::AuthorOf(seq)) => (Some(seq), None, self.author_of(seq)),
            Some(ModerationTarget::Participant(participant)) => {
                // Whoever has to go leaves a list in which the keyboard no longer is.
                request_animation_frame(move || self.editing.focus_on_desktop());
                (None, Some(participant.tag.clone()), Some(participant))
            }
            None => (None, None, None),
        };
        self.send_moderation(ModerationRequest { action, target, tag, seconds }, subject);
    }

    /// Takes back the last action.
    pub(crate) fn undo_moderation(self) {
        if let Some(request) = self.undo.get_value() {
            self.undo_notice.set(String::new());
            let subject = request.target.and_then(|seq| self.author_of(seq));
            self.send_moderation(request, subject);
        }
    }

    fn send_moderation(self, request: ModerationRequest, subject: Option<Participant>) {
        let ModerationRequest { action, target, tag, seconds } = request;
        let text = Moderation { subject, seconds: Some(seconds), ..Moderation::new(action) }.sentence(clock::local_end);
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

    /// Ends the visitor's mute, as the page shows it, when its time is over.
    pub(super) fn watch_mute(self) {
        if let Some(until) = self.page.with_untracked(|page| page.muted_until) {
            let end = move || {
                if self.page.with_untracked(|page| page.muted_until == Some(until)) {
                    self.page.update(|page| page.muted_until = None);
                }
            };
            // A browser waits at most 2^31 ms, and not at all for longer.
            let remaining = (until.0 as f64 - clock::now()).clamp(0.0, f64::from(i32::MAX));
            set_timeout(end, Duration::from_millis(remaining as u64));
        }
    }

    /// Returns the action that takes this one back, if there is one.
    fn inverse(self, moderation: &Moderation) -> Option<ModerationRequest> {
        if !matches!(moderation.action, ModerationAction::Mute | ModerationAction::Ban) {
            return None;
        }
        let tag = moderation.subject.as_ref().map(|subject| subject.tag.clone());
        // A guest who has left is known by a message only.
        let wrote =
            |timeline: &Timeline| timeline.messages().rev().find(|it| Some(&it.tag) == tag.as_ref()).map(|it| it.seq);
        let target = self.timeline.with_untracked(wrote);
        let tag = tag.filter(|_| target.is_none());
        Some(ModerationRequest { action: ModerationAction::Pardon, tag, target, seconds: 0 })
    }

    /// Updates ownership and rules of the room after an event, and shows moderation events to the visitor.
    pub(super) fn apply_moderation(self, event: &Event) {
        let before = self.page.with_untracked(|page| page.ownership);
        let new_owner = match &event.body {
            EventBody::Message { tag, .. } if before == Ownership::Unowned => Some(tag),
            EventBody::Moderated(Moderation { action: ModerationAction::HandOver, subject, .. }) => {
                subject.as_ref().map(|subject| &subject.tag)
            }
            _ => None,
        };
        if let EventBody::Moderated(moderation) = &event.body {
            let notice = moderation.sentence(clock::local_end);
            self.notice.set(notice.clone());
            self.event_notice.set(notice.clone());
            let inverse = self.inverse(moderation);
            let can_undo = before == Ownership::Own && inverse.is_some();
            self.undo_notice.set(if can_undo { notice } else { String::new() });
            self.undo.set_value(inverse);
            let is_own = moderation.subject.as_ref().is_some_and(|subject| self.is_own(&subject.tag));
            self.page.update(|page| match moderation.action {
                ModerationAction::Lock | ModerationAction::Unlock => {
                    page.locked = moderation.action == ModerationAction::Lock;
                }
                ModerationAction::Title | ModerationAction::Topic => {
                    // Without a text if another has replaced it, whose event follows.
                    if let Some(text) = moderation.text.clone() {
                        let shown = Some(text).filter(|text| !text.is_empty());
                        match moderation.action {
                            ModerationAction::Title => page.title = shown,
                            _ => page.topic = shown,
                        }
                    }
                }
                ModerationAction::SlowMode => page.slow_mode = moderation.seconds.filter(|seconds| *seconds > 0),
                // The end of a mute; a pardon and a new owner have none.
                _ if is_own => page.muted_until = moderation.until,
                _ => {}
            });
            self.watch_mute();
            if matches!(moderation.action, ModerationAction::Renew | ModerationAction::Remove) && !is_own {
                self.request_invitation();
            }
        }
        if let Some(tag) = new_owner {
            let ownership = if self.is_own(tag) { Ownership::Own } else { Ownership::Other };
            self.page.update(|page| {
                page.owner = Some(tag.clone());
                page.ownership = ownership;
            });
        }
    }
}
