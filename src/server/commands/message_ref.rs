//! A reference to a message, as the host types it: its room and number, or its link.

use crate::domain::event::parse_seq;
use crate::domain::{RoomName, Seq};
use std::str::FromStr;

/// `harbour/42`, or the address of that message in a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRef {
    pub(super) room: RoomName,
    pub(super) seq: Seq,
}

impl FromStr for MessageRef {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or("expected ROOM/NUMBER, or the link to a message")
    }
}

fn parse(text: &str) -> Option<MessageRef> {
    let path = match url::Url::parse(text) {
        Ok(url) if url.has_host() => url.path().to_owned(),
        _ => text.to_owned(),
    };
    let (room, seq) = path.trim_matches('/').rsplit_once('/')?;
    let room = percent_encoding::percent_decode_str(room).decode_utf8().ok()?;
    Some(MessageRef { room: RoomName::parse(&room).ok()?, seq: parse_seq(seq)? })
}

/// Returns the name of the room that a link leads to, or `None` if this is no link.
pub(super) fn room_of_link(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok().filter(url::Url::has_host)?;
    let room = url.path_segments()?.next()?;
    percent_encoding::percent_decode_str(room).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_named_by_the_link_to_it_or_to_a_message_in_it() {
        for link in
            ["https://chat.example/harbour/", "http://[::1]:3000/harbour", "https://chat.example/harbour/42?x=y#z"]
        {
            assert_eq!(room_of_link(link).as_deref(), Some("harbour"), "{link}");
        }
        assert_eq!(room_of_link("https://chat.example/%D1%83%D1%8E%D1%82/7").as_deref(), Some("уют"));
        for other in ["harbour", "harbour/42", "a:b"] {
            assert_eq!(room_of_link(other), None, "{other}");
        }
    }

    #[test]
    fn a_message_is_named_by_its_room_and_number_or_its_link() {
        let said = |text| parse(text).map(|message| (message.room.to_string(), message.seq));
        for text in ["harbour/42", "/harbour/42", "https://chat.example/harbour/42", "http://[::1]:3000/harbour/42?x=y"]
        {
            assert_eq!(said(text), Some(("harbour".to_owned(), 42)), "{text}");
        }
        assert_eq!(said("https://chat.example/%D1%83%D1%8E%D1%82/7"), Some(("уют".to_owned(), 7)));
        for text in ["harbour", "harbour/", "42", "harbour/x", "https://chat.example/", ""] {
            assert_eq!(said(text), None, "{text}");
        }
    }
}
