//! The room: the island that is rendered on the server and lives on in the browser. It holds what the parts share, and
//! joins the timeline, the outbox and the live connection.

use super::composer::Composer;
use super::connection_status::ConnectionStatusBar;
use super::message_list::MessageList;
use super::others::Others;
use super::participant_list::ParticipantList;
use super::pending_list::PendingList;
use super::room_header::RoomHeader;
use super::typing_line::TypingLine;
use crate::domain::{EventId, RoomName, RoomPage, Seq, Tag};
use crate::protocol::{ClientFrame, ServerFrame};
use crate::ui::live::{ConnectionStatus, Listener, Live};
use crate::ui::outbox::{Outbox, Pending};
use crate::ui::timeline::{Applied, Timeline};
use crate::ui::{Refused, browser};
use gloo_timers::callback::Timeout;
use leptos::prelude::*;

/// What the parts of a room share.
#[derive(Clone, Copy)]
pub(super) struct RoomState {
    pub(super) page: StoredValue<RoomPage>,
    pub(super) timeline: RwSignal<Timeline>,
    pub(super) outbox: RwSignal<Outbox>,
    pub(super) status: RwSignal<ConnectionStatus>,
    pub(super) others: Others,
    /// Whether the browser has taken over: times become local then.
    pub(super) awake: RwSignal<bool>,
    live: StoredValue<Option<Live>>,
}

impl RoomState {
    fn new(page: RoomPage) -> Self {
        Self {
            timeline: RwSignal::new(Timeline::new(&page)),
            page: StoredValue::new(page),
            outbox: RwSignal::default(),
            status: RwSignal::default(),
            others: Others::new(),
            awake: RwSignal::new(false),
            live: StoredValue::new(None),
        }
    }

    pub(super) fn name(self) -> RoomName {
        self.page.with_value(|page| page.room.clone())
    }

    /// Whether this is the visitor's own tag.
    pub(super) fn is_own(self, tag: &Tag) -> bool {
        self.page.with_value(|page| page.tag == *tag)
    }

    /// Whether what is said here is sent over the socket; a page further up only reads.
    pub(super) fn is_live(self) -> bool {
        self.live.with_value(Option::is_some)
    }

    /// Shows the others that something is being written here.
    pub(super) fn write(self) {
        self.send(ClientFrame::Typing);
    }

    /// Keeps what was said, then sends it.
    pub(super) fn say(self, username: Option<String>, text: String) {
        let id = browser::new_id();
        self.change_outbox(|outbox| outbox.push(id.clone(), username.clone(), text.clone()));
        self.post(&id, username, text);
    }

    pub(super) fn retry(self, id: &EventId) {
        self.change_outbox(|outbox| outbox.retry(id));
        self.send_waiting();
    }

    pub(super) fn discard(self, id: &EventId) {
        self.change_outbox(|outbox| outbox.discard(id));
    }

    /// Tries to connect now rather than later.
    pub(super) fn wake(self) {
        self.live.with_value(|live| live.as_ref().map(Live::wake));
    }

    fn send(self, frame: ClientFrame) {
        self.live.with_value(|live| live.as_ref().map(|live| live.send(frame)));
    }

    fn send_waiting(self) {
        let waiting: Vec<Pending> = self.outbox.with_untracked(|outbox| outbox.to_send().cloned().collect());
        for Pending { id, username, text, .. } in waiting {
            self.post(&id, username, text);
        }
    }

    fn post(self, id: &EventId, username: Option<String>, text: String) {
        self.send(ClientFrame::Post { id: Some(id.as_str().to_owned()), message: text, username });
    }

    fn change_outbox(self, change: impl FnOnce(&mut Outbox)) {
        self.outbox.update(change);
        self.outbox.with_untracked(|outbox| browser::keep_outbox(&self.name(), outbox));
    }

    fn start(self) {
        self.awake.set(true);
        if self.timeline.with_untracked(Timeline::more_after) {
            return;
        }
        let name = self.name();
        self.outbox.set(browser::load_outbox(&name));
        let page = self.page.get_value();
        self.live.set_value(Some(Live::start(&name, &page.epoch, page.username.as_ref(), self)));
    }
}

impl Listener for RoomState {
    fn position(&self) -> Seq {
        self.timeline.with_untracked(Timeline::position)
    }

    fn status(&self, status: ConnectionStatus) {
        self.status.set(status);
    }

    fn welcome(&self) {
        self.send_waiting();
    }

    fn receive(&self, frame: ServerFrame, live: &Live) {
        self.others.receive(&frame);
        match frame {
            ServerFrame::Rejected { id: Some(id), rejection } => {
                self.change_outbox(|outbox| outbox.refuse(&id, &rejection));
                // What passes by itself is tried again when the server says so, not only at the next connection.
                if let Some(retry_after_ms) = rejection.retry_after_ms {
                    let room = *self;
                    Timeout::new(retry_after_ms, move || room.send_waiting()).forget();
                }
            }
            ServerFrame::Heartbeat { head } if head > self.position() => {
                live.send(ClientFrame::Sync { after: self.position() });
            }
            ServerFrame::Reset { .. } => browser::reload(),
            frame => {
                let Some(event) = frame.into_event() else { return };
                let id = event.id.clone();
                let mut applied = Applied::Known;
                self.timeline.update(|timeline| applied = timeline.apply(event));
                match applied {
                    Applied::Gap => live.send(ClientFrame::Sync { after: self.position() }),
                    Applied::Next | Applied::Known => self.change_outbox(|outbox| {
                        outbox.acknowledge(&id);
                    }),
                }
            }
        }
    }
}

/// A room: its messages, the composer, and how the connection is.
#[island]
pub fn Room(
    /// What the server has rendered.
    page: RoomPage,
    /// A message that was sent by form and refused.
    refused: Option<Refused>,
) -> impl IntoView {
    let room = RoomState::new(page);
    provide_context(room);
    Effect::new(move || room.start());
    view! {
        <div class="room">
            <RoomHeader />
            <ConnectionStatusBar />
            <main class="room-body">
                <MessageList>
                    <PendingList />
                </MessageList>
                <ParticipantList />
                <div class="room-foot">
                    <TypingLine />
                    <Composer refused=refused />
                </div>
            </main>
        </div>
    }
}
