//! Rules of the tail buffer, some of them over random histories.

use super::*;
use crate::domain::moderation::{Moderation, ModerationAction};
use crate::domain::{AuthorTag, Event, EventBody, EventId, Timestamp, Username};
use crate::protocol::ServerFrame;
use proptest::prelude::*;
use std::collections::HashSet;
use std::ops::RangeInclusive;

fn frame(seq: Seq, body: EventBody) -> EventFrame {
    Event { seq, id: EventId::from_trusted(seq.to_string()), at: Timestamp(0), body }.into()
}

fn message(seq: Seq, text: &str) -> EventFrame {
    let (username, tag) = (Username::anonymous(), AuthorTag::new([1, 2]));
    frame(seq, EventBody::Message { username, tag, text: text.into(), reply_to: None, mentions: Vec::new() })
}

fn messages(numbers: RangeInclusive<Seq>) -> Vec<EventFrame> {
    numbers.map(|seq| message(seq, "said")).collect()
}

fn open_at(delivered: Seq) -> TailBuffer {
    TailBuffer { open: true, head: delivered, ..TailBuffer::default() }
}

fn event(text: &TextFrame) -> Event {
    ServerFrame::parse(text.text()).and_then(ServerFrame::into_event).expect("an event")
}

fn numbers(texts: &[TextFrame]) -> impl Iterator<Item = Seq> {
    texts.iter().map(|text| event(text).seq)
}

/// Returns the numbers of the buffered frames after `after`.
fn kept(tail: &TailBuffer, after: Seq) -> Option<Vec<Seq>> {
    match tail.read_after(after, 100, usize::MAX) {
        TailRead::Frames(texts) => Some(numbers(&texts).collect()),
        TailRead::UpToDate | TailRead::Evicted => None,
    }
}

/// Returns the text of a frame, or `None` if it shows no message.
fn said(frame: &EventFrame) -> Option<String> {
    match event(&frame.text).body {
        EventBody::Message { text, .. } | EventBody::Edited { text, .. } => Some(text),
        EventBody::Reacted { emoji, .. } => Some(emoji.as_str().to_owned()),
        EventBody::Deleted { .. } | EventBody::Moderated(_) | EventBody::Other { .. } => None,
    }
}

#[test]
fn following_frames_are_appended_and_known_ones_dropped() {
    let mut tail = open_at(3);
    assert_eq!(tail.append(messages(4..=5)), Some(5));
    assert_eq!(tail.append(messages(4..=6)), Some(6));
    assert_eq!(tail.append(messages(1..=2)), Some(6));
    assert_eq!(kept(&tail, 3).unwrap(), [4, 5, 6]);
    assert_eq!(kept(&tail, 5).unwrap(), [6]);
}

#[test]
fn a_gap_is_noticed() {
    let mut tail = open_at(3);
    assert_eq!(tail.append(messages(5..=5)), None);
    assert_eq!(tail.head, 3);
    assert_eq!(tail.append([messages(4..=5), messages(5..=5), messages(7..=8)].concat()), None);
    assert_eq!(kept(&tail, 3).unwrap(), [4, 5], "a number stands for what has it, and for nothing else");
    assert_eq!(TailBuffer::default().append(messages(1..=1)), None, "a room that is not open knows no number");
}

#[test]
fn purged_events_are_skipped() {
    let mut tail = open_at(0);
    tail.append(messages(1..=3));
    tail.skip_to(3);
    assert_eq!(kept(&tail, 0).unwrap(), [1, 2, 3], "all of it is here");
    tail.skip_to(7);
    assert_eq!((kept(&tail, 2), tail.head, tail.bytes), (None, 6, 0));
    assert_eq!(tail.append(messages(7..=8)), Some(8));
    assert_eq!(kept(&tail, 6).unwrap(), [7, 8]);
}

#[test]
fn a_reader_behind_the_tail_is_told_so() {
    let mut tail = open_at(0);
    tail.append(messages(1..=MAX_TAIL_EVENTS as Seq + 10));
    assert_eq!(kept(&tail, 5), None);
    assert_eq!(kept(&tail, 10).unwrap()[0], 11);
}

#[test]
fn the_tail_is_bounded_in_bytes_too() {
    let mut tail = open_at(0);
    let large = "x".repeat(MAX_TAIL_BYTES / 2 - 200);
    tail.append((1..=3).map(|seq| message(seq, &large)).collect());
    assert_eq!(tail.frames.len(), 2);
    let at_once = |bytes| matches!(tail.read_after(1, 9, bytes), TailRead::Frames(texts) if texts.len() == 1);
    assert!(at_once(1) && at_once(MAX_TAIL_BYTES / 2) && !at_once(MAX_TAIL_BYTES), "one is sent, however long it is");
}

