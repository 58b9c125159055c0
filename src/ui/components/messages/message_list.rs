//! The messages of the room, oldest first, with links to those that are not loaded.

use super::empty_room::EmptyRoom;
use super::pending_list::PendingList;
use super::toolbar::Toolbar;
use crate::domain::{EventId, RoomView, Seq, Timestamp};
use crate::ui::browser::selection::KeptSelection;
use crate::ui::browser::{clock, dom};
use crate::ui::components::common::derived::{text, when};
use crate::ui::components::rows::row_list::{ListRow, row_list};
use crate::ui::room::RoomState;
use crate::ui::room::lifecycle::renew_if_torn;
use crate::ui::room::timeline::Timeline;
use crate::ui::room::timeline::rows::{Presentation, TimelineRow};
use crate::ui::room::unread::Unread;
use leptos::prelude::*;
use std::time::Duration;
use web_sys::{Element, Event, MouseEvent};

/// Delay after the last scroll event before the position is saved.
const SCROLL_DEBOUNCE: Duration = Duration::from_millis(200);

#[component]
pub(crate) fn MessageList() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let divider = Memo::new(move |_| room.read_state.unread.with(Unread::divider));
    let rows = move || {
        let hydrated = room.hydrated.get();
        if let Some(container) = room.scroll.container.get_untracked().filter(|_| hydrated) {
            // Inserting rows moves the rows after them.
            let kept = KeptSelection::within(&container);
            queue_microtask(move || kept.restore());
        }
        let rows = room.timeline.with(|timeline| {
            room.outbox.with(|outbox| timeline.rows(|at| day_number(at, hydrated), divider.get(), outbox))
        });
        if hydrated {
            let presentations: Vec<_> = rows.iter().filter_map(presentation).collect();
            room.scroll.set_presentations(presentations);
            queue_microtask(move || room.scroll.present());
        }
        let page = room.shown_page.latest();
        rows.into_iter().map(move |row| ListRow::Timeline(page, row)).collect()
    };

    Effect::new(move |_| {
        room.timeline.track();
        room.outbox.track();
        divider.track();
        // At that time the list is rendered, but not painted yet.
        queue_microtask(move || {
            // First, because it changes the heights of rows.
            room.scroll.present();
            room.scroll.restore(room.follows() && !is_acting());
            room.skip_in_tab_order();
            room.update_read_position();
            renew_if_torn(room);
        });
    });
    let page_text = move |read: fn(&RoomView) -> String| text(move || room.page.with(read));
    let has_later = when(move || room.timeline.with(Timeline::more_after));
    // Saved while scrolling: a browser keeps no position of an element, and ignores changes of the history while a page
    // is being unloaded.
    let mut save_scroll = debounce(SCROLL_DEBOUNCE, move |()| room.save_scroll());
    let on_scroll = move |_| {
        save_scroll(());
        room.scroll.update();
        room.update_read_position();
    };

    view! {
        <div
            class="timeline"
            node_ref=room.scroll.container
            on:scroll=on_scroll
            on:click=move |event| on_click(room, &event)
            on:pointerover=move |event| {
                room.show_toolbar(&event);
                show_reactors(room, &event, false);
            }
            // A long press on a touch screen.
            on:contextmenu=move |event| {
                if dom::is_touch() {
                    show_reactors(room, &event, true);
                }
            }
            on:focusin=move |event| {
                room.show_toolbar(&event);
                show_reactors(room, &event, false);
            }
            on:pointerdown=move |event| room.begin_swipe(&event)
            on:pointermove=move |event| room.move_swipe(&event)
            on:pointerup=move |_| room.end_swipe(true)
            on:pointercancel=move |_| room.end_swipe(false)
            tabindex="0"
            role="log"
            aria-live="off"
            aria-label="Messages"
        >
            <div class="timeline-content">
                <TimelineStart />
                <ol
                    class="message-list"
                    data-room=page_text(|page| page.room.to_string())
                    data-epoch=page_text(|page| page.epoch.to_string())
                    data-head=page_text(|page| page.head.to_string())
                >
                    {row_list(Box::new(rows))}
                </ol>
                <a class="timeline-more" class:is-visible=has_later data-action="newest" href=page_text(|page| page.room.path())>"Newest"</a>
                <PendingList />
                <Toolbar />
            </div>
        </div>
    }
}

