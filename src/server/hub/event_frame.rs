//! Events as they are sent to the subscribers of a room.

use crate::domain::moderation::{Moderation, ModerationAction};
use crate::domain::{Event, EventBody, Seq};
use crate::protocol::ServerFrame;
use crate::server::websocket::TextFrame;

/// An event, encoded once. Its bytes are shared.
#[derive(Clone, Debug)]
pub(crate) struct EventFrame {
    pub(crate) seq: Seq,
    pub(super) text: TextFrame,
    pub(super) effect: FrameEffect,
}

/// Effect of an event on earlier events and on subscribers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FrameEffect {
    /// The event shows the content of this message.
    Content(Seq),
    /// The event removes this message, which no later event shows.
    Redacts(Seq),
    /// The event showed a message that was removed.
    Redacted,
    /// The event may disconnect subscribers.
    Moderates,
    /// The event shows a text that this action sets, until the next event of the action replaces it.
    Describes(ModerationAction),
    /// The event is of a type that this version does not know. It may show this message.
    Unknown(Seq),
}

impl FrameEffect {
    fn of(event: &Event) -> Self {
        match event.body {
            EventBody::Message { .. } => Self::Content(event.seq),
            EventBody::Edited { target, .. } | EventBody::Reacted { target, .. } => Self::Content(target),
            EventBody::Deleted { target } => Self::Redacts(target),
            EventBody::Moderated(Moderation { action, .. }) if action.has_text() => Self::Describes(action),
            EventBody::Moderated(_) => Self::Moderates,
            EventBody::Other { target } => Self::Unknown(target.unwrap_or(event.seq)),
        }
    }
}

impl EventFrame {
    /// Parses an event that another node has encoded. Its bytes are sent on as they are, even if this version does not
    /// know its type. Returns `None` if it is no event.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let event = ServerFrame::parse(text)?.into_event()?;
        Some(Self { seq: event.seq, text: TextFrame::new(text), effect: FrameEffect::of(&event) })
    }

    /// Returns the event as JSON text.
    pub(crate) fn text(&self) -> &str {
        self.text.text()
    }

    /// Returns whether the event is a moderation action.
    pub(super) fn is_moderation(&self) -> bool {
        self.effect == FrameEffect::Moderates
    }

    /// Returns whether the event removes a message, or replaces a text.
    pub(super) fn removes(&self) -> bool {
        matches!(self.effect, FrameEffect::Redacts(_) | FrameEffect::Describes(_))
    }

    /// Returns whether the event shows a message for which `is_gone` holds. An event of an unknown type may show the
    /// message that it refers to, or be one.
    pub(super) fn shows(&self, is_gone: impl Fn(Seq) -> bool) -> bool {
        match self.effect {
            FrameEffect::Content(seq) => is_gone(seq),
            FrameEffect::Unknown(target) => is_gone(target) || is_gone(self.seq),
            FrameEffect::Redacts(_) | FrameEffect::Redacted | FrameEffect::Moderates | FrameEffect::Describes(_) => {
                false
            }
        }
    }

    /// Returns whether the log may hold less of the event than the frame.
    pub(super) fn is_outdated(&self) -> bool {
        matches!(self.effect, FrameEffect::Redacted | FrameEffect::Unknown(_))
    }

    /// Returns the length of the text, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// Returns the event in the form that it has in the log once its message has been removed, or its text replaced.
    pub(super) fn redacted(&self) -> Self {
        let event = ServerFrame::parse(self.text()).and_then(ServerFrame::into_event);
        let mut event = event.expect("every frame is an event");
        match &mut event.body {
            EventBody::Message { text, mentions, .. } | EventBody::Edited { text, mentions, .. } => {
                text.clear();
                mentions.clear();
            }
            EventBody::Moderated(moderation) => moderation.text = None,
            EventBody::Reacted { target, .. } => event.body = EventBody::Other { target: Some(*target) },
            EventBody::Deleted { .. } | EventBody::Other { .. } => {}
        }
        Self { effect: FrameEffect::Redacted, ..event.into() }
    }
}