#[test]
fn a_deletion_takes_the_deleted_text_out_of_memory_and_leaves_nobody_behind() {
    let mut tail = open_at(0);
    let edited = frame(3, EventBody::Edited { target: 1, text: "of one".into(), mentions: Vec::new() });
    tail.append(vec![message(1, "one"), message(2, "two"), edited]);
    tail.append(vec![frame(4, EventBody::Deleted { target: 1 })]);
    assert_eq!(kept(&tail, 0).unwrap(), [1, 2, 3, 4]);
    let texts: Vec<_> = tail.frames.iter().filter_map(said).collect();
    assert_eq!(texts, ["", "two", ""]);
    tail.append(messages(5..=5));
    tail.evict_redacted();
    assert_eq!(kept(&tail, 3).unwrap(), [4, 5]);
    assert_eq!(kept(&tail, 2), None, "the log has them");
    assert_eq!(tail.bytes, tail.frames.iter().map(EventFrame::len).sum::<usize>());
}

#[test]
fn expired_frames_leave_memory() {
    let mut tail = open_at(10);
    tail.append(messages(11..=14));
    tail.evict_before(5);
    assert_eq!(kept(&tail, 10).unwrap().len(), 4);
    tail.evict_before(13);
    assert_eq!((kept(&tail, 11), kept(&tail, 12).unwrap()), (None, vec![13, 14]));
    tail.evict_before(15);
    assert_eq!((tail.frames.len(), tail.bytes), (0, 0));
    tail.evict_before(99);
    assert_eq!(tail.append(messages(15..=15)), Some(15));
}

#[test]
fn an_edit_of_a_message_that_is_no_longer_kept_says_nothing() {
    let mut tail = open_at(10);
    let edit = |seq, target| frame(seq, EventBody::Edited { target, text: "edited".into(), mentions: Vec::new() });
    tail.append(vec![edit(11, 9), message(12, "kept"), edit(13, 12)]);
    tail.redact(|seq| seq < 10);
    assert_eq!(tail.frames.iter().filter_map(said).collect::<Vec<_>>(), ["", "kept", "edited"]);
}

proptest! {
    /// A reader gets 1, 2, 3 … regardless of duplicate, late or missing frames, of removals and of how it pulls. The
    /// log fills in where the tail buffer has a gap or does not reach back. Removed messages appear nowhere.
    #[test]
    fn a_reader_gets_every_number_once_and_in_order(
        steps in proptest::collection::vec((1..40i64, 1..8i64, 0..40i64, 0..5usize), 0..150)
    ) {
        let mut tail = open_at(0);
        let (mut log, mut read): (Seq, Vec<Seq>) = (0, Vec::new());
        let mut removed = HashSet::new();
        for (first, count, target, pulls) in steps {
            let last = first + count - 1;
            log = log.max(last);
            let mut published = messages(first..=last);
            let removes = (1..first).contains(&target);
            if removes {
                published[0] = frame(first, EventBody::Deleted { target });
            }
            let before = tail.head;
            if tail.append(published).is_none() {
                let caught_up = messages(tail.head + 1..=last);
                prop_assert_eq!(tail.append(caught_up), Some(last));
            } else if removes && first > before {
                removed.insert(target);
            }
            for frame in &tail.frames {
                let shows = matches!(frame.effect, FrameEffect::Content(seq) if removed.contains(&seq));
                prop_assert!(!shows, "{}", frame.text());
                prop_assert_eq!(frame.effect == FrameEffect::Redacted, said(frame).is_some_and(|text| text.is_empty()));
            }
            prop_assert_eq!(tail.bytes, tail.frames.iter().map(EventFrame::len).sum::<usize>());
            for _ in 0..pulls {
                let position = read.len() as Seq;
                match tail.read_after(position, 3, 500) {
                    TailRead::Frames(texts) => read.extend(numbers(&texts)),
                    TailRead::Evicted => read.push(position + 1),
                    TailRead::UpToDate => prop_assert_eq!(position, tail.head),
                }
            }
        }
        prop_assert!(tail.head <= log);
        let expected: Vec<Seq> = (1..=read.len() as Seq).collect();
        prop_assert_eq!(read, expected);
    }
}

#[test]
fn a_title_is_blanked_when_another_replaces_it() {
    let set = |seq, action, text: &str| {
        let text = Some(text.to_owned());
        frame(seq, EventBody::Moderated(Moderation { text, ..Moderation::new(action) }))
    };
    let mut tail = open_at(0);
    let (title, topic) = (ModerationAction::Title, ModerationAction::Topic);
    tail.append(vec![set(1, title, "first"), set(2, topic, "cake"), set(3, title, "second")]);
    let texts = tail.frames.iter().map(|frame| match event(&frame.text).body {
        EventBody::Moderated(moderation) => moderation.text,
        other => panic!("{other:?}"),
    });
    assert_eq!(texts.collect::<Vec<_>>(), [None, Some("cake".to_owned()), Some("second".to_owned())]);
    assert_eq!(tail.bytes, tail.frames.iter().map(EventFrame::len).sum::<usize>());
}
