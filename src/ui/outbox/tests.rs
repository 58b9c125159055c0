//! What an outbox promises.

use super::*;
use proptest::prelude::*;

fn id(text: &str) -> EventId {
    EventId::parse(text).unwrap()
}

fn say(text: &str) -> Wish {
    Wish::Post { username: None, text: text.into() }
}

fn outbox(ids: &[&str]) -> Outbox {
    let mut outbox = Outbox::default();
    ids.iter().for_each(|name| outbox.push(id(name), say(name), 5));
    outbox
}

fn sent(outbox: &mut Outbox) -> Option<String> {
    outbox.send().map(|pending| pending.id.as_str().to_owned())
}

fn too_long() -> Rejection {
    Rejection::new(RejectionCode::TooLong, "Too long.")
}

#[test]
fn what_is_not_acknowledged_is_sent_again_in_order_over_the_next_connection() {
    let mut outbox = outbox(&["a", "b", "c"]);
    assert_eq!(sent(&mut outbox).as_deref(), Some("a"));
    assert_eq!(sent(&mut outbox), None, "it is on its way");
    assert!(outbox.remove(&id("a")));
    assert!(!outbox.remove(&id("a")));
    assert_eq!(sent(&mut outbox).as_deref(), Some("b"));
    outbox.disconnect();
    assert_eq!(sent(&mut outbox).as_deref(), Some("b"));
}

#[test]
fn what_is_refused_waits_for_its_author() {
    let mut outbox = outbox(&["a", "b"]);
    sent(&mut outbox);
    outbox.refuse(&id("a"), &too_long());
    outbox.remove(&id("b"));
    assert!(!outbox.waits());
    assert_eq!(outbox.pending()[0].refused.as_deref(), Some("Too long."));
    outbox.retry(&id("a"), Some("Ann".into()));
    assert_eq!(outbox.pending()[0].wish, Wish::Post { username: Some("Ann".into()), text: "a".into() });
    assert_eq!(sent(&mut outbox).as_deref(), Some("a"));
}

#[test]
fn what_the_server_cannot_take_just_now_is_not_overtaken() {
    let mut outbox = outbox(&["a", "b"]);
    sent(&mut outbox);
    outbox.refuse(&id("a"), &Rejection::unavailable());
    assert_eq!(sent(&mut outbox).as_deref(), Some("a"));
    outbox.refuse(&id("a"), &too_long());
    assert_eq!(sent(&mut outbox).as_deref(), Some("b"), "what will never be taken is in nobody's way");
}

#[test]
fn tabs_share_what_waits_in_the_order_of_typing() {
    let (mut here, mut there) = (Outbox::default(), Outbox::default());
    here.push(id("1"), say("first"), 10);
    there.push(id("2"), say("second"), 20);
    here.push(id("3"), say("third"), 30);
    sent(&mut here);
    let kept = [here.pending(), there.pending()].concat();
    here.take_over(kept);
    let order: Vec<&str> = here.pending().iter().map(|pending| pending.wish.text()).collect();
    assert_eq!(order, ["first", "second", "third"]);
    assert_eq!(sent(&mut here), None, "the first is on its way already");
    here.remove(&id("1"));
    assert_eq!(sent(&mut here).as_deref(), Some("2"));
}

#[test]
fn what_is_no_longer_kept_was_acknowledged_in_another_tab() {
    let mut outbox = outbox(&["a", "b"]);
    sent(&mut outbox);
    let kept = outbox.pending()[1].clone();
    outbox.take_over(vec![kept]);
    assert_eq!(sent(&mut outbox).as_deref(), Some("b"));
    assert_eq!(outbox.pending().len(), 1);
}

#[test]
fn the_newest_change_of_a_message_counts() {
    let mut outbox = Outbox::default();
    outbox.push(id("a"), Wish::Edit { target: 7, text: "one".into() }, 1);
    outbox.push(id("b"), Wish::Edit { target: 7, text: "two".into() }, 1);
    let text = |outbox: &Outbox| outbox.change_of(7).map(|change| change.wish.text().to_owned());
    assert_eq!(text(&outbox).as_deref(), Some("two"));
    outbox.refuse(&id("b"), &too_long());
    assert_eq!(text(&outbox).as_deref(), Some("one"));
    outbox.push(id("c"), Wish::Delete { target: 7 }, 1);
    assert_eq!(text(&outbox).as_deref(), Some(""));
    assert_eq!(outbox.change_of(8), None);
}

#[test]
fn it_survives_being_written_down() {
    let mut outbox = outbox(&["a"]);
    outbox.refuse(&id("a"), &too_long());
    let text = serde_json::to_string(&outbox.pending()[0]).unwrap();
    assert_eq!(serde_json::from_str::<Pending>(&text).unwrap(), outbox.pending()[0]);
}

proptest! {
    /// Whatever is sent, acknowledged, refused or tried again, nothing leaves but what was acknowledged.
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
                (4, _) => drop(outbox.send()),
                (5, _) => outbox.disconnect(),
                _ => {
                    kept.push(id(&number.to_string()));
                    outbox.push(id(&number.to_string()), say(""), 0);
                }
            }
        }
        let ids: Vec<EventId> = outbox.pending().iter().map(|pending| pending.id.clone()).collect();
        prop_assert_eq!(ids, kept);
    }
}
