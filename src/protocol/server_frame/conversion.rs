//! Events as frames, and back.

use super::ServerFrame;
use crate::domain::{Event, EventBody};

impl ServerFrame {
    /// Returns the log event in this frame, if any.
    pub fn into_event(self) -> Option<Event> {
        match self {
            Self::Message { seq, id, username, tag, message: text, sent_at: at, reply_to, mentions } => {
                Some(Event { seq, id, at, body: EventBody::Message { username, tag, text, reply_to, mentions } })
            }
            Self::Edited { seq, id, target, text, mentions, at } => {
                Some(Event { seq, id, at, body: EventBody::Edited { target, text, mentions } })
            }
            Self::Deleted { seq, id, target, at } => Some(Event { seq, id, at, body: EventBody::Deleted { target } }),
            Self::Moderated { seq, id, moderation, at } => {
                Some(Event { seq, id, at, body: EventBody::Moderated(moderation) })
            }
            Self::Reacted { seq, id, target, emoji, on, username, tag, at } => {
                Some(Event { seq, id, at, body: EventBody::Reacted { target, emoji, on, username, tag } })
            }
            Self::Other { seq, id, target, at } => Some(Event { seq, id, at, body: EventBody::Other { target } }),
            _ => None,
        }
    }
}

impl From<Event> for ServerFrame {
    fn from(Event { seq, id, at, body }: Event) -> Self {
        match body {
            EventBody::Message { username, tag, text, reply_to, mentions } => {
                Self::Message { seq, id, username, tag, message: text, sent_at: at, reply_to, mentions }
            }
            EventBody::Edited { target, text, mentions } => Self::Edited { seq, id, target, text, mentions, at },
            EventBody::Deleted { target } => Self::Deleted { seq, id, target, at },
            EventBody::Moderated(moderation) => Self::Moderated { seq, id, moderation, at },
            EventBody::Reacted { target, emoji, on, username, tag } => {
                Self::Reacted { seq, id, target, emoji, on, username, tag, at }
            }
            EventBody::Other { target } => Self::Other { seq, id, target, at },
        }
    }
}
