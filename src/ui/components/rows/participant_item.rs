//! A participant who is present.

use crate::domain::Participant;
use crate::ui::components::common::avatar::Avatar;
use crate::ui::components::common::derived::when;
use crate::ui::room::RoomState;
use crate::ui::room::dialogs::ModerationTarget;
use leptos::prelude::*;

#[component]
pub(super) fn ParticipantItem(participant: Participant) -> impl IntoView {
    let room = expect_context::<RoomState>();
    let own = room.is_own(&participant.tag);
    let Participant { username, tag } = participant.clone();
    let can_moderate = when(move || !own && room.is_owner());
    let moderate = move |_| room.dialogs.moderating.set(Some(ModerationTarget::Participant(participant.clone())));
    view! {
        <li class="participant">
            <Avatar username=username.clone() tag=tag />
            <span class="participant-name" dir="auto">{username.to_string()}</span>
            <span class="participant-self">{if own { "you" } else { "" }}</span>
            <button class="button-quiet participant-moderate" class:is-visible=can_moderate on:click=moderate>"More"</button>
        </li>
    }
}
