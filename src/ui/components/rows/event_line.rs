//! A moderation event between the messages.

use super::message_item::MessageTime;
use crate::domain::moderation::ModerationAction;
use crate::domain::{EventNote, Timestamp};
use crate::ui::browser::clock;
use crate::ui::components::common::derived::text;
use crate::ui::components::common::icon::{Icon, Symbol};
use crate::ui::room::RoomState;
use leptos::prelude::*;

#[component]
pub(super) fn EventLine(note: EventNote) -> impl IntoView {
    let EventNote { at, moderation, .. } = note;
    let symbol = match moderation.action {
        ModerationAction::Lock | ModerationAction::Unlock => Symbol::Lock,
        ModerationAction::Mute | ModerationAction::SlowMode => Symbol::Mute,
        ModerationAction::Ban | ModerationAction::Remove => Symbol::Ban,
        ModerationAction::Pardon | ModerationAction::HandOver => Symbol::People,
        ModerationAction::Renew => Symbol::Link,
        _ => Symbol::Settings,
    };
    let room = expect_context::<RoomState>();
    let by = moderation.by().map(|by| view! { <b dir="auto">{by.to_owned()}</b> " " });
    let sentence = text(move || {
        let in_utc = |at: Timestamp| format!("{}, {} UTC", at.day_utc(), at.time_utc());
        moderation.predicate(if room.hydrated.get() { clock::local_end } else { in_utc })
    });
    view! {
        <li class="event-line">
            <Icon symbol />
            <p dir="auto">{by}{sentence}" "<span class="event-time"><MessageTime at /></span></p>
        </li>
    }
}
