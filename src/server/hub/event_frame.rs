//! Events as they go over the sockets of a room.

use crate::domain::{Event, EventBody, Seq};
use crate::protocol::ServerFrame;
use crate::server::websocket::TextFrame;

/// An event, encoded once: its bytes are shared.
#[derive(Clone, Debug)]
pub(crate) struct EventFrame {
    pub(crate) seq: Seq,
    pub(super) text: TextFrame,
    pub(super) effect: FrameEffect,
}

/// What an event means for those before it, and for who is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FrameEffect {
    /// It shows what this message says.
    Content(Seq),
    /// It removes this message: nothing shows it from here on.
    Redacts(Seq),
    /// It showed a message that was removed.
    Redacted,
    /// Somebody may have to go.
    Moderates,
}

impl FrameEffect {
    fn of(event: &Event) -> Self {
        match event.body {
            EventBody::Message { .. } => Self::Content(event.seq),
            EventBody::Edited { target, .. } => Self::Content(target),
            EventBody::Deleted { target } => Self::Redacts(target),
            EventBody::Moderated(_) => Self::Moderates,
        }
    }
}

impl EventFrame {
    /// An event that another node has encoded; `None` if it is none that this version knows.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let event = ServerFrame::parse(text)?.into_event()?;
        Some(Self { seq: event.seq, text: TextFrame::new(text), effect: FrameEffect::of(&event) })
    }

    /// The event as text.
    pub(crate) fn text(&self) -> &str {
        self.text.text()
    }

    /// Whether it tells of an act of moderation.
    pub(super) fn is_moderation(&self) -> bool {
        self.effect == FrameEffect::Moderates
    }

    /// Whether it tells that a message was removed.
    pub(super) fn removes(&self) -> bool {
        matches!(self.effect, FrameEffect::Redacts(_))
    }

    /// How many bytes it is.
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// The same event as the log holds it once its message has been removed.
    pub(super) fn redacted(&self) -> Self {
        let event = ServerFrame::parse(self.text()).and_then(ServerFrame::into_event);
        let mut event = event.expect("every frame is an event");
        if let EventBody::Message { text, .. } | EventBody::Edited { text, .. } = &mut event.body {
            text.clear();
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
    use crate::domain::moderation::{Moderation, ModerationAction};
    use crate::domain::{AuthorTag, EventId, Timestamp, Username};

    fn event(body: EventBody) -> Event {
        Event { seq: 7, id: EventId::from_trusted("x".into()), at: Timestamp(5), body }
    }

    fn message(text: &str) -> Event {
        // A name from before the rules of today.
        let (username, tag) = (Username::from_trusted("\u{202e} Ann".into()), AuthorTag::new([1, 2]));
        event(EventBody::Message { username, tag, text: text.into() })
    }

    #[test]
    fn another_node_reads_what_this_one_has_written() {
        let moderation = Moderation { action: ModerationAction::Lock, subject: None, until: None, seconds: None };
        for (event, effect) in [
            (message("\"é\n"), FrameEffect::Content(7)),
            (event(EventBody::Edited { target: 3, text: "new".into() }), FrameEffect::Content(3)),
            (event(EventBody::Deleted { target: 3 }), FrameEffect::Redacts(3)),
            (event(EventBody::Moderated(moderation)), FrameEffect::Moderates),
        ] {
            let frame = EventFrame::from(event);
            let read = EventFrame::parse(frame.text()).unwrap();
            assert_eq!((frame.effect, read.effect, read.text()), (effect, effect, frame.text()));
            assert_eq!((frame.seq, read.seq), (7, 7));
        }
        for text in ["", "{}", r#"{"type":"heartbeat","head":1}"#, r#"{"type":"new","seq":1}"#] {
            assert!(EventFrame::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_was_removed_looks_as_it_does_in_the_log() {
        let edit = |text: &str| event(EventBody::Edited { target: 3, text: text.into() });
        for (said, removed) in [(message("secret"), message("")), (edit("secret"), edit(""))] {
            let blanked = EventFrame::from(said).redacted();
            assert_eq!((blanked.text(), blanked.effect), (EventFrame::from(removed).text(), FrameEffect::Redacted));
        }
    }
}
