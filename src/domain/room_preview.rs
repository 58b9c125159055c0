//! Previews of rooms, as the list of the visitor's rooms shows them.

use super::{RoomName, Seq, Timestamp, Username};
use crate::json::read_by_name;
use serde::Serialize;

/// The number and state of a room as its visitor knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomPosition {
    /// The room, as the client names it.
    pub room: String,
    /// The number of the last message that was read.
    pub read: Seq,
    /// The [`RoomPreview::state`] of the preview that the client has; empty if it has none, or if `read` has changed since.
    pub state: String,
}

impl RoomPosition {
    /// Returns the position as one line: the name, the number and the state, separated by spaces. No name of a room
    /// contains a space.
    pub fn to_line(&self) -> String {
        format!("{} {} {}", self.room, self.read, self.state)
    }

    /// Parses the first `max` lines of a text. Leaves out those that are not positions.
    pub fn parse_lines(text: &str, max: usize) -> Vec<Self> {
        let parse = |line: &str| {
            let mut parts = line.splitn(3, ' ');
            let (room, read) = (parts.next()?.to_owned(), parts.next()?.parse().ok()?);
            Some(Self { room, read, state: parts.next().unwrap_or_default().trim_end().to_owned() })
        };
        text.lines().take(max).filter_map(parse).collect()
    }
}

/// A room with its newest message, and what is new to the visitor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoomPreview {
    /// The room.
    pub room: RoomName,
    /// The title of the room, if it is not the room's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Identifies what the preview shows, for the server alone to read: it differs between any two states of the room's log.
    pub state: String,
    /// The newest number of the room's log.
    pub head: Seq,
    /// The number of unread messages, up to [`MAX_UNREAD_COUNT`](super::history::MAX_UNREAD_COUNT).
    pub unread: u64,
    /// The number of those that mention the visitor, up to the same maximum.
    pub mentions: u64,
    /// The newest message that is not deleted; `None` if there is none.
    pub last: Option<LastMessage>,
}

/// The answer to a request for previews. It tells nothing of rooms that are in neither list: they do not exist, or are
/// not for the visitor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RoomPreviews {
    /// The rooms whose state is another one than the client knows.
    pub changed: Vec<RoomPreview>,
    /// The other rooms, by their place in the request.
    pub unchanged: Vec<usize>,
}

/// The newest message of a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LastMessage {
    /// The author's name.
    pub username: Username,
    /// Whether it is the visitor's own.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
    /// The beginning of the text, in one line.
    pub excerpt: String,
    /// The time of storage.
    pub at: Timestamp,
}

read_by_name!(RoomPreview { room, title, state, head, unread, mentions, last });
read_by_name!(RoomPreviews { changed, unchanged });
read_by_name!(LastMessage { username, own, excerpt, at });

impl RoomPreview {
    /// Returns the title that visitors see.
    pub fn title(&self) -> &str {
        self.title.as_deref().unwrap_or(self.room.title())
    }
}

/// Returns the color of a room: one of 24 hues around the color circle, 0 to 23. It is derived from the name (FNV-1a).
pub fn room_hue(room: &RoomName) -> u32 {
    let hash = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    room.as_str().bytes().fold(0x811c_9dc5, hash) % 24
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_as_they_were_written() {
        let position = |room: &str, read, state: &str| RoomPosition { room: room.into(), read, state: state.into() };
        let all = [position("harbour", 42, "7a7f3d83.45"), position("книга", 0, ""), position("", Seq::MAX, "")];
        let text = all.iter().map(RoomPosition::to_line).collect::<Vec<_>>().join("\n");
        assert_eq!(RoomPosition::parse_lines(&text, 30), all);
        assert_eq!(RoomPosition::parse_lines(&text, 1), all[..1]);
        for bad in ["", "harbour", "harbour x", "harbour 99999999999999999999 x", " \r", "\0"] {
            assert_eq!(RoomPosition::parse_lines(bad, 30), [], "{bad:?}");
        }
    }

    #[test]
    fn a_preview_is_read_as_it_was_written() {
        let last = LastMessage { username: Username::anonymous(), own: true, excerpt: "a".into(), at: Timestamp(7) };
        let room = RoomName::parse("harbour").unwrap();
        let (state, last) = ("7a7f3d83.9".to_owned(), Some(last));
        let preview = RoomPreview { room, title: None, state, head: 9, unread: 1, mentions: 1, last };
        assert_eq!(preview.title(), "harbour");
        let previews = RoomPreviews { changed: vec![preview], unchanged: vec![1, 3] };
        let json = serde_json::to_string(&previews).unwrap();
        assert_eq!(serde_json::from_str::<RoomPreviews>(&json).unwrap(), previews);
    }
}
