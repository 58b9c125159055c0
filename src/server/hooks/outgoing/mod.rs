//! Outgoing webhooks. Each is one more reader of its room's log: it has a position, from which the next events are read
//! and posted, in order and at least once. The log is the queue, so a receiver that is down for hours misses nothing.

mod batch;
mod delivery;
mod dispatcher;
mod lanes;
mod schedule;
mod signature;

pub(crate) use dispatcher::{OutgoingHooks, OutgoingParts};
pub(crate) use signature::shown_secret;
