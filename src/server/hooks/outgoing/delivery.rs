//! The delivery of one hook's events, until its receiver has them all or fails.

use super::batch::Batch;
use super::dispatcher::OutgoingHooks;
use super::lanes::LanePermit;
use super::schedule::next_try;
use super::signature::signature;
use crate::domain::Seq;
use crate::server::outbound::{OutboundError, OutboundResponse};
use crate::server::store::{LeasedHook, StoreError};
use crate::server::telemetry::metrics::record_hook_delivery;
use crate::server::time::now_ms;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use std::pin::pin;
use std::time::Duration;
use tokio::time::timeout;

/// Maximum number of bodies before other hooks get their turn.
const MAX_BATCHES: usize = 20;

/// Time after which a receiver that has not answered counts as slow.
const SLOW_AFTER: Duration = Duration::from_secs(2);

/// Time for which a delivery in flight may go on while the server drains. Afterwards it is made again by the next one.
const HOOK_DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// Status of a receiver that wants no more events (RFC 9110, section 15.5.11).
const GONE: u16 = 410;

/// Reasons of an end that no failed try names.
const GONE_REASON: &str = "The server answered 410: it wants no more events.";

/// TryOutcome of a try.
enum TryOutcome {
    Taken,
    Gone,
    Failed {
        reason: String,
        retry_after: Option<Duration>,
    },
    /// The server drains.
    Interrupted,
}

impl TryOutcome {
    /// Returns its name in the metrics, or `None` if it says nothing about the receiver.
    fn name(&self) -> Option<&'static str> {
        match self {
            Self::Taken => Some("taken"),
            Self::Gone => Some("gone"),
            Self::Failed { .. } => Some("failed"),
            Self::Interrupted => None,
        }
    }
}

impl OutgoingHooks {
    /// Delivers the events of a hook that no other node delivers.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read or written.
    pub(super) async fn deliver(&self, id: &str, permit: &LanePermit) -> Result<(), StoreError> {
        let Some(mut hook) = self.store.lease_hook(id, &self.node).await? else { return Ok(()) };
        let delivered = self.deliver_batches(&mut hook, permit).await;
        self.store.release_hook(id, &self.node).await?;
        delivered
    }

    async fn deliver_batches(&self, hook: &mut LeasedHook, permit: &LanePermit) -> Result<(), StoreError> {
        for _ in 0..MAX_BATCHES {
            let Some(batch) = Batch::read(&self.store, hook).await?.filter(|_| !self.draining.is_cancelled()) else {
                // Another history that has no new events yet.
                return self.settle(hook).await;
            };
            let (last, outcome) = (batch.last, self.post(hook, batch, permit).await);
            outcome.name().into_iter().for_each(record_hook_delivery);
            match outcome {
                TryOutcome::Taken => {
                    if !self.advance(hook, last).await? {
                        return Ok(());
                    }
                }
                TryOutcome::Gone => return self.end(hook, GONE_REASON).await,
                TryOutcome::Failed { reason, retry_after } => {
                    return match next_try(hook.failures + 1, retry_after) {
                        Some(delay) => {
                            let delay_ms = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
                            self.store.record_hook_failure(hook, &self.node, &reason, delay_ms).await
                        }
                        None => self.end(hook, &format!("A day of failures. {reason}")).await,
                    };
                }
                TryOutcome::Interrupted => return Ok(()),
            }
        }
        Ok(())
    }

    async fn advance(&self, hook: &mut LeasedHook, position: Seq) -> Result<bool, StoreError> {
        let advanced = self.store.advance_hook(hook, &self.node, position).await?;
        (hook.position, hook.failures, hook.is_in_new_history) = (position, 0, false);
        Ok(advanced)
    }

    /// Stores the epoch of a hook whose receiver has every event.
    async fn settle(&self, hook: &LeasedHook) -> Result<(), StoreError> {
        if hook.is_in_new_history {
            self.store.advance_hook(hook, &self.node, hook.position).await?;
        }
        Ok(())
    }

    async fn end(&self, hook: &LeasedHook, reason: &str) -> Result<(), StoreError> {
        tracing::info!(hook = hook.id, reason, "An outgoing webhook has ended");
        self.store.end_outgoing_hook(&hook.id, None, reason).await.map(|_| ())
    }

    async fn post(&self, hook: &LeasedHook, batch: Batch, permit: &LanePermit) -> TryOutcome {
        let mut posting = pin!(self.client.post(&hook.url, headers(hook, &batch), batch.body));
        let posting = async {
            match timeout(SLOW_AFTER, &mut posting).await {
                Ok(answered) => {
                    permit.set_slow(false);
                    answered
                }
                Err(_) => {
                    permit.set_slow(true);
                    posting.await
                }
            }
        };
        let interrupted = async {
            self.draining.cancelled().await;
            tokio::time::sleep(HOOK_DRAIN_TIMEOUT).await;
        };
        tokio::select! {
            answered = posting => judge(answered),
            () = interrupted => TryOutcome::Interrupted,
        }
    }
}

/// Returns the headers of a delivery. Its time is that of this try, because receivers refuse old ones.
fn headers(hook: &LeasedHook, batch: &Batch) -> HeaderMap {
    let (id, timestamp) = (batch.id(hook), now_ms() / 1000);
    let signed = signature(&hook.secret, &id, timestamp, &batch.body);
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("webhook-timestamp", HeaderValue::from(timestamp));
    for (name, value) in [("webhook-id", id), ("webhook-signature", signed)] {
        headers.insert(name, HeaderValue::try_from(value).expect("ids and signatures are visible ASCII"));
    }
    headers
}

fn judge(answered: Result<OutboundResponse, OutboundError>) -> TryOutcome {
    match answered {
        Ok(OutboundResponse { status: 200..=299, .. }) => TryOutcome::Taken,
        Ok(OutboundResponse { status: GONE, .. }) => TryOutcome::Gone,
        Ok(OutboundResponse { status, retry_after }) => {
            let retry_after = retry_after.filter(|_| matches!(status, 429 | 503));
            let redirected = if (300..400).contains(&status) { " Redirects are not followed." } else { "" };
            TryOutcome::Failed { reason: format!("The server answered {status}.{redirected}"), retry_after }
        }
        Err(error) => TryOutcome::Failed { reason: error.to_string(), retry_after: None },
    }
}
