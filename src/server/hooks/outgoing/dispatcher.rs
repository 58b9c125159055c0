//! The task that finds hooks with events to deliver: when a room of this node has new events, and at intervals, for
//! tries that are due and for events that other processes have stored.

use super::lanes::DeliveryLanes;
use crate::server::hub::LogFollowers;
use crate::server::outbound::OutboundClient;
use crate::server::store::{Store, StoreError};
use crate::server::telemetry::outage::Outage;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// Interval of looking for due hooks in the database.
const HOOK_POLL_INTERVAL: Duration = Duration::from_secs(2);

/// Shortest time between two looks, in which further events come together.
const MIN_LOOK_DELAY: Duration = Duration::from_millis(20);

/// The delivery of events to outgoing hooks; cheap to clone.
#[derive(Clone)]
pub(crate) struct OutgoingHooks {
    pub(super) store: Store,
    pub(super) client: OutboundClient,
    /// This process among those that lease hooks.
    pub(super) node: Arc<str>,
    pub(super) draining: CancellationToken,
    followers: LogFollowers,
    deliveries: TaskTracker,
    lanes: DeliveryLanes,
    failing: Arc<Outage>,
}

/// The parts of a server that deliveries use.
pub(crate) struct OutgoingParts {
    pub(crate) store: Store,
    pub(crate) followers: LogFollowers,
    pub(crate) client: OutboundClient,
    /// Tasks that the server waits for while it drains.
    pub(crate) deliveries: TaskTracker,
    pub(crate) draining: CancellationToken,
}

impl OutgoingHooks {
    pub(crate) fn new(parts: OutgoingParts) -> Self {
        let OutgoingParts { store, followers, client, deliveries, draining } = parts;
        let failing = Outage::new("Delivering to webhooks failed in the database", "Webhooks are delivered again");
        Self {
            store,
            client,
            node: Uuid::new_v4().simple().to_string().into(),
            draining,
            followers,
            deliveries,
            lanes: DeliveryLanes::default(),
            failing: Arc::new(failing),
        }
    }

    /// Delivers until the server drains.
    pub(crate) async fn run(self) {
        let mut ticks = interval(HOOK_POLL_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let rooms = tokio::select! {
                () = self.draining.cancelled() => return,
                rooms = self.followers.changed() => Some(rooms),
                _ = ticks.tick() => None,
            };
            self.note(self.look(rooms.as_deref()).await);
            sleep(MIN_LOOK_DELAY).await;
        }
    }

    /// Starts the deliveries that are due: in these rooms, or in all.
    async fn look(&self, rooms: Option<&[i64]>) -> Result<(), StoreError> {
        if rooms.is_none() {
            let followed = self.store.rooms_with_outgoing_hooks().await?;
            let is_empty = followed.is_empty();
            self.followers.replace(followed.into_iter().collect());
            if is_empty {
                return Ok(());
            }
        }
        for due in self.store.due_hooks(rooms).await? {
            let Some(permit) = self.lanes.enter(&due.id) else { continue };
            let this = self.clone();
            self.deliveries.spawn(async move {
                let delivered = this.deliver(&due.id, &permit).await;
                let is_well = delivered.is_ok();
                this.note(delivered);
                drop(permit);
                // Events may have come since the last look into the log.
                if is_well {
                    this.followers.notify(due.room_id);
                }
            });
        }
        Ok(())
    }

    fn note(&self, done: Result<(), StoreError>) {
        match done {
            Ok(()) => self.failing.over(),
            Err(error) => self.failing.failed(&error),
        }
    }
}
