//! Participants of the room: those present and those typing.

use crate::domain::Participant;
use crate::protocol::ServerFrame;
use crate::ui::browser::dom;
use leptos::prelude::*;
use std::time::Duration;

/// Time after which a typing notification expires.
const TYPING_TTL: Duration = Duration::from_secs(5);

/// Interval at which the list is updated while it is pointed at or has the focus.
const HOLD_INTERVAL: Duration = Duration::from_secs(1);

/// A participant, and whether they are present.
pub(crate) type ListedParticipant = (Participant, bool);

/// Participants who are present or typing.
#[derive(Clone, Copy)]
pub(crate) struct Presence {
    /// Number of participants.
    pub(crate) count: RwSignal<usize>,
    /// The participants, and whether they are present. Each keeps one place while they are, so that nobody moves under
    /// the pointer; the place of another is free. Empty if there are too many to be listed.
    pub(crate) participants: RwSignal<Vec<ListedParticipant>>,
    /// The participants as the server last told them.
    present: StoredValue<Vec<Participant>>,
    /// Whether the next update of a held list is scheduled.
    update_scheduled: StoredValue<bool>,
    /// Participants who are typing, each with the number of their last notification.
    pub(crate) typing: RwSignal<Vec<(Participant, u32)>>,
    last_typing_id: StoredValue<u32>,
}

impl Presence {
    pub(crate) fn new() -> Self {
        Self {
            count: RwSignal::default(),
            participants: RwSignal::default(),
            present: StoredValue::default(),
            update_scheduled: StoredValue::default(),
            typing: RwSignal::default(),
            last_typing_id: StoredValue::default(),
        }
    }

    /// Takes a frame from the server; frames about something else are ignored.
    pub(super) fn handle_frame(self, frame: &ServerFrame) {
        match frame {
            ServerFrame::Presence { count, participants } => {
                self.present.set_value(participants.clone());
                self.count.set(*count);
                self.update_list();
            }
            ServerFrame::Message { username, tag, .. } => {
                let author = Participant { username: username.clone(), tag: tag.clone() };
                self.typing.update(|typing| typing.retain(|(participant, _)| *participant != author));
            }
            _ => {}
        }
    }

    /// Updates the list. While it is pointed at or has the focus, nobody leaves it, and others come in at its end.
    fn update_list(self) {
        let is_held = dom::find("#participants:is(:hover, :focus-within)").is_some();
        let present = self.present.get_value();
        self.participants.update(|places| seat(places, present, is_held));
        if is_held && !self.update_scheduled.get_value() {
            self.update_scheduled.set_value(true);
            let update = move || {
                self.update_scheduled.set_value(false);
                self.update_list();
            };
            set_timeout(update, HOLD_INTERVAL);
        }
    }

    /// Forgets everyone: the visitor leaves the room.
    pub(super) fn clear(self) {
        self.count.set(0);
        self.present.set_value(Vec::new());
        self.participants.set(Vec::new());
        self.typing.set(Vec::new());
    }

    /// Takes the notification that another participant is typing.
    pub(super) fn set_typing(self, participant: Participant) {
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

/// Seats the participants: each keeps their place. Others take the places that are free, unless the list is held; then
/// those who left keep theirs, and others come in at the end.
fn seat(places: &mut Vec<ListedParticipant>, mut present: Vec<Participant>, is_held: bool) {
    for (known, is_present) in places.iter_mut() {
        match present.iter().position(|other| other.tag == known.tag) {
            Some(index) => (*known, *is_present) = (present.remove(index), true),
            None => *is_present &= is_held,
        }
    }
    let mut present = present.into_iter();
    if !is_held {
        for place in places.iter_mut().filter(|place| !place.1) {
            if let Some(participant) = present.next() {
                *place = (participant, true);
            }
        }
        while places.pop_if(|place| !place.1).is_some() {}
    }
    places.extend(present.map(|participant| (participant, true)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AuthorTag, Username};

    fn people(tags: &[u8]) -> Vec<Participant> {
        let person = |tag: &u8| Participant { username: Username::anonymous(), tag: AuthorTag::new([*tag, 0]) };
        tags.iter().map(person).collect()
    }

    fn seated(places: &mut Vec<ListedParticipant>, present: &[u8], is_held: bool) -> Vec<Option<u8>> {
        seat(places, people(present), is_held);
        let tag = |person: &Participant| (1..9).find(|tag| person.tag == AuthorTag::new([*tag, 0]));
        places.iter().map(|(person, is_present)| tag(person).filter(|_| *is_present)).collect()
    }

    #[test]
    fn everyone_keeps_their_place() {
        let mut places = Vec::new();
        assert_eq!(seated(&mut places, &[1, 2, 3], false), [Some(1), Some(2), Some(3)]);
        assert_eq!(seated(&mut places, &[4, 3, 2], false), [Some(4), Some(2), Some(3)], "a free place is taken");
        assert_eq!(seated(&mut places, &[2, 3], false), [None, Some(2), Some(3)]);
        assert_eq!(seated(&mut places, &[2], false), [None, Some(2)]);
        assert_eq!(seated(&mut places, &[], false), []);
    }

    #[test]
    fn nobody_moves_in_a_list_that_is_pointed_at() {
        let mut places = Vec::new();
        seated(&mut places, &[1, 2], false);
        assert_eq!(seated(&mut places, &[2, 3], true), [Some(1), Some(2), Some(3)]);
        assert_eq!(seated(&mut places, &[2, 3], false), [None, Some(2), Some(3)]);
        assert_eq!(seated(&mut places, &[2, 3, 4], true), [None, Some(2), Some(3), Some(4)]);
    }
}
