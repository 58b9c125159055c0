//! Notifications about new messages: a count in the title while the visitor is away, and announcements for screen
//! readers, which combine bursts. History and own messages are not announced.

use super::unread::Unread;
use crate::domain::{Seq, Username};
use crate::ui::browser::{clock, dom};
use leptos::prelude::*;
use std::time::Duration;

/// Delay of an announcement; messages that arrive within it are announced together.
const ANNOUNCE_DEBOUNCE: Duration = Duration::from_secs(1);

/// Time for which a visitor who has scrolled or clicked counts as present in a window without focus, in milliseconds.
const INTERACTION_TTL_MS: f64 = 2000.0;

/// The unseen messages and the announcement of new ones.
#[derive(Clone, Copy)]
pub(crate) struct Notifications {
    /// The first message that arrived since the visitor was last present.
    unseen_from: RwSignal<Option<Seq>>,
    /// Whether the open room is muted: its messages are not counted in title and icon.
    pub(crate) is_muted: RwSignal<bool>,
    /// The messages since then that mention the visitor.
    mentions: RwSignal<Vec<Seq>>,
    /// Time of the visitor's last interaction, in milliseconds since 1970.
    interacted_at: StoredValue<f64>,
    /// The next announcement: number of messages, and its text.
    next: StoredValue<(usize, String)>,
    /// The current announcement.
    pub(crate) announcement: RwSignal<String>,
}

impl Notifications {
    pub(crate) fn new() -> Self {
        Self {
            unseen_from: RwSignal::default(),
            is_muted: RwSignal::new(false),
            mentions: RwSignal::default(),
            interacted_at: StoredValue::default(),
            next: StoredValue::default(),
            announcement: RwSignal::default(),
        }
    }

    /// Returns whether the visitor sees the page: it is visible, and has the focus or was just used.
    pub(super) fn is_attended(self) -> bool {
        dom::has_focus() || !dom::is_hidden() && clock::now() - self.interacted_at.get_value() < INTERACTION_TTL_MS
    }

    /// Records an interaction or a focus event.
    pub(super) fn attend(self, is_interaction: bool) {
        if is_interaction {
            self.interacted_at.set_value(clock::now());
        }
        if self.is_attended() {
            self.unseen_from.set(None);
            self.mentions.set(Vec::new());
        }
    }

    /// Notifies about a new message of another author.
    pub(super) fn push(self, seq: Seq, username: &Username, text: &str, is_mention: bool) {
        let is_attended = self.is_attended();
        if !is_attended && self.unseen_from.get_untracked().is_none() {
            self.unseen_from.set(Some(seq));
        }
        if !is_attended && is_mention {
            self.mentions.update(|mentions| mentions.push(seq));
        }
        let mut count = 0;
        self.next.update_value(|(messages, announcement)| {
            *messages += 1;
            count = *messages;
            *announcement = if count == 1 { format!("{username}: {text}") } else { format!("{count} new messages") };
        });
        if count == 1 {
            // Screen readers would not announce an unchanged text.
            self.announcement.set(String::new());
            set_timeout(
                move || {
                    self.announcement.set(self.next.with_value(|(_, announcement)| announcement.clone()));
                    self.next.set_value(Default::default());
                },
                ANNOUNCE_DEBOUNCE,
            );
        }
    }

    /// Keeps title and icon of the page up to date, for a room with this title. Messages that were read in another tab
    /// no longer count, nor do those that were deleted.
    pub(super) fn start(self, title: impl Fn() -> String + 'static, unread: RwSignal<Unread>) {
        Effect::new(move |_| {
            let unseen_from = self.unseen_from.get().filter(|_| !self.is_muted.get());
            let unseen = unread.with(|unread| unseen_from.map_or(0, |first| unread.count_from(first)));
            let is_unread = |seq: &&Seq| unread.with(|unread| unread.contains(**seq));
            let mentions = self.mentions.with(|mentions| mentions.iter().filter(is_unread).count());
            let count = match (unseen, mentions) {
                (0, _) => String::new(),
                (_, 0) => format!("({unseen}) "),
                _ => format!("({unseen}, @{mentions}) "),
            };
            dom::set_title_badge(&format!("{count}{} · Parlour", title()), unseen > 0);
        });
    }
}
