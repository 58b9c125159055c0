//! Negotiation of media types (RFC 9110, section 12.5.1).

use super::quality::weighted_items;
use axum::http::{HeaderMap, header};

/// Media types of responses, as they stand in `Content-Type` and `Accept`.
pub(crate) const HTML: &str = "text/html";
pub(crate) const JSON: &str = "application/json";
pub(crate) const PLAIN_TEXT: &str = "text/plain";
pub(crate) const JSON_LINES: &str = "application/x-ndjson";
pub(crate) const EVENT_STREAM: &str = "text/event-stream";

/// Returns the one of `offered` that a client with these headers prefers: the one with the highest weight, and of equal
/// ones the first. Without an `Accept`, or if it names none of them, that is the first of `offered`.
pub(crate) fn preferred(headers: &HeaderMap, offered: &[&'static str]) -> &'static str {
    let weights = offered.iter().map(|media_type| (weight(headers, media_type), *media_type));
    // Of equal ones, the last is the maximum.
    let best = weights.rev().max_by(|one, other| one.0.total_cmp(&other.0));
    best.filter(|(weight, _)| *weight > 0.0).map_or(offered[0], |(_, media_type)| media_type)
}

/// Returns the weight of a media type, from 0 to 1: that of the most specific range that matches it.
fn weight(headers: &HeaderMap, media_type: &str) -> f32 {
    let family = media_type.split('/').next().unwrap_or_default();
    let ranges = weighted_items(headers, header::ACCEPT).filter_map(|(range, weight)| {
        let specificity = if range.eq_ignore_ascii_case(media_type) {
            2
        } else if range.strip_suffix("/*").is_some_and(|range| range.eq_ignore_ascii_case(family)) {
            1
        } else if range == "*/*" {
            0
        } else {
            return None;
        };
        Some((specificity, weight))
    });
    ranges.max_by_key(|(specificity, _)| *specificity).map_or(0.0, |(_, weight)| weight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn chosen(accept: &'static str) -> &'static str {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
        preferred(&headers, &[HTML, JSON])
    }

    #[test]
    fn the_most_specific_range_decides() {
        for accept in ["", "*/*", "text/html", "text/*, application/json;q=0.9", "image/png", "application/json;q=0"] {
            assert_eq!(chosen(accept), HTML, "{accept}");
        }
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
        assert_eq!(chosen(browser), HTML);
        for accept in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/*",
            "application/json, */*;q=0.5",
            "text/html;q=0.5, application/json",
            "application/json, text/html;q=0.9, */*;q=0.1",
            "*/*, text/html;q=0.1",
        ] {
            assert_eq!(chosen(accept), JSON, "{accept}");
        }
        assert_eq!(preferred(&HeaderMap::new(), &[HTML, JSON]), HTML);
    }
}
