//! Cached reads of the log for subscribers that lag behind the tail buffer. The log is read in blocks, and concurrent
//! readers of a block share one query. Reads and cached blocks are bounded in bytes.

use super::event_frame::EventFrame;
use super::{MAX_BATCH_BYTES, Reconciliation};
use crate::domain::Seq;
use crate::server::store::{Store, StoreError};
use crate::server::sync::lock;
use crate::server::websocket::TextFrame;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, watch};

/// Number of events per block. With the longest messages, a block measures about 1 MiB.
const BLOCK_EVENTS: Seq = 64;

/// Maximum size of cached blocks over all rooms, in bytes: the 1000 longest events that a client may lag behind.
const MAX_BACKFILL_BYTES: usize = 16 << 20;

/// Time for which a block is cached. It is short so that events removed from the log leave memory.
const BLOCK_TTL: Duration = Duration::from_secs(1);

/// Maximum number of blocks that are read at the same time.
const MAX_CONCURRENT_READS: usize = 4;

/// Key of a block: the room, and the number before the first event of the block.
type BlockKey = (i64, Seq);

/// Encoded events, oldest first.
type EventBlock = Arc<[TextFrame]>;

/// Reason why no events can be returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BackfillError {
    /// The log no longer holds the next events.
    Purged,
    /// The log cannot be read at the moment.
    Unavailable,
}

/// Cheap-to-clone handle to the cached blocks.
#[derive(Clone)]
pub(super) struct BackfillCache {
    store: Store,
    reconciliation: Arc<Reconciliation>,
    cached: Arc<Mutex<CachedBlocks>>,
    permits: Arc<Semaphore>,
}

#[derive(Default)]
struct CachedBlocks {
    kept: HashMap<BlockKey, CachedBlock>,
    /// Size of the cached blocks, in bytes.
    bytes: usize,
    /// Reads in flight, each with the time at which it was requested.
    reads: HashMap<BlockKey, BlockRead>,
    number: u64,
    /// Whether a task is running that evicts expired blocks.
    is_swept: bool,
}

struct CachedBlock {
    block: EventBlock,
    since: Instant,
}

struct BlockRead {
    number: u64,
    outcome: watch::Receiver<Option<Result<EventBlock, BackfillError>>>,
}

impl BackfillCache {
    pub(super) fn new(store: Store, reconciliation: Arc<Reconciliation>) -> Self {
        Self { store, reconciliation, cached: Arc::default(), permits: Arc::new(Semaphore::new(MAX_CONCURRENT_READS)) }
    }

    /// Returns some of the events after `after`: at least one, and at most about [`MAX_BATCH_BYTES`].
    ///
    /// # Errors
    ///
    /// Returns [`BackfillError::Purged`] if the log no longer holds the next events.
    pub(super) async fn read(&self, room: i64, after: Seq) -> Result<Vec<TextFrame>, BackfillError> {
        // Blocks begin at the same numbers for every reader, unless the log begins within a block.
        let start = after - after.rem_euclid(BLOCK_EVENTS);
        match self.read_block(room, start, after).await {
            Err(BackfillError::Purged) if start != after => self.read_block(room, after, after).await,
            read => read,
        }
    }

    async fn read_block(&self, room: i64, start: Seq, after: Seq) -> Result<Vec<TextFrame>, BackfillError> {
        loop {
            let (mut outcome, is_first) = {
                let cached = &mut *lock(&self.cached);
                if let Some(frames) =
                    cached.kept.get(&(room, start)).and_then(|kept| block_slice(&kept.block, start, after))
                {
                    return Ok(frames);
                }
                match cached.reads.get(&(room, start)) {
                    Some(read) => (read.outcome.clone(), false),
                    None => (self.begin(cached, (room, start)), true),
                }
            };
            let outcome = outcome.wait_for(Option::is_some).await.map_err(|_| BackfillError::Unavailable)?.clone();
            match block_slice(&outcome.ok_or(BackfillError::Unavailable)??, start, after) {
                Some(frames) => return Ok(frames),
                None if is_first => return Err(BackfillError::Purged),
                // The read started before the requested events were committed.
                None => {}
            }
        }
    }

