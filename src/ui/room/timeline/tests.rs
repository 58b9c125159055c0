//! Unit tests of the timeline.

use super::*;
use crate::domain::{AuthorTag, Epoch, EventId, RoomName, Timestamp, Username};
use proptest::prelude::*;

pub(super) fn message(seq: Seq, at: i64) -> Message {
    Message {
        seq,
        id: EventId::parse(&format!("id{seq}")).unwrap(),
        username: Username::parse("Ann").unwrap(),
        tag: AuthorTag::new([0, 1]),
        text: format!("text {seq}"),
        sent_at: Timestamp(at),
        edited: false,
        reply_to: None,
        mentions: Vec::new(),
        reactions: Vec::new(),
        pinned: false,
    }
}

fn event(seq: Seq, body: EventBody) -> Event {
    Event { seq, id: EventId::parse(&format!("id{seq}")).unwrap(), at: Timestamp(seq), body }
}

pub(super) fn message_event(seq: Seq) -> Event {
    let Message { username, tag, text, reply_to, mentions, .. } = message(seq, 0);
    event(seq, EventBody::Message { username, tag, text, reply_to, mentions })
}

pub(super) fn timeline(messages: Vec<Message>, head: Seq) -> Timeline {
    Timeline::new(&RoomView {
        room: RoomName::parse("harbour").unwrap(),
        epoch: Epoch("e".into()),
        head,
        tag: AuthorTag::new([0, 1]),
        history: HistoryPage { messages, more_before: true, ..HistoryPage::default() },
        ..RoomView::empty()
    })
}

fn texts(timeline: &Timeline) -> Vec<String> {
    timeline.items.iter().map(|item| item.message.text.clone()).collect()
}

#[test]
fn events_are_applied_once_and_in_order() {
    let mut timeline = timeline(vec![message(1, 0)], 1);
    assert_eq!(timeline.apply(message_event(2), true), Applied::Appended);
    assert_eq!(timeline.apply(message_event(2), true), Applied::Duplicate);
    assert_eq!(timeline.apply(message_event(4), true), Applied::Gap);
    assert_eq!(timeline.position(), 2);
    assert_eq!(texts(&timeline), ["text 1", "text 2"]);
}

#[test]
fn events_before_the_page_was_rendered_are_not_requested_again() {
    assert_eq!(timeline(vec![message(1, 0)], 3).position(), 3, "an edit and a deletion followed");
    assert_eq!(timeline(vec![message(4, 0)], 3).position(), 4, "a message came while the page was read");
}

#[test]
fn edits_and_deletions_change_their_message() {
    let mut timeline = timeline(vec![message(1, 0)], 1);
    timeline.apply(event(2, EventBody::Edited { target: 1, text: "new".into(), mentions: Vec::new() }), true);
    assert_eq!(texts(&timeline), ["new"]);
    timeline.apply(event(3, EventBody::Deleted { target: 1 }), true);
    assert!(timeline.items[0].message.is_deleted());
    assert_eq!(
        timeline.apply(event(4, EventBody::Deleted { target: 99 }), true),
        Applied::Appended,
        "one that is not loaded"
    );
}

#[test]
fn an_event_of_an_unknown_type_takes_its_number_and_changes_nothing() {
    let mut timeline = timeline(vec![message(1, 0)], 1);
    let before = texts(&timeline);
    assert_eq!(timeline.apply(event(2, EventBody::Other { target: Some(1) }), true), Applied::Appended);
    assert_eq!(timeline.apply(event(2, EventBody::Other { target: None }), true), Applied::Duplicate);
    assert_eq!(timeline.apply(event(4, EventBody::Other { target: None }), true), Applied::Gap);
    assert_eq!((texts(&timeline), timeline.position()), (before, 2));
    assert_eq!(timeline.apply(message_event(3), true), Applied::Appended);
}

