//! A person who is not in the room, with the time of the last sign of them.

use crate::domain::{AuthorTag, Participant};
use crate::ui::browser::clock;
use crate::ui::components::common::avatar::initials;
use crate::ui::components::common::derived::text;
use crate::ui::room::RoomState;
use leptos::prelude::*;

#[component]
pub(super) fn AbsentItem(participant: Participant) -> impl IntoView {
    let room = expect_context::<RoomState>();
    let Participant { username, tag } = participant;
    let class = format!("avatar hue-{}", tag.hue());
    let (letters, name) = (initials(&username), username.to_string());
    let since = text(move || last_sign(room, &tag));
    view! {
        <li class="absent">
            <span class=class aria-hidden="true">{letters}</span>
            <span class="absent-name clip" dir="auto">{name}</span>
            <span class="participant-remark">{since}</span>
        </li>
    }
}

/// Returns when the person left or wrote last.
fn last_sign(room: RoomState, tag: &AuthorTag) -> String {
    room.presence.absent.with(|absent| match absent.iter().find(|it| it.participant.tag == *tag) {
        Some(person) if person.was_seen => format!("last seen {}", clock::local_phrase(person.at)),
        Some(person) => format!("wrote {}", clock::local_phrase(person.at)),
        None => String::new(),
    })
}
