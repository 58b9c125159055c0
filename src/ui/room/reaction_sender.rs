//! The visitor's reactions: shown at once, sent until they are answered, and counted once.

use super::moderation;
use super::reacting::PendingReaction;
use super::state::RoomState;
use super::timeline::Timeline;
use super::timeline::reactions::toggle;
use crate::api::{load_pin, load_reactions, load_reactors};
use crate::domain::{Emoji, EventBody, EventId, ReactionCount, Seq};
use crate::protocol::ClientFrame;
use crate::ui::browser::random;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::time::Duration;
use web_sys::Element;

/// Maximum number of reactions that are not answered yet.
const MAX_PENDING_REACTIONS: usize = 50;

/// Delay before the reactions are read, for further events that ask for it.
const READ_DELAY: Duration = Duration::from_millis(100);

impl RoomState {
    /// Returns the reactions to a message as the visitor sees them: with those that are not answered yet.
    pub(crate) fn shown_reactions(self, seq: Seq) -> Vec<ReactionCount> {
        let mut counts = self.timeline.with(|timeline| timeline.reactions(seq));
        self.reacting.pending.with(|pending| {
            for reaction in pending.iter().filter(|it| it.target == seq && self.visit.is_latest(it.visit)) {
                let is_on = counts.iter().any(|it| it.own && it.emoji == reaction.emoji);
                if is_on != reaction.on {
                    toggle(&mut counts, &reaction.emoji, reaction.on, true);
                }
            }
        });
        counts
    }

    /// Reacts to a message with an emoji, or takes the reaction back.
    pub(crate) fn react(self, target: Seq, emoji: &str) {
        if self.reacting.pending.with_untracked(Vec::len) >= MAX_PENDING_REACTIONS {
            return self.notice.set("Your reactions wait until you’re connected again.".to_owned());
        }
        let emoji = Emoji::from_trusted(emoji.to_owned());
        let shown = untrack(|| self.shown_reactions(target));
        let on = !shown.iter().any(|it| it.own && it.emoji == emoji);
        let reaction = PendingReaction { visit: self.visit.latest(), id: random::event_id(), target, emoji, on };
        self.send_reaction(&reaction);
        self.reacting.pending.update(|pending| pending.push(reaction));
    }

    fn send_reaction(self, PendingReaction { id, target, emoji, on, .. }: &PendingReaction) {
        let (id, emoji) = (Some(id.as_str().to_owned()), emoji.as_str().to_owned());
        self.connection.send(ClientFrame::React { id, target: *target, emoji, on: *on }.encode());
    }

    /// Sends the reactions that are not answered again, after a new connection: an id counts once.
    pub(super) fn resend_reactions(self) {
        // Those of a room that was left are void.
        self.reacting.pending.update(|pending| pending.retain(|it| self.visit.is_latest(it.visit)));
        self.reacting.pending.with_untracked(|pending| pending.iter().for_each(|it| self.send_reaction(it)));
        self.refresh_reactions();
    }

    /// Ends a reaction that was answered.
    pub(super) fn settle_reaction(self, id: &EventId) {
        if self.reacting.pending.with_untracked(|pending| pending.iter().any(|it| it.id == *id)) {
            self.reacting.pending.update(|pending| pending.retain(|it| it.id != *id));
        }
    }

    /// Reads the reactions to the loaded messages anew, with the visitor's own.
    pub(super) fn refresh_reactions(self) {
        if self.timeline.with_untracked(Timeline::has_reactions) {
            self.read_reactions();
        }
    }

    /// Reads the reactions to the loaded messages, once for all events that ask for it.
    pub(super) fn read_reactions(self) {
        if !self.reacting.is_reading.get_value() {
            self.reacting.is_reading.set_value(true);
            set_timeout(move || self.read_reactions_now(), READ_DELAY);
        }
    }

    fn read_reactions_now(self) {
        self.reacting.is_reading.set_value(false);
        let visit = self.visit.latest();
        let Some(range) = self.timeline.with_untracked(|timeline| timeline.first().zip(timeline.last())) else {
            return;
        };
        spawn_local(async move {
            let page = load_reactions(self.name().as_str(), range).await;
            if let Ok(page) = page
                && self.visit.is_latest(visit)
            {
                self.timeline.update_untracked(|timeline| timeline.set_reactions(range, page));
                self.schedule_redraw();
            }
        });
    }

    /// Returns whether an event changes the latest pin, or its text.
    pub(super) fn changes_pin(self, body: &EventBody) -> bool {
        let is_pinned = |seq: Seq| self.page.with_untracked(|page| page.pin.as_ref().is_some_and(|pin| pin.seq == seq));
        match body {
            EventBody::Moderated(moderation) => moderation.action.has_message(),
            EventBody::Edited { target, .. } | EventBody::Deleted { target } => is_pinned(*target),
            _ => false,
        }
    }

    /// Reads which message is pinned now.
    pub(super) fn read_pin(self) {
        let visit = self.visit.latest();
        spawn_local(async move {
            if let Ok(pin) = load_pin(self.name().as_str()).await
                && self.visit.is_latest(visit)
            {
                self.page.update(|page| page.pin = pin);
            }
        });
    }

    /// Shows in the tooltip of a reaction who reacted, or else as a notice.
    pub(crate) fn show_reactors(self, pill: Element, seq: Seq, is_notice: bool) {
        let (Some(emoji), label) = (pill.get_attribute("data-emoji"), pill.get_attribute("aria-label")) else { return };
        // The tooltip is asked for once for each state of the reaction.
        if !is_notice && pill.get_attribute("data-told") == label {
            return;
        }
        let _ = pill.set_attribute("data-told", &label.unwrap_or_default());
        spawn_local(async move {
            let reactors = load_reactors(&format!("{}{seq}", self.path())).await.unwrap_or_default();
            if let Some(reactors) = reactors.into_iter().find(|it| it.emoji.as_str() == emoji) {
                let mut names: Vec<String> = reactors.names.iter().map(ToString::to_string).collect();
                match reactors.others {
                    0 => {}
                    1 => names.push("1 other".to_owned()),
                    others => names.push(format!("{others} others")),
                }
                let names = names.join(", ");
                let _ = pill.set_attribute("title", &names);
                if is_notice {
                    self.notice.set(format!("{emoji} {names}"));
                }
            }
        });
    }

    /// Opens the palette for a message.
    pub(crate) fn open_palette(self, seq: Seq) {
        self.reacting.palette.set(Some(seq));
    }

    /// Pins a message, or takes off its pin.
    pub(crate) fn toggle_pin(self, seq: Seq) {
        let is_pinned = self.timeline.with_untracked(|timeline| timeline.message(seq).is_some_and(|it| it.pinned));
        moderation::pin(self, seq, !is_pinned);
    }
}
