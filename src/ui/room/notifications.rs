//! Notifications about new messages: a count in the title while the page is hidden, and announcements for screen
//! readers, summed up in bursts. History and own messages are not announced.

use crate::domain::Username;
use crate::ui::browser::dom;
use leptos::prelude::*;
use std::time::Duration;

/// Delay of an announcement; messages that arrive within it are announced together.
const ANNOUNCE_DEBOUNCE: Duration = Duration::from_secs(1);

/// The unseen messages and the announcement of new ones.
#[derive(Clone, Copy)]
pub(crate) struct Notifications {
    /// Number of messages of others received since the page was last visible.
    unseen_count: RwSignal<usize>,
    /// The next announcement: number of messages, and its text.
    next: StoredValue<(usize, String)>,
    /// The current announcement.
    pub(crate) announcement: RwSignal<String>,
}

impl Notifications {
    pub(crate) fn new() -> Self {
        Self { unseen_count: RwSignal::new(0), next: StoredValue::default(), announcement: RwSignal::default() }
    }

    /// Notifies about a new message of another author.
    pub(super) fn push(self, username: &Username, text: &str) {
        if dom::is_hidden() {
            self.unseen_count.update(|count| *count += 1);
        }
        let mut count = 0;
        self.next.update_value(|(messages, announcement)| {
            *messages += 1;
            count = *messages;
            *announcement = if count == 1 { format!("{username}: {text}") } else { format!("{count} new messages") };
        });
        if count == 1 {
            // A text that is set again unchanged would not be announced.
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

    /// Keeps title and icon of the page up to date, for a room with this title.
    pub(super) fn start(self, title: impl Fn() -> String + 'static) {
        window_event_listener_untyped("visibilitychange", move |_| {
            if !dom::is_hidden() {
                self.unseen_count.set(0);
            }
        });
        Effect::new(move |_| {
            let unseen = self.unseen_count.get();
            let count = if unseen > 0 { format!("({unseen}) ") } else { String::new() };
            dom::set_title_badge(&format!("{count}{} · Parlour", title()), unseen > 0);
        });
    }
}
