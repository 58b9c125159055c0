//! Absent people: those who have written lately, or were here while the page was open, and are not here now. The page
//! derives them from the messages and participants that it has; the server tells nothing more about anybody.

use crate::domain::{AuthorTag, Message, Participant, Timestamp};

/// Maximum number of absent people in the list.
const MAX_ABSENT: usize = 20;

/// A person who is not in the room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AbsentPerson {
    /// The name and tag.
    pub(crate) participant: Participant,
    /// The time of the last message, or at which the participant left.
    pub(crate) at: Timestamp,
    /// Whether that is the time at which the participant left.
    pub(crate) was_seen: bool,
}

/// Returns the people who are not present, the last first. `messages` are loaded ones, the newest first; `left` are
/// participants who left, with the time, the last first. The visitor with the tag `own` is never absent.
pub(super) fn absent_people<'a>(
    messages: impl Iterator<Item = &'a Message>,
    left: &[(Participant, Timestamp)],
    present: &[Participant],
    own: &AuthorTag,
) -> Vec<AbsentPerson> {
    let seen = left.iter().map(|(participant, at)| (participant.clone(), *at, true));
    let wrote =
        messages.map(|it| (Participant { username: it.username.clone(), tag: it.tag.clone() }, it.sent_at, false));
    let mut absent: Vec<AbsentPerson> = Vec::new();
    for (participant, at, was_seen) in seen.chain(wrote) {
        let tag = &participant.tag;
        let is_listed = absent.iter().any(|other| other.participant.tag == *tag);
        if absent.len() < MAX_ABSENT && !is_listed && tag != own && present.iter().all(|other| other.tag != *tag) {
            absent.push(AbsentPerson { participant, at, was_seen });
        }
    }
    absent.sort_by_key(|person| std::cmp::Reverse(person.at));
    absent
}

/// Adds those who were here `before` and are not here now to the participants who left, the last first.
pub(super) fn record_left(
    left: &mut Vec<(Participant, Timestamp)>,
    before: &[Participant],
    now_here: &[Participant],
    now: Timestamp,
) {
    for gone in before.iter().filter(|known| now_here.iter().all(|other| other.tag != known.tag)) {
        left.retain(|(other, _)| other.tag != gone.tag);
        left.insert(0, (gone.clone(), now));
    }
    left.truncate(MAX_ABSENT);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{EventId, Username};

    fn person(tag: u8) -> Participant {
        Participant { username: Username::from_trusted(format!("Person {tag}")), tag: AuthorTag::new([tag, 0]) }
    }

    fn message(tag: u8, at: i64) -> Message {
        let Participant { username, tag } = person(tag);
        Message {
            seq: at,
            id: EventId::from_trusted(String::new()),
            username,
            tag,
            text: "hello".into(),
            sent_at: Timestamp(at),
            edited: false,
            reply_to: None,
            mentions: Vec::new(),
            reactions: Vec::new(),
            pinned: false,
        }
    }

    fn of(messages: &[Message], left: &[(Participant, Timestamp)], present: &[Participant]) -> Vec<(u8, i64, bool)> {
        let absent = absent_people(messages.iter().rev(), left, present, &AuthorTag::new([9, 0]));
        let number = |tag: &AuthorTag| tag.bytes().unwrap()[0];
        absent.iter().map(|it| (number(&it.participant.tag), it.at.0, it.was_seen)).collect()
    }

    #[test]
    fn authors_who_are_not_here_are_absent_since_their_last_message() {
        let messages = [message(1, 10), message(2, 20), message(1, 30), message(9, 40), message(3, 50)];
        assert_eq!(of(&messages, &[], &[person(3)]), [(1, 30, false), (2, 20, false)]);
        let many: Vec<Message> = (10..100).map(|tag| message(tag, i64::from(tag))).collect();
        assert_eq!(of(&many, &[], &[]).len(), MAX_ABSENT);
    }

    #[test]
    fn those_who_leave_were_seen_until_then_and_are_here_again_when_they_return() {
        let mut left = Vec::new();
        record_left(&mut left, &[person(1), person(2)], &[person(2)], Timestamp(60));
        record_left(&mut left, &[person(2)], &[], Timestamp(70));
        let messages = [message(1, 10)];
        assert_eq!(of(&messages, &left, &[]), [(2, 70, true), (1, 60, true)]);
        assert_eq!(of(&messages, &left, &[person(1)]), [(2, 70, true)]);
        record_left(&mut left, &[person(1)], &[], Timestamp(80));
        assert_eq!(of(&messages, &left, &[]), [(1, 80, true), (2, 70, true)]);
    }
}