#[test]
fn older_messages_go_before_and_never_twice() {
    let mut timeline = timeline(vec![message(5, 0)], 5);
    let page = HistoryPage { messages: vec![message(4, 0), message(5, 0)], more_after: true, ..HistoryPage::default() };
    timeline.prepend(page);
    assert_eq!(timeline.first(), Some(4));
    assert!(!timeline.more_before());
    assert_eq!(texts(&timeline).len(), 2);
}

fn page(seqs: std::ops::RangeInclusive<Seq>, more_before: bool, more_after: bool) -> HistoryPage {
    let messages = seqs.map(|seq| message(seq, 0)).collect();
    HistoryPage { messages, more_before, more_after, ..HistoryPage::default() }
}

fn seqs(timeline: &Timeline) -> Vec<Seq> {
    timeline.messages().map(|message| message.seq).collect()
}

#[test]
fn a_following_reader_keeps_the_end_and_evicts_the_beginning() {
    let mut timeline = timeline(Vec::new(), 0);
    (1..=1000).for_each(|seq| assert_eq!(timeline.apply(message_event(seq), true), Applied::Appended));
    assert!(timeline.items.len() <= MAX_MESSAGES && timeline.more_before() && !timeline.more_after());
    assert_eq!(timeline.last(), Some(1000));
}

#[test]
fn a_reader_further_up_keeps_the_messages_in_view() {
    let mut timeline = timeline(Vec::new(), 0);
    (1..=1000).for_each(|seq| assert_eq!(timeline.apply(message_event(seq), false), Applied::Appended));
    assert_eq!(seqs(&timeline), (1..=MAX_MESSAGES as Seq).collect::<Vec<_>>());
    assert!(timeline.more_after());
    timeline.append(page(301..=350, true, true));
    assert_eq!((timeline.first(), timeline.last()), (Some(51), Some(350)));
    timeline.prepend(page(1..=50, false, true));
    assert_eq!((timeline.first(), timeline.last()), (Some(1), Some(MAX_MESSAGES as Seq)));
    timeline.replace(page(951..=1000, true, false));
    assert!(!timeline.more_after(), "the end is reached");
    timeline.apply(message_event(1001), true);
    assert_eq!(timeline.last(), Some(1001));
}

#[test]
fn a_page_read_before_the_newest_message_does_not_reach_the_end() {
    let mut timeline = timeline(Vec::new(), 0);
    timeline.replace(page(1..=10, false, true));
    timeline.begin_load();
    (1..=21).for_each(|seq| assert_eq!(timeline.apply(message_event(seq), true), Applied::Appended));
    timeline.append(page(11..=20, true, false));
    assert!(timeline.more_after(), "21 is missing");
    timeline.append(page(21..=21, true, false));
    assert!(!timeline.more_after());
    assert_eq!(seqs(&timeline), (1..=21).collect::<Vec<_>>());
}

#[test]
fn a_change_that_overtakes_its_page_is_kept() {
    let mut timeline = timeline(vec![message(60, 0)], 60);
    timeline.begin_load();
    timeline.apply(event(61, EventBody::Edited { target: 59, text: "new".into(), mentions: Vec::new() }), true);
    timeline.prepend(page(50..=59, true, true));
    assert_eq!(timeline.message(59).map(|message| message.text.as_str()), Some("new"));
}

#[test]
fn a_change_survives_a_replacement_by_a_page_that_predates_it() {
    let mut timeline = timeline(vec![message(59, 0), message(60, 0)], 60);
    timeline.begin_load();
    timeline.apply(event(61, EventBody::Deleted { target: 59 }), true);
    timeline.replace(page(50..=60, true, false));
    assert!(timeline.message(59).unwrap().is_deleted());
}

proptest! {
    /// Events that arrive twice, late or with holes leave a window of the log without gaps.
    #[test]
    fn the_window_is_contiguous_whatever_arrives(arrivals in proptest::collection::vec(1..30i64, 0..200)) {
        let mut timeline = timeline(Vec::new(), 0);
        for seq in arrivals {
            timeline.apply(message_event(seq), seq % 2 == 0);
        }
        prop_assert_eq!(seqs(&timeline), (1..=timeline.position()).collect::<Vec<_>>());
    }
}