    /// Starts reading a block in a separate task, because the first caller may be dropped before the others have their
    /// result.
    fn begin(
        &self,
        cached: &mut CachedBlocks,
        key: BlockKey,
    ) -> watch::Receiver<Option<Result<EventBlock, BackfillError>>> {
        let (outcomes, outcome) = watch::channel(None);
        cached.number += 1;
        let number = cached.number;
        cached.reads.insert(key, BlockRead { number, outcome: outcome.clone() });
        let (backfill_cache, guard) = (self.clone(), BlockReadGuard { cached: self.cached.clone(), key, number });
        tokio::spawn(async move {
            let read = backfill_cache.query(key).await;
            if let Ok(block) = &read {
                backfill_cache.cache(&guard, block);
            }
            drop(guard);
            outcomes.send_replace(Some(read));
        });
        outcome
    }

    async fn query(&self, (room, start): BlockKey) -> Result<EventBlock, BackfillError> {
        let _permit = self.permits.acquire().await;
        match self.store.events_after(room, start, BLOCK_EVENTS as u64).await {
            Ok(events) => {
                self.reconciliation.reading.over();
                Ok(events.into_iter().map(|event| EventFrame::from(event).text).collect())
            }
            Err(StoreError::Gap { .. }) => Err(BackfillError::Purged),
            Err(error) => {
                self.reconciliation.reading.failed(&error);
                Err(BackfillError::Unavailable)
            }
        }
    }

    /// Caches a block, unless an event was removed from its room since the block was requested.
    fn cache(&self, read: &BlockReadGuard, block: &EventBlock) {
        let cached = &mut *lock(&self.cached);
        if cached.reads.get(&read.key).is_none_or(|current| current.number != read.number) {
            return;
        }
        cached.put(read.key, block.clone());
        if !std::mem::replace(&mut cached.is_swept, true) {
            tokio::spawn(sweep(self.cached.clone()));
        }
    }

    /// Evicts the blocks of a room after an event was removed from its log. Later callers never get a result that was
    /// read before.
    pub(super) fn evict_room(&self, room: i64) {
        let cached = &mut *lock(&self.cached);
        cached.reads.retain(|(other, _), _| *other != room);
        cached.retain(|(other, _), _| *other != room);
    }
}

/// Guard of a read in flight. While it lives, other callers wait for the same result.
struct BlockReadGuard {
    cached: Arc<Mutex<CachedBlocks>>,
    key: BlockKey,
    number: u64,
}

impl Drop for BlockReadGuard {
    fn drop(&mut self) {
        let reads = &mut lock(&self.cached).reads;
        if reads.get(&self.key).is_some_and(|read| read.number == self.number) {
            reads.remove(&self.key);
        }
    }
}

impl CachedBlocks {
    fn put(&mut self, key: BlockKey, block: EventBlock) {
        self.bytes += size(&block);
        if let Some(replaced) = self.kept.insert(key, CachedBlock { block, since: Instant::now() }) {
            self.bytes -= size(&replaced.block);
        }
        while self.bytes > MAX_BACKFILL_BYTES
            && let Some(oldest) = self.kept.iter().min_by_key(|(_, kept)| kept.since).map(|(key, _)| *key)
            && let Some(dropped) = self.kept.remove(&oldest)
        {
            self.bytes -= size(&dropped.block);
        }
    }

    fn retain(&mut self, keep: impl Fn(&BlockKey, &CachedBlock) -> bool) {
        let bytes = &mut self.bytes;
        self.kept.retain(|key, kept| {
            let stays = keep(key, kept);
            *bytes -= if stays { 0 } else { size(&kept.block) };
            stays
        });
    }
}

/// Evicts expired blocks until the cache is empty.
async fn sweep(cached: Arc<Mutex<CachedBlocks>>) {
    loop {
        tokio::time::sleep(BLOCK_TTL).await;
        let mut cached = lock(&cached);
        cached.retain(|_, kept| kept.since.elapsed() < BLOCK_TTL);
        if cached.kept.is_empty() {
            cached.kept = HashMap::new();
            cached.is_swept = false;
            return;
        }
    }
}

fn size(block: &EventBlock) -> usize {
    block.iter().map(TextFrame::len).sum()
}

/// Returns the events after `after` in a block that begins after `start`, or `None` if there are none.
fn block_slice(block: &EventBlock, start: Seq, after: Seq) -> Option<Vec<TextFrame>> {
    let rest = block.get(usize::try_from(after - start).ok()?..)?;
    let mut bytes = 0;
    let frames = rest.iter().take_while(|frame| {
        let fits = bytes == 0 || bytes + frame.len() <= MAX_BATCH_BYTES;
        bytes += frame.len();
        fits
    });
    Some(frames.cloned().collect::<Vec<_>>()).filter(|frames| !frames.is_empty())
}

#[cfg(test)]
mod tests;
