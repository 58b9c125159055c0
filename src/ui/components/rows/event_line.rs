//! A moderation event between the messages.

use super::message_item::MessageTime;
use crate::domain::moderation::ModerationAction;
use crate::ui::browser::clock;
use crate::ui::components::common::icon::{Icon, Symbol};
use crate::ui::room::timeline::EventNote;
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
    view! {
        <li class="event-line">
            <Icon symbol />
            <p dir="auto">{moderation.sentence(clock::local_end)}" "<span class="event-time"><MessageTime at /></span></p>
        </li>
    }
}
