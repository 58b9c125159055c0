//! Who is here now.

use super::avatar::Avatar;
use super::room::RoomState;
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
        <aside class="participants" aria-labelledby="participants-title">
            <h2 id="participants-title">"Here now"</h2>
            <ul class="participant-list">
                <For each=participants key=Participant::clone let:participant>
                    <ParticipantItem participant=participant />
                </For>
                {unnamed}
            </ul>
        </aside>
    }
}

#[component]
fn ParticipantItem(participant: Participant) -> impl IntoView {
    let room = expect_context::<RoomState>();
    let own = room.is_own(&participant.tag);
    let Participant { username, tag } = participant;
    view! {
        <li class="participant">
            <Avatar username=username.clone() tag=tag />
            <span class="participant-name" dir="auto">{username.to_string()}</span>
            {own.then_some(view! { <span class="participant-own">"you"</span> })}
        </li>
    }
}
