//! The pure parts of `ui` and `domain` where visitors run them: in a browser, in 32 bits. Elsewhere the modules' own
//! unit tests hold them.
#![cfg(target_arch = "wasm32")]

use parlour::domain::{AuthorTag, Epoch, EventId, MessageText, RoomName, RoomView, Username};
use parlour::protocol::{ClientFrame, ServerFrame};
use parlour::ui::room::outbox::{Outbox, OutboxCommand, PendingCommand};
use parlour::ui::room::timeline::{Applied, Timeline};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

fn empty_page() -> RoomView {
    RoomView {
        room: RoomName::parse("harbour").unwrap(),
        epoch: Epoch("k3f9".into()),
        tag: AuthorTag::new([1, 2]),
        ..RoomView::empty()
    }
}

fn said(seq: i64) -> ServerFrame {
    let frame = format!(
        r#"{{"type": "message", "seq": {seq}, "id": "m{seq}", "username": "Ann", "tag": "7f3a", "message": "hello",
            "sent_at": 1763800000000}}"#
    );
    ServerFrame::parse(&frame).expect("a frame of the protocol")
}

#[wasm_bindgen_test]
fn frames_keep_their_large_numbers() {
    let frame = said(9_007_199_254_740_991);
    assert_eq!(ServerFrame::parse(&frame.encode()), Some(frame.clone()));
    let event = frame.into_event().unwrap();
    assert_eq!((event.seq, event.at.0), (9_007_199_254_740_991, 1_763_800_000_000));
}

#[wasm_bindgen_test]
fn an_event_of_an_unknown_type_takes_its_number() {
    let text = r#"{"type":"dance","seq":7,"speed":1.5,"large":1e400,"steps":[[null,{"half":0.5}]],"done":false}"#;
    let event = ServerFrame::parse(text).and_then(ServerFrame::into_event).unwrap();
    assert_eq!((event.seq, event.id.as_str()), (7, ""));
    for seq in ["\"7\"", "7.5", "null", "[7]"] {
        assert_eq!(ServerFrame::parse(&format!(r#"{{"type":"dance","seq":{seq}}}"#)), None);
    }
}

#[wasm_bindgen_test]
fn the_timeline_appends_the_next_event_and_notices_a_gap() {
    let mut timeline = Timeline::new(&empty_page());
    let applied = [1, 2, 2, 4, 3].map(|seq| timeline.apply(said(seq).into_event().unwrap(), true));
    assert_eq!(applied, [Applied::Appended, Applied::Appended, Applied::Duplicate, Applied::Gap, Applied::Appended]);
    assert_eq!(timeline.position(), 3);
}

#[wasm_bindgen_test]
fn pending_commands_survive_in_the_browsers_storage() {
    let storage = web_sys::window().unwrap().local_storage().unwrap().unwrap();
    let mut outbox = Outbox::default();
    let said = OutboxCommand::Post {
        username: Some("Ἄννα".into()), text: "👩‍👩‍👧‍👦\nשלום".into(), reply_to: Some(41)
    };
    outbox.push(EventId::parse("a1").unwrap(), said, 9_007_199_254_740_991, None);
    storage.set_item("outbox", &outbox.pending()[0].to_stored()).unwrap();
    let kept = storage.get_item("outbox").unwrap().unwrap();
    assert_eq!(PendingCommand::parse_stored(&kept).as_ref(), Some(&outbox.pending()[0]));
}

#[wasm_bindgen_test]
fn names_and_texts_follow_the_servers_rules() {
    let name = RoomName::parse_form(" Cafe\u{301} MOLE ").unwrap();
    assert_eq!(name.as_str(), "café-mole");
    assert!(Username::parse("Ann\u{202e}").is_err());
    assert!(MessageText::parse(&"😀".repeat(4000)).is_ok());
    assert!(MessageText::parse(&"😀".repeat(4001)).is_err());
}

#[wasm_bindgen_test]
fn a_post_is_what_the_server_reads() {
    let post =
        ClientFrame::Post { id: Some("a1".into()), message: "two\nlines".into(), username: None, reply_to: None };
    assert_eq!(ClientFrame::parse(&post.encode()), Ok(post));
}
