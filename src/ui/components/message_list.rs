//! The messages of a room, oldest first, and the way to those that are not loaded.

use super::empty_room::EmptyRoom;
use super::message_item::{DayItem, MessageItem, UnreadItem};
use super::moderation::Concern;
use super::pending_list::PendingList;
use super::reading_place::Goal;
use super::room_state::RoomState;
use crate::domain::{HistoryPlace, RoomPage, Seq, Timestamp};
use crate::ui::browser::{self, address, clock};
use crate::ui::timeline::{Row, Timeline};
use crate::ui::unread::Unread;
use leptos::either::EitherOf3;
use leptos::prelude::*;
use std::time::Duration;
use wasm_bindgen::JsCast;
use web_sys::{Element, MouseEvent};

/// So long after the last scrolling it is noted where the reader is.
const NOTED_AFTER: Duration = Duration::from_millis(200);

#[component]
pub(super) fn MessageList() -> impl IntoView {
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
            room.place.keep(room.follows());
            room.look();
        });
    });
    let of_page = move |read: fn(&RoomPage) -> String| Signal::derive(move || room.page.with(read));
    let later = Signal::derive(move || room.timeline.with(Timeline::more_after));
    // The browser keeps no place in a list, and forgets what it is told while the page goes away.
    let mut note = debounce(NOTED_AFTER, move |()| room.note_place());
    let scroll = move |_| {
        note(());
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
                    data-room=of_page(|page| page.room.to_string())
                    data-epoch=of_page(|page| page.epoch.to_string())
                    data-head=of_page(|page| page.head.to_string())
                >
                    <For each=rows key=|(visit, row)| (*visit, row.key()) let((_, row))>
                        {match row {
                            Row::Day(at) => EitherOf3::A(view! { <DayItem at=at /> }),
                            Row::Unread => EitherOf3::B(view! { <UnreadItem /> }),
                            Row::Message(row) => EitherOf3::C(view! { <MessageItem row=row /> }),
                        }}
                    </For>
                </ol>
                <a class="timeline-more" class:shown=later data-to="end" href=of_page(|page| page.room.path())>"To the newest messages"</a>
                <PendingList />
            </div>
        </div>
    }
}

/// What stands above the first message that is loaded.
#[component]
fn TimelineBeginning() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let more = Signal::derive(move || room.timeline.with(Timeline::more_before));
    let empty = Signal::derive(move || {
        !more.get()
            && room.timeline.with(|it| it.first().is_none())
            && room.outbox.with(|outbox| outbox.pending().is_empty())
    });
    let earlier = Signal::derive(move || {
        let first = room.timeline.with(Timeline::first).unwrap_or_default();
        format!("{}{first}#m{first}", room.path())
    });
    view! {
        <a class="timeline-more" class:shown=more data-to="earlier" href=earlier>"Earlier messages"</a>
        <p class="timeline-beginning" class:shown=Signal::derive(move || !more.get() && !empty.get())>
            "This is the beginning of " <b dir="auto">{room.title}</b> "."
        </p>
        <div class="empty-room" class:shown=empty>
            <EmptyRoom />
        </div>
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
        ("moderate", Some(seq)) => room.moderating.set(Some(Concern::AuthorOf(seq))),
        _ if !browser::is_plain_click(event) => return,
        ("earlier", _) => {
            if let Some(first) = room.timeline.with_untracked(Timeline::first) {
                room.load(HistoryPlace::Before(first));
            }
        }
        ("end", _) => room.go_to_the_end(),
        ("message", Some(seq)) => {
            room.note_place();
            address::go(&format!("{}{seq}", room.path()));
            room.marked.set(Some(seq));
            room.go_here(Goal::Middle(seq));
        }
        _ => return,
    }
    event.prevent_default();
}

/// The number of the day: in UTC until the browser has taken over, then where the reader is.
fn day(at: Timestamp, awake: bool) -> i64 {
    at.day_number(if awake { clock::offset_minutes(at) } else { 0 })
}
