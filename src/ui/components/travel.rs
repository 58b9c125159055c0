//! Getting about: within the messages of a room, loading what is not there, and from room to room, in place.

use super::reading_place::Goal;
use super::room_state::RoomState;
use crate::api::{ApiError, load_history, open_room};
use crate::domain::{HistoryPlace, Seq};
use crate::ui::browser::{self, address};
use crate::ui::timeline::Timeline;
use crate::ui::unread::Unread;
use leptos::prelude::*;
use leptos::task::spawn_local;

/// More messages are fetched when so much is left above or below, in pixels.
const EARLY: i32 = 1200;

/// What is on its way from the server; at most one thing at a time.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Errand {
    #[default]
    Nothing,
    /// Messages before or after those that are there.
    More,
    /// Another piece of the room.
    Piece,
    /// Another room.
    Room,
}

impl RoomState {
    /// Goes to the newest message.
    pub(super) fn go_to_the_end(self) {
        if self.timeline.with_untracked(Timeline::more_after) {
            self.place.aim(Goal::End);
            self.load(HistoryPlace::Newest);
        } else {
            self.go_here(Goal::End);
        }
    }

    /// Goes to what is loaded, and no longer to another piece of the room.
    pub(super) fn go_here(self, goal: Goal) {
        self.give_up(Errand::Piece);
        self.place.go(goal);
    }

    /// Goes to a message of this room, wherever it is.
    pub(super) fn go_to(self, seq: Seq, goal: Goal) {
        let nearest = self.timeline.with_untracked(|timeline| timeline.nearest(seq));
        let has_all_before =
            self.timeline.with_untracked(|it| !it.more_before() || it.first().is_some_and(|it| it <= seq));
        if let Some(nearest) = nearest.filter(|nearest| has_all_before && *nearest >= seq) {
            self.go_here(goal.at(nearest));
        } else {
            self.place.aim(goal);
            self.load(HistoryPlace::Around(seq));
        }
    }

    /// The reader has moved, or the messages have changed: notes what was read, and fetches what will be in view soon.
    pub(super) fn look(self) {
        if !browser::is_hidden() {
            let last = self.timeline.with_untracked(Timeline::last);
            let seen = if self.follows() { last } else { self.place.last_in_view() };
            if let Some(seen) = seen.filter(|seen| self.unread.with_untracked(|unread| unread.read() < *seen)) {
                self.unread.update(|unread| unread.see(seen));
            }
        }
        if !browser::is_hidden() && !self.line_seen.get_untracked() && !self.is_line_above() {
            self.line_seen.set(true);
        }
        let (above, below) = self.place.left();
        let (before, after) = self.timeline.with_untracked(|timeline| {
            (timeline.first().filter(|_| timeline.more_before()), timeline.last().filter(|_| timeline.more_after()))
        });
        match (before, after) {
            (Some(first), _) if above < EARLY => self.load(HistoryPlace::Before(first)),
            (_, Some(last)) if below < EARLY => self.load(HistoryPlace::After(last)),
            _ => {}
        }
    }

    /// Whether the unread line stands above what is in view.
    fn is_line_above(self) -> bool {
        let Some(read) = self.unread.with_untracked(Unread::line) else { return false };
        self.timeline.with_untracked(|timeline| {
            let first = timeline.messages().find(|it| it.seq > read);
            let is_first = timeline.more_before() && timeline.first() > Some(read + 1);
            is_first || first.is_some_and(|first| self.place.is_above(first.seq))
        })
    }

