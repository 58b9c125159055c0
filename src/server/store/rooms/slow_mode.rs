//! Slow mode: the interval between an author's messages, and the quota that newcomers of one network share.

use crate::server::store::database::clock;
use crate::server::store::entity::room;
use crate::server::store::{AppendRequest, NewEvent};

/// Number of messages that the newcomers of one network share per interval. A new identity costs nothing, so newcomers
/// need a common limit; an office with this many newcomers notices only slow mode itself.
const SHARED_BY_NEWCOMERS: i64 = 20;

/// Returns whether slow mode applies to this entry.
pub(crate) fn is_slowed(room: &room::Model, entry: &AppendRequest) -> bool {
    room.slow_mode > 0 && matches!(entry.new_event, NewEvent::Message { .. } | NewEvent::React(_))
}

/// Returns the time for which an author who last spoke at `spoke_at` has to wait, in milliseconds, or 0. For a
/// newcomer, `newcomers` is the time up to which the network's quota is used up (see [`newcomer_spoke`]).
pub(crate) fn wait_ms(room: &room::Model, spoke_at: i64, newcomers: Option<i64>, now: i64) -> i64 {
    let alone = clock::remaining_ms(spoke_at, pause_ms(room), now);
    let together = newcomers.map_or(0, |used_up| clock::remaining_ms(used_up, share_ms(room), now));
    alone.max(together)
}

/// Returns the time up to which the quota of a network's newcomers is used up after one more message, in UTC
/// milliseconds. It lies in the last interval, and each message advances it by its share (the generic cell rate
/// algorithm, ITU-T I.371). It is not after `now` if the message did not have to wait.
pub(crate) fn newcomer_spoke(room: &room::Model, used_up: i64, now: i64) -> i64 {
    let a_pause_ago = now - pause_ms(room);
    // A time in the future is implausible, and was not waited for either.
    let used_up = if used_up > now { a_pause_ago } else { used_up.max(a_pause_ago) };
    used_up + share_ms(room)
}

/// Returns the interval between two messages, in milliseconds.
fn pause_ms(room: &room::Model) -> i64 {
    i64::from(room.slow_mode.max(0)) * 1000
}

/// Returns the share of an interval that one message of a newcomer takes, in milliseconds.
fn share_ms(room: &room::Model) -> i64 {
    pause_ms(room) / SHARED_BY_NEWCOMERS
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    const NOW: i64 = 1_800_000_000_000;

    fn room(slow_mode: i32) -> room::Model {
        room::Model {
            id: 1,
            name: "harbour".to_owned(),
            epoch: String::new(),
            head: 1,
            last_at: NOW,
            owner: None,
            slow_mode,
            locked: false,
            moderated: true,
            keep_days: None,
            invitation: None,
            title: None,
            title_seq: None,
            title_by: None,
            topic: None,
            topic_seq: None,
            topic_by: None,
            retention: None,
            annotated: false,
            erasures: 0,
        }
    }

    #[test]
    fn newcomers_of_a_network_share_twenty_messages_per_pause() {
        for seconds in [1, 7, 60, 3600] {
            let room = room(seconds);
            let (mut used_up, mut spoken) = (0, 0);
            let pauses = 10;
            let end = NOW + pauses * pause_ms(&room);
            // As often as permitted, each time with a new identity.
            let mut now = NOW;
            while now < end {
                match wait_ms(&room, 0, Some(used_up), now) {
                    0 => {
                        used_up = newcomer_spoke(&room, used_up, now);
                        assert!(used_up <= now, "what is kept is never ahead");
                        spoken += 1;
                    }
                    wait => now += wait,
                }
            }
            assert_eq!(spoken, 20 + 20 * pauses - 1, "{seconds}");
        }
    }

    #[test]
    fn twenty_who_keep_to_slow_mode_do_not_wait_for_each_other() {
        for seconds in [1, 10, 3600] {
            let room = room(seconds);
            let pause = pause_ms(&room);
            let mut used_up = 0;
            let mut last: HashMap<i64, i64> = HashMap::new();
            // Some send as soon as permitted, others later and later.
            let mut messages: Vec<(i64, i64)> = (0..20_i64)
                .flat_map(|person| {
                    (0..8_i64).map(move |n| (NOW + n * (pause + person % 3 * pause / 5) + person % 7, person))
                })
                .collect();
            messages.sort_unstable();
            for (at, person) in messages {
                let spoke_at = last.insert(person, at).unwrap_or_default();
                assert_eq!(wait_ms(&room, spoke_at, Some(used_up), at), 0, "{seconds} {person}");
                used_up = newcomer_spoke(&room, used_up, at);
            }
        }
    }

    #[test]
    fn a_stamp_that_cannot_be_does_not_keep_newcomers_waiting() {
        let room = room(600);
        for ahead in [600_000, 400 * 86_400_000, i64::MAX - NOW] {
            assert_eq!(wait_ms(&room, 0, Some(NOW + ahead), NOW), 0, "{ahead}");
            assert!(newcomer_spoke(&room, NOW + ahead, NOW) < NOW, "{ahead}");
        }
        let slower = newcomer_spoke(&self::room(3600), NOW, NOW);
        assert!(wait_ms(&room, 0, Some(slower), NOW) <= 3_600_000 / 20, "slow mode was slower before");
    }
}
