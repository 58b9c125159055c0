//! Participants of the room: those present and those typing.

use crate::domain::Participant;
use crate::protocol::ServerFrame;
use leptos::prelude::*;
use std::time::Duration;

/// Time after which a typing notification expires.
const TYPING_TTL: Duration = Duration::from_secs(5);

/// Participants who are present or typing.
#[derive(Clone, Copy)]
pub(crate) struct Presence {
    /// Number of participants.
    pub(crate) count: RwSignal<usize>,
    /// The participants; empty if there are too many to be listed.
    pub(crate) participants: RwSignal<Vec<Participant>>,
    /// Participants who are typing, each with the number of their last notification.
    pub(crate) typing: RwSignal<Vec<(Participant, u32)>>,
    last_typing_id: StoredValue<u32>,
}

impl Presence {
    pub(crate) fn new() -> Self {
        Self {
            count: RwSignal::default(),
            participants: RwSignal::default(),
            typing: RwSignal::default(),
            last_typing_id: StoredValue::default(),
        }
    }

    /// Takes a frame from the server; frames about something else are ignored.
    pub(super) fn handle_frame(self, frame: &ServerFrame) {
        match frame {
            ServerFrame::Presence { count, participants } => {
                self.participants.set(participants.clone());
                self.count.set(*count);
            }
            ServerFrame::Typing(participant) => self.set_typing(participant.clone()),
            ServerFrame::Message { username, tag, .. } => {
                let author = Participant { username: username.clone(), tag: tag.clone() };
                self.typing.update(|typing| typing.retain(|(participant, _)| *participant != author));
            }
            _ => {}
        }
    }

    /// Forgets everyone: the visitor leaves the room.
    pub(super) fn clear(self) {
        self.count.set(0);
        self.participants.set(Vec::new());
        self.typing.set(Vec::new());
    }

    fn set_typing(self, participant: Participant) {
        let typing_id = self.last_typing_id.get_value() + 1;
        self.last_typing_id.set_value(typing_id);
        self.typing.update(|typing| {
            typing.retain(|(known, _)| *known != participant);
            typing.push((participant, typing_id));
        });
        // A later notification has another number and outlives this timeout.
        set_timeout(move || self.typing.update(|typing| typing.retain(|(_, id)| *id != typing_id)), TYPING_TTL);
    }
}
