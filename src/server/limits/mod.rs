//! Limits by identity and by network.

pub(crate) mod connection_counter;
pub mod connection_limit;
mod message_volume;
mod preview_limit;
pub(crate) mod rate_limiter;
pub(crate) mod token_bucket;
pub(crate) mod work_gate;
