//! A message, and the dividers between messages.

use super::message_text::MessageText;
use super::quote_line::QuoteLine;
use super::reaction_list::ReactionList;
use crate::domain::{Message, Timestamp};
use crate::ui::browser::clock;
use crate::ui::components::common::avatar::Avatar;
use crate::ui::components::common::derived::{text, when};
use crate::ui::room::RoomState;
use crate::ui::room::timeline::rows::MessageRow;
use crate::ui::room::unread::Unread;
use leptos::either::Either;
use leptos::prelude::*;

/// A message. Its links name their action in `data-action`, which the list handles. The toolbar is put into the message
/// that is pointed at or focused (`room::toolbar`).
#[component]
pub(crate) fn MessageItem(row: MessageRow) -> impl IntoView {
    let room = expect_context::<RoomState>();
    let MessageRow { message, starts_group, shows_tag, saving, .. } = row;
    let own = room.is_own(&message.tag);
    let deleted = message.is_deleted();
    let Message { seq, username, tag, text, sent_at, edited, reply_to, mentions, .. } = message;
    let named = mentions.clone();
    let note = if saving { Some(" saving…") } else { edited.then_some(" edited") };
    let is_permalink = room.page.with_untracked(|page| page.permalink) == Some(seq);
    view! {
        <li
            class="message"
            class:starts-group=starts_group
            class:shows-tag=shows_tag
            class:own=own
            class:saving=saving
            class:is-deleted=deleted
            class:to-me=when(move || !named.is_empty() && room.is_mentioned(&named))
            class:marked=when(move || room.marked.get() == Some(seq))
            id=format!("m{seq}")
            data-seq=seq
            // The arrow keys focus messages; without JavaScript, focus scrolls to a permalink.
            tabindex="-1"
            autofocus=is_permalink
        >
            // Shown at the beginning of a group, which `ScrollAnchor::present` may move.
            <Avatar username=username.clone() tag=tag.clone() />
            <div class="message-body">
                <p class="message-byline">
                    <b class="message-author" dir="auto">{username.to_string()}</b>
                    <span class="message-tag">{tag.as_str().to_owned()}</span>
                    <a class="message-time" data-action="permalink" href=format!("{}{seq}", room.path())><MessageTime at=sent_at /></a>
                </p>
                {reply_to.filter(|_| !deleted).map(|seq| view! { <QuoteLine seq=seq /> })}
                {if deleted {
                    Either::Left(view! { <p class="message-text deleted">"Message removed"</p> })
                } else {
                    Either::Right(view! { <MessageText text=text note=note mentions=mentions /> })
                }}
                {(!deleted).then(|| view! { <ReactionList seq=seq /> })}
            </div>
        </li>
    }
}

/// The divider at the beginning of a day.
#[component]
pub(crate) fn DayDivider(at: Timestamp) -> impl IntoView {
    let room = expect_context::<RoomState>();
    let day = text(move || {
        // "Today" becomes a date when the messages are rendered on another day.
        room.timeline.track();
        if room.hydrated.get() { clock::local_day(at) } else { at.day_utc() }
    });
    view! {
        <li class="day-divider">
            <time datetime=at.rfc3339()>{day}</time>
        </li>
    }
}

/// The divider before the first unread message.
#[component]
pub(crate) fn UnreadDivider() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let label = text(move || format!("{} new", room.read_state.unread.with(Unread::new_count_text)));
    view! { <li class="unread-divider">{label}</li> }
}

/// A time of day: in UTC on the server, local after hydration.
#[component]
pub(super) fn MessageTime(at: Timestamp) -> impl IntoView {
    let room = expect_context::<RoomState>();
    let short = text(move || if room.hydrated.get() { clock::local_time(at) } else { at.time_utc() });
    // Without AM and PM: the column of the avatars is narrow.
    let narrow = text(move || clock::without_period(&short.get()).to_owned());
    let full = text(move || if room.hydrated.get() { clock::local_full(at) } else { format!("{} UTC", at.rfc3339()) });
    view! { <time datetime=at.rfc3339() title=full data-narrow=narrow>{short}</time> }
}
