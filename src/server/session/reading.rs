//! The bounds from which on a connection is not read from, so that TCP makes the client wait.

use super::event_loop::Session;

/// Maximum number of uncommitted posts of one connection. At this bound, the connection is not read from until some are
/// answered.
const MAX_IN_FLIGHT_POSTS: usize = 128;

/// Maximum size of the answers that a client has not accepted, in bytes, and maximum number of events to send again. At
/// these bounds, the connection is not read from.
const MAX_UNSENT_BYTES: usize = 64 << 10;
const MAX_RESENT_EVENTS: usize = 1024;

impl Session {
    /// Returns whether the connection is read from. It is while the socket does not accept answers, too, because both
    /// directions may depend on each other: once the receive buffer overflows, Linux drops the client's
    /// acknowledgments together with its data (tcp_sequence() in tcp_input.c), so that nothing more can be sent.
    pub(crate) fn can_receive(&self) -> bool {
        self.timers.paused.is_none()
            && self.pending.len() < MAX_IN_FLIGHT_POSTS
            && self.delivery.again.len() < MAX_RESENT_EVENTS
            && self.delivery.writer.queued_bytes() < MAX_UNSENT_BYTES
    }
}
