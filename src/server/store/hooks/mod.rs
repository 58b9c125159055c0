//! Webhooks of rooms: `incoming` posts, `outgoing` reads the log, `listing` is for owners and the host.

pub(crate) mod incoming;
pub(crate) mod listing;
pub(crate) mod outgoing;

use crate::domain::RoomKey;
use crate::server::random;

/// Maximum number of hooks of one room that have not ended, in each direction.
pub(crate) const MAX_HOOKS_PER_ROOM: u64 = 20;

/// Number of random characters in an id.
const HOOK_ID_CHARS: usize = 12;

/// Returns the id of a new hook, with a prefix that tells its direction.
fn new_id(prefix: &str) -> String {
    format!("{prefix}{}", &RoomKey::new(random::bits()).to_string()[..HOOK_ID_CHARS])
}
