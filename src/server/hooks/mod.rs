//! Webhooks: `incoming` reads the bodies of other programs' webhooks, `outgoing` delivers a room's log to URLs.

pub(crate) mod incoming;
pub(crate) mod outgoing;
