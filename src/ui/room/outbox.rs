//! Commands of the visitor that the server has not acknowledged. Each is saved before it is sent, sent again after
//! every reconnect, and removed only when the log has it: its id makes sending twice harmless. Pure logic;
//! `browser::storage` keeps the saved form.

mod command;
#[cfg(test)]
mod tests;

use crate::domain::{Epoch, EventId, Rejection, RejectionCode, Seq};
use crate::json::{FromJson, JsonValue};
use crate::protocol::{ClientFrame, MAX_FRAME_BYTES};
pub use command::OutboxCommand;

/// The reason for returning a message to its author after another room has replaced this one under the same name.
const STARTED_OVER: &str = "This room has started over. Your message was not sent.";

/// A command that the log does not have yet. Its JSON is the form in the browser's storage, which other releases read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingCommand {
    /// The idempotency key.
    pub id: EventId,
    /// The position among the pending commands of all tabs: the time of typing in milliseconds, made unique within a
    /// tab.
    pub order: u64,
    /// The command.
    pub command: OutboxCommand,
    /// The reason if the server refused the command, which then waits for its author.
    pub refused: Option<String>,
    /// The epoch of the room that the command is for; `None` if the command is from an earlier release, or from before
    /// the room was loaded.
    pub epoch: Option<Epoch>,
    /// Whether the server may have stored the command, because it was sent and not answered.
    pub tried: bool,
    /// Whether the command is in flight on the current connection.
    pub sent: bool,
}

impl FromJson for PendingCommand {
    fn from_json(mut json: JsonValue) -> Option<Self> {
        Some(Self {
            id: json.take("id")?,
            order: json.take("order")?,
            command: json.take("wish")?,
            refused: json.take("refused")?,
            epoch: json.take("epoch")?,
            tried: json.take("tried")?,
            sent: false,
        })
    }
}

impl PendingCommand {
    /// Returns the form in the browser's storage.
    pub fn to_stored(&self) -> String {
        let mut stored = JsonValue::object([
            ("id", self.id.as_str().into()),
            ("order", JsonValue::Number(self.order as i64)),
            ("wish", self.command.to_json()),
            ("refused", self.refused.as_deref().into()),
        ]);
        stored.add("epoch", self.epoch.as_ref().map(|epoch| epoch.0.as_str()).into());
        stored.add("tried", if self.tried { JsonValue::Bool(true) } else { JsonValue::Null });
        stored.encode()
    }

    /// Parses the form in the browser's storage. Returns `None` for any other text.
    pub fn parse_stored(text: &str) -> Option<Self> {
        Self::from_json(JsonValue::parse(text)?)
    }

    /// Returns the frame of the command, or `None` if it is too long for a frame.
    pub fn encode(&self) -> Option<String> {
        let id = Some(self.id.as_str().to_owned());
        let frame = match self.command.clone() {
            OutboxCommand::Post { username, text, reply_to } => {
                ClientFrame::Post { id, message: text, username, reply_to }
            }
            OutboxCommand::Edit { target, text } => ClientFrame::Edit { id, target, text },
            OutboxCommand::Delete { target } => ClientFrame::Delete { id, target },
            OutboxCommand::Moderate { action, target, tag, seconds, .. } => {
                ClientFrame::Moderate { id, action, target, tag, seconds: Some(seconds), text: None }
            }
        };
        // The server closes a connection that sends a longer frame; it would not refuse the command.
        Some(frame.encode()).filter(|frame| frame.len() <= MAX_FRAME_BYTES)
    }
}

/// The pending commands of a room, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbox {
    pending: Vec<PendingCommand>,
}

impl Outbox {
    /// Returns the pending commands, oldest first.
    pub fn pending(&self) -> &[PendingCommand] {
        &self.pending
    }

    /// Returns the pending command with this id.
    pub fn get(&self, id: &EventId) -> Option<&PendingCommand> {
        self.pending.iter().find(|pending| pending.id == *id)
    }

    /// Returns the newest pending edit or deletion of a message. Refused ones don't count.
    pub fn pending_change(&self, seq: Seq) -> Option<&PendingCommand> {
        self.pending.iter().rev().find(|pending| match pending.command {
            OutboxCommand::Edit { target, .. } | OutboxCommand::Delete { target } => {
                target == seq && pending.refused.is_none()
            }
            OutboxCommand::Post { .. } | OutboxCommand::Moderate { .. } => false,
        })
    }

