//! Frames survive the wire, and bad ones are answered.

use super::*;

#[test]
fn the_frame_of_the_original_client_is_a_post() {
    let frame = ClientFrame::parse(r#"{"username": "Ann", "room_name": "harbour", "message": "hello"}"#);
    let post = ClientFrame::Post { id: None, message: "hello".into(), username: Some("Ann".into()), reply_to: None };
    assert_eq!(frame, Ok(post));
}

#[test]
fn a_client_frame_survives_the_wire() {
    for frame in [
        ClientFrame::Post { id: Some("a1".into()), message: "hi".into(), username: None, reply_to: None },
        ClientFrame::Post { id: Some("a2".into()), message: "hi".into(), username: None, reply_to: Some(41) },
        ClientFrame::Edit { id: None, target: 42, text: "hi!".into() },
        ClientFrame::Delete { id: Some("a2".into()), target: 42 },
        ClientFrame::Moderate {
            id: None,
            action: ModerationAction::Ban,
            target: Some(7),
            tag: None,
            seconds: Some(60),
            text: None,
        },
        ClientFrame::Moderate {
            id: None,
            action: ModerationAction::Remove,
            target: None,
            tag: Some(AuthorTag::new([7, 8])),
            seconds: None,
            text: None,
        },
        ClientFrame::Moderate {
            id: None,
            action: ModerationAction::Title,
            target: None,
            tag: None,
            seconds: None,
            text: Some("Summer trip".into()),
        },
        ClientFrame::React { id: Some("a3".into()), target: 42, emoji: "👍".into(), on: false },
        ClientFrame::Sync { after: 41 },
        ClientFrame::Typing,
        ClientFrame::Heartbeat,
    ] {
        assert_eq!(ClientFrame::parse(&frame.encode()), Ok(frame));
    }
}

#[test]
fn fields_of_other_frames_are_ignored() {
    let post = ClientFrame::Post { id: Some("a".into()), message: "hi".into(), username: None, reply_to: None };
    assert_eq!(ClientFrame::parse(r#"{"id": "a", "message": "hi", "tag": 5, "target": "x"}"#), Ok(post));
    assert_eq!(ClientFrame::parse(r#" {"type": "typing", "text": 1}"#), Ok(ClientFrame::Typing));
}

#[test]
fn a_bad_frame_is_answered_with_its_id_where_it_has_one() {
    for (text, id) in [
        ("", None),
        ("null", None),
        ("[]", None),
        ("{}", None),
        (r#"{"message": 5}"#, None),
        (r#"[null, "a", "hi", null, null, null, null, null, null, null, null, null]"#, None),
        (r#"{"id": 5, "message": "hi"}"#, None),
        (r#"{"id": "a", "message": 5}"#, Some("a")),
        (r#"{"id": "a", "message": "hi", "reply_to": "41"}"#, Some("a")),
        (r#"{"id": "a", "message": "hi", "reply_to": 1.5}"#, Some("a")),
        (r#"{"id": "a", "type": 5, "message": "hi"}"#, Some("a")),
        (r#"{"id": "a", "type": "edit", "target": "42", "text": "x"}"#, Some("a")),
        (r#"{"id": "a", "type": "delete", "target": 99999999999999999999}"#, Some("a")),
        (r#"{"id": "a", "type": "post"}"#, Some("a")),
        (r#"{"id": "a", "type": "dance"}"#, Some("a")),
        (r#"{"id": "a", "type": "sync", "after": -1}"#, Some("a")),
        (r#"{"id": "a", "type": "edit", "target": 1}"#, Some("a")),
        (r#"{"id": "a", "type": "delete"}"#, Some("a")),
        (r#"{"id": "a", "type": "moderate", "action": "dance"}"#, Some("a")),
        (r#"{"id": "a", "type": "moderate", "action": "pin"}"#, Some("a")),
        (r#"{"id": "a", "type": "react", "target": 1}"#, Some("a")),
        (r#"{"id": "a", "type": "react", "target": 1, "emoji": "👍", "on": 1}"#, Some("a")),
        (r#"{"id": "a", "type": "moderate", "action": "ban", "seconds": 5}"#, Some("a")),
    ] {
        let bad = ClientFrame::parse(text).unwrap_err();
        assert_eq!(bad.id.as_deref(), id, "{text}");
        assert_eq!(bad.rejection.code, RejectionCode::Invalid, "{text}");
    }
}
