//! How the page calls for attention: what comes while nobody looks is counted in the title, and what others say is told
//! to those who listen instead of looking, in bursts summed up. History and own messages are told to nobody.

use crate::domain::Username;
use crate::ui::browser;
use leptos::prelude::*;
use std::time::Duration;

/// What comes within this time is told together.
const BURST: Duration = Duration::from_secs(1);

#[derive(Clone, Copy)]
pub(super) struct Attention {
    /// How many messages of others have come since the page was last seen.
    missed: RwSignal<usize>,
    heard: StoredValue<(usize, String)>,
    told: RwSignal<String>,
}

impl Attention {
    pub(super) fn new() -> Self {
        Self { missed: RwSignal::new(0), heard: StoredValue::default(), told: RwSignal::default() }
    }

    /// Somebody else said something.
    pub(super) fn hear(self, username: &Username, text: &str) {
        if browser::is_hidden() {
            self.missed.update(|missed| *missed += 1);
        }
        let mut heard = 0;
        self.heard.update_value(|(count, said)| {
            *count += 1;
            heard = *count;
            *said = if heard == 1 { format!("{username}: {text}") } else { format!("{heard} new messages") };
        });
        if heard == 1 {
            // The same words once more are no change, and would not be heard.
            self.told.set(String::new());
            set_timeout(
                move || {
                    self.told.set(self.heard.with_value(|(_, said)| said.clone()));
                    self.heard.set_value(Default::default());
                },
                BURST,
            );
        }
    }

    /// Keeps title and icon as they should be for a room of this name.
    pub(super) fn start(self, name: impl Fn() -> String + 'static) {
        window_event_listener_untyped("visibilitychange", move |_| {
            if !browser::is_hidden() {
                self.missed.set(0);
            }
        });
        Effect::new(move |_| {
            let missed = self.missed.get();
            let count = if missed > 0 { format!("({missed}) ") } else { String::new() };
            browser::show_attention(&format!("{count}{} · Parlour", name()), missed > 0);
        });
    }
}

/// What a screen reader says.
#[component]
pub(super) fn Announcer(attention: Attention) -> impl IntoView {
    view! { <p class="announcer visually-hidden" role="status">{Signal::derive(move || attention.told.get())}</p> }
}
