//! Replies to messages: chosen by toolbar, key or swipe, kept with the draft, and shown with quotes.

use super::scroll_target::ScrollTarget;
use super::state::RoomState;
use super::timeline::Timeline;
use super::timeline::quotes::QuoteState;
use crate::api::load_quotes;
use crate::domain::{Epoch, RoomName, Seq, Username};
use crate::ui::browser::{dom, location, storage};
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::KeyboardEvent;

impl RoomState {
    /// Replies to a message from now on.
    pub(crate) fn reply_to(self, seq: Seq) {
        if self.editing.target.get_untracked().is_some() {
            return self.notice.set("Save or cancel the edit in the composer first.".to_owned());
        }
        let is_there = |timeline: &Timeline| timeline.message(seq).is_some_and(|it| !it.is_deleted());
        if self.timeline.with_untracked(is_there) {
            self.set_reply(Some(seq));
            self.editing.focus();
        }
    }

    /// Sets the message that the draft replies to, or none.
    pub(crate) fn set_reply(self, seq: Option<Seq>) {
        storage::save_reply(&self.name(), &self.epoch(), seq);
        self.replying.target.set(seq);
        self.request_quote(seq);
    }

    /// Ends the reply to a message that was deleted.
    pub(super) fn end_reply_to(self, deleted: Seq) {
        if self.replying.target.get_untracked() == Some(deleted) {
            self.set_reply(None);
            self.notice.set("The message you were replying to was removed.".to_owned());
        }
    }

    /// Restores the reply of a room's draft when the room is shown. The page of a form that replies brings its own.
    pub(crate) fn restore_reply(self) {
        Effect::new(move |before: Option<(RoomName, Epoch)>| {
            let shown = self.page.with(|page| (page.room.clone(), page.epoch.clone()));
            if before.as_ref() != Some(&shown) && (before.is_some() || self.replying.target.get_untracked().is_none()) {
                let stored = storage::reply(&shown.0, &shown.1);
                self.replying.target.set(stored);
                self.request_quote(stored);
            }
            shown
        });
    }

    /// Returns the author and the text of a quoted message, as a reply shows them.
    pub(crate) fn quote_texts(self, seq: Seq) -> (String, String) {
        let nobody = |text: &str| (String::new(), text.to_owned());
        match self.timeline.with(|timeline| timeline.quote(seq)) {
            QuoteState::Known(quote) if quote.excerpt.is_empty() => nobody("Message removed"),
            QuoteState::Known(quote) => (quote.username.to_string(), quote.excerpt),
            QuoteState::Requested => nobody("…"),
            QuoteState::Expired => nobody("An older message"),
        }
    }

    /// Loads the quote of a message, unless it is known.
    pub(super) fn request_quote(self, seq: Option<Seq>) {
        let mut wanted = None;
        self.timeline.update_untracked(|timeline| wanted = seq.and_then(|seq| timeline.request_quote(seq)));
        let (Some(seq), visit) = (wanted, self.visit.latest()) else { return };
        spawn_local(async move {
            let quotes = load_quotes(self.name().as_str(), &[seq]).await.unwrap_or_default();
            if self.visit.is_latest(visit) {
                self.timeline.update(|timeline| timeline.add_quotes(&[seq], quotes));
            }
        });
    }

    /// Opens a quoted message, in place. Back leads to the reply.
    pub(crate) fn open_quote(self, seq: Seq) {
        self.save_scroll();
        location::push_path(&format!("{}{seq}", self.path()));
        self.marked.set(Some(seq));
        self.scroll_to_message(seq, ScrollTarget::Center(seq));
    }

    /// Replies to the message that the keyboard has chosen, if this key asks for it. Returns whether it did.
    pub(super) fn reply_by_key(self, event: &KeyboardEvent) -> bool {
        // On keyboards without Latin letters, the key counts by its place.
        let is_key = |key: &str| key.eq_ignore_ascii_case("r") || !key.is_ascii() && event.code() == "KeyR";
        let is_command = event.ctrl_key() || event.meta_key() || event.alt_key() || event.default_prevented();
        let focused = dom::focused().filter(|_| is_key(&event.key()) && !is_command);
        // A message that was clicked is not chosen: its reader may begin to type.
        let chosen = focused.filter(|focused| focused.matches(".message:focus-visible").unwrap_or(false));
        let seq = chosen.and_then(|message| message.get_attribute("data-seq")?.parse().ok());
        seq.map(|seq| self.reply_to(seq)).is_some()
    }

    /// Returns whether these mentions name the visitor.
    pub(crate) fn is_mentioned(self, mentions: &[Username]) -> bool {
        self.hydrated.get() && mentions.iter().any(|name| self.identity.is_mentioned_by(name))
    }
}
