//! Limits of messages by network: their number and their bytes.

use super::token_bucket::{NetworkTokenBuckets, Rate};
use crate::server::config::Rates;
use std::num::NonZeroU32;
use std::time::Duration;

const KILOBYTE: NonZeroU32 = NonZeroU32::new(1000).expect("it is not zero");

/// Messages and bytes of text by network.
pub(super) struct MessageVolume {
    pub(super) messages: NetworkTokenBuckets,
    pub(super) bytes: NetworkTokenBuckets,
}

impl MessageVolume {
    pub(super) fn new(rates: &Rates) -> Self {
        let Rates { messages_per_second_per_address: each, message_burst_per_address: burst, .. } = *rates;
        let bytes = rates.message_kilobytes_per_minute.saturating_mul(KILOBYTE);
        Self {
            messages: NetworkTokenBuckets::new(Rate::new(each, Duration::from_secs(1), burst)),
            bytes: NetworkTokenBuckets::new(Rate::new(bytes, Duration::from_secs(60), bytes)),
        }
    }
}
