//! The state that the components of a room share, and the actions of the visitor.

use super::connection_state::ConnectionState;
use super::dialogs::{Dialogs, ModerationRequest};
use super::editing::Editing;
use super::identity::Identity;
use super::notifications::Notifications;
use super::outbox::{Outbox, OutboxCommand};
use super::outbox_storage::save_command;
use super::permalink::notice_of;
use super::presence::Presence;
use super::reacting::Reacting;
use super::read_state::ReadState;
use super::replying::Replying;
use super::request_guard::RequestGuard;
use super::requests::Requests;
use super::scroll_anchor::ScrollAnchor;
use super::send_lock::SendLock;
use super::timeline::Timeline;
use crate::domain::{AuthorTag, Epoch, EventId, Message, RoomName, RoomView, Seq};
use crate::protocol::ClientFrame;
use crate::ui::browser::{clock, random, storage};
use leptos::html::Div;
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
    pub(crate) replying: Replying,
    pub(crate) reacting: Reacting,
    pub(crate) presence: Presence,
    pub(crate) notifications: Notifications,
    pub(crate) scroll: ScrollAnchor,
    /// The toolbar of messages.
    pub(crate) toolbar: NodeRef<Div>,
    /// The last result of an action, or the reason why it was refused.
    pub(crate) notice: RwSignal<String>,
    /// The notice about the owner's last action, if it can be undone; otherwise empty.
    pub(crate) undo_notice: RwSignal<String>,
    /// The notice that the messages tell as well.
    pub(crate) event_notice: RwSignal<String>,
    /// The action that undoes the last one.
    pub(super) undo: StoredValue<Option<ModerationRequest>>,
    /// The message in the URL.
    pub(crate) marked: RwSignal<Option<Seq>>,
    /// Whether the browser runs the island. Until then the page shows UTC and works by forms and links.
    pub(crate) hydrated: RwSignal<bool>,
    /// Guard of everything that belongs to the open room; each room begins a new visit.
    pub(crate) visit: RequestGuard,
    /// Identifies the page whose messages are shown: another one has other messages with the same numbers, or the same
    /// messages with other texts.
    pub(crate) shown_page: RequestGuard,
    pub(crate) requests: Requests,
    pub(super) send_lock: StoredValue<SendLock>,
    pub(super) redraw_scheduled: StoredValue<bool>,
    /// Guard of sent commands: the timeout of an earlier one is stale.
    pub(super) sends: RequestGuard,
    /// Whether the page has to be loaded, because the URL names another room or the log cannot be continued.
    pub(super) is_stale: StoredValue<bool>,
    /// Whether the visitor wants to be at the end of the room and is not there yet.
    pub(super) wants_end: StoredValue<bool>,
    /// Whether the visitor wants to edit the newest own message, which is not loaded yet.
    pub(super) wants_edit: StoredValue<bool>,
}

impl RoomState {
    pub(crate) fn new(page: RoomView) -> Self {
        let (timeline, username) = (Timeline::new(&page), page.username.as_ref().map(ToString::to_string));
        let (marked, notice, replying) =
            (page.permalink, notice_of(&page), page.replying.as_ref().map(|quote| quote.seq));
        let page = RwSignal::new(page);
        Self {
            page,
            title: Signal::derive(move || page.with(|page| page.title().to_owned())),
            timeline: RwSignal::new(timeline),
            outbox: RwSignal::default(),
            read_state: ReadState::new(),
            connection: ConnectionState::new(),
            identity: Identity::new(username),
            dialogs: Dialogs::new(),
            editing: Editing::new(),
            replying: Replying::new(replying),
            reacting: Reacting::new(),
            presence: Presence::new(),
            notifications: Notifications::new(),
            scroll: ScrollAnchor::new(),
            toolbar: NodeRef::new(),
            notice: RwSignal::new(notice),
            undo_notice: RwSignal::default(),
            event_notice: RwSignal::default(),
            undo: StoredValue::default(),
            marked: RwSignal::new(marked),
            hydrated: RwSignal::new(false),
            visit: RequestGuard::new(),
            shown_page: RequestGuard::new(),
            requests: Requests::new(),
            send_lock: StoredValue::default(),
            redraw_scheduled: StoredValue::default(),
            sends: RequestGuard::new(),
            is_stale: StoredValue::default(),
            wants_end: StoredValue::default(),
            wants_edit: StoredValue::default(),
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

    /// Returns the epoch of the room; empty while its page is being loaded.
    pub(crate) fn epoch(self) -> Epoch {
        self.page.with_untracked(|page| page.epoch.clone())
    }

    /// Returns whether only the frame of the room is shown, because its page is being loaded.
    pub(crate) fn is_framed(self) -> bool {
        self.page.with(|page| page.epoch.0.is_empty())
    }

    /// Returns whether a tag is the visitor's own.
    pub(crate) fn is_own(self, tag: &AuthorTag) -> bool {
        self.page.with_untracked(|page| page.tag == *tag)
    }

    /// Returns whether a message is the visitor's own and not deleted.
    pub(crate) fn has_own(self, seq: Seq) -> bool {
        self.timeline.with_untracked(|timeline| timeline.message(seq).is_some_and(|message| self.is_editable(message)))
    }

    pub(super) fn is_editable(self, message: &Message) -> bool {
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

    /// Notifies the other participants that the visitor is typing.
    pub(crate) fn send_typing(self) {
        self.connection.send(ClientFrame::Typing.encode());
    }

    /// Saves a command and sends it. A post scrolls to the end, where it will appear.
    pub(crate) fn submit(self, command: OutboxCommand) {
        if matches!(command, OutboxCommand::Post { .. }) {
            self.notice.set(String::new());
            self.scroll_to_end();
        }
        let (id, now) = (random::event_id(), clock::now() as u64);
        let epoch = Some(self.epoch()).filter(|epoch| !epoch.0.is_empty());
        self.change_outbox(&id, |outbox| outbox.push(id.clone(), command, now, epoch));
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
            storage::save_edit(&self.name(), &self.epoch(), seq, "");
            self.editing.target.set(None);
        }
    }

    /// Changes the outbox, and the stored form of the one changed command.
    pub(super) fn change_outbox(self, id: &EventId, change: impl FnOnce(&mut Outbox)) {
        // The list will be rendered again, and the reader may have scrolled since the last scroll event.
        self.scroll.update();
        self.outbox.update(|outbox| {
            change(outbox);
            save_command(&self.name(), outbox, id);
        });
    }
}
