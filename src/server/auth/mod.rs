//! Identities of visitors.

pub mod identity;
pub(crate) mod visitor;
