//! Checks the clients' actions and observations against the log: the delivery guarantees, as a function.
//!
//! Times are positions in a total order of the test's events, from [`Clock`].

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};

/// A logical clock: a total order of the events in this process.
#[derive(Debug, Default)]
pub struct Clock(AtomicU64);

impl Clock {
    /// Later than every earlier call.
    pub fn tick(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// A message that a client tried to post; ids are unique in the whole test.
#[derive(Clone, Debug)]
pub struct Post {
    pub id: String,
    pub text: String,
    /// Before it was first sent.
    pub invoked: u64,
    /// After the acknowledgement was read, and the number in it.
    pub acknowledged: Option<(u64, i64)>,
}

/// A message as a client received it, or as the database stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub seq: i64,
    pub id: String,
    pub text: String,
}

/// The events that one reader received, over all its connections: everything after `after`, in order of arrival.
#[derive(Clone, Debug)]
pub struct View {
    pub after: i64,
    pub seen: Vec<Entry>,
}

/// All that is known at the end.
#[derive(Clone, Debug, Default)]
pub struct History {
    pub posts: Vec<Post>,
    pub views: Vec<View>,
    pub log: Vec<Entry>,
}

/// A broken promise.
#[derive(Debug, PartialEq, Eq)]
pub enum Violation {
    /// The log is not numbered 1, 2, 3 …
    Gap { expected: i64, found: i64 },
    /// One post has two numbers.
    Twice { id: String },
    /// The log contains a message that no client posted in this form.
    Phantom { id: String },
    /// It was acknowledged, and is not there.
    Lost { id: String },
    /// It was acknowledged at another number than it has.
    Moved { id: String, acknowledged: i64, stored: i64 },
    /// A reader did not see the next message, but another.
    Jump { reader: usize, expected: i64, found: i64 },
    /// A reader did not see the log's end.
    Short { reader: usize, last: i64 },
    /// A reader saw something else than the log holds.
    Differs { reader: usize, seq: i64 },
    /// A was acknowledged before B was sent, and B precedes A.
    Order { first: String, second: String },
}

impl History {
    /// Whether every promise was kept; else the first broken one.
    pub fn check(&self) -> Result<(), Violation> {
        self.log_is_sound()?;
        self.acknowledged_is_kept()?;
        self.views_are_pieces_of_the_log()?;
        self.order_is_that_of_time()
    }

    fn log_is_sound(&self) -> Result<(), Violation> {
        let posted: HashMap<&str, &str> = self.posts.iter().map(|post| (&*post.id, &*post.text)).collect();
        let mut ids = HashSet::new();
        for (entry, expected) in self.log.iter().zip(1..) {
            if entry.seq != expected {
                return Err(Violation::Gap { expected, found: entry.seq });
            }
            if !ids.insert(&entry.id) {
                return Err(Violation::Twice { id: entry.id.clone() });
            }
            if posted.get(&*entry.id) != Some(&&*entry.text) {
                return Err(Violation::Phantom { id: entry.id.clone() });
            }
        }
        Ok(())
    }

