//! Logs and metrics.

pub mod logging;
pub(crate) mod metrics;
pub(crate) mod outage;
