//! Events keep their content on the wire, and every frame with a number is an event.

use super::*;
use crate::domain::moderation::ModerationAction;
use crate::domain::{Event, EventBody};

#[test]
fn only_message_frames_carry_a_top_level_message() {
    let event = |body| Event { seq: 2, id: EventId::parse("x").unwrap(), at: Timestamp(5), body };
    let edited = ServerFrame::from(event(EventBody::Edited { target: 1, text: "new".into(), mentions: Vec::new() }));
    let rejected = ServerFrame::Rejected { id: None, rejection: Rejection::unavailable() };
    for frame in [edited, rejected, ServerFrame::Heartbeat { head: 1 }] {
        let json: serde_json::Value = serde_json::from_str(&frame.encode()).unwrap();
        assert_eq!(json.get("message"), None, "{json}");
    }
}

#[test]
fn events_survive_the_wire() {
    let event = |body| Event { seq: 2, id: EventId::parse("x").unwrap(), at: Timestamp(5), body };
    for event in [
        event(EventBody::Message {
            username: Username::anonymous(),
            tag: AuthorTag::new([1, 2]),
            text: "é\n".into(),
            reply_to: None,
            mentions: Vec::new(),
        }),
        event(EventBody::Message {
            username: Username::anonymous(),
            tag: AuthorTag::new([1, 2]),
            text: "@Ann".into(),
            reply_to: Some(1),
            mentions: vec![Username::from_trusted("Ann".into())],
        }),
        event(EventBody::Edited { target: 1, text: "new".into(), mentions: Vec::new() }),
        event(EventBody::Edited {
            target: 1,
            text: "@Ann".into(),
            mentions: vec![Username::from_trusted("Ann".into())],
        }),
        event(EventBody::Deleted { target: 1 }),
        event(EventBody::Moderated(Moderation {
            action: ModerationAction::Mute,
            by: Some(Participant { username: Username::from_trusted("Ann".into()), tag: AuthorTag::new([3, 4]) }),
            subject: Some(Participant { username: Username::anonymous(), tag: AuthorTag::new([1, 2]) }),
            until: Some(Timestamp(9)),
            seconds: None,
            text: Some("é".into()),
            target: Some(1),
        })),
        event(EventBody::Reacted {
            target: 1,
            emoji: Emoji::parse("👍").unwrap(),
            on: true,
            username: Username::anonymous(),
            tag: AuthorTag::new([1, 2]),
        }),
        event(EventBody::Other { target: Some(1) }),
        event(EventBody::Other { target: None }),
    ] {
        let frame = ServerFrame::parse(&ServerFrame::from(event.clone()).encode()).unwrap();
        assert_eq!(frame.into_event(), Some(event));
    }
}

#[test]
fn a_frame_with_a_number_is_an_event_of_whatever_type() {
    let event = |text: &str| ServerFrame::parse(text).and_then(ServerFrame::into_event);
    for text in [
        r#"{"type":"dance","seq":7,"id":"x","at":5,"partner":{"steps":[1.5,null,{"deep":[]}]},"speed":1.5}"#,
        r#"{"type":"message","seq":7,"id":"x","at":5,"message":{"parts":["of","a","later","version"]}}"#,
        r#"{"type":"moderated","seq":7,"id":"x","at":5,"action":{"name":"pin"}}"#,
        r#"{"type":"heartbeat","seq":7,"id":"x","at":5,"head":7}"#,
        r#"{"type":3,"seq":7,"id":"x","at":5}"#,
        r#"{"seq":7,"id":"x","at":5,"target":"all"}"#,
    ] {
        let (id, at) = (EventId::parse("x").unwrap(), Timestamp(5));
        assert_eq!(event(text), Some(Event { seq: 7, id, at, body: EventBody::Other { target: None } }), "{text}");
    }
    let bare = event(r#"{"type":"dance","seq":8,"id":{},"target":3}"#).unwrap();
    assert_eq!((bare.seq, bare.id.as_str(), bare.body), (8, "", EventBody::Other { target: Some(3) }));
}

#[test]
fn a_number_of_another_type_makes_no_event() {
    for seq in ["\"7\"", "7.5", "null", "true", "[7]", "{\"n\":7}"] {
        for kind in ["dance", "deleted"] {
            let text = format!(r#"{{"type":"{kind}","seq":{seq},"id":"x","target":1,"at":5}}"#);
            assert_eq!(ServerFrame::parse(&text), None, "{text}");
        }
    }
}

#[test]
fn the_answer_to_a_command_that_changes_nothing_is_no_event() {
    let (username, tag, emoji) = (Username::anonymous(), AuthorTag::new([1, 2]), Emoji::parse("👍").unwrap());
    let reacted = |seq, on| Event {
        seq,
        id: EventId::parse("x").unwrap(),
        at: Timestamp(5),
        body: EventBody::Reacted { target: 1, emoji: emoji.clone(), on, username: username.clone(), tag: tag.clone() },
    };
    let pin = Moderation { target: Some(1), ..Moderation::new(ModerationAction::Pin) };
    let pinned = Event { body: EventBody::Moderated(pin), ..reacted(7, true) };
    for (event, text) in [
        (
            reacted(7, true),
            r#"{"type":"reacted","seq":7,"id":"x","target":1,"emoji":"👍","on":true,"username":"Anonymous","tag":"0102","at":5,"repeated":true}"#,
        ),
        (
            reacted(0, false),
            r#"{"type":"reacted","seq":null,"id":"x","target":1,"emoji":"👍","on":false,"repeated":true}"#,
        ),
        (pinned, r#"{"type":"moderated","seq":7,"id":"x","action":"pin","target":1,"at":5,"repeated":true}"#),
    ] {
        let frame = RepeatedFrame::of(event).unwrap();
        assert_eq!(frame.encode(), text);
        let parsed = ServerFrame::parse(text).unwrap();
        assert_eq!((parsed.encode().as_str(), parsed.clone()), (text, ServerFrame::Repeated(frame)));
        assert_eq!(parsed.into_event(), None);
    }
}
