//! Random bits for what nobody may guess, and for ids that are nobody else's.

use crate::domain::EventId;
use uuid::Uuid;

/// 128 bits from the system's own source, fit for keys (getrandom(2)).
pub(crate) fn bits() -> [u8; 16] {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).expect("the system has random bits");
    bits
}

/// An id for an event that comes without one. Ids of one time lie beside each other (RFC 9562, UUIDv7).
pub(crate) fn event_id() -> EventId {
    EventId::from_trusted(Uuid::now_v7().simple().to_string())
}
