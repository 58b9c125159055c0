//! What was typed and is not yet acknowledged. Kept before it is sent, sent again after every reconnect, and let go
//! only when the log has it: the id makes sending twice harmless. Plain rules; where it is kept is not its business.

use crate::domain::{EventId, Rejection, RejectionCode};
use serde::{Deserialize, Serialize};

/// Something said that the log does not have yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The idempotency key.
    pub id: EventId,
    /// The name it is said under, if one was given.
    pub username: Option<String>,
    /// What is said.
    pub text: String,
    /// Why the server refused it, if it did; then it waits for its author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// What waits, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Outbox {
    pending: Vec<Pending>,
}

impl Outbox {
    /// What waits, oldest first.
    pub fn pending(&self) -> &[Pending] {
        &self.pending
    }

    /// Keeps something to be sent.
    pub fn push(&mut self, id: EventId, username: Option<String>, text: String) {
        self.pending.push(Pending { id, username, text, refused: None });
    }

    /// What is to be sent, or sent again, in order.
    pub fn to_send(&self) -> impl Iterator<Item = &Pending> {
        self.pending.iter().filter(|pending| pending.refused.is_none())
    }

    /// The log has it. Returns whether it was ours.
    pub fn acknowledge(&mut self, id: &EventId) -> bool {
        let before = self.pending.len();
        self.pending.retain(|pending| pending.id != *id);
        self.pending.len() < before
    }

    /// The server refused it. What passes by itself stays to be sent again; the rest waits for its author.
    pub fn refuse(&mut self, id: &str, rejection: &Rejection) {
        use RejectionCode::{Draining, Unavailable};
        if matches!(rejection.code, Draining | Unavailable) {
            return;
        }
        if let Some(pending) = self.pending.iter_mut().find(|pending| pending.id.as_str() == id) {
            pending.refused = Some(rejection.detail.clone());
        }
    }

    /// Its author wants to try again.
    pub fn retry(&mut self, id: &EventId) {
        if let Some(pending) = self.pending.iter_mut().find(|pending| pending.id == *id) {
            pending.refused = None;
        }
    }

    /// Its author does not want it any more.
    pub fn discard(&mut self, id: &EventId) {
        self.acknowledge(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(text: &str) -> EventId {
        EventId::parse(text).unwrap()
    }

    fn outbox(ids: &[&str]) -> Outbox {
        let mut outbox = Outbox::default();
        ids.iter().for_each(|name| outbox.push(id(name), None, format!("text {name}")));
        outbox
    }

    fn to_send(outbox: &Outbox) -> Vec<&str> {
        outbox.to_send().map(|pending| pending.id.as_str()).collect()
    }

    #[test]
    fn what_is_not_acknowledged_is_sent_again_in_order() {
        let mut outbox = outbox(&["a", "b", "c"]);
        assert!(outbox.acknowledge(&id("b")));
        assert!(!outbox.acknowledge(&id("b")));
        assert_eq!(to_send(&outbox), ["a", "c"]);
    }

    #[test]
    fn what_is_refused_waits_for_its_author() {
        let mut outbox = outbox(&["a", "b"]);
        outbox.refuse("a", &Rejection::new(RejectionCode::TooLong, "Too long."));
        assert_eq!(to_send(&outbox), ["b"]);
        assert_eq!(outbox.pending()[0].refused.as_deref(), Some("Too long."));
        outbox.retry(&id("a"));
        assert_eq!(to_send(&outbox), ["a", "b"]);
        outbox.discard(&id("a"));
        assert_eq!(to_send(&outbox), ["b"]);
    }

    #[test]
    fn a_server_that_cannot_just_now_is_asked_again() {
        let mut outbox = outbox(&["a"]);
        outbox.refuse("a", &Rejection::unavailable());
        assert_eq!(to_send(&outbox), ["a"]);
    }

    #[test]
    fn it_survives_being_written_down() {
        let mut outbox = outbox(&["a", "b"]);
        outbox.refuse("b", &Rejection::new(RejectionCode::TooLong, "Too long."));
        let text = serde_json::to_string(&outbox).unwrap();
        assert_eq!(serde_json::from_str::<Outbox>(&text).unwrap(), outbox);
    }

    proptest! {
        /// Whatever is acknowledged, refused or tried again, nothing leaves but what was acknowledged or discarded.
        #[test]
        fn nothing_is_lost(steps in proptest::collection::vec((0..4u8, 0..20usize), 0..100)) {
            let mut outbox = Outbox::default();
            let mut kept: Vec<EventId> = Vec::new();
            for (number, (step, at)) in steps.into_iter().enumerate() {
                let chosen = kept.get(at).cloned();
                match (step, chosen) {
                    (1, Some(chosen)) => {
                        outbox.acknowledge(&chosen);
                        kept.retain(|id| *id != chosen);
                    }
                    (2, Some(chosen)) => outbox.refuse(chosen.as_str(), &Rejection::new(RejectionCode::Invalid, "no")),
                    (3, Some(chosen)) => outbox.retry(&chosen),
                    _ => {
                        kept.push(id(&number.to_string()));
                        outbox.push(id(&number.to_string()), None, String::new());
                    }
                }
            }
            let ids: Vec<EventId> = outbox.pending().iter().map(|pending| pending.id.clone()).collect();
            prop_assert_eq!(ids, kept);
        }
    }
}
