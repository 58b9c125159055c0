//! A participant who is present. The name changes while the row stays, with its focus.

use crate::domain::{AuthorTag, Participant};
use crate::ui::components::common::avatar::initials;
use crate::ui::components::common::derived::{text, when};
use crate::ui::components::common::icon::{Icon, Symbol};
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
    let can_act = when(move || own || room.is_owner());
    let act = move |_| match own {
        true => room.identity.is_renaming.set(true),
        false => room.dialogs.moderating.set(untrack(participant).map(ModerationTarget::Participant)),
    };
    let remark = text(move || {
        let is_typing =
            |who: &Participant| room.presence.typing.with(|typing| typing.iter().any(|(one, _)| one == who));
        match participant() {
            _ if own && room.is_owner() => "you, owner",
            _ if own => "you",
            Some(who) if is_typing(&who) => "typing…",
            Some(who) if room.page.with(|page| page.owner.as_ref() == Some(&who.tag)) => "owner",
            _ => "",
        }
    });
    let label = text(move || match participant() {
        _ if own => "Change your name".to_owned(),
        Some(other) => format!("More about {}", other.username),
        None => String::new(),
    });
    view! {
        <li class="participant">
            <span class=class aria-hidden="true">
                {text(move || participant().map(|it| initials(&it.username)).unwrap_or_default())}
            </span>
            <span class="participant-name clip" dir="auto">
                {text(move || participant().map(|it| it.username.to_string()).unwrap_or_default())}
            </span>
            <span class="participant-remark">{remark}</span>
            <button
                class="icon-button participant-more"
                class:is-visible=can_act
                aria-label=label
                title=label
                aria-haspopup="dialog"
                on:click=act
            >
                <Icon symbol=if own { Symbol::Edit } else { Symbol::More } />
            </button>
        </li>
    }
}
