//! The button above the composer that jumps to the unread messages, or to the end.

use crate::ui::components::common::derived::{text, when};
use crate::ui::components::common::icon::{Icon, Symbol};
use crate::ui::room::RoomState;
use crate::ui::room::timeline::Timeline;
use leptos::prelude::*;

#[component]
pub(crate) fn JumpButton() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let unread = room.read_state.unread;
    let follows = move || room.scroll.track_at_end() && !room.timeline.with(Timeline::more_after);
    // A returning visitor starts at the end, and the unread messages may begin above the view.
    let is_above =
        when(move || !room.read_state.divider_seen.get() && unread.with(|unread| unread.divider().is_some()));
    let count = move || {
        unread.with(|unread| match unread.count() {
            _ if is_above.get() => unread.new_count_text(),
            0 => String::new(),
            _ => unread.count_text(),
        })
    };
    let label = text(move || match count() {
        count if count.is_empty() => "Newest".to_owned(),
        count => format!("{count} new"),
    });
    let place = text(move || match (count().as_str(), is_above.get()) {
        ("", _) => "",
        ("1", true) => " message above",
        (_, true) => " messages above",
        ("1", false) => " message below",
        (_, false) => " messages below",
    });
    let is_visible = when(move || is_above.get() || !follows());
    view! {
        <div class="jump-place">
            <button
                class="jump-button"
                class:is-visible=is_visible
                class:is-above=is_above
                on:click=move |_| room.scroll_to_unread()
            >
                {label}
                <span class="visually-hidden">{place}</span>
                <Icon symbol=Symbol::Down small=true />
            </button>
        </div>
    }
}