    /// Loads a page of history. Going on up or down waits for the page that is on its way; going elsewhere does not.
    pub(super) fn load(self, place: HistoryPlace) {
        let (before, after, around) = match place {
            HistoryPlace::Before(seq) => (Some(seq), None, None),
            HistoryPlace::After(seq) => (None, Some(seq), None),
            HistoryPlace::Around(seq) => (None, None, Some(seq)),
            HistoryPlace::Newest => (None, None, None),
        };
        let goes_on = before.is_some() || after.is_some();
        match self.errand.get_value() {
            // Nothing more is fetched for the room that is left.
            Errand::Room => return self.place.redirect(None),
            Errand::More | Errand::Piece if goes_on => return,
            _ => {}
        }
        let asked = self.ask(if goes_on { Errand::More } else { Errand::Piece });
        self.timeline.update_untracked(Timeline::expect_page);
        spawn_local(async move {
            let page = load_history(self.name().to_string(), before, after, around).await;
            if !self.is_wanted(asked) {
                return;
            }
            // A page that did not come is asked for again at the next scrolling.
            let Ok(page) = page else { return self.place.redirect(None) };
            self.timeline.update_untracked(|timeline| match place {
                HistoryPlace::Before(_) => timeline.prepend(page),
                HistoryPlace::After(_) => timeline.append(page),
                _ => timeline.jump(page),
            });
            if let Some(seq) = around {
                self.place.redirect(self.timeline.with_untracked(|timeline| timeline.nearest(seq)));
            }
            // The reader may have scrolled since the browser last told of it.
            self.place.look();
            if after.is_some() || before.is_some() && self.place.left().1 > 0 {
                self.place.stay();
            }
            self.timeline.notify();
        });
    }

    /// Opens another room, in place; what cannot be opened so is loaded as a page, which says why.
    pub(super) fn open(self, path: String) {
        self.note_place();
        self.visit_room(path, true);
    }

    /// Notes where the reader is, for the way back.
    pub(super) fn note_place(self) {
        if self.is_at_its_address() {
            address::leave(self.place.now(self.timeline.with_untracked(Timeline::more_after)));
        }
    }

    /// Whether the address names this room.
    pub(super) fn is_at_its_address(self) -> bool {
        address::named().is_some_and(|(room, _)| room == self.name().as_str())
    }

    /// Goes where the address leads, which may have changed by Back or Forward.
    pub(super) fn come_back(self) {
        match address::named() {
            Some((_, seq)) if self.is_at_its_address() => {
                self.give_up(Errand::Room);
                self.marked.set(seq);
                let goal = Goal::of(address::left(), seq);
                match goal.seq() {
                    Some(seq) => self.go_to(seq, goal),
                    None => self.go_to_the_end(),
                }
            }
            Some(_) => self.visit_room(address::path(), false),
            None => browser::reload(),
        }
    }

    /// Goes where the address leads, if that could not be reached before.
    pub(super) fn catch_up(self) {
        if self.errand.get_value() != Errand::Room && !self.is_at_its_address() {
            self.come_back();
        }
    }

    fn visit_room(self, path: String, goes_on: bool) {
        let Some((room, seq)) = address::parse(&path) else { return address::load(&path) };
        let asked = self.ask(Errand::Room);
        let goal = Goal::of(if goes_on { None } else { address::left() }, seq);
        spawn_local(async move {
            let page = open_room(room, None, goal.seq()).await;
            if !self.is_wanted(asked) {
                return;
            }
            let mut page = match page {
                Ok(page) => page,
                // What is here stays; a browser's page of an error would take its place.
                Err(error @ ApiError::Call(_)) => return self.notice.set(error.to_string()),
                Err(_) => return address::load(&path),
            };
            page.permalink = seq;
            if goes_on {
                address::go(&seq.map_or_else(|| page.room.path(), |seq| format!("{}{seq}", page.room.path())));
            }
            self.replace(page, goal);
            if goes_on {
                browser::offer_composer();
            }
        });
    }

    /// What was on its way is no longer waited for.
    fn ask(self, errand: Errand) -> u32 {
        self.asked.update_value(|asked| *asked += 1);
        self.errand.set_value(errand);
        self.asked.get_value()
    }

    fn give_up(self, errand: Errand) {
        if self.errand.get_value() == errand {
            self.ask(Errand::Nothing);
        }
    }

    /// Whether this answer is the one that is waited for; it is no longer on its way then.
    fn is_wanted(self, asked: u32) -> bool {
        let is_wanted = self.asked.get_value() == asked;
        if is_wanted {
            self.errand.set_value(Errand::Nothing);
        }
        is_wanted
    }
}
