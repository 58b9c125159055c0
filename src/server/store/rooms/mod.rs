//! Rooms, their members and the usernames claimed in them.

pub(crate) mod confusables;
pub(crate) mod derived_room;
pub(crate) mod epochs;
pub(crate) mod held_names;
pub(crate) mod members;
pub(crate) mod membership;
pub(crate) mod room;
pub(crate) mod room_creation;
pub(crate) mod room_lookups;
pub(crate) mod room_texts;
mod rooms_of_author;
pub(crate) mod slow_mode;
pub(crate) mod username_claims;
pub(crate) mod username_suggestions;
