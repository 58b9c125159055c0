//! Random bits for secrets and unique ids.

use crate::domain::EventId;
use uuid::Uuid;

/// Returns 128 bits from the system's random source, suitable for keys (getrandom(2)).
pub(crate) fn bits() -> [u8; 16] {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).expect("the system has random bits");
    bits
}

/// Returns an id for an event that comes without one. Ids of the same time are adjacent (RFC 9562, UUIDv7).
pub(crate) fn event_id() -> EventId {
    EventId::from_trusted(Uuid::now_v7().simple().to_string())
}

/// Returns a random number from 0 up to 1.
pub(crate) fn fraction() -> f64 {
    f64::from(uuid::Uuid::new_v4().as_u128() as u32) / f64::from(u32::MAX)
}