    fn acknowledged_is_kept(&self) -> Result<(), Violation> {
        let numbers = self.numbers();
        for post in &self.posts {
            let Some((_, acknowledged)) = post.acknowledged else { continue };
            let id = post.id.clone();
            match numbers.get(&*post.id) {
                None => return Err(Violation::Lost { id }),
                Some(&stored) if stored != acknowledged => return Err(Violation::Moved { id, acknowledged, stored }),
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn views_are_pieces_of_the_log(&self) -> Result<(), Violation> {
        for (reader, view) in self.views.iter().enumerate() {
            for (entry, expected) in view.seen.iter().zip(view.after + 1..) {
                if entry.seq != expected {
                    return Err(Violation::Jump { reader, expected, found: entry.seq });
                }
                let stored = usize::try_from(entry.seq - 1).ok().and_then(|index| self.log.get(index));
                if stored != Some(entry) {
                    return Err(Violation::Differs { reader, seq: entry.seq });
                }
            }
            let last = view.after + view.seen.len() as i64;
            if last != self.log.len() as i64 {
                return Err(Violation::Short { reader, last });
            }
        }
        Ok(())
    }

    /// Checks real-time order: a message sent after an acknowledgement follows the acknowledged message in the log.
    fn order_is_that_of_time(&self) -> Result<(), Violation> {
        let numbers = self.numbers();
        let mut events: Vec<(u64, i64, &Post)> = Vec::new();
        for post in &self.posts {
            if let Some(&seq) = numbers.get(&*post.id) {
                events.push((post.invoked, seq, post));
            }
            if let Some((at, seq)) = post.acknowledged {
                events.push((at, seq, post));
            }
        }
        events.sort_by_key(|&(at, ..)| at);
        let mut newest: Option<(i64, &Post)> = None;
        for (at, seq, post) in events {
            let is_acknowledgement = at != post.invoked;
            match newest {
                Some((acknowledged, first)) if !is_acknowledgement && seq < acknowledged => {
                    return Err(Violation::Order { first: first.id.clone(), second: post.id.clone() });
                }
                Some((acknowledged, _)) if acknowledged >= seq => {}
                _ if is_acknowledgement => newest = Some((seq, post)),
                _ => {}
            }
        }
        Ok(())
    }

    fn numbers(&self) -> HashMap<&str, i64> {
        self.log.iter().map(|entry| (&*entry.id, entry.seq)).collect()
    }
}

/// Three posts, one after the other, and a reader who saw it all: nothing wrong with it.
#[cfg(test)]
fn sound() -> History {
    let entry = |seq: i64, id: &str| Entry { seq, id: id.into(), text: format!("text of {id}") };
    let log = vec![entry(1, "a"), entry(2, "b"), entry(3, "c")];
    let post = |entry: &Entry| Post {
        id: entry.id.clone(),
        text: entry.text.clone(),
        invoked: 10 * entry.seq as u64,
        acknowledged: Some((10 * entry.seq as u64 + 5, entry.seq)),
    };
    let posts = log.iter().map(post).collect();
    let views = vec![View { after: 0, seen: log.clone() }, View { after: 1, seen: log[1..].to_vec() }];
    History { posts, views, log }
}

#[test]
fn a_sound_history_passes() {
    assert_eq!(sound().check(), Ok(()));
    // The outcome of an unacknowledged post is unknown: both are correct.
    let mut history = sound();
    history.posts[2].acknowledged = None;
    assert_eq!(history.check(), Ok(()));
    history.log.pop();
    history.views.clear();
    assert_eq!(history.check(), Ok(()));
    // Posts that overlap in time may be in either order.
    let mut history = sound();
    history.posts[1].invoked = 31;
    history.posts[1].acknowledged = Some((36, 2));
    assert_eq!(history.check(), Ok(()));
}

#[test]
fn each_seeded_bug_is_caught() {
    type Bug = (&'static str, fn(&mut History), Violation);
    let bugs: [Bug; 12] = [
        ("an acknowledged message is lost", |h| drop(h.log.pop()), Violation::Lost { id: "c".into() }),
        ("a number is left out", |h| drop(h.log.remove(1)), Violation::Gap { expected: 2, found: 3 }),
        ("a repetition takes a number of its own", repeat_b, Violation::Twice { id: "b".into() }),
        ("a message nobody sent", |h| drop(h.posts.pop()), Violation::Phantom { id: "c".into() }),
        ("a text is altered", |h| h.log[1].text.push('!'), Violation::Phantom { id: "b".into() }),
        (
            "two acknowledgements of one number",
            |h| h.posts[2].acknowledged = Some((35, 2)),
            Violation::Moved { id: "c".into(), acknowledged: 2, stored: 3 },
        ),
        (
            "a reader is skipped",
            |h| drop(h.views[0].seen.remove(1)),
            Violation::Jump { reader: 0, expected: 2, found: 3 },
        ),
        (
            "a reader sees n+1 before n",
            |h| h.views[0].seen.swap(1, 2),
            Violation::Jump { reader: 0, expected: 2, found: 3 },
        ),
        (
            "a reader sees a message twice",
            |h| h.views[1].seen[1].seq = 2,
            Violation::Jump { reader: 1, expected: 3, found: 2 },
        ),
        ("a reader misses the last message", |h| drop(h.views[0].seen.pop()), Violation::Short { reader: 0, last: 2 }),
        ("a reader sees another log", |h| h.views[1].seen[0].text.push('!'), Violation::Differs { reader: 1, seq: 2 }),
        (
            "a later message gets an earlier number",
            exchange_b_and_c,
            Violation::Order { first: "b".into(), second: "c".into() },
        ),
    ];
    for (bug, seed, violation) in bugs {
        let mut history = sound();
        seed(&mut history);
        assert_eq!(history.check(), Err(violation), "{bug}");
    }
}

#[cfg(test)]
fn repeat_b(history: &mut History) {
    let again = Entry { seq: 4, ..history.log[1].clone() };
    history.log.push(again);
}

/// Swaps b and c in the log and in all views, as if they had been numbered in the wrong order.
#[cfg(test)]
fn exchange_b_and_c(history: &mut History) {
    history.log.swap(1, 2);
    history.log[1].seq = 2;
    history.log[2].seq = 3;
    history.posts[1].acknowledged = Some((25, 3));
    history.posts[2].acknowledged = Some((35, 2));
    history.views.clear();
}
