//! Compares live rooms with the history in the database. A head below the delivered number proves that the database
//! went back in time, as after a failover to a lagging replica or a restore beside the running server. The room then
//! gets another epoch and its readers a `reset`: two histories are never merged.

use super::in_flight::{InFlight, InFlightGuard};
use super::{Hub, LiveRoom};
use crate::domain::{Epoch, Seq};
use crate::protocol::close;
use crate::server::store::{RoomHead, RoomRef, StoreError};
use crate::server::sync::lock;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::yield_now;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// Maximum number of rooms that are compared with the database in one query.
const RECONCILE_BATCH_ROOMS: usize = 500;

/// Interval of comparing rooms with the database, which commands, other nodes or a restore may have written to.
const RECONCILE_INTERVAL: Duration = Duration::from_secs(1);

/// Shortest time between two comparisons, regardless of the number of requests.
const MIN_RECONCILE_DELAY: Duration = Duration::from_millis(50);

/// Maximum number of rooms without connections whose heads are remembered.
const MAX_KNOWN_HEADS: usize = 16_384;

/// Number of events that other nodes may write while an entry of this node is not announced yet.
const IN_FLIGHT_MARGIN: Seq = 64;

/// The heads of rooms without connections, and the epochs of these heads.
#[derive(Default)]
pub(super) struct KnownHeads(HashMap<i64, (Epoch, Seq)>);

impl KnownHeads {
    pub(super) fn put(&mut self, room_id: i64, known: (Epoch, Seq)) {
        if self.0.len() >= MAX_KNOWN_HEADS {
            self.0.clear();
        }
        self.0.insert(room_id, known);
    }
}

/// The heads of some rooms before a transaction. While it is held, [`Hub::reconcile`] knows that there are entries that
/// are not announced yet.
pub(crate) struct HeadSnapshot {
    heads: HashMap<i64, (Epoch, Seq)>,
    _writing: Vec<InFlightGuard>,
}

impl HeadSnapshot {
    /// Returns the epoch of a room whose log was already known up to `seq` or further, so that the number was assigned
    /// twice.
    pub(crate) fn outdated_by(&self, room_id: i64, seq: Seq) -> Option<&Epoch> {
        self.heads.get(&room_id).filter(|(_, head)| seq <= *head).map(|(epoch, _)| epoch)
    }
}

