//! Participants of the room: those present and those typing.

use super::absence::{AbsentPerson, absent_people, record_left};
use super::timeline::Timeline;
use crate::domain::{AuthorTag, Participant, Timestamp};
use crate::protocol::ServerFrame;
use crate::ui::browser::{clock, dom};
use leptos::prelude::*;
use std::time::Duration;

/// Time after which a typing notification expires.
const TYPING_TTL: Duration = Duration::from_secs(5);

/// Interval at which the list is updated while the pointer or the keyboard is in it.
const HOLD_INTERVAL: Duration = Duration::from_secs(1);

/// Participants who are present or typing.
#[derive(Clone, Copy)]
pub(crate) struct Presence {
    /// Number of participants.
    pub(crate) count: RwSignal<usize>,
    /// The participants, in order of arrival, so that none moves under the pointer. Empty if there are too many to
    /// list.
    pub(crate) participants: RwSignal<Vec<Participant>>,
    /// People who are not here, the last first.
    pub(crate) absent: RwSignal<Vec<AbsentPerson>>,
    /// Participants who left while the page was open, with the time, the last first.
    left: RwSignal<Vec<(Participant, Timestamp)>>,
    /// The participants in the last presence frame.
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
            absent: RwSignal::default(),
            left: RwSignal::default(),
            present: StoredValue::default(),
            update_scheduled: StoredValue::default(),
            typing: RwSignal::default(),
            last_typing_id: StoredValue::default(),
        }
    }

    /// Handles a frame from the server; ignores frames that do not concern presence.
    pub(super) fn handle_frame(self, frame: &ServerFrame) {
        match frame {
            ServerFrame::Presence { count, participants } => {
                // Of a crowd, nobody is listed.
                if participants.len() == *count {
                    let before = self.present.get_value();
                    let now = Timestamp(clock::now() as i64);
                    self.left.update(|left| record_left(left, &before, participants, now));
                }
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

    /// Updates the list. While the pointer or the keyboard is in it, nobody leaves it, and new participants are appended.
    fn update_list(self) {
        let is_held = dom::find("#participants:hover, #participants :focus-visible").is_some();
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

    /// Updates the people who are not here from the loaded messages, and tracks what they depend on.
    pub(crate) fn update_absent(self, timeline: RwSignal<Timeline>, own: &AuthorTag) {
        let absent = timeline.with(|timeline| {
            self.left.with(|left| {
                let messages = timeline.messages().rev();
                self.participants.with(|present| absent_people(messages, left, present, own))
            })
        });
        if self.absent.with_untracked(|before| *before != absent) {
            self.absent.set(absent);
        }
    }

    /// Removes all participants, because the visitor leaves the room.
    pub(super) fn clear(self) {
        self.count.set(0);
        self.present.set_value(Vec::new());
        self.participants.set(Vec::new());
        self.left.set(Vec::new());
        self.typing.set(Vec::new());
    }

    /// Records that another participant is typing.
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

/// Updates the list in place: participants keep their order, and new ones are appended. While the list is held, nobody
/// leaves it who is not here under another name.
fn seat(places: &mut Vec<Participant>, mut present: Vec<Participant>, is_held: bool) {
    let tags: Vec<_> = present.iter().map(|participant| participant.tag.clone()).collect();
    let mut take = |is_same: &dyn Fn(&Participant) -> bool| {
        let index = present.iter().position(is_same)?;
        Some(present.remove(index))
    };
    // Two tabs of one visitor may have two names.
    let unchanged: Vec<bool> = places.iter().map(|known| take(&|other| other == known).is_some()).collect();
    let mut unchanged = unchanged.into_iter();
    places.retain_mut(|known| {
        if unchanged.next() == Some(true) {
            return true;
        }
        match take(&|other| other.tag == known.tag) {
            Some(renamed) => {
                *known = renamed;
                true
            }
            None => is_held && !tags.contains(&known.tag),
        }
    });
    places.append(&mut present);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AuthorTag, Username};

    fn people(tags: &[u8]) -> Vec<Participant> {
        let person = |tag: &u8| Participant { username: Username::anonymous(), tag: AuthorTag::new([*tag, 0]) };
        tags.iter().map(person).collect()
    }

    #[test]
    fn everyone_keeps_their_place() {
        let mut places = Vec::new();
        for (present, seated) in [(vec![1, 2, 3], vec![1, 2, 3]), (vec![4, 3, 2], vec![2, 3, 4]), (vec![], vec![])] {
            seat(&mut places, people(&present), false);
            assert_eq!(places, people(&seated));
        }
    }

    #[test]
    fn nobody_leaves_a_list_that_is_pointed_at() {
        let mut places = people(&[1, 2]);
        seat(&mut places, people(&[3, 2]), true);
        assert_eq!(places, people(&[1, 2, 3]));
        seat(&mut places, people(&[3, 2]), false);
        assert_eq!(places, people(&[2, 3]));
    }

    #[test]
    fn two_names_of_one_visitor_become_one_place() {
        let named = |tag: u8, name: &str| Participant {
            username: Username::parse(name).unwrap(),
            tag: AuthorTag::new([tag, 0]),
        };
        let mut places = vec![named(1, "Ann"), named(2, "Ben"), named(2, "Benjamin"), named(3, "Cleo")];
        seat(&mut places, vec![named(1, "Ann"), named(2, "Benjamin")], true);
        assert_eq!(places, [named(1, "Ann"), named(2, "Benjamin"), named(3, "Cleo")]);
        seat(&mut places, vec![named(1, "Anna"), named(2, "Benjamin")], false);
        assert_eq!(places, [named(1, "Anna"), named(2, "Benjamin")]);
    }
}
