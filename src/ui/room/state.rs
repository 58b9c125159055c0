//! The state that the components of a room share, and the actions of the visitor.

use super::connection_state::ConnectionState;
use super::dialogs::{Dialogs, ModerationRequest};
use super::editing::Editing;
use super::identity::Identity;
use super::notifications::Notifications;
use super::outbox::{Outbox, OutboxCommand};
use super::permalink::notice_of;
use super::presence::Presence;
use super::read_state::ReadState;
use super::request_guard::RequestGuard;
use super::requests::Requests;
use super::scroll_anchor::{ScrollAnchor, ScrollTarget};
use super::send_lock::SendLock;
use super::timeline::Timeline;
use crate::domain::{AuthorTag, EventId, Message, RoomName, RoomView, Seq};
use crate::protocol::ClientFrame;
use crate::ui::browser::{clock, random, storage};
use leptos::prelude::*;

/// The state of the open room. Copies share one state.
#[derive(Clone, Copy)]
pub(crate) struct RoomState {
    /// The room as its page was loaded.
    pub(crate) page: RwSignal<RoomView>,
    /// The title of the room.
    pub(crate) title: Signal<String>,
    pub(crate) timeline: RwSignal<Timeline>,
    pub(crate) outbox: RwSignal<Outbox>,
    pub(crate) read_state: ReadState,
    pub(crate) connection: ConnectionState,
    pub(crate) identity: Identity,
    pub(crate) dialogs: Dialogs,
    pub(crate) editing: Editing,
    pub(crate) presence: Presence,
    pub(crate) notifications: Notifications,
    pub(crate) scroll: ScrollAnchor,
    /// The last result of an action, or the reason why it was refused.
    pub(crate) notice: RwSignal<String>,
    /// The notice that tells of the last action of the owner, if it can be undone; otherwise empty.
    pub(crate) undo_notice: RwSignal<String>,
    /// The action that takes back the last one.
    pub(super) undo: StoredValue<Option<ModerationRequest>>,
    /// The message that the URL names.
    pub(crate) marked: RwSignal<Option<Seq>>,
    /// Whether the browser runs the island. Until then the page shows UTC and works by forms and links.
    pub(crate) hydrated: RwSignal<bool>,
    /// Guard of everything that belongs to the open room; each room begins a new visit.
    pub(crate) visit: RequestGuard,
    pub(super) requests: Requests,
    pub(super) send_lock: StoredValue<SendLock>,
    pub(super) redraw_scheduled: StoredValue<bool>,
}

impl RoomState {
    pub(crate) fn new(page: RoomView) -> Self {
        let (timeline, username) = (Timeline::new(&page), page.username.as_ref().map(ToString::to_string));
        let (marked, notice) = (page.permalink, notice_of(&page));
        let page = RwSignal::new(page);
        Self {
            page,
            title: Signal::derive(move || page.with(|page| page.room.title().to_owned())),
            timeline: RwSignal::new(timeline),
            outbox: RwSignal::default(),
            read_state: ReadState::new(),
            connection: ConnectionState::new(),
            identity: Identity::new(username),
            dialogs: Dialogs::new(),
            editing: Editing::new(),
            presence: Presence::new(),
            notifications: Notifications::new(),
            scroll: ScrollAnchor::new(),
            notice: RwSignal::new(notice),
            undo_notice: RwSignal::default(),
            undo: StoredValue::default(),
            marked: RwSignal::new(marked),
            hydrated: RwSignal::new(false),
            visit: RequestGuard::new(),
            requests: Requests::new(),
            send_lock: StoredValue::default(),
            redraw_scheduled: StoredValue::default(),
        }
    }

    /// Returns the name of the room.
    pub(crate) fn name(self) -> RoomName {
        self.page.with_untracked(|page| page.room.clone())
    }

    /// Returns the path of the room, such as `/harbour/`.
    pub(crate) fn path(self) -> String {
        self.page.with_untracked(|page| page.room.path())
    }

    /// Returns whether a tag is the visitor's own.
    pub(crate) fn is_own(self, tag: &AuthorTag) -> bool {
        self.page.with_untracked(|page| page.tag == *tag)
    }

    /// Returns whether a message is the visitor's own and not deleted.
    pub(crate) fn has_own(self, seq: Seq) -> bool {
        self.timeline.with_untracked(|timeline| timeline.message(seq).is_some_and(|message| self.is_editable(message)))
    }

