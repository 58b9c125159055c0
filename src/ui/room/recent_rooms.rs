//! The visitor's rooms: those that this browser has visited, and those in which the server knows the visitor, with the
//! newest message of each and the numbers of unread and unsent messages.

use super::outbox_storage::unsent_count;
use super::request_guard::RequestGuard;
use super::state::RoomState;
use crate::api::preview_rooms;
use crate::domain::quote::excerpt;
use crate::domain::{LastMessage, Message, RoomName, RoomPosition, RoomPreview, RoomPreviews, Seq, Timestamp};
use crate::ui::browser::visited_rooms::{self, ListChoices, VisitedRoom, visited_rooms};
use crate::ui::browser::{clock, dom, random};
use crate::ui::room_list_data::RoomListData;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::time::Duration;
use wasm_bindgen::JsCast;
use web_sys::{Event, StorageEvent};

/// Mean interval at which a list in view is refreshed, in seconds. Each page takes between three and five quarters of
/// it, so that pages that were opened together do not ask together.
const REFRESH_SECONDS: u32 = 30;

/// Maximum factor by which failing requests lengthen the interval.
const MAX_BACKOFF: u32 = 16;

/// Minimum time between two requests when the visitor comes back to the page, in milliseconds.
const RETURN_INTERVAL_MS: f64 = 5000.0;

/// A room in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecentRoom {
    /// The room as this browser has stored it.
    pub(crate) visited: VisitedRoom,
    /// The number of commands that are not sent.
    pub(crate) unsent: usize,
    /// The room as the server described it last.
    pub(crate) preview: Option<RoomPreview>,
    /// The read position that the unread count in `preview` refers to.
    counted_from: Seq,
}

impl RecentRoom {
    /// Returns the number of unread messages, and of those that mention the visitor. Of a muted room, none are counted.
    pub(crate) fn unread(&self) -> (u64, u64) {
        let is_counted = |preview: &&RoomPreview| !self.visited.choices.muted && preview.head > self.visited.read;
        let preview = self.preview.as_ref().filter(is_counted);
        preview.map_or((0, 0), |preview| (preview.unread, preview.mentions))
    }

    /// Returns the title that visitors see.
    pub(crate) fn title(&self) -> &str {
        self.preview.as_ref().map_or_else(|| self.visited.room.title(), RoomPreview::title)
    }

    /// Returns the newest message, if it is known.
    pub(crate) fn last(&self) -> Option<&LastMessage> {
        self.preview.as_ref()?.last.as_ref()
    }

    /// Returns the position for which a preview is requested: without the known state if the unread messages have to be
    /// counted again.
    fn position(&self) -> RoomPosition {
        let known = self
            .preview
            .as_ref()
            .filter(|preview| preview.head <= self.visited.read || self.counted_from == self.visited.read);
        let state = known.map(|preview| preview.state.clone()).unwrap_or_default();
        RoomPosition { room: self.visited.room.as_str().to_owned(), read: self.visited.read, state }
    }
}

/// The visitor's rooms, in the order of the list. Copies share one state.
#[derive(Clone, Copy)]
pub(crate) struct RecentRooms {
    /// The rooms.
    pub(crate) rooms: RwSignal<Vec<RecentRoom>>,
    /// The name of the open room; empty on the front page.
    pub(crate) open: RwSignal<String>,
    /// The room whose menu is open.
    pub(crate) menu: RwSignal<Option<RoomName>>,
    /// The edges of the button that has opened the menu, as [`dom::edges`] returns them.
    pub(crate) menu_button: StoredValue<(f64, f64, f64)>,
    /// Whether the browser shows the list; until then, times are in UTC.
    pub(crate) hydrated: RwSignal<bool>,
    /// The time at which the server has rendered the list.
    pub(crate) rendered_at: Timestamp,
    /// Whether the server has rendered rooms, which keep their places.
    is_rendered: bool,
    requests: RequestGuard,
    /// Time of the last request, in milliseconds since 1970.
    requested_at: StoredValue<f64>,
    backoff: StoredValue<u32>,
}

