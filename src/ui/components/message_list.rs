//! The messages of a room, oldest first, and the way to those that are not loaded.

use super::empty_room::EmptyRoom;
use super::message_item::{DayItem, MessageItem, UnreadItem};
use super::reading_place::Goal;
use super::room_state::RoomState;
use crate::domain::{HistoryPlace, Seq, Timestamp};
use crate::ui::browser::{self, address, clock};
use crate::ui::timeline::{Row, Timeline};
use crate::ui::unread::Unread;
use leptos::either::EitherOf3;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, MouseEvent};

#[component]
pub(super) fn MessageList(
    /// What follows the messages.
    children: Children,
) -> impl IntoView {
    let room = expect_context::<RoomState>();
    let line = Memo::new(move |_| room.unread.with(Unread::line));
    // Another room has other messages of the same numbers.
    let rows = move || {
        let awake = room.awake.get();
        let rows = room.timeline.with(|it| room.outbox.with(|outbox| it.rows(|at| day(at, awake), line.get(), outbox)));
        let visit = room.visit.get_value();
        rows.into_iter().map(move |row| (visit, row)).collect::<Vec<_>>()
    };

    Effect::new(move |_| {
        room.timeline.track();
        room.outbox.track();
        line.track();
        // By then the list is drawn anew, and nothing of it has been shown yet.
        queue_microtask(move || {
            room.place.keep();
            room.look();
        });
    });
    let scroll = move |_| {
        room.place.look();
        room.look();
    };

    view! {
        <div
            class="timeline"
            node_ref=room.place.scrolled
            on:scroll=scroll
            on:click=move |event| choose(room, &event)
            tabindex="0"
            role="log"
            aria-live="off"
            aria-label="Messages"
        >
            <div class="timeline-content">
                <TimelineBeginning />
                <ol
                    class="message-list"
                    data-room=move || room.page.with(|page| page.room.to_string())
                    data-epoch=move || room.page.with(|page| page.epoch.to_string())
                    data-head=move || room.page.with(|page| page.head)
                >
                    <For each=rows key=|(visit, row)| (*visit, row.key()) let((_, row))>
                        {match row {
                            Row::Day(at) => EitherOf3::A(view! { <DayItem at=at /> }),
                            Row::Unread => EitherOf3::B(view! { <UnreadItem /> }),
                            Row::Message(row) => EitherOf3::C(view! { <MessageItem row=row /> }),
                        }}
                    </For>
                </ol>
                {move || {
                    let later = room.timeline.with(Timeline::more_after);
                    later.then(|| view! { <a class="timeline-more" data-to="end" href=room.path()>"To the newest messages"</a> })
                }}
                {children()}
            </div>
        </div>
    }
}

/// What stands above the first message that is loaded.
#[component]
fn TimelineBeginning() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let earlier = Memo::new(move |_| room.timeline.with(|it| it.more_before().then(|| it.first()).flatten()));
    let is_empty = Memo::new(move |_| {
        room.timeline.with(|it| it.first().is_none()) && room.outbox.with(|outbox| outbox.pending().is_empty())
    });
    move || match earlier.get() {
        Some(first) => {
            let href = format!("{}{first}#m{first}", room.path());
            EitherOf3::A(view! { <a class="timeline-more" data-to="earlier" href=href>"Earlier messages"</a> })
        }
        None if is_empty.get() => EitherOf3::B(view! { <EmptyRoom /> }),
        None => EitherOf3::C(view! {
            <p class="timeline-beginning">
                "This is the beginning of " <b dir="auto">{room.page.with(|page| page.room.to_string())}</b> "."
            </p>
        }),
    }
}

/// Something in the list was chosen: where it leads, and what it does.
fn choose(room: RoomState, event: &MouseEvent) {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let Some(chosen) = target.and_then(|it| it.closest("a, button").ok().flatten()) else { return };
    let seq = || -> Option<Seq> { chosen.closest(".message").ok()??.get_attribute("data-seq")?.parse().ok() };
    let to = chosen.get_attribute("data-to").unwrap_or_default();
    match (to.as_str(), seq()) {
        ("edit", Some(seq)) => room.editing.set(Some(seq)),
        ("remove", Some(seq)) => room.removing.set(Some(seq)),
        _ if !browser::is_plain_click(event) => return,
        ("earlier", _) => {
            if let Some(first) = room.timeline.with_untracked(Timeline::first) {
                room.load(HistoryPlace::Before(first));
            }
        }
        ("end", _) => room.go_to_the_end(),
        ("message", Some(seq)) => {
            address::keep_place(room.place.now());
            address::go(&format!("{}{seq}", room.path()));
            room.marked.set(Some(seq));
            room.place.go(Goal::Middle(seq));
        }
        _ => return,
    }
    event.prevent_default();
}

/// The number of the day: in UTC until the browser has taken over, then where the reader is.
fn day(at: Timestamp, awake: bool) -> i64 {
    at.day_number(if awake { clock::offset_minutes(at) } else { 0 })
}