impl Hub {
    /// Compares the live rooms with the database for as long as the server lives: every second, and on request.
    pub(crate) async fn run_reconciler(self) {
        let mut ticks = interval(RECONCILE_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.reconciliation.requested.notified() => {}
            }
            match self.reconcile().await {
                Ok(()) => self.reconciliation.failing.over(),
                Err(error) => self.reconciliation.failing.failed(&error),
            }
            sleep(MIN_RECONCILE_DELAY).await;
        }
    }

    /// Requests a comparison of the live rooms, and of the tokens of connections, with the database. Never waits.
    pub(crate) fn request_reconcile(&self) {
        self.request_revocation();
        self.reconciliation.requested.notify_one();
    }

    /// Compares every live room with the database. Rooms that lag catch up, deleted rooms end, and rooms with another
    /// history are reset. Removed messages leave memory.
    ///
    /// # Errors
    ///
    /// Returns the last error, after every room that could be compared was.
    pub(crate) async fn reconcile(&self) -> Result<(), StoreError> {
        let mut failed = None;
        for ids in self.room_ids().chunks(RECONCILE_BATCH_ROOMS) {
            // These are read first, because events that are delivered later may be newer than the answer.
            let before: HashMap<i64, (Epoch, Seq)> =
                ids.iter().filter_map(|id| Some((*id, self.live(*id)?.known_head()?))).collect();
            let current = self.store.current(ids).await?;
            let current: HashMap<i64, RoomHead> = current.into_iter().map(|room| (room.id, room)).collect();
            let mut missing = Vec::new();
            for id in ids {
                let Some(live) = self.live(*id) else { continue };
                match current.get(id) {
                    None => missing.push((live, before.get(id).map_or(0, |(_, known)| *known))),
                    Some(current) => {
                        live.evict_outdated(current.erasures);
                        if let Err(error) = self.compare(&live, before.get(id), current).await {
                            failed = Some(error);
                        }
                    }
                }
            }
            if let Err(error) = self.end_missing(missing).await {
                failed = Some(error);
            }
            yield_now().await;
        }
        failed.map_or(Ok(()), Err)
    }

    /// Compares the state of a room `before` the query with the answer of the database.
    async fn compare(
        &self,
        live: &Arc<LiveRoom>,
        before: Option<&(Epoch, Seq)>,
        current: &RoomHead,
    ) -> Result<(), StoreError> {
        if current.name != live.room.name.as_str() {
            // The id belongs to another room, in a database that went back in time.
            self.end(live, close::DELETED);
            return Ok(());
        }
        let (now, was_before) = {
            let history = lock(&live.history);
            (history.epoch.clone(), history.former.contains(&current.epoch))
        };
        // A room that was opened or reset in the meantime is compared the next time.
        let Some((_, known)) = before.filter(|(epoch, _)| *epoch == now) else { return Ok(()) };
        if was_before || now == current.epoch && current.head < *known {
            let renewed = self.renew(live.room.id, &current.epoch, Some(*known)).await?;
            self.switch_history(live, renewed.epoch, renewed.head);
        } else if now != current.epoch {
            self.switch_history(live, current.epoch.clone(), current.head);
        } else {
            live.catch_up_to(current.head);
        }
        Ok(())
    }

    /// Switches a room to another history, of which the database has `head` events. Some of the newest may be entries
    /// of this node that are not announced or not delivered yet. The new history begins before these, because delivery
    /// is the answer to their senders.
    fn switch_history(&self, live: &Arc<LiveRoom>, epoch: Epoch, head: Seq) {
        if live.known_head().is_some_and(|(current, known)| current == epoch && known <= head) {
            // A writer has noticed it in the meantime.
            return live.catch_up_to(head);
        }
        let writing = live.writing.count() as Seq;
        let reading = {
            let tail = lock(&live.tail);
            tail.target_seq > tail.head
        };
        let known = if writing > 0 || reading { (head - 2 * writing - IN_FLIGHT_MARGIN).max(0) } else { head };
        live.reset_to(epoch, known);
        live.catch_up_to(head);
    }

    /// Handles a number that the database has assigned twice: the numbers up to `head` are left. Returns once readers
    /// are reset, so that later events are delivered to them.
    pub(crate) async fn rewind_detected(&self, room_id: i64, outdated: &Epoch, head: Seq) {
        lock(&self.remembered).0.remove(&room_id);
        let epoch = match self.renew(room_id, outdated, None).await {
            Ok(current) => current.epoch,
            Err(error) => {
                tracing::error!(room = room_id, %error, "Giving a room a new epoch failed, although its log went back in time");
                outdated.clone()
            }
        };
        if let Some(live) = self.live(room_id) {
            // Another task may have noticed it before, and these numbers may still be undelivered.
            let is_reset = live.known_head().is_some_and(|(current, known)| current == epoch && known <= head);
            if !is_reset {
                live.reset_to(epoch, head);
            }
        }
    }

    /// Gives a room another epoch instead of `outdated`, once for all nodes that notice.
    async fn renew(&self, room_id: i64, outdated: &Epoch, known: Option<Seq>) -> Result<RoomHead, StoreError> {
        let renewed = self.store.renew_epoch(room_id, outdated).await?;
        let renewed = renewed.ok_or_else(|| StoreError::RoomGone(room_id))?;
        tracing::error!(
            room = room_id,
            known,
            head = renewed.head,
            epoch = %renewed.epoch,
            "The database went back in time; the room gets a new epoch, and its readers reload it"
        );
        Ok(renewed)
    }

    /// Notes the heads of rooms before a transaction that writes to them.
    pub(crate) fn head_snapshot(&self, rooms: impl Iterator<Item = i64>) -> HeadSnapshot {
        let mut snapshot = HeadSnapshot { heads: HashMap::new(), _writing: Vec::new() };
        let mut seen: HashMap<i64, Option<InFlight>> = HashMap::new();
        for room_id in rooms {
            let writing = seen.entry(room_id).or_insert_with(|| {
                let live = self.live(room_id);
                let known = match &live {
                    Some(live) => live.known_head(),
                    None => lock(&self.remembered).0.get(&room_id).cloned(),
                };
                snapshot.heads.extend(known.map(|known| (room_id, known)));
                live.map(|live| live.writing.clone())
            });
            snapshot._writing.extend(writing.as_ref().map(InFlight::track));
        }
        snapshot
    }

    /// Returns the epoch of a live room, or `None` if the room is not live.
    pub(crate) fn epoch(&self, room_id: i64) -> Option<Epoch> {
        self.live(room_id).map(|live| live.epoch())
    }

    /// Returns the head in the database of a room that is being opened, or `None` if it has no row. If the head is
    /// below the known one, the room gets another epoch.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::RoomGone`] if the log of the room is lost: its address leads to another room from now on.
    pub(super) async fn current(&self, room: &RoomRef) -> Result<Option<RoomHead>, StoreError> {
        let current = self.store.current(&[room.id]).await?.pop();
        let known = lock(&self.remembered).0.get(&room.id).cloned();
        let current = match (current, known) {
            (None, Some((_, 1..))) if room.is_derived() => {
                self.store.abandon(room).await?;
                lock(&self.remembered).0.remove(&room.id);
                return Err(StoreError::RoomGone(room.id));
            }
            (Some(current), Some((epoch, head))) if epoch == current.epoch && current.head < head => {
                let renewed = self.renew(room.id, &epoch, Some(head)).await?;
                self.backfill_cache.evict_room(room.id);
                Some(renewed)
            }
            (current, _) => current,
        };
        // Removed last: after an error, the next visitor compares again.
        lock(&self.remembered).0.remove(&room.id);
        Ok(current)
    }

    /// Compares one room with the database.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(super) async fn reconcile_room(&self, live: &Arc<LiveRoom>) -> Result<(), StoreError> {
        let before = live.known_head();
        let current = self.store.current(&[live.room.id]).await?;
        match current.first() {
            Some(current) => self.compare(live, before.as_ref(), current).await,
            None => self.end_missing(vec![(live.clone(), before.map_or(0, |(_, known)| known))]).await,
        }
    }
}
