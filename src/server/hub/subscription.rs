//! One reader's place in a room's log.

use super::LiveRoom;
use crate::domain::Seq;
use axum::extract::ws::Utf8Bytes;
use sea_orm::DbErr;
use std::sync::Arc;
use tokio::sync::watch;

/// One reader's place in a room's log.
pub(crate) struct Subscription {
    pub(super) live: Arc<LiveRoom>,
    pub(super) position: Seq,
    pub(super) delivered: watch::Receiver<Seq>,
    /// Whether this reader has everything, and whether it had before it got the last frames.
    pub(super) waits: bool,
    pub(super) waited: bool,
}

impl Subscription {
    /// The last number that this reader has got.
    pub(crate) fn position(&self) -> Seq {
        self.position
    }

    /// The newest number of the log, as far as this node knows.
    pub(crate) fn head(&self) -> Seq {
        self.live.head().max(self.position)
    }

    /// What `next` gave was written. Every sixteenth number is timed: it must cost nothing.
    pub(crate) fn written(&self) {
        if self.waited && self.position % 16 == 0 {
            self.live.announced.delivered();
        }
    }

    /// Goes back to `after`, to read again what followed.
    pub(crate) fn rewind(&mut self, after: Seq) {
        self.position = self.position.min(after);
    }

    /// The next frames, at most `max` and at least one, without a gap. Cancelling it loses nothing.
    pub(crate) async fn next(&mut self, max: usize) -> Result<Vec<Utf8Bytes>, DbErr> {
        loop {
            self.delivered.borrow_and_update();
            let Some(frames) = self.live.read(self.position, max).await? else {
                // The sender lives in the room, which this holds: waiting cannot fail.
                self.waits = true;
                let _ = self.delivered.changed().await;
                continue;
            };
            self.position += frames.len() as Seq;
            self.waited = std::mem::take(&mut self.waits);
            return Ok(frames);
        }
    }
}
