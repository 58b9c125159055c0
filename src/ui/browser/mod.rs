//! Wrappers around the browser's interfaces. Call them from effects and event handlers, which never run on the server.

pub(crate) mod clock;
pub(crate) mod dom;
pub(crate) mod location;
pub(crate) mod random;
pub(crate) mod selection;
pub(crate) mod storage;
pub(crate) mod text;
pub(crate) mod visited_rooms;
pub(crate) mod web_lock;
