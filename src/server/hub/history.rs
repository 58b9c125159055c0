//! The history that a live room follows: its epoch, and the switch of its readers to another one.

use super::LiveRoom;
use crate::domain::{Epoch, Seq};
use crate::protocol::ServerFrame;
use crate::server::sync::lock;
use crate::server::websocket::TextFrame;
use std::mem::replace;
use std::sync::Arc;

/// Maximum number of former epochs that a live room remembers.
const MAX_FORMER_EPOCHS: usize = 8;

/// The history that a live room follows.
pub(super) struct History {
    pub(super) epoch: Epoch,
    /// Earlier epochs of the room. The database returns to one of them only if it goes back in time.
    pub(super) former: Vec<Epoch>,
}

impl History {
    pub(super) fn new(epoch: Epoch) -> Self {
        Self { epoch, former: Vec::new() }
    }
}

impl LiveRoom {
    /// Returns the epoch of the delivered history.
    pub(crate) fn epoch(&self) -> Epoch {
        lock(&self.history).epoch.clone()
    }

    /// Returns the epoch and its newest delivered number, or `None` if the room is not open yet.
    pub(super) fn known_head(&self) -> Option<(Epoch, Seq)> {
        let history = lock(&self.history);
        self.delivered().map(|head| (history.epoch.clone(), head))
    }

    /// Switches to another history, which is known up to `head`. Readers get a reset and the events after it.
    pub(super) fn reset_to(self: &Arc<Self>, epoch: Epoch, head: Seq) {
        {
            let mut history = lock(&self.history);
            let former = replace(&mut history.epoch, epoch);
            if former != history.epoch && !history.former.contains(&former) {
                history.former.push(former);
            }
            if history.former.len() > MAX_FORMER_EPOCHS {
                history.former.remove(0);
            }
            lock(&self.tail).begin_anew(head);
            self.hub.backfill_cache.evict_room(self.room.id);
        }
        for subscriber in self.subscribers() {
            subscriber.reset_to(&self.reset(head), head);
        }
        // Wakes the fan-out tasks, which check their position.
        self.delivered.send_replace(lock(&self.tail).position());
        self.delivery_timer.now();
    }

    /// Returns the frame that makes clients load the room again.
    pub(super) fn reset(&self, head: Seq) -> TextFrame {
        TextFrame::new(&ServerFrame::Reset { epoch: self.epoch(), head }.encode())
    }
}
