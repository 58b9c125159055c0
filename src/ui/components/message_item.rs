//! One message, and the lines between messages.

use super::avatar::Avatar;
use super::message_text::MessageText;
use super::room_state::RoomState;
use crate::domain::{Message, Timestamp};
use crate::ui::browser::clock;
use crate::ui::timeline::MessageRow;
use crate::ui::unread::Unread;
use leptos::either::Either;
use leptos::prelude::*;

#[component]
pub(super) fn MessageItem(row: MessageRow) -> impl IntoView {
    let room = expect_context::<RoomState>();
    let MessageRow { message, leads, tagged, saving, .. } = row;
    let own = room.is_own(&message.tag);
    let deleted = message.is_deleted();
    let Message { seq, username, tag, text, sent_at, edited, .. } = message;
    let byline = leads.then(|| {
        view! {
            <Avatar username=username.clone() tag=tag.clone() />
            <p class="message-byline">
                <b class="message-author" dir="auto">{username.to_string()}</b>
                {tagged.then(|| view! { <span class="message-tag">{tag.as_str().to_owned()}</span> })}
            </p>
        }
    });
    // Shown by hovering or focus, once the browser has taken over; the list hears the clicks.
    let owned = Signal::derive(move || room.is_owner());
    let (first, class) = if own {
        (("edit", "Edit"), "message-actions")
    } else {
        (("moderate", "Moderate"), "message-actions of-owner")
    };
    let actions = (!deleted).then(|| {
        view! {
            <span class=class class:shown=owned>
                <button class="button-quiet" data-to=first.0>{first.1}</button>
                <button class="button-quiet" data-to="remove">"Remove"</button>
            </span>
        }
    });
    let note = if saving { Some(" saving…") } else { edited.then_some(" (edited)") };
    let is_named = room.page.with_untracked(|page| page.permalink) == Some(seq);
    view! {
        <li
            class="message"
            class:leads=leads
            class:own=own
            class:saving=saving
            class:marked=Signal::derive(move || room.marked.get() == Some(seq))
            id=format!("m{seq}")
            data-seq=seq
            // A tap focuses it, which shows what can be done with it; without script, focus brings a marked one into view.
            tabindex="-1"
            autofocus=is_named
        >
            {byline}
            <a class="message-time" data-to="message" href=format!("{}{seq}", room.path())><Time at=sent_at /></a>
            {if deleted {
                Either::Left(view! { <p class="message-text deleted">"Message removed"</p> })
            } else {
                Either::Right(view! { <MessageText text=text note=note /> })
            }}
            {actions}
        </li>
    }
}

/// The line that begins a day.
#[component]
pub(super) fn DayItem(at: Timestamp) -> impl IntoView {
    let room = expect_context::<RoomState>();
    // What was today is not tomorrow.
    let day = move || {
        room.timeline.track();
        if room.awake.get() { clock::local_day(at) } else { at.day_utc() }
    };
    view! {
        <li class="day">
            <time datetime=at.rfc3339()>{Signal::derive(day)}</time>
        </li>
    }
}

/// The line between what was read and what is new.
#[component]
pub(super) fn UnreadItem() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let words = move || format!("{} new", room.unread.with(Unread::new_in_words));
    view! { <li class="unread">{Signal::derive(words)}</li> }
}

/// A time of day: UTC on the server, local once the browser has taken over.
#[component]
fn Time(at: Timestamp) -> impl IntoView {
    let room = expect_context::<RoomState>();
    let short = move || if room.awake.get() { clock::local_time(at) } else { at.time_utc() };
    let full = move || if room.awake.get() { clock::local_full(at) } else { format!("{} UTC", at.rfc3339()) };
    view! { <time datetime=at.rfc3339() title=Signal::derive(full)>{Signal::derive(short)}</time> }
}
