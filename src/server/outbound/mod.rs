//! Requests to other servers, at URLs that strangers name. Only public addresses are connected to, however a URL spells
//! them and whatever a name resolves to: the connector gets the addresses that were checked.

mod address;
mod client;
mod resolver;
mod target;

pub(crate) use client::{OutboundClient, OutboundError, OutboundResponse};
pub use target::HostPort;
pub(crate) use target::{TargetRefused, check_target};
