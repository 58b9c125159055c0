//! Random bits for what nobody may guess.

/// 128 bits from the system's own source, fit for keys (getrandom(2)).
pub(crate) fn bits() -> [u8; 16] {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).expect("the system has random bits");
    bits
}
