//! What the parts of a room share, and what can be done in it.

use super::attention::Attention;
use super::moderation::Concern;
use super::others::Others;
use super::reading_place::{Goal, ReadingPlace};
use super::room_listener::RoomListener;
use super::travel::Errand;
use super::turn::Turn;
use crate::domain::{EventId, Message, RoomName, RoomPage, Seq, Tag};
use crate::protocol::ClientFrame;
use crate::ui::browser::{self, clock, kept};
use crate::ui::live::{ConnectionStatus, Live};
use crate::ui::outbox::{Outbox, Wish};
use crate::ui::timeline::Timeline;
use crate::ui::unread::Unread;
use leptos::prelude::*;

/// What the parts of a room share.
#[derive(Clone, Copy)]
pub(super) struct RoomState {
    pub(super) page: RwSignal<RoomPage>,
    /// What people call the room.
    pub(super) title: Signal<String>,
    pub(super) timeline: RwSignal<Timeline>,
    pub(super) outbox: RwSignal<Outbox>,
    pub(super) unread: RwSignal<Unread>,
    /// Whether the unread line was in view, or is of no interest.
    pub(super) line_seen: RwSignal<bool>,
    pub(super) status: RwSignal<ConnectionStatus>,
    /// What those who listen were last told of it.
    pub(super) connection_told: RwSignal<String>,
    /// The name the visitor goes by, once there is one.
    pub(super) username: RwSignal<Option<String>>,
    /// Why the server does not take that name here.
    pub(super) name_refused: RwSignal<Option<String>>,
    /// Whether the way to other rooms is open.
    pub(super) switching: RwSignal<bool>,
    /// Whether it is shown who is here, where there is no room for that beside the messages.
    pub(super) showing_participants: RwSignal<bool>,
    /// The own message that is being edited.
    pub(super) editing: RwSignal<Option<Seq>>,
    /// The message that is to be removed, once that is confirmed.
    pub(super) removing: RwSignal<Option<Seq>>,
    /// What the owner's dialog is about, while it is open.
    pub(super) moderating: RwSignal<Option<Concern>>,
    /// What was last done about the room, or refused, in words.
    pub(super) notice: RwSignal<String>,
    /// The message that the address names.
    pub(super) marked: RwSignal<Option<Seq>>,
    pub(super) others: Others,
    pub(super) attention: Attention,
    pub(super) place: ReadingPlace,
    /// Whether the browser has taken over: times become local then.
    pub(super) awake: RwSignal<bool>,
    pub(super) turn: StoredValue<Turn>,
    /// Counts the rooms that were opened, and what was asked for: late answers are for nobody.
    pub(super) visit: StoredValue<u32>,
    pub(super) asked: StoredValue<u32>,
    pub(super) errand: StoredValue<Errand>,
    pub(super) drawing: StoredValue<bool>,
    live: StoredValue<Option<Live>>,
}

impl RoomState {
    pub(super) fn new(page: RoomPage) -> Self {
        let (timeline, username) = (Timeline::new(&page), page.username.as_ref().map(ToString::to_string));
        let marked = page.permalink;
        let page = RwSignal::new(page);
        Self {
            page,
            title: Signal::derive(move || page.with(|page| page.room.title().to_owned())),
            timeline: RwSignal::new(timeline),
            outbox: RwSignal::default(),
            unread: RwSignal::default(),
            line_seen: RwSignal::new(true),
            status: RwSignal::default(),
            connection_told: RwSignal::default(),
            username: RwSignal::new(username),
            name_refused: RwSignal::default(),
            switching: RwSignal::new(false),
            showing_participants: RwSignal::new(false),
            editing: RwSignal::default(),
            removing: RwSignal::default(),
            moderating: RwSignal::default(),
            notice: RwSignal::default(),
            marked: RwSignal::new(marked),
            others: Others::new(),
            attention: Attention::new(),
            place: ReadingPlace::new(),
            awake: RwSignal::new(false),
            turn: StoredValue::default(),
            visit: StoredValue::default(),
            asked: StoredValue::default(),
            errand: StoredValue::default(),
            drawing: StoredValue::default(),
            live: StoredValue::new(None),
        }
    }

    pub(super) fn name(self) -> RoomName {
        self.page.with_untracked(|page| page.room.clone())
    }

    /// `/harbour/`
    pub(super) fn path(self) -> String {
        self.page.with_untracked(|page| page.room.path())
    }

    /// Whether this is the visitor's own tag.
    pub(super) fn is_own(self, tag: &Tag) -> bool {
        self.page.with_untracked(|page| page.tag == *tag)
    }

    /// Whether this is a message of the visitor's own that is still there.
    pub(super) fn has_own(self, seq: Seq) -> bool {
        self.timeline.with_untracked(|it| it.message(seq).is_some_and(|it| self.is_own(&it.tag) && !it.is_deleted()))
    }

