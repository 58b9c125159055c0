//! A participant who is present. The name changes while the row stays, with its focus.

use crate::domain::AuthorTag;
use crate::ui::components::common::avatar::initials;
use crate::ui::components::common::derived::{text, when};
use crate::ui::room::RoomState;
use crate::ui::room::dialogs::ModerationTarget;
use leptos::prelude::*;

#[component]
pub(super) fn ParticipantItem(
    tag: AuthorTag,
    /// The number of earlier participants with the same tag.
    nth: usize,
) -> impl IntoView {
    let room = expect_context::<RoomState>();
    let own = room.is_own(&tag);
    let class = format!("avatar hue-{}", tag.hue());
    let tag = StoredValue::new(tag);
    let participant = move || {
        room.presence.participants.with(|all| {
            tag.with_value(|tag| all.iter().filter(|participant| participant.tag == *tag).nth(nth).cloned())
        })
    };
    let can_moderate = when(move || !own && room.is_owner());
    let moderate = move |_| room.dialogs.moderating.set(untrack(participant).map(ModerationTarget::Participant));
    view! {
        <li class="participant">
            <span class=class aria-hidden="true">
                {text(move || participant().map(|it| initials(&it.username)).unwrap_or_default())}
            </span>
            <span class="participant-name" dir="auto">
                {text(move || participant().map(|it| it.username.to_string()).unwrap_or_default())}
            </span>
            <span class="participant-self">{if own { "you" } else { "" }}</span>
            <button class="button-quiet participant-moderate" class:is-visible=can_moderate on:click=moderate>"More"</button>
        </li>
    }
}
