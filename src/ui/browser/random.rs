//! Random identifiers and numbers.

use super::{clock, dom};
use crate::domain::EventId;

/// Returns a new idempotency key of 128 random bits.
pub(crate) fn event_id() -> EventId {
    let mut bytes = [0; 16];
    // Without a source of randomness, the time must do.
    let filled = dom::window().crypto().and_then(|crypto| crypto.get_random_values_with_u8_array(&mut bytes));
    if filled.is_err() {
        let (time, random) = (clock::now() as u64, (js_sys::Math::random() * 1e15) as u64);
        bytes = (u128::from(time) << 64 | u128::from(random)).to_be_bytes();
    }
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    EventId::from_trusted(digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect())
}

/// Returns a random number from 0 to 1.
pub(crate) fn fraction() -> f64 {
    js_sys::Math::random()
}
