//! Unit tests of the outbox.

use super::*;
use crate::domain::moderation::ModerationAction;
use proptest::prelude::*;

fn id(text: &str) -> EventId {
    EventId::parse(text).unwrap()
}

fn post(text: &str) -> OutboxCommand {
    OutboxCommand::Post { username: None, text: text.into(), reply_to: None }
}

fn outbox(ids: &[&str]) -> Outbox {
    let mut outbox = Outbox::default();
    ids.iter().for_each(|name| outbox.push(id(name), post(name), 5, None));
    outbox
}

fn sent(outbox: &mut Outbox) -> Option<String> {
    outbox.take_next().map(|pending| pending.id.as_str().to_owned())
}

fn too_long() -> Rejection {
    Rejection::new(RejectionCode::TooLong, "Too long.")
}

#[test]
fn unacknowledged_commands_are_sent_again_in_order_after_a_reconnect() {
    let mut outbox = outbox(&["a", "b", "c"]);
    assert_eq!(sent(&mut outbox).as_deref(), Some("a"));
    assert_eq!(sent(&mut outbox), None, "the first one is in flight");
    assert!(outbox.remove(&id("a")));
    assert!(!outbox.remove(&id("a")));
    assert_eq!(sent(&mut outbox).as_deref(), Some("b"));
    outbox.reset_in_flight();
    assert_eq!(sent(&mut outbox).as_deref(), Some("b"));
}

#[test]
fn a_refused_command_waits_for_its_author() {
    let mut outbox = outbox(&["a", "b"]);
    sent(&mut outbox);
    outbox.refuse(&id("a"), &too_long());
    outbox.remove(&id("b"));
    assert!(!outbox.has_pending());
    assert_eq!(outbox.pending()[0].refused.as_deref(), Some("Too long."));
    outbox.retry(&id("a"), Some("Ann".into()));
    let command = OutboxCommand::Post { username: Some("Ann".into()), text: "a".into(), reply_to: None };
    assert_eq!(outbox.pending()[0].command, command);
    assert_eq!(sent(&mut outbox).as_deref(), Some("a"));
}

#[test]
fn a_temporarily_refused_command_is_not_overtaken() {
    let mut outbox = outbox(&["a", "b"]);
    sent(&mut outbox);
    outbox.refuse(&id("a"), &Rejection::unavailable());
    assert_eq!(sent(&mut outbox).as_deref(), Some("a"));
    outbox.refuse(&id("a"), &too_long());
    assert_eq!(sent(&mut outbox).as_deref(), Some("b"), "a final refusal blocks nothing");
}

#[test]
fn tabs_share_pending_commands_in_the_order_of_typing() {
    let (mut here, mut there) = (Outbox::default(), Outbox::default());
    here.push(id("1"), post("first"), 10, None);
    there.push(id("2"), post("second"), 20, None);
    here.push(id("3"), post("third"), 30, None);
    sent(&mut here);
    let kept = [here.pending(), there.pending()].concat();
    here.merge_stored(kept);
    let order: Vec<&str> = here.pending().iter().map(|pending| pending.command.text()).collect();
    assert_eq!(order, ["first", "second", "third"]);
    assert_eq!(sent(&mut here), None, "the first one is in flight");
    here.remove(&id("1"));
    assert_eq!(sent(&mut here).as_deref(), Some("2"));
}

#[test]
fn a_command_no_longer_stored_was_acknowledged_in_another_tab() {
    let mut outbox = outbox(&["a", "b"]);
    sent(&mut outbox);
    let kept = outbox.pending()[1].clone();
    outbox.merge_stored(vec![kept]);
    assert_eq!(sent(&mut outbox).as_deref(), Some("b"));
    assert_eq!(outbox.pending().len(), 1);
}

#[test]
fn the_newest_change_of_a_message_counts() {
    let mut outbox = Outbox::default();
    outbox.push(id("a"), OutboxCommand::Edit { target: 7, text: "one".into() }, 1, None);
    outbox.push(id("b"), OutboxCommand::Edit { target: 7, text: "two".into() }, 1, None);
    let text = |outbox: &Outbox| outbox.pending_change(7).map(|change| change.command.text().to_owned());
    assert_eq!(text(&outbox).as_deref(), Some("two"));
    outbox.refuse(&id("b"), &too_long());
    assert_eq!(text(&outbox).as_deref(), Some("one"));
    outbox.push(id("c"), OutboxCommand::Delete { target: 7 }, 1, None);
    assert_eq!(text(&outbox).as_deref(), Some(""));
    assert_eq!(outbox.pending_change(8), None);
}

#[test]
fn a_stored_command_is_read_back() {
    let mut outbox = outbox(&["a"]);
    outbox.refuse(&id("a"), &too_long());
    let pending = &outbox.pending()[0];
    assert_eq!(PendingCommand::parse_stored(&pending.to_stored()).as_ref(), Some(pending));
    assert_eq!(PendingCommand::parse_stored("{}"), None);
}

