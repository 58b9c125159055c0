//! The rooms that this browser has visited, in local storage: when, and how the visitor wants them listed. Read positions
//! have the keys of earlier releases; the choices have keys of their own, which earlier releases ignore.

use super::storage::{READ_KEY_PREFIX, get, keys, set};
use crate::domain::history::MAX_UNREAD_ROOMS;
use crate::domain::{RoomName, Seq};

const CHOICES_KEY_PREFIX: &str = "parlour:room:";

/// Key of the width of the rail, which `known_rooms.js` uses too: any value stands for a narrow one.
pub(crate) const RAIL_KEY: &str = "parlour:rail";

/// A visited room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VisitedRoom {
    /// The room.
    pub(crate) room: RoomName,
    /// The number up to which it was read; [`Seq::MAX`] if that is not known.
    pub(crate) read: Seq,
    /// Time of the last visit, in milliseconds since 1970.
    pub(crate) visited_at: i64,
    /// How the visitor wants it listed.
    pub(crate) choices: ListChoices,
}

/// The way in which the visitor wants a room listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListChoices {
    /// Whether it stays at the top of the list.
    pub(crate) pinned: bool,
    /// Whether its new messages are not counted.
    pub(crate) muted: bool,
    /// Time at which it was taken off the list, in milliseconds since 1970, or 0. A later visit puts it back.
    pub(crate) removed_at: i64,
}

impl ListChoices {
    fn to_stored(self) -> String {
        let words = [(self.pinned, "pinned".to_owned()), (self.muted, "muted".to_owned())];
        let removed = (self.removed_at > 0, format!("removed={}", self.removed_at));
        let words: Vec<String> =
            words.into_iter().chain([removed]).filter(|(is, _)| *is).map(|(_, word)| word).collect();
        words.join(" ")
    }

    fn parse(stored: &str) -> Self {
        let mut choices = Self::default();
        for word in stored.split(' ') {
            match word.split_once('=') {
                Some(("removed", at)) => choices.removed_at = at.parse().unwrap_or_default(),
                None if word == "pinned" => choices.pinned = true,
                None if word == "muted" => choices.muted = true,
                _ => {}
            }
        }
        choices
    }
}

impl VisitedRoom {
    /// Returns the room of this name as it is stored, or as one that was never visited.
    pub(crate) fn stored(room: RoomName) -> Self {
        let position = get(&format!("{READ_KEY_PREFIX}{room}"));
        let position = position.as_deref().and_then(|stored| stored.split_once(' '));
        let position = position.and_then(|(read, at)| Some((read.parse().ok()?, at.parse().ok()?)));
        let (read, visited_at) = position.unwrap_or((Seq::MAX, 0));
        Self { choices: list_choices(&room), read, visited_at, room }
    }

    /// Returns whether the visitor has taken the room off the list since the last visit.
    pub(crate) fn is_removed(&self) -> bool {
        self.choices.removed_at > self.visited_at
    }
}

/// Returns how the visitor wants a room listed.
pub(crate) fn list_choices(room: &RoomName) -> ListChoices {
    get(&choices_key(room)).map(|stored| ListChoices::parse(&stored)).unwrap_or_default()
}

/// Saves how the visitor wants a room listed.
pub(crate) fn save_list_choices(room: &RoomName, choices: ListChoices) {
    set(&choices_key(room), &choices.to_stored());
}

/// Returns whether a storage key is one of the list of rooms.
pub(crate) fn is_list_key(key: &str) -> bool {
    key.starts_with(READ_KEY_PREFIX) || key.starts_with(CHOICES_KEY_PREFIX)
}

/// Returns the visited rooms: the pinned ones first, then those that were visited last. Forgets those beyond
/// [`MAX_UNREAD_ROOMS`].
pub(crate) fn visited_rooms() -> Vec<VisitedRoom> {
    let mut rooms: Vec<VisitedRoom> = Vec::new();
    for key in keys("parlour:") {
        let name = key.strip_prefix(READ_KEY_PREFIX).or_else(|| key.strip_prefix(CHOICES_KEY_PREFIX));
        if let Some(name) = name.filter(|name| rooms.iter().all(|known| known.room.as_str() != *name)) {
            let room = VisitedRoom::stored(RoomName::from_trusted(name.to_owned()));
            let rank = |room: &VisitedRoom| (!room.is_removed(), room.choices.pinned, room.visited_at);
            let before = rooms.iter().take_while(|other| rank(other) > rank(&room)).count();
            rooms.insert(before, room);
        }
    }
    let surplus = rooms.split_off(rooms.len().min(MAX_UNREAD_ROOMS));
    for VisitedRoom { room, .. } in surplus {
        set(&format!("{READ_KEY_PREFIX}{room}"), "");
        set(&choices_key(&room), "");
    }
    // A room of which only a choice is stored was visited with an earlier release, or never.
    rooms.retain(|room| !room.is_removed() && (room.visited_at > 0 || room.choices.pinned));
    rooms
}

/// Returns whether the visitor has made the rail narrow.
pub(crate) fn is_rail_narrow() -> bool {
    get(RAIL_KEY).is_some()
}

/// Saves whether the rail is narrow.
pub(crate) fn save_rail(is_narrow: bool) {
    set(RAIL_KEY, if is_narrow { "narrow" } else { "" });
}

fn choices_key(room: &RoomName) -> String {
    format!("{CHOICES_KEY_PREFIX}{room}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read_as_they_were_stored_and_others_are_passed_over() {
        for choices in [
            ListChoices::default(),
            ListChoices { pinned: true, muted: true, removed_at: 0 },
            ListChoices { pinned: false, muted: true, removed_at: 1_763_800_000_000 },
        ] {
            assert_eq!(ListChoices::parse(&choices.to_stored()), choices);
        }
        assert_eq!(ListChoices::default().to_stored(), "", "which removes the key");
        assert_eq!(
            ListChoices::parse("later=7 removed=x bold pinned"),
            ListChoices { pinned: true, ..Default::default() }
        );
    }
}
