//! Answers of a session to what its client has sent.

use super::Session;
use crate::domain::{Rejection, RejectionCode};
use crate::protocol::ServerFrame;
use crate::server::journal::StoredEvent;
use crate::server::session::pending::CompletedPost;

impl Session {
    /// Answers a post. A new event is its own answer when it is delivered. An event that was delivered before is sent
    /// again, and a post that is not stored is rejected.
    pub(super) fn answer(&mut self, CompletedPost { id, username, outcome }: CompletedPost) {
        if let Some(repeated) = outcome.as_ref().ok().and_then(StoredEvent::repeated) {
            // It may not be delivered yet.
            self.last_own_seq = self.last_own_seq.max(repeated.seq.unwrap_or_default());
            return self.delivery.repeated.push(repeated);
        }
        match outcome {
            Ok(stored) if stored.duplicate && stored.event.seq <= self.delivery.subscription.position() => {
                self.delivery.again.push(stored.event.seq);
            }
            Ok(stored) => {
                self.last_own_seq = self.last_own_seq.max(stored.event.seq);
                if let Some(username) = username.filter(|_| !stored.duplicate) {
                    self.delivery.subscription.rename(username);
                }
            }
            Err(rejection) => {
                // A rejected name does not replace the current one.
                if rejection.code == RejectionCode::UsernameTaken && username.as_ref() == Some(&self.username) {
                    self.username = self.delivery.subscription.participant().username.clone();
                }
                self.reject(id, rejection);
            }
        }
    }

    pub(super) fn reject(&self, id: Option<String>, rejection: Rejection) {
        crate::server::telemetry::metrics::record_rejection(rejection.code);
        self.send(ServerFrame::Rejected { id, rejection });
    }
}