#[test]
fn a_message_of_another_history_returns_to_its_author_and_a_change_is_dropped() {
    let (before, now) = (Epoch("before".into()), Epoch("now".into()));
    let mut outbox = Outbox::default();
    outbox.push(id("a"), OutboxCommand::Delete { target: 1 }, 1, Some(before.clone()));
    outbox.push(id("b"), OutboxCommand::Edit { target: 2, text: "new".into() }, 2, Some(before.clone()));
    let reply = OutboxCommand::Post { username: None, text: "hello".into(), reply_to: Some(1) };
    outbox.push(id("c"), reply, 3, Some(before));
    outbox.push(id("d"), post("of an earlier release"), 4, None);
    outbox.push(id("e"), OutboxCommand::Delete { target: 3 }, 5, Some(now.clone()));
    let changed: Vec<String> = outbox.bind(&now).iter().map(|pending| pending.id.as_str().to_owned()).collect();
    assert_eq!(changed, ["a", "b", "c", "d"]);
    let left: Vec<_> =
        outbox.pending().iter().map(|pending| (pending.id.as_str(), pending.refused.is_some())).collect();
    assert_eq!(left, [("c", true), ("d", false), ("e", false)]);
    assert_eq!(outbox.pending()[0].command, post("hello"), "the number stands for another message now");
    assert!(outbox.bind(&now).is_empty(), "a command is bound once");
    outbox.retry(&id("c"), None);
    assert_eq!(sent(&mut outbox).as_deref(), Some("c"));
}

#[test]
fn an_act_of_the_owner_is_stored_and_sent() {
    let mut outbox = Outbox::default();
    let text = "Bob is banned.".to_owned();
    let act = OutboxCommand::Moderate { action: ModerationAction::Ban, target: Some(7), tag: None, seconds: 60, text };
    outbox.push(id("a"), act, 1, Some(Epoch("e".into())));
    let pending = outbox.take_next().unwrap();
    let read = PendingCommand::parse_stored(&pending.to_stored()).unwrap();
    assert_eq!((&read.command, &read.epoch), (&pending.command, &pending.epoch));
    let frame = ClientFrame::Moderate {
        id: Some("a".into()),
        action: ModerationAction::Ban,
        target: Some(7),
        tag: None,
        seconds: Some(60),
        text: None,
    };
    assert_eq!(pending.encode(), Some(frame.encode()));
}

#[test]
fn a_command_that_no_frame_holds_is_not_sent() {
    let mut outbox = Outbox::default();
    outbox.push(id("a"), post(&"x".repeat(MAX_FRAME_BYTES)), 1, None);
    assert_eq!(outbox.take_next().and_then(|pending| pending.encode()), None);
}

/// Browsers hold commands that an earlier release has stored, and tabs of two releases share one storage.
#[test]
fn the_stored_form_is_that_of_earlier_releases() {
    for stored in [
        r#"{"id":"a","order":5,"wish":{"post":{"username":"Ann","text":"hi"}},"refused":null}"#,
        r#"{"id":"r","order":5,"wish":{"post":{"username":"Ann","text":"hi","reply_to":41}},"refused":null}"#,
        r#"{"id":"b","order":6,"wish":{"edit":{"target":7,"text":"ho"}},"refused":"Too long."}"#,
        r#"{"id":"c","order":7,"wish":{"delete":{"target":7}},"refused":null}"#,
    ] {
        let pending = PendingCommand::parse_stored(stored).expect(stored);
        assert_eq!(pending.to_stored(), stored);
    }
}

proptest! {
    /// Commands leave the outbox only when they are acknowledged, in any order of sending, refusals and retries.
    #[test]
    fn nothing_is_lost(steps in proptest::collection::vec((0..6u8, 0..20usize), 0..100)) {
        let mut outbox = Outbox::default();
        let mut kept: Vec<EventId> = Vec::new();
        for (number, (step, at)) in steps.into_iter().enumerate() {
            let chosen = kept.get(at).cloned();
            match (step, chosen) {
                (1, Some(chosen)) => {
                    outbox.remove(&chosen);
                    kept.retain(|id| *id != chosen);
                }
                (2, Some(chosen)) => outbox.refuse(&chosen, &too_long()),
                (3, Some(chosen)) => outbox.retry(&chosen, None),
                (4, _) => drop(outbox.take_next()),
                (5, _) => outbox.reset_in_flight(),
                _ => {
                    kept.push(id(&number.to_string()));
                    outbox.push(id(&number.to_string()), post(""), 0, None);
                }
            }
        }
        let ids: Vec<EventId> = outbox.pending().iter().map(|pending| pending.id.clone()).collect();
        prop_assert_eq!(ids, kept);
    }
}
