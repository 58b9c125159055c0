//! Pending entries, and the answers to their senders.

use super::charge::QueueCharge;
use crate::domain::{Event, Rejection};
use crate::protocol::RepeatedFrame;
use crate::server::hub::InFlightGuard;
use crate::server::store::{AppendRequest, MentionCandidates, NewEvent};
use crate::server::telemetry::metrics;
use std::time::Instant;
use tokio::sync::oneshot;

/// Size of an entry besides its text, in bytes.
const ENTRY_OVERHEAD_BYTES: usize = 512;

/// An entry that is stored in the log.
#[derive(Clone, Debug)]
pub(crate) struct StoredEvent {
    pub(crate) event: Event,
    /// Whether the entry was already stored before this submission.
    pub(crate) duplicate: bool,
    /// Whether the submission would change nothing, and was not stored: the event made the state as it is, and its number
    /// is 0 if none did.
    pub(crate) needless: bool,
}

impl StoredEvent {
    /// Returns the answer to a submission that changes nothing, or `None` if the event itself is the answer.
    pub(crate) fn repeated(&self) -> Option<RepeatedFrame> {
        let is_repeated = self.duplicate || self.needless;
        RepeatedFrame::of(self.event.clone()).filter(|_| is_repeated)
    }
}

/// Outcome of a submitted entry.
pub(crate) type SubmitResult = Result<StoredEvent, Rejection>;

/// An entry with its responder.
pub(super) struct PendingEntry {
    pub(super) entry: AppendRequest,
    pub(super) responder: Responder,
}

/// Answers the sender of an entry, and records when it was submitted. If dropped without an answer, as by a panic, it
/// rejects the entry.
pub(super) struct Responder {
    outcome: Option<oneshot::Sender<SubmitResult>>,
    pub(super) since: Instant,
    /// In-flight guard, for which the room's fan-out tasks may wait until the outcome of the entry is known.
    pub(super) in_flight: Option<InFlightGuard>,
    /// The entry's charge against the bounds of the queue, until it is answered.
    pub(super) charge: Option<QueueCharge>,
}

impl Responder {
    pub(super) fn new(outcome: oneshot::Sender<SubmitResult>, in_flight: Option<InFlightGuard>) -> Self {
        Self { outcome: Some(outcome), since: Instant::now(), in_flight, charge: None }
    }

    pub(super) fn respond(mut self, outcome: SubmitResult) {
        self.settle(outcome);
    }

    fn settle(&mut self, outcome: SubmitResult) {
        if let Some(sender) = self.outcome.take() {
            metrics::record_acknowledged(self.since);
            // An error means that the sender no longer waits for the answer.
            let _ = sender.send(outcome);
        }
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.settle(Err(Rejection::unavailable()));
    }
}

impl PendingEntry {
    /// Returns the size for which the entry counts, in bytes.
    pub(super) fn size(&self) -> usize {
        let text = match &self.entry.new_event {
            NewEvent::Message { text, .. } | NewEvent::Edit { text, .. } => text.as_str().len(),
            NewEvent::Moderate { text, .. } => text.as_ref().map_or(0, |text| text.as_str().len()),
            NewEvent::Delete { .. } | NewEvent::React(_) => 0,
        };
        let mentions = self.entry.new_event.mentions().map_or(0, MentionCandidates::bytes);
        ENTRY_OVERHEAD_BYTES + text + mentions
    }
}