impl RecentRooms {
    /// Creates the list with the rooms that the server has rendered.
    pub(crate) fn new(data: RoomListData) -> Self {
        let row = |preview: RoomPreview| {
            let room = preview.room.clone();
            let visited = VisitedRoom { room, read: Seq::MAX, visited_at: 0, choices: ListChoices::default() };
            RecentRoom { visited, unsent: 0, preview: Some(preview), counted_from: Seq::MAX }
        };
        Self {
            is_rendered: !data.rooms.is_empty(),
            rendered_at: data.now,
            rooms: RwSignal::new(data.rooms.into_iter().map(row).collect()),
            open: RwSignal::default(),
            menu: RwSignal::default(),
            menu_button: StoredValue::default(),
            hydrated: RwSignal::new(false),
            requests: RequestGuard::new(),
            requested_at: StoredValue::default(),
            backoff: StoredValue::new(1),
        }
    }

    /// Returns a property of a room in the list, and tracks it.
    pub(crate) fn of<T: Default>(self, room: &RoomName, property: impl Fn(&RecentRoom) -> T) -> T {
        self.rooms.with(|rooms| rooms.iter().find(|it| it.visited.room == *room).map(property).unwrap_or_default())
    }

    /// Reads the rooms from the browser's storage. Rooms keep their places, so that none moves under the pointer; those
    /// that were not listed before come first, or last if the server has rendered the list.
    pub(crate) fn reload(self) {
        let before = self.rooms.get_untracked();
        let mut stored = visited_rooms();
        // The server may know rooms that this browser has forgotten.
        for known in &before {
            if stored.iter().all(|other| other.room != known.visited.room) {
                stored.push(VisitedRoom::stored(known.visited.room.clone()));
            }
        }
        stored.retain(|room| !room.is_removed());
        let place = |room: &RoomName| before.iter().position(|it| it.visited.room == *room);
        let row = |visited: VisitedRoom| {
            let known = place(&visited.room).and_then(|index| before.get(index));
            RecentRoom {
                unsent: unsent_count(&visited.room),
                preview: known.and_then(|known| known.preview.clone()),
                counted_from: known.map_or(0, |known| known.counted_from),
                visited,
            }
        };
        let mut rows: Vec<RecentRoom> = stored.into_iter().map(row).collect();
        let unknown = if self.is_rendered { usize::MAX } else { 0 };
        let rank = |row: &RecentRoom| {
            (!row.visited.choices.pinned, place(&row.visited.room).map_or(unknown, |index| index + 1))
        };
        rows.sort_by_key(rank);
        self.show(rows);
    }

    /// Reads the rooms from the browser's storage, then requests the previews that have changed.
    pub(crate) fn refresh(self) {
        self.reload();
        // The page itself knows the open room.
        let open = self.open.get_untracked();
        let is_other = |row: &&RecentRoom| row.visited.room.as_str() != open;
        let positions: Vec<RoomPosition> =
            self.rooms.with_untracked(|rooms| rooms.iter().filter(is_other).map(RecentRoom::position).collect());
        if positions.is_empty() {
            return;
        }
        let request = self.requests.begin();
        self.requested_at.set_value(clock::now());
        spawn_local(async move {
            let previews = preview_rooms(&positions).await;
            let backoff = if previews.is_ok() { 1 } else { (2 * self.backoff.get_value()).min(MAX_BACKOFF) };
            self.backoff.set_value(backoff);
            if let Ok(previews) = previews
                && self.requests.is_latest(request)
            {
                self.apply(&positions, previews);
            }
        });
    }

    /// Shows previews that were requested for these positions. Of a room that the server says nothing about, nothing but
    /// its name stays: it does not exist any more, or is no longer for the visitor.
    fn apply(self, positions: &[RoomPosition], RoomPreviews { mut changed, unchanged }: RoomPreviews) {
        let mut rows = self.rooms.get_untracked();
        let count_unknown = |rows: &[RecentRoom]| rows.iter().filter(|row| row.preview.is_none()).count();
        let unknown = count_unknown(&rows);
        for (_, asked) in positions.iter().enumerate().filter(|(index, _)| !unchanged.contains(index)) {
            if let Some(row) = rows.iter_mut().find(|row| row.visited.room.as_str() == asked.room) {
                let place = changed.iter().position(|preview| preview.room == row.visited.room);
                row.counted_from = asked.read;
                row.preview = place.map(|place| changed.swap_remove(place));
            }
        }
        // Rooms that only this browser knows take their places among those that the server has rendered.
        if self.is_rendered && count_unknown(&rows) < unknown {
            rows.sort_by_key(|row| (!row.visited.choices.pinned, row.last().map_or(0, |last| -last.at.0)));
        }
        self.show(rows);
    }

