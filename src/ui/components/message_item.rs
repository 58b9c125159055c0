//! One message, and the line that begins a day.

use super::avatar::Avatar;
use super::room::RoomState;
use crate::domain::{Message, Timestamp};
use crate::ui::browser;
use leptos::either::Either;
use leptos::prelude::*;

#[component]
pub(super) fn MessageItem(
    message: Message,
    /// Whether it begins a group, and shows who wrote it.
    leads: bool,
    /// Whether somebody else has the same name.
    tagged: bool,
    /// Whether the address of the page names it.
    marked: bool,
) -> impl IntoView {
    let room = expect_context::<RoomState>();
    let own = room.is_own(&message.tag);
    let deleted = message.is_deleted();
    let Message { seq, username, tag, text, sent_at, edited, .. } = message;
    let permalink = format!("{}{seq}", room.name().path());
    let byline = leads.then(|| {
        view! {
            <Avatar username=username.clone() tag=tag.clone() />
            <p class="message-byline">
                <b class="message-author" dir="auto">{username.to_string()}</b>
                {tagged.then(|| view! { <span class="message-tag">{tag.as_str().to_owned()}</span> })}
            </p>
        }
    });
    view! {
        <li
            class="message"
            class:leads=leads
            class:own=own
            class:marked=marked
            id=format!("m{seq}")
            data-seq=seq
            // Without script it is the focus that brings a marked message into view.
            tabindex=marked.then_some("-1")
            autofocus=marked
        >
            {byline}
            <a class="message-time" href=permalink><Time at=sent_at /></a>
            {if deleted {
                Either::Left(view! { <p class="message-text deleted">"Message removed"</p> })
            } else {
                Either::Right(view! {
                    <p class="message-text" dir="auto">
                        {text} {edited.then(|| view! { <span class="message-edited">" (edited)"</span> })}
                    </p>
                })
            }}
        </li>
    }
}

/// The line that begins a day.
#[component]
pub(super) fn DayItem(at: Timestamp) -> impl IntoView {
    let room = expect_context::<RoomState>();
    let day = move || if room.awake.get() { browser::local_day(at) } else { at.day_utc() };
    view! {
        <li class="day">
            <time datetime=at.rfc3339()>{day}</time>
        </li>
    }
}

/// A time of day: UTC on the server, local once the browser has taken over.
#[component]
fn Time(at: Timestamp) -> impl IntoView {
    let room = expect_context::<RoomState>();
    let short = move || if room.awake.get() { browser::local_time(at) } else { at.time_utc() };
    let full = move || if room.awake.get() { browser::local_full(at) } else { format!("{} UTC", at.rfc3339()) };
    view! { <time datetime=at.rfc3339() title=full>{short}</time> }
}