    /// The text of a message as it is, or will be once what is on its way is there.
    pub(super) fn text_of(self, seq: Seq) -> Option<String> {
        let coming = self.outbox.with_untracked(|outbox| outbox.change_of(seq).map(|it| it.wish.text().to_owned()));
        coming.or_else(|| self.timeline.with_untracked(|it| it.message(seq).map(|it| it.text.clone())))
    }

    /// The visitor's newest message that is still there.
    pub(super) fn last_own(self) -> Option<Message> {
        let is_own = |it: &&Message| self.is_own(&it.tag) && !it.is_deleted();
        self.timeline.with_untracked(|timeline| timeline.messages().rev().find(is_own).cloned())
    }

    /// The browser takes over the page, or another room was opened: reads on from what is there.
    pub(super) fn begin(self) {
        let (name, page) = (self.name(), self.page.get_untracked());
        self.visit.update_value(|visit| *visit += 1);
        let mut outbox = Outbox::default();
        outbox.take_over(kept::outbox(&name));
        self.outbox.set(outbox);
        self.unread.set(self.timeline.with_untracked(|timeline| {
            let others = timeline.messages().filter(|it| !self.is_own(&it.tag)).map(|it| it.seq);
            let first = timeline.first().unwrap_or(0);
            Unread::open(kept::read(&name), others, first, timeline.position(), timeline.more_before())
        }));
        self.line_seen.set(self.unread.with_untracked(|unread| unread.line().is_none()));
        kept::keep_read(&name, self.unread.with_untracked(Unread::read));
        self.connect(&name, &page);
    }

    /// Connects under the visitor's name, and leaves the connection that there was.
    pub(super) fn connect(self, name: &RoomName, page: &RoomPage) {
        self.live.with_value(|live| live.as_ref().map(Live::close));
        self.hush();
        let listener = RoomListener { room: self, visit: self.visit.get_value() };
        let live = Live::start(name, &page.epoch, self.username.get_untracked().as_deref(), listener);
        self.live.set_value(Some(live));
    }

    /// The edit was saved or cancelled.
    pub(super) fn stop_editing(self) {
        if let Some(seq) = self.editing.get_untracked() {
            kept::keep_edit(&self.name(), seq, "");
            self.editing.set(None);
        }
    }

    /// Shows the others that something is being written here.
    pub(super) fn write(self) {
        self.send(ClientFrame::Typing);
    }

    /// Keeps what is wished for, then sends it. Whoever speaks wants to see it: the reader goes to the end.
    pub(super) fn wish(self, wish: Wish) {
        if matches!(wish, Wish::Post { .. }) {
            self.notice.set(String::new());
            self.go_to_the_end();
        }
        let (id, now) = (browser::new_id(), clock::now() as u64);
        self.change_outbox(&id, |outbox| outbox.push(id.clone(), wish, now));
        self.send_waiting();
    }

    pub(super) fn retry(self, id: &EventId) {
        let username = self.username.get_untracked();
        self.change_outbox(id, |outbox| outbox.retry(id, username));
        self.send_waiting();
    }

    pub(super) fn discard(self, id: &EventId) {
        self.change_outbox(id, |outbox| _ = outbox.remove(id));
    }

    /// Tries to connect now rather than later.
    pub(super) fn reconnect(self) {
        self.live.with_value(|live| live.as_ref().map(Live::wake));
    }

    pub(super) fn send(self, frame: ClientFrame) {
        self.live.with_value(|live| live.as_ref().map(|live| live.send(frame)));
    }

    /// Changes the outbox, and what the browser keeps of the one thing that this is about.
    pub(super) fn change_outbox(self, id: &EventId, change: impl FnOnce(&mut Outbox)) {
        // The list is drawn anew, and the reader may have scrolled since the browser last told of it.
        self.place.look();
        self.outbox.update(|outbox| {
            change(outbox);
            match outbox.get(id) {
                Some(pending) => kept::keep_pending(&self.name(), pending),
                None => kept::forget_pending(&self.name(), id),
            }
        });
    }

    pub(super) fn position(self) -> Seq {
        self.timeline.with_untracked(Timeline::position)
    }

    /// Whether the reader is at the end, and sees what comes.
    pub(super) fn follows(self) -> bool {
        !self.timeline.with_untracked(Timeline::more_after) && self.place.is_at_the_end()
    }

    /// Another page takes the place of this one.
    pub(super) fn replace(self, page: RoomPage, goal: Goal) {
        self.hush();
        let timeline = Timeline::new(&page);
        let nearest = goal.seq().and_then(|seq| timeline.nearest(seq));
        self.place.aim(nearest.map_or(Goal::End, |nearest| goal.at(nearest)));
        self.others.leave();
        self.switching.set(false);
        self.editing.set(None);
        self.removing.set(None);
        self.moderating.set(None);
        self.name_refused.set(None);
        self.notice.set(String::new());
        self.connection_told.set(String::new());
        self.marked.set(page.permalink);
        self.timeline.set(timeline);
        self.page.set(page);
        self.begin();
    }
}
