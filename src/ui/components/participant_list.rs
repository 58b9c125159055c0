//! Who is here now, and how to invite others.

use super::avatar::Avatar;
use super::moderation::Concern;
use super::room_state::RoomState;
use super::share_link::ShareLink;
use crate::domain::Participant;
use leptos::prelude::*;

#[component]
pub(super) fn ParticipantList() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let participants = move || room.others.participants.get();
    let unnamed = move || {
        let unnamed = room.others.count.get() - participants().len();
        (unnamed > 0).then(|| view! { <li class="participant-unnamed">{unnamed}" people"</li> })
    };
    view! {
        <aside id="participants" class="participants" class:shown=Signal::derive(move || room.showing_participants.get()) aria-labelledby="participants-title">
            <h2 id="participants-title">"Here now"</h2>
            <ul class="participant-list">
                {move || participants().into_iter().map(|it| view! { <ParticipantItem participant=it /> }).collect::<Vec<_>>()}
                {unnamed}
            </ul>
            <h2>"Invite"</h2>
            <ShareLink within=".participants" />
        </aside>
    }
}

#[component]
fn ParticipantItem(participant: Participant) -> impl IntoView {
    let room = expect_context::<RoomState>();
    let own = room.is_own(&participant.tag);
    let Participant { username, tag } = participant.clone();
    let moderated = Signal::derive(move || !own && room.is_owner());
    let moderate = move |_| room.moderating.set(Some(Concern::Somebody(participant.clone())));
    view! {
        <li class="participant">
            <Avatar username=username.clone() tag=tag />
            <span class="participant-name" dir="auto">{username.to_string()}</span>
            {own.then_some(view! { <span class="participant-own">"you"</span> })}
            <button class="button-quiet participant-moderate" class:shown=moderated on:click=moderate>"Moderate"</button>
        </li>
    }
}
