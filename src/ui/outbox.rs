//! What was typed and is not yet acknowledged. Kept before it is sent, sent again after every reconnect, and let go
//! only when the log has it: the id makes sending twice harmless. Plain rules; where it is kept is not its business.

#[cfg(test)]
mod tests;

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
}

read_by_name!(Pending { id, order, wish, refused, sent });

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
        self.pending.push(Pending { id, order, wish, refused: None, sent: false });
    }

    /// Takes over what is kept, by this tab and others: what was kept and is no longer there has been acknowledged.
    pub fn take_over(&mut self, kept: Vec<Pending>) {
        let before = std::mem::take(&mut self.pending);
        for mut pending in kept {
            pending.sent = before.iter().any(|it| it.id == pending.id && it.sent);
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

    fn get_mut(&mut self, id: &EventId) -> Option<&mut Pending> {
        self.pending.iter_mut().find(|pending| pending.id == *id)
    }
}
