//! The pill above the composer: how much is new, and the way there; or the way back to the end.

use super::reading_place::Goal;
use super::room_state::RoomState;
use crate::ui::browser;
use crate::ui::timeline::Timeline;
use leptos::prelude::*;

#[component]
pub(super) fn UnreadPill() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let follows = move || room.place.at_the_end() && !room.timeline.with(Timeline::more_after);
    // Whoever comes back to a room is at its end; what is new may begin further up than can be seen.
    let above = move || !room.line_seen.get() && room.unread.with(|it| it.line().is_some() && it.count() == 0);
    let words = move || {
        room.unread.with(|unread| match unread.count() {
            _ if above() => format!("{} ↑", new_messages(&unread.new_in_words())),
            0 => "To the newest ↓".to_owned(),
            _ => format!("{} ↓", new_messages(&unread.count_in_words())),
        })
    };
    let go = move |_| {
        let first = room.unread.with_untracked(|unread| match unread.count() {
            0 if !room.line_seen.get_untracked() => unread.line().map(|read| read + 1),
            0 => None,
            _ => unread.first(),
        });
        match first {
            Some(first) => {
                room.go_to(first, Goal::Top(first));
                // The pill goes: whoever reads on by the keyboard does it from the messages.
                browser::focus(".timeline");
            }
            None => {
                room.go_to_the_end();
                browser::offer_composer();
            }
        }
    };
    let shown = move || above() || !follows();
    view! { <button class="unread-pill" class:shown=Signal::derive(shown) on:click=go>{Signal::derive(words)}</button> }
}

fn new_messages(count: &str) -> String {
    format!("{count} new message{}", if count == "1" { "" } else { "s" })
}