    /// Returns the visitor's newest message that is not deleted.
    pub(crate) fn last_own(self) -> Option<Message> {
        self.timeline
            .with_untracked(|timeline| timeline.messages().rev().find(|message| self.is_editable(message)).cloned())
    }

    fn is_editable(self, message: &Message) -> bool {
        self.is_own(&message.tag) && !message.is_deleted()
    }

    /// Returns the text of a message, with a pending change applied.
    pub(crate) fn text_of(self, seq: Seq) -> Option<String> {
        let pending = self
            .outbox
            .with_untracked(|outbox| outbox.pending_change(seq).map(|pending| pending.command.text().to_owned()));
        pending.or_else(|| {
            self.timeline.with_untracked(|timeline| timeline.message(seq).map(|message| message.text.clone()))
        })
    }

    /// Returns the last applied number of the log.
    pub(crate) fn position(self) -> Seq {
        self.timeline.with_untracked(Timeline::position)
    }

    /// Returns whether the reader is at the end of the room and sees new messages arrive.
    pub(crate) fn follows(self) -> bool {
        !self.timeline.with_untracked(Timeline::more_after) && self.scroll.is_at_end()
    }

    /// Starts a visit of the room whose page is loaded: restores what the browser has stored, and connects.
    pub(crate) fn load_room(self) {
        let (name, page) = (self.name(), self.page.get_untracked());
        self.visit.begin();
        let mut outbox = Outbox::default();
        outbox.merge_stored(self.stored_commands());
        self.outbox.set(outbox);
        self.open_read_state();
        self.watch_mute();
        self.connect(&name, &page);
    }

    /// Replaces the open room by another one, or by another page of it, and scrolls to `target`.
    pub(crate) fn replace(self, page: RoomView, target: ScrollTarget) {
        self.stop_sending();
        let timeline = Timeline::new(&page);
        let nearest = target.seq().and_then(|seq| timeline.nearest(seq));
        self.scroll.scroll_after_render(nearest.map_or(ScrollTarget::Bottom, |nearest| target.at(nearest)));
        self.presence.clear();
        self.dialogs.close_modals();
        self.editing.target.set(None);
        self.identity.name_error.set(None);
        self.notice.set(notice_of(&page));
        self.notifications.announcement.set(page.room.title().to_owned());
        self.connection.announcement.set(String::new());
        self.scroll.take_left();
        self.marked.set(page.permalink);
        self.timeline.set(timeline);
        self.page.set(page);
        self.load_room();
    }

    /// Notifies the other participants that the visitor is typing.
    pub(crate) fn send_typing(self) {
        self.connection.send(ClientFrame::Typing);
    }

    /// Saves a command and sends it. A post scrolls to the end, where it will appear.
    pub(crate) fn submit(self, command: OutboxCommand) {
        if matches!(command, OutboxCommand::Post { .. }) {
            self.notice.set(String::new());
            self.scroll_to_end();
        }
        let (id, now) = (random::event_id(), clock::now() as u64);
        self.change_outbox(&id, |outbox| outbox.push(id.clone(), command, now));
        self.send_pending();
    }

    /// Sends a refused command again.
    pub(crate) fn retry(self, id: &EventId) {
        let username = self.identity.username.get_untracked();
        self.change_outbox(id, |outbox| outbox.retry(id, username));
        self.send_pending();
    }

    /// Discards a refused command.
    pub(crate) fn discard(self, id: &EventId) {
        self.change_outbox(id, |outbox| _ = outbox.remove(id));
    }

    /// Ends editing, after it was saved or canceled.
    pub(crate) fn stop_editing(self) {
        if let Some(seq) = self.editing.target.get_untracked() {
            storage::save_edit(&self.name(), seq, "");
            self.editing.target.set(None);
        }
    }

    /// Changes the outbox, and the stored form of the one command that the change is about.
    pub(super) fn change_outbox(self, id: &EventId, change: impl FnOnce(&mut Outbox)) {
        // The list is rendered again, and the reader may have scrolled since the last scroll event.
        self.scroll.update();
        self.outbox.update(|outbox| {
            change(outbox);
            match outbox.get(id) {
                Some(pending) => storage::save_pending(&self.name(), id, &pending.to_stored()),
                None => storage::remove_pending(&self.name(), id),
            }
        });
    }
}
