//! What a room knows of the others: who is here, and who is writing.

use crate::domain::Participant;
use crate::protocol::ServerFrame;
use leptos::prelude::*;
use std::time::Duration;

/// Who said to be writing counts as writing for so long.
const WRITING: Duration = Duration::from_secs(5);

#[derive(Clone, Copy)]
pub(super) struct Others {
    pub(super) count: RwSignal<usize>,
    /// Empty when they are too many to be named.
    pub(super) participants: RwSignal<Vec<Participant>>,
    /// Who is writing, each with the number of the last sign of it: signs are counted.
    pub(super) writing: RwSignal<Vec<(Participant, u32)>>,
    signs: StoredValue<u32>,
}

impl Others {
    pub(super) fn new() -> Self {
        Self {
            count: RwSignal::default(),
            participants: RwSignal::default(),
            writing: RwSignal::default(),
            signs: StoredValue::default(),
        }
    }

    /// Takes a frame about the others.
    pub(super) fn receive(self, frame: &ServerFrame) {
        match frame {
            ServerFrame::Presence { count, participants } => {
                self.participants.set(participants.clone());
                self.count.set(*count);
            }
            ServerFrame::Typing(participant) => self.writes(participant.clone()),
            ServerFrame::Message { username, tag, .. } => {
                let spoke = Participant { username: username.clone(), tag: tag.clone() };
                self.writing.update(|writing| writing.retain(|(it, _)| *it != spoke));
            }
            _ => {}
        }
    }

    /// The room is left.
    pub(super) fn leave(self) {
        self.count.set(0);
        self.participants.set(Vec::new());
        self.writing.set(Vec::new());
    }

    fn writes(self, participant: Participant) {
        let sign = self.signs.get_value() + 1;
        self.signs.set_value(sign);
        self.writing.update(|writing| {
            writing.retain(|(it, _)| *it != participant);
            writing.push((participant, sign));
        });
        // Whoever has given another since then goes on writing.
        set_timeout(move || self.writing.update(|writing| writing.retain(|(_, it)| *it != sign)), WRITING);
    }
}
