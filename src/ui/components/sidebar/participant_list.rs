//! The participants who are present, and the link to invite others.

use super::share_link::ShareLink;
use crate::domain::Participant;
use crate::ui::components::common::avatar::Avatar;
use crate::ui::components::common::derived::when;
use crate::ui::room::RoomState;
use crate::ui::room::dialogs::ModerationTarget;
use leptos::prelude::*;

#[component]
pub(crate) fn ParticipantList() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let participants = move || room.presence.participants.get();
    let overflow = move || {
        let listed = participants().len();
        let count = room.presence.count.get().saturating_sub(listed);
        (count > 0).then(|| view! { <li class="participant-overflow">{count}" people"</li> })
    };
    let is_open = when(move || room.dialogs.sidebar.get());
    let item = |participant| view! { <ParticipantItem participant=participant /> };
    view! {
        <aside id="participants" class="participants" class:is-visible=is_open aria-labelledby="participants-title">
            <h2 id="participants-title">"Here now"</h2>
            <ul class="participant-list">
                {move || participants().into_iter().map(item).collect::<Vec<_>>()}
                {overflow}
            </ul>
            <h2>"Invite"</h2>
            <ShareLink />
        </aside>
    }
}

#[component]
fn ParticipantItem(participant: Participant) -> impl IntoView {
    let room = expect_context::<RoomState>();
    let own = room.is_own(&participant.tag);
    let Participant { username, tag } = participant.clone();
    let can_moderate = when(move || !own && room.is_owner());
    let moderate = move |_| room.dialogs.moderating.set(Some(ModerationTarget::Participant(participant.clone())));
    view! {
        <li class="participant">
            <Avatar username=username.clone() tag=tag />
            <span class="participant-name" dir="auto">{username.to_string()}</span>
            {own.then_some(view! { <span class="participant-self">"you"</span> })}
            <button class="button-quiet participant-moderate" class:is-visible=can_moderate on:click=moderate>"More"</button>
        </li>
    }
}
