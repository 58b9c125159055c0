//! The next events of a hook, as one body.

use crate::domain::Seq;
use crate::protocol::ServerFrame;
use crate::server::store::{LeasedHook, Store, StoreError};
use serde_json::Value;

/// Maximum number of events in one body.
const MAX_DELIVERED_EVENTS: u64 = 50;

/// Maximum size of the events in one body, in bytes, unless one event is longer.
const MAX_DELIVERED_BYTES: usize = 128 << 10;

/// Events to deliver at once.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) first: Seq,
    pub(super) last: Seq,
    pub(super) body: Vec<u8>,
}

impl Batch {
    /// Reads the events after the hook's position, as the log reads now. Returns `None` if there are none.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(super) async fn read(store: &Store, hook: &LeasedHook) -> Result<Option<Self>, StoreError> {
        let mut events = Vec::new();
        let mut last = hook.position;
        let mut found = store.events_after(hook.room_id, last, MAX_DELIVERED_EVENTS).await;
        if matches!(found, Err(StoreError::Gap { .. })) || found.as_ref().is_ok_and(Vec::is_empty) {
            // An empty log with a head was purged as a whole.
            let next = store.next(hook.room_id, last).await?;
            let to = next.map_or(hook.head, |next| next - 1);
            if to <= last {
                return Ok(None);
            }
            events.push(format!(r#"{{"type":"gap","from":{},"to":{to}}}"#, last + 1));
            last = to;
            found = store.events_after(hook.room_id, last, MAX_DELIVERED_EVENTS - 1).await;
        }
        let found = match found {
            // Retention has removed more in the meantime, which is the next gap.
            Err(StoreError::Gap { .. }) => Vec::new(),
            found => found?,
        };
        let mut bytes = 0;
        for event in found {
            let (seq, frame) = (event.seq, ServerFrame::from(event).encode());
            bytes += frame.len();
            if bytes > MAX_DELIVERED_BYTES && !events.is_empty() {
                break;
            }
            last = seq;
            events.push(frame);
        }
        if events.is_empty() {
            return Ok(None);
        }
        // Frames are JSON already.
        let [room, epoch] = [hook.room.as_str(), &hook.epoch.0].map(|text| Value::from(text).to_string());
        let events = events.join(",");
        let body =
            format!(r#"{{"type":"room.events","room":{room},"epoch":{epoch},"events":[{events}]}}"#).into_bytes();
        Ok(Some(Self { first: hook.position + 1, last, body }))
    }

    /// Returns the id of the delivery, which is the same for every try.
    pub(super) fn id(&self, hook: &LeasedHook) -> String {
        format!("{}.{}.{}-{}", hook.id, hook.epoch.0, self.first, self.last)
    }
}
