//! Identities, visitors, and who may enter a room.

pub(crate) mod access;
pub mod identity;
