//! What was typed and is not yet acknowledged. Kept before it is sent, sent again after every reconnect, and let go
//! only when the log has it: the id makes sending twice harmless. Plain rules; where it is kept is not its business.

use crate::domain::json::{FromJson, Json, read_by_name};
use crate::domain::{EventId, Rejection, RejectionCode, Seq};
use serde::Serialize;

/// What somebody wants to happen in a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// To say something, under this name if one was given.
    Post {
        /// The name.
        username: Option<String>,
        /// What is said.
        text: String,
    },
    /// To put another text in place of an own message.
    Edit {
        /// The number of the message.
        target: Seq,
        /// The new text.
        text: String,
    },
    /// To remove an own message.
    Delete {
        /// The number of the message.
        target: Seq,
    },
}

impl FromJson for Wish {
    fn from_json(mut json: Json) -> Option<Self> {
        Some(if let Some(mut it) = json.take::<Option<Json>>("post")? {
            Self::Post { username: it.take("username")?, text: it.take("text")? }
        } else if let Some(mut it) = json.take::<Option<Json>>("edit")? {
            Self::Edit { target: it.take("target")?, text: it.take("text")? }
        } else {
            Self::Delete { target: json.take::<Json>("delete")?.take("target")? }
        })
    }
}

impl Wish {
    /// What was typed; nothing for a removal.
    pub fn text(&self) -> &str {
        match self {
            Self::Post { text, .. } | Self::Edit { text, .. } => text,
            Self::Delete { .. } => "",
        }
    }
}

/// Something wished for that the log does not have yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pending {
    /// The idempotency key.
    pub id: EventId,
    /// Its place among what waits, in all tabs: the time it was typed at, in milliseconds, made to differ.
    pub order: u64,
    /// What is wished for.
    pub wish: Wish,
    /// Why the server refused it, if it did; then it waits for its author.
    pub refused: Option<String>,
    /// Whether it is on its way over the connection that there is now.
    #[serde(skip)]
    pub sent: bool,
    /// Whether the browser keeps it; else it lives as long as the page.
    #[serde(skip)]
    pub kept: bool,
}

read_by_name!(Pending { id, order, wish, refused, sent, kept });

/// What waits, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbox {
    pending: Vec<Pending>,
}

impl Outbox {
    /// What waits, oldest first.
    pub fn pending(&self) -> &[Pending] {
        &self.pending
    }

    /// The one with this id.
    pub fn get(&self, id: &EventId) -> Option<&Pending> {
        self.pending.iter().find(|pending| pending.id == *id)
    }

    /// The newest change on its way of the message of this number: an edit, or its removal.
    pub fn change_of(&self, seq: Seq) -> Option<&Pending> {
        self.pending.iter().rev().find(|pending| match pending.wish {
            Wish::Edit { target, .. } | Wish::Delete { target } => target == seq && pending.refused.is_none(),
            Wish::Post { .. } => false,
        })
    }

    /// Keeps something to be sent, typed at `now` in milliseconds.
    pub fn push(&mut self, id: EventId, wish: Wish, now: u64) {
        let order = self.pending.last().map_or(now, |last| now.max(last.order + 1));
        self.pending.push(Pending { id, order, wish, refused: None, sent: false, kept: false });
    }

    /// Takes over what is kept, by this tab and others: what was kept and is no longer there has been acknowledged.
    pub fn take_over(&mut self, kept: Vec<Pending>) {
        let mut before = std::mem::take(&mut self.pending);
        before.retain(|it| !it.kept || kept.iter().any(|pending| pending.id == it.id));
        for mut pending in kept {
            pending.kept = true;
            match before.iter_mut().find(|it| it.id == pending.id) {
                Some(here) if here.kept => *here = Pending { sent: here.sent, ..pending },
                // The storage did not take what became of it since.
                Some(_) => {}
                None => before.push(pending),
            }
        }
        for pending in before {
            let place = (pending.order, pending.id.as_str());
            let earlier = self.pending.iter().take_while(|it| (it.order, it.id.as_str()) < place).count();
            self.pending.insert(earlier, pending);
        }
    }

    /// Whether anything is still to be acknowledged by the server.
    pub fn waits(&self) -> bool {
        self.pending.iter().any(|pending| pending.refused.is_none())
    }

    /// What is to be sent now; it counts as sent from here on. One at a time: if the server cannot take this one just
    /// now, those after it must not overtake it.
    pub fn send(&mut self) -> Option<Pending> {
        let next = self.pending.iter_mut().find(|pending| pending.refused.is_none())?;
        if std::mem::replace(&mut next.sent, true) { None } else { Some(next.clone()) }
    }

    /// The connection was lost, or is another: nothing is on its way any more.
    pub fn disconnect(&mut self) {
        self.pending.iter_mut().for_each(|pending| pending.sent = false);
    }

    /// The log has it, or its author does not want it any more. Returns whether it was ours.
    pub fn remove(&mut self, id: &EventId) -> bool {
        let before = self.pending.len();
        self.pending.retain(|pending| pending.id != *id);
        self.pending.len() < before
    }

    /// The server refused it. What passes by itself is to be sent again; the rest waits for its author.
    pub fn refuse(&mut self, id: &EventId, rejection: &Rejection) {
        use RejectionCode::{Draining, RateLimited, Unavailable};
        if let Some(pending) = self.get_mut(id) {
            pending.sent = false;
            if !matches!(rejection.code, Draining | RateLimited | Unavailable) {
                pending.refused = Some(rejection.detail.clone());
            }
        }
    }

    /// Its author wants to try again; a message goes under `username` now, if there is one.
    pub fn retry(&mut self, id: &EventId, username: Option<String>) {
        if let Some(pending) = self.get_mut(id) {
            pending.refused = None;
            if let (Wish::Post { username: before, .. }, Some(now)) = (&mut pending.wish, username) {
                *before = Some(now);
            }
        }
    }

    /// Whether the browser keeps it as it is now.
    pub fn note_kept(&mut self, id: &EventId, kept: bool) {
        if let Some(pending) = self.get_mut(id) {
            pending.kept = kept;
        }
    }

    fn get_mut(&mut self, id: &EventId) -> Option<&mut Pending> {
        self.pending.iter_mut().find(|pending| pending.id == *id)
    }
}

#[cfg(test)]
mod tests {
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
    fn what_no_storage_keeps_stays_until_it_is_acknowledged() {
        let mut outbox = outbox(&["kept", "unkept", "stored"]);
        for name in ["kept", "stored"] {
            outbox.note_kept(&id(name), true);
        }
        let kept = outbox.get(&id("kept")).unwrap().clone();
        outbox.take_over(vec![kept]);
        let ids = |outbox: &Outbox| outbox.pending().iter().map(|it| it.id.as_str().to_owned()).collect::<Vec<_>>();
        assert_eq!(ids(&outbox), ["kept", "unkept"]);
        let kept = outbox.get(&id("kept")).unwrap().clone();
        outbox.refuse(&id("kept"), &too_long());
        outbox.note_kept(&id("kept"), false);
        outbox.take_over(vec![kept]);
        assert_eq!(ids(&outbox), ["kept", "unkept"]);
        assert!(outbox.get(&id("kept")).unwrap().refused.is_some(), "what is kept is older");
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
}
