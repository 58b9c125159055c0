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
}

impl FrameEffect {
    fn of(event: &Event) -> Self {
        match event.body {
            EventBody::Message { .. } => Self::Content(event.seq),
            EventBody::Edited { target, .. } => Self::Content(target),
            EventBody::Deleted { target } => Self::Redacts(target),
            EventBody::Moderated(Moderation { action, .. }) if action.has_text() => Self::Describes(action),
            EventBody::Moderated(_) => Self::Moderates,
        }
    }
}

impl EventFrame {
    /// Parses an event that another node has encoded. Returns `None` if this version does not know the event.
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

    /// Returns the length of the text, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// Returns the event in the form that it has in the log once its message has been removed, or its text replaced.
    pub(super) fn redacted(&self) -> Self {
        let event = ServerFrame::parse(self.text()).and_then(ServerFrame::into_event);
        let mut event = event.expect("every frame is an event");
        match &mut event.body {
            EventBody::Message { text, .. } | EventBody::Edited { text, .. } => text.clear(),
            EventBody::Moderated(moderation) => moderation.text = None,
            EventBody::Deleted { .. } => {}
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
    use crate::domain::{AuthorTag, EventId, Timestamp, Username};

    fn event(body: EventBody) -> Event {
        Event { seq: 7, id: EventId::from_trusted("x".into()), at: Timestamp(5), body }
    }

    fn message(text: &str) -> Event {
        // This name was stored before the current rules for names.
        let (username, tag) = (Username::from_trusted("\u{202e} Ann".into()), AuthorTag::new([1, 2]));
        event(EventBody::Message { username, tag, text: text.into() })
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
            (event(EventBody::Edited { target: 3, text: "new".into() }), FrameEffect::Content(3)),
            (event(EventBody::Deleted { target: 3 }), FrameEffect::Redacts(3)),
            (event(EventBody::Moderated(moderation)), FrameEffect::Moderates),
            (event(title), FrameEffect::Describes(ModerationAction::Title)),
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
    fn a_redacted_frame_equals_the_frame_of_the_log() {
        let edit = |text: &str| event(EventBody::Edited { target: 3, text: text.into() });
        let title = |text| event(titled(text));
        for (said, removed) in
            [(message("secret"), message("")), (edit("secret"), edit("")), (title(Some("secret")), title(None))]
        {
            let blanked = EventFrame::from(said).redacted();
            assert_eq!((blanked.text(), blanked.effect), (EventFrame::from(removed).text(), FrameEffect::Redacted));
        }
    }
}
