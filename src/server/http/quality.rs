//! Weighted lists of request headers (RFC 9110, section 12.4.2).

use axum::http::{HeaderMap, HeaderName};

/// Returns the items of all headers of this name, each with its weight from 0 to 1. An item without a weight has 1, and
/// one whose weight is malformed 0.
pub(super) fn weighted_items(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = (&str, f32)> {
    let lists = headers.get_all(name).into_iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(|item| {
        let mut parts = item.split(';').map(str::trim);
        let item = parts.next().unwrap_or_default();
        let weight = parts.filter_map(|part| part.split_once('=')).find(|(name, _)| name.eq_ignore_ascii_case("q"));
        let weight = weight.map_or(1.0, |(_, weight)| weight.parse::<f32>().unwrap_or(0.0));
        (item, if weight.is_nan() { 0.0 } else { weight.clamp(0.0, 1.0) })
    })
}