impl From<Event> for EventFrame {
    fn from(event: Event) -> Self {
        let (seq, effect) = (event.seq, FrameEffect::of(&event));
        Self { seq, text: TextFrame::new(&ServerFrame::from(event).encode()), effect }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AuthorTag, Emoji, EventId, Timestamp, Username};

    fn event(body: EventBody) -> Event {
        Event { seq: 7, id: EventId::from_trusted("x".into()), at: Timestamp(5), body }
    }

    fn message(text: &str) -> Event {
        // This name was stored before the current rules for names.
        let (username, tag) = (Username::from_trusted("\u{202e} Ann".into()), AuthorTag::new([1, 2]));
        let mentions = if text.is_empty() { Vec::new() } else { vec![Username::from_trusted("Bob".into())] };
        event(EventBody::Message { username, tag, text: text.into(), reply_to: Some(2), mentions })
    }

    fn titled(text: Option<&str>) -> EventBody {
        let text = text.map(str::to_owned);
        EventBody::Moderated(Moderation { text, ..Moderation::new(ModerationAction::Title) })
    }

    #[test]
    fn another_node_reads_what_this_one_has_written() {
        let moderation = Moderation::new(ModerationAction::Lock);
        let title = titled(Some("Summer trip"));
        for (event, effect) in [
            (message("\"é\n"), FrameEffect::Content(7)),
            (event(EventBody::Edited { target: 3, text: "new".into(), mentions: Vec::new() }), FrameEffect::Content(3)),
            (event(EventBody::Deleted { target: 3 }), FrameEffect::Redacts(3)),
            (event(EventBody::Moderated(moderation)), FrameEffect::Moderates),
            (event(title), FrameEffect::Describes(ModerationAction::Title)),
            (event(EventBody::Other { target: None }), FrameEffect::Unknown(7)),
            (event(EventBody::Other { target: Some(3) }), FrameEffect::Unknown(3)),
        ] {
            let frame = EventFrame::from(event);
            let read = EventFrame::parse(frame.text()).unwrap();
            assert_eq!((frame.effect, read.effect, read.text()), (effect, effect, frame.text()));
            assert_eq!((frame.seq, read.seq), (7, 7));
        }
        for text in ["", "{}", r#"{"type":"heartbeat","head":1}"#, r#"{"type":"new","seq":"1"}"#] {
            assert!(EventFrame::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn an_event_of_an_unknown_type_is_sent_on_as_it_came_until_its_message_is_removed() {
        let text = r#"{"type":"dance","seq":7,"id":"x","target":3,"at":5,"steps":[0.5,"secret"]}"#;
        let frame = EventFrame::parse(text).unwrap();
        assert_eq!((frame.seq, frame.text()), (7, text));
        assert!(frame.shows(|seq| seq == 3) && frame.shows(|seq| seq == 7) && !frame.shows(|seq| seq == 5));
        let blanked = frame.redacted();
        assert_eq!(blanked.text(), EventFrame::from(event(EventBody::Other { target: Some(3) })).text());
        assert_eq!(blanked.effect, FrameEffect::Redacted);
    }

    #[test]
    fn a_redacted_frame_equals_the_frame_of_the_log() {
        let edit = |text: &str| {
            let mentions = if text.is_empty() { Vec::new() } else { vec![Username::from_trusted("Bob".into())] };
            event(EventBody::Edited { target: 3, text: text.into(), mentions })
        };
        let title = |text| event(titled(text));
        let reaction = EventBody::Reacted {
            target: 3,
            emoji: Emoji::parse("👍").unwrap(),
            on: true,
            username: Username::anonymous(),
            tag: AuthorTag::new([1, 2]),
        };
        for (said, removed) in [
            (event(reaction), event(EventBody::Other { target: Some(3) })),
            (message("secret"), message("")),
            (edit("secret"), edit("")),
            (title(Some("secret")), title(None)),
        ] {
            let blanked = EventFrame::from(said).redacted();
            assert_eq!((blanked.text(), blanked.effect), (EventFrame::from(removed).text(), FrameEffect::Redacted));
        }
    }
}