/// The part above the first loaded message: a link to earlier ones, the start of the room, or an invitation.
#[component]
fn TimelineStart() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let has_earlier = when(move || room.timeline.with(Timeline::more_before));
    let is_empty = when(move || {
        !has_earlier.get()
            && !room.is_framed()
            && room.timeline.with(|timeline| timeline.first().is_none())
            && room.outbox.with(|outbox| outbox.pending().is_empty())
    });
    let is_start = when(move || !has_earlier.get() && !is_empty.get() && !room.is_framed());
    let earlier = text(move || {
        let first = room.timeline.with(Timeline::first).unwrap_or_default();
        format!("{}{first}#m{first}", room.path())
    });
    view! {
        <a class="timeline-more" class:is-visible=has_earlier data-action="earlier" href=earlier>"Earlier messages"</a>
        <p class="timeline-start" class:is-visible=is_start>
            "This is the start of " <b dir="auto">{room.title}</b> "."
        </p>
        <div class="empty-room" class:is-visible=is_empty>
            <EmptyRoom />
        </div>
    }
}

/// Handles a click anywhere in the list: the element's `data-action` names the action, and `data-seq` of the message
/// its target. One listener serves all messages: a listener for each would be attached with every rendered message.
fn on_click(room: RoomState, event: &MouseEvent) {
    let Some(target) = dom::closest(event, "[data-action]") else { return open_sheet(room, event) };
    let action = target.get_attribute("data-action").unwrap_or_default();
    if let Some(id) = target.closest("[data-id]").ok().flatten().and_then(|item| item.get_attribute("data-id")) {
        room.act_on_pending(&action, &EventId::from_trusted(id));
    }
    match (action.as_str(), seq_of(&target)) {
        // The browser unfolds the text.
        ("unfold", Some(seq)) => return room.scroll.keep_upper_edge(seq),
        ("permalink" | "quote" | "earlier" | "newest", _) if !dom::is_plain_click(event) => return,
        ("earlier", _) => room.load_earlier(),
        ("newest", _) => room.scroll_to_end(),
        ("quote", _) => match target.get_attribute("data-target").and_then(|seq| seq.parse().ok()) {
            Some(seq) => room.open_quote(seq),
            None => return,
        },
        ("react", Some(seq)) => room.react(seq, &target.get_attribute("data-emoji").unwrap_or_default()),
        (action, Some(seq)) => room.act_on_message(action, seq),
        _ => return,
    }
    event.prevent_default();
}

/// Opens the sheet of a message that was tapped. Links and selected text keep their taps.
fn open_sheet(room: RoomState, event: &MouseEvent) {
    let is_used = dom::closest(event, "a, button, summary, code").is_some() || dom::has_selection();
    if let Some(seq) = dom::closest(event, ".message:not(.is-deleted)").as_ref().and_then(seq_of)
        && dom::is_touch()
        && !is_used
    {
        room.act_on_message("more", seq);
    }
}

/// Shows who reacted, when a reaction is pointed at, focused, or pressed for long.
fn show_reactors(room: RoomState, event: &Event, is_notice: bool) {
    if let Some(pill) = dom::closest(event, "[data-emoji]")
        && let Some(seq) = seq_of(&pill)
    {
        if is_notice {
            event.prevent_default();
        }
        room.show_reactors(pill, seq, is_notice);
    }
}

fn seq_of(element: &Element) -> Option<Seq> {
    element.closest("[data-seq]").ok()??.get_attribute("data-seq")?.parse().ok()
}

/// Returns the presentation of a message; `None` for other rows.
fn presentation(row: &TimelineRow) -> Option<Presentation> {
    if let TimelineRow::Message(row) = row { Some([row.starts_group, row.shows_tag]) } else { None }
}

/// Returns whether the pointer is on the toolbar of a message. Nothing may move then.
fn is_acting() -> bool {
    dom::find(".toolbar:hover").is_some()
}

/// Returns the number of the day: in UTC on the server, in the visitor's time zone after hydration.
fn day_number(at: Timestamp, hydrated: bool) -> i64 {
    at.day_number(if hydrated { clock::offset_minutes(at) } else { 0 })
}