    /// Adds a command that was submitted at `now`, in milliseconds, in this epoch of the room.
    pub fn push(&mut self, id: EventId, command: OutboxCommand, now: u64, epoch: Option<Epoch>) {
        let order = self.pending.last().map_or(now, |last| now.max(last.order + 1));
        self.pending.push(PendingCommand { id, order, command, refused: None, epoch, tried: false, sent: false });
    }

    /// Binds the commands to the current epoch of the room. A message from another epoch is returned to its author; any
    /// other command is removed, because its target no longer exists. Returns the commands that it has changed or
    /// removed, as they were before.
    pub fn bind(&mut self, epoch: &Epoch) -> Vec<PendingCommand> {
        let mut changed = Vec::new();
        self.pending.retain_mut(|pending| {
            if pending.epoch.as_ref() == Some(epoch) {
                return true;
            }
            changed.push(pending.clone());
            let is_other = pending.epoch.replace(epoch.clone()).is_some();
            if is_other {
                (pending.sent, pending.tried) = (false, false);
                pending.refused = Some(STARTED_OVER.to_owned());
                if let OutboxCommand::Post { reply_to, .. } = &mut pending.command {
                    // The number stands for another message now.
                    *reply_to = None;
                }
            }
            !is_other || matches!(pending.command, OutboxCommand::Post { .. })
        });
        changed
    }

    /// Replaces the commands by the stored ones of all tabs. A command that is no longer stored was acknowledged in
    /// another tab.
    pub fn merge_stored(&mut self, stored: Vec<PendingCommand>) {
        let before = std::mem::take(&mut self.pending);
        for mut pending in stored {
            pending.sent = before.iter().any(|known| known.id == pending.id && known.sent);
            let position = (pending.order, pending.id.as_str());
            let earlier = self.pending.iter().take_while(|other| (other.order, other.id.as_str()) < position).count();
            self.pending.insert(earlier, pending);
        }
    }

    /// Returns whether any command waits for the server.
    pub fn has_pending(&self) -> bool {
        self.pending.iter().any(|pending| pending.refused.is_none())
    }

    /// Returns the number of messages that wait for the server.
    pub fn count_posts(&self) -> usize {
        let is_post = |pending: &PendingCommand| matches!(pending.command, OutboxCommand::Post { .. });
        self.pending.iter().filter(|pending| pending.refused.is_none() && is_post(pending)).count()
    }

    /// Returns the next command to send and marks it as sent; `None` while one is in flight. One at a time: if the
    /// server can't take a command right now, the commands after it must not overtake it.
    pub fn take_next(&mut self) -> Option<PendingCommand> {
        let next = self.pending.iter_mut().find(|pending| pending.refused.is_none())?;
        next.tried = true;
        if std::mem::replace(&mut next.sent, true) { None } else { Some(next.clone()) }
    }

    /// Marks every command as not sent: the connection was lost or replaced.
    pub fn reset_in_flight(&mut self) {
        self.pending.iter_mut().for_each(|pending| pending.sent = false);
    }

    /// Removes a command that is in the log, or that its author discards. Returns whether there was one.
    pub fn remove(&mut self, id: &EventId) -> bool {
        let before = self.pending.len();
        self.pending.retain(|pending| pending.id != *id);
        self.pending.len() < before
    }

    /// Records the server's refusal of a command. A temporarily refused command is sent again; any other waits for its
    /// author.
    pub fn refuse(&mut self, id: &EventId, rejection: &Rejection) {
        use RejectionCode::{Draining, RateLimited, Unavailable};
        if let Some(pending) = self.get_mut(id) {
            pending.sent = false;
            pending.tried = rejection.code == Unavailable;
            if !matches!(rejection.code, Draining | RateLimited | Unavailable) {
                pending.refused = Some(rejection.detail.clone());
            }
        }
    }

    /// Makes a refused command pending again. A message is posted under `username`, if there is one.
    pub fn retry(&mut self, id: &EventId, username: Option<String>) {
        if let Some(pending) = self.get_mut(id) {
            pending.refused = None;
            if let (OutboxCommand::Post { username: author, .. }, Some(username)) = (&mut pending.command, username) {
                *author = Some(username);
            }
        }
    }

    fn get_mut(&mut self, id: &EventId) -> Option<&mut PendingCommand> {
        self.pending.iter_mut().find(|pending| pending.id == *id)
    }
}
