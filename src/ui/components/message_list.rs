//! The messages of a room, oldest first, and the way to older ones.

use super::message_item::{DayItem, MessageItem};
use super::reading_place::ReadingPlace;
use super::room::RoomState;
use crate::api::load_history;
use crate::domain::Timestamp;
use crate::ui::browser;
use crate::ui::timeline::{Row, Timeline};
use leptos::either::Either;
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::MouseEvent;

/// Older messages are fetched when so much is left above, in pixels.
const EARLY: i32 = 1200;

#[component]
pub(super) fn MessageList(
    /// What follows the messages.
    children: Children,
) -> impl IntoView {
    let room = expect_context::<RoomState>();
    let loading = StoredValue::new(false);
    let scrolled = NodeRef::<leptos::html::Div>::new();

    let place = ReadingPlace::new(scrolled);
    Effect::new(move |waited: Option<usize>| {
        room.timeline.track();
        let waiting = room.outbox.with(|outbox| outbox.pending().len());
        // Whoever says something wants to see it.
        let own = waited.is_some_and(|waited| waiting > waited);
        // By then the list is drawn anew, and nothing of it has been shown yet.
        queue_microtask(move || if own { place.follow() } else { place.keep() });
        waiting
    });

    // The timeline is drawn from its end: a browser counts its scrolling from there, in negative numbers.
    let near_the_top = move || {
        let timeline = scrolled.get_untracked();
        timeline.is_some_and(|it| it.scroll_height() + it.scroll_top() - it.client_height() < EARLY)
    };
    let load_older = move || {
        let Some(first) = room.timeline.with_untracked(|it| it.more_before().then(|| it.first()).flatten()) else {
            return;
        };
        if loading.get_value() {
            return;
        }
        loading.set_value(true);
        spawn_local(async move {
            if let Ok(page) = load_history(room.name().to_string(), first).await {
                room.timeline.update(|timeline| timeline.prepend(page));
            }
            loading.set_value(false);
        });
    };
    let look = move || {
        if near_the_top() {
            load_older();
        }
    };
    let scroll = move |_| {
        place.mark();
        look();
    };
    // After each older page, and at the beginning, there may still be too little above.
    Effect::new(move || {
        room.timeline.with(Timeline::first);
        request_animation_frame(look);
    });

    if let Some(seq) = room.page.with_value(|page| page.permalink) {
        Effect::new(move || browser::show_in_the_middle(&format!("m{seq}")));
    }

    let rows = move || {
        let awake = room.awake.get();
        room.timeline.with(|timeline| timeline.rows(|at| day(at, awake)))
    };
    let page = room.page.get_value();
    let earlier = move || room.timeline.with(|it| it.more_before().then(|| it.first()).flatten());
    let later = room.timeline.with_untracked(Timeline::more_after).then(|| page.room.path());
    let permalink = page.permalink;
    view! {
        <div class="timeline" node_ref=scrolled on:scroll=scroll tabindex="0" role="log" aria-label="Messages">
            <div class="timeline-content">
                {move || match earlier() {
                    Some(first) => {
                        let href = format!("{}{first}#m{first}", room.name().path());
                        let load = move |event: MouseEvent| {
                            event.prevent_default();
                            load_older();
                        };
                        Either::Left(view! { <a class="timeline-more" href=href on:click=load>"Earlier messages"</a> })
                    }
                    None => Either::Right(view! {
                        <p class="timeline-beginning">"This is the beginning of " <b dir="auto">{room.name().to_string()}</b> "."</p>
                    }),
                }}
                <ol class="message-list" data-room=page.room.to_string() data-epoch=page.epoch.to_string() data-head=page.head>
                    <For each=rows key=Row::key let:row>
                        {match row {
                            Row::Day(at) => Either::Left(view! { <DayItem at=at /> }),
                            Row::Message { message, leads, tagged, .. } => {
                                let marked = permalink == Some(message.seq);
                                Either::Right(view! { <MessageItem message=message leads=leads tagged=tagged marked=marked /> })
                            }
                        }}
                    </For>
                </ol>
                {later.map(|href| view! { <a class="timeline-more" href=href>"To the newest messages"</a> })}
                {children()}
            </div>
        </div>
    }
}

/// The number of the day: in UTC until the browser has taken over, then where the reader is.
fn day(at: Timestamp, awake: bool) -> i64 {
    at.day_number(if awake { browser::offset_minutes(at) } else { 0 })
}
