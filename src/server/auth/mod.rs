//! Identities, and access to rooms.

pub(crate) mod access;
pub mod identity;
