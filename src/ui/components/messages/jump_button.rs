//! The button above the composer that jumps to the unread messages, or to the end.

use crate::ui::components::common::derived::{text, when};
use crate::ui::room::RoomState;
use crate::ui::room::timeline::Timeline;
use leptos::prelude::*;

#[component]
pub(crate) fn JumpButton() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let unread = room.read_state.unread;
    let follows = move || room.scroll.track_at_end() && !room.timeline.with(Timeline::more_after);
    // A returning visitor starts at the end, and the unread messages may begin above the view.
    let is_above = move || !room.read_state.divider_seen.get() && unread.with(|unread| unread.divider().is_some());
    let label = text(move || {
        unread.with(|unread| match unread.count() {
            _ if is_above() => format!("{} ↑", new_messages(&unread.new_count_text())),
            0 => "Newest ↓".to_owned(),
            _ => format!("{} ↓", new_messages(&unread.count_text())),
        })
    });
    let is_visible = when(move || is_above() || !follows());
    view! {
        <button class="jump-button" class:is-visible=is_visible on:click=move |_| room.scroll_to_unread()>{label}</button>
    }
}

fn new_messages(count: &str) -> String {
    format!("{count} new message{}", if count == "1" { "" } else { "s" })
}