    /// Marks the open room, and tracks it. Returns whether it is muted.
    pub(crate) fn mark_open(self, room: RoomState) -> bool {
        let name = room.page.with(|page| page.room.clone());
        if self.open.with_untracked(|open| open != name.as_str()) {
            self.open.set(name.as_str().to_owned());
            self.reload();
        }
        self.of(&name, |row| row.visited.choices.muted)
    }

    /// Shows the open room as its page knows it, and tracks that.
    pub(crate) fn show_open(self, room: RoomState) {
        let (read, unread) = room.read_state.unread.with(|unread| (unread.read(), unread.count()));
        let last = |message: &Message| LastMessage {
            username: message.username.clone(),
            own: room.is_own(&message.tag),
            excerpt: excerpt(&message.text),
            at: message.sent_at,
        };
        let name = room.identity.username.get();
        let mentions_me = |message: &&Message| {
            message.seq > read
                && !room.is_own(&message.tag)
                && message.mentions.iter().any(|it| Some(it.as_str()) == name.as_deref())
        };
        let (head, last, mentions) = room.timeline.with(|timeline| {
            let newest = timeline.messages().rev().find(|message| !message.is_deleted());
            let mentions = timeline.messages().filter(mentions_me).count();
            (timeline.position(), newest.filter(|_| !timeline.more_after()).map(last), mentions)
        });
        if room.is_framed() {
            return;
        }
        let name = room.name();
        let mut rows = self.rooms.get_untracked();
        if rows.iter().all(|row| row.visited.room != name) {
            self.reload();
            rows = self.rooms.get_untracked();
        }
        if let Some(row) = rows.iter_mut().find(|row| row.visited.room == name) {
            // Of a page in the middle of the room, the newest message is not known.
            let last = last.or_else(|| row.last().cloned());
            let title = room.page.with_untracked(|page| page.title.clone());
            (row.visited.read, row.counted_from) = (read, read);
            let (unread, mentions) = (unread as u64, mentions.min(unread) as u64);
            row.preview = Some(RoomPreview { room: name, title, state: String::new(), head, unread, mentions, last });
        }
        self.show(rows);
    }

    /// Changes how a room is listed.
    pub(crate) fn choose(self, room: &RoomName, change: impl Fn(&mut ListChoices)) {
        let mut choices = visited_rooms::list_choices(room);
        change(&mut choices);
        visited_rooms::save_list_choices(room, choices);
        self.reload();
    }

    /// Starts to refresh the list while `is_shown` and the page is visible, and to follow the other tabs.
    pub(crate) fn start(self, is_shown: Signal<bool>) {
        self.hydrated.set(true);
        self.reload();
        let refresh = move || {
            if is_shown.get_untracked() && !dom::is_hidden() {
                self.refresh();
            }
        };
        let on_return = move |_| {
            if clock::now() - self.requested_at.get_value() > RETURN_INTERVAL_MS {
                refresh();
            }
        };
        for name in ["visibilitychange", "focus", "online"] {
            dom::on_window(name, Box::new(on_return));
        }
        let on_storage = move |event: Event| {
            let key = event.unchecked_into::<StorageEvent>().key();
            if key.as_deref().is_none_or(visited_rooms::is_list_key) {
                self.reload();
            }
        };
        dom::on_window("storage", Box::new(on_storage));
        self.schedule(refresh);
    }

    fn schedule(self, refresh: impl Fn() + Copy + 'static) {
        let quarters = 3.0 + 2.0 * random::fraction();
        let seconds = f64::from(REFRESH_SECONDS * self.backoff.get_value()) * quarters / 4.0;
        let next = move || {
            if !dom::is_replaced() {
                refresh();
                self.schedule(refresh);
            }
        };
        set_timeout(next, Duration::from_secs_f64(seconds));
    }

    fn show(self, rows: Vec<RecentRoom>) {
        if self.rooms.with_untracked(|before| *before != rows) {
            self.rooms.set(rows);
        }
    }
}
