//! Tests of the unread messages of a room.

use super::*;

#[test]
fn a_first_visit_has_nothing_unread() {
    let unread = Unread::open(None, 1..=9, 1, 9, false);
    assert_eq!((unread.read(), unread.divider(), unread.count()), (9, None, 0));
}

#[test]
fn a_first_visit_in_the_middle_has_nothing_unread_either() {
    let mut unread = Unread::open(None, 1..=9, 1, 40, false);
    unread.push(41, false);
    assert_eq!((unread.divider(), unread.count()), (Some(40), 1));
}

#[test]
fn a_room_that_started_over_is_read_up_to_its_head() {
    let mut unread = Unread::open(Some(500), 1..=2, 1, 2, false);
    unread.push(3, false);
    unread.mark_read(3);
    assert_eq!((unread.read(), unread.count()), (3, 0));
}

#[test]
fn messages_shown_by_a_page_are_not_new() {
    let mut unread = Unread::open(Some(1), 1..=1, 1, 1, false);
    unread.mark_read(3);
    unread.push(2, false);
    assert_eq!((unread.divider(), unread.count()), (None, 0));
}

#[test]
fn the_divider_stands_where_reading_stopped() {
    let unread = Unread::open(Some(7), [5, 8, 9].into_iter(), 1, 9, false);
    assert_eq!((unread.divider(), unread.count_text().as_str()), (Some(7), "2"));
    let far = Unread::open(Some(7), 51..=100, 51, 100, true);
    assert_eq!(far.count_text(), "50+", "there are more above");
}

#[test]
fn a_message_seen_arriving_is_read() {
    let mut unread = Unread::open(None, 1..=3, 1, 3, false);
    unread.push(4, true);
    assert_eq!((unread.read(), unread.divider(), unread.count()), (4, None, 0));
}

#[test]
fn unseen_messages_stay_unread_below_the_divider() {
    let mut unread = Unread::open(None, 1..=3, 1, 3, false);
    unread.push(4, false);
    unread.push(6, false);
    assert_eq!((unread.divider(), unread.count()), (Some(3), 2));
    unread.mark_read(5);
    assert_eq!(unread.count(), 1);
    unread.mark_read(6);
    assert_eq!((unread.divider(), unread.count(), unread.new_count_text().as_str()), (Some(3), 0, "2"));
    unread.push(7, false);
    assert_eq!((unread.divider(), unread.new_count_text().as_str()), (Some(6), "1"), "a new divider for new messages");
}

#[test]
fn an_own_message_marks_everything_as_read() {
    let mut unread = Unread::open(Some(1), 2..=3, 1, 3, false);
    unread.mark_own(4);
    assert_eq!((unread.read(), unread.divider(), unread.count()), (4, None, 0));
}

#[test]
fn messages_that_are_not_loaded_are_counted_until_they_are() {
    // Entered at message 80, having read up to 60: only 75 to 85 are loaded.
    let mut unread = Unread::open(Some(60), 75..=85, 75, 99, true);
    unread.set_total(39);
    assert_eq!((unread.count_text().as_str(), unread.first(), unread.divider()), ("39", Some(61), Some(60)));
    unread.learn(61..=85);
    unread.learn(86..=99);
    assert_eq!((unread.count(), unread.unloaded), (39, 0));
    unread.mark_read(70);
    assert_eq!((unread.count(), unread.first()), (29, Some(71)));
    unread.remove(99, true);
    unread.remove(98, false);
    assert_eq!((unread.count(), unread.new_count_text().as_str()), (27, "37"));
    let mut above = Unread::open(Some(60), std::iter::empty(), 1, 99, false);
    above.set_total(100);
    assert_eq!((above.count_text().as_str(), above.divider()), ("99+", Some(60)));
    above.remove(70, false);
    above.remove(71, true);
    assert_eq!(above.count(), 98, "a loaded one that is not unread is no less");
    above.mark_read(99);
    assert_eq!(above.count(), 0);
    // Entered at message 65: the reader has gone on before the server has counted.
    let mut inside = Unread::open(Some(60), 61..=85, 50, 99, true);
    inside.mark_read(70);
    inside.set_total(29);
    assert_eq!((inside.count(), inside.new_count_text().as_str(), inside.divider()), (29, "39", Some(60)));
}

#[test]
fn messages_can_be_marked_as_unread_again() {
    let mut unread = Unread::open(None, 1..=9, 1, 9, false);
    unread.mark_unread(7, 1..=9, false);
    assert_eq!((unread.read(), unread.divider(), unread.new_count_text().as_str()), (6, Some(6), "3"));
    unread.push(10, true);
    assert_eq!((unread.count(), unread.divider()), (4, Some(6)));
    unread.mark_own(11);
    assert_eq!((unread.count(), unread.divider()), (0, None));
    unread.mark_unread(7, 5..=9, true);
    assert_eq!(unread.count_text(), "3+", "there are newer ones");
}

#[test]
fn a_removed_message_is_not_new() {
    let mut unread = Unread::open(Some(1), 2..=3, 1, 3, false);
    unread.remove(2, true);
    assert_eq!((unread.count(), unread.new_count_text().as_str(), unread.divider()), (1, "1", Some(1)));
    unread.remove(2, true);
    unread.remove(3, true);
    assert_eq!((unread.count(), unread.divider()), (0, None));
    unread.push(4, false);
    assert_eq!((unread.count(), unread.new_count_text().as_str()), (1, "1"));
}

#[test]
fn a_flood_does_not_cost_memory() {
    let mut unread = Unread::open(None, 1..=1, 1, 1, false);
    (2..100_000).for_each(|seq| unread.push(seq, false));
    assert_eq!(unread.count_text(), "999+");
    unread.mark_read(200_000);
    assert_eq!(unread.count_text(), "0");
}
