//! Negotiation of content encodings (RFC 9110, section 12.5.3).

use super::quality::weighted_items;
use axum::http::{HeaderMap, header};

/// Encoding of a response body that the server has at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContentEncoding {
    Brotli,
    Gzip,
}

impl ContentEncoding {
    /// All encodings, the one with the smallest bodies first.
    pub(crate) const ALL: [Self; 2] = [Self::Brotli, Self::Gzip];

    /// Returns the name in `Accept-Encoding` and `Content-Encoding`.
    pub(crate) const fn token(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// Returns whether a client that sends these headers accepts this encoding.
    pub(crate) fn is_accepted(self, headers: &HeaderMap) -> bool {
        weight(headers, self.token()).is_some_and(|weight| weight > 0.0)
    }

    /// Returns the encoding that a client that sends these headers prefers: the one with the highest weight, and of
    /// equal ones the first of [`ALL`](Self::ALL). Returns `None` if it accepts none, or prefers a plain body.
    pub(crate) fn preferred(headers: &HeaderMap) -> Option<Self> {
        let plain = weight(headers, "identity").unwrap_or(0.0);
        let weights = Self::ALL.map(|encoding| (weight(headers, encoding.token()).unwrap_or(0.0), encoding));
        let accepted = weights.into_iter().filter(|(weight, _)| *weight > 0.0 && *weight >= plain);
        // Of equal ones, the last is the maximum.
        accepted.rev().max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, encoding)| encoding)
    }
}

/// Returns the weight of an encoding, or `None` if no `Accept-Encoding` names it.
fn weight(headers: &HeaderMap, token: &str) -> Option<f32> {
    let mut items = weighted_items(headers, header::ACCEPT_ENCODING);
    items.find_map(|(name, weight)| name.eq_ignore_ascii_case(token).then_some(weight))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(lists: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for list in lists {
            headers.append(header::ACCEPT_ENCODING, HeaderValue::from_static(list));
        }
        headers
    }

    #[test]
    fn an_encoding_is_accepted_unless_its_weight_is_zero() {
        for list in ["br", "gzip, br", "BR", "gzip;q=1, br;q=0.1", "br ; q=1", "br;x=0"] {
            assert!(ContentEncoding::Brotli.is_accepted(&headers(&[list])), "{list}");
        }
        for list in ["", "gzip", "brotli", "br;q=0", "br; Q=0.000", "gzip, br;q=0, *", "br;q=x"] {
            assert!(!ContentEncoding::Brotli.is_accepted(&headers(&[list])), "{list}");
        }
        assert!(ContentEncoding::Brotli.is_accepted(&headers(&["gzip", "br"])), "in a second line");
    }

    #[test]
    fn the_encoding_with_the_highest_weight_is_preferred() {
        use ContentEncoding::{Brotli, Gzip};
        for (lists, expected) in [
            (&["gzip, deflate, br, zstd"][..], Some(Brotli)),
            (&["gzip, deflate"], Some(Gzip)),
            (&["gzip", "br"], Some(Brotli)),
            (&["br;q=0.5, gzip;q=0.8"], Some(Gzip)),
            (&["br;q=0.8, gzip;q=0.5, identity;q=0.1"], Some(Brotli)),
            (&["gzip;q=0.5, identity"], None),
            (&["br;q=0, gzip;q=0"], None),
            (&["gzip, identity"], Some(Gzip)),
            (&["br;q=NaN, gzip;q=0.001"], Some(Gzip)),
            (&["zstd, deflate, *"], None),
            (&[], None),
        ] {
            assert_eq!(ContentEncoding::preferred(&headers(lists)), expected, "{lists:?}");
        }
    }
}
