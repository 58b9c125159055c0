//! The participants who are present, and the link to invite others.

use super::invite_row::InviteRow;
use crate::ui::components::common::derived::{text, when};
use crate::ui::components::rows::row_list::{ListRow, row_list};
use crate::ui::room::RoomState;
use leptos::prelude::*;

#[component]
pub(crate) fn ParticipantList() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let participants = move || {
        room.presence.participants.with(|all| {
            let earlier = |index: usize| all[..index].iter().filter(|other| other.tag == all[index].tag).count();
            (0..all.len()).map(|index| ListRow::Participant(all[index].tag.clone(), earlier(index))).collect()
        })
    };
    let overflow = text(move || {
        let listed = room.presence.participants.with(Vec::len);
        match room.presence.count.get().saturating_sub(listed) {
            0 => String::new(),
            count => format!("{count} people"),
        }
    });
    Effect::new(move || {
        let own = room.page.with(|page| page.tag.clone());
        room.presence.update_absent(room.timeline, &own);
    });
    let absent = move || {
        room.presence.absent.with(|absent| absent.iter().map(|it| ListRow::Absent(it.participant.clone())).collect())
    };
    let has_absent = when(move || !room.presence.absent.with(Vec::is_empty));
    let is_open = when(move || room.dialogs.sidebar.get());
    view! {
        <aside id="participants" class="participants" class:is-visible=is_open aria-labelledby="participants-title">
            <h2 id="participants-title">"Here now"</h2>
            <ul class="participant-list">{row_list(Box::new(participants))}</ul>
            <p class="participant-overflow">{overflow}</p>
            <section class="absent-people" class:is-visible=has_absent aria-labelledby="absent-title">
                <h2 id="absent-title">"Earlier"</h2>
                <ul class="participant-list">{row_list(Box::new(absent))}</ul>
            </section>
            <h2>"Invite"</h2>
            <InviteRow />
        </aside>
    }
}
