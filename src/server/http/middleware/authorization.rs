//! Tokens in `Authorization: Bearer` (RFC 6750, section 2.1). Other schemes are a proxy's, and are ignored.

use crate::domain::{Rejection, RejectionCode, RoomName};
use crate::server::chat::tokens::TokenIdentity;
use crate::server::http::problem::Problem;
use crate::server::http::state::AppState;
use crate::server::telemetry::metrics::record_rejection;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;

/// Reason why a request with a token is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenRefusal {
    /// The token was made up or revoked. Its sender is not treated as a guest, who would not notice.
    Invalid,
    /// The database cannot be read.
    Unavailable,
}

impl IntoResponse for TokenRefusal {
    fn into_response(self) -> Response {
        match self {
            Self::Invalid => {
                record_rejection(RejectionCode::Forbidden);
                let detail = "This token is not valid. It may have been revoked.";
                let problem = Problem::new(StatusCode::UNAUTHORIZED, RejectionCode::Forbidden, detail);
                // RFC 9110, section 11.6.1.
                let challenge = [(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))];
                (challenge, problem).into_response()
            }
            Self::Unavailable => Problem::from(Rejection::unavailable()).into_response(),
        }
    }
}

/// Returns the identity that the request's token proves, or `None` if the request has no token.
///
/// # Errors
///
/// Returns the reason not to answer the request.
pub(super) async fn token_identity(
    state: &AppState,
    headers: &HeaderMap,
    path: &str,
) -> Result<Option<TokenIdentity>, TokenRefusal> {
    let Some(token) = bearer(headers) else { return Ok(None) };
    let room = room_in(path);
    match state.chat.identify_token(token, room.as_ref()).await {
        Ok(TokenIdentity::Invalid) => Err(TokenRefusal::Invalid),
        Ok(known) => Ok(Some(known)),
        Err(_) => Err(TokenRefusal::Unavailable),
    }
}

/// Returns whether a request with these headers brings a token.
pub(crate) fn has_token(headers: &HeaderMap) -> bool {
    bearer(headers).is_some()
}

/// Returns the text after `Bearer`, which is empty if it is not visible ASCII.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?;
    let (scheme, rest) = value.as_bytes().split_at_checked("bearer".len())?;
    let is_bearer = scheme.eq_ignore_ascii_case(b"bearer") && rest.first().is_none_or(u8::is_ascii_whitespace);
    is_bearer.then(|| str::from_utf8(rest).unwrap_or_default().trim())
}

/// Returns the room whose page, socket or message has this path.
fn room_in(path: &str) -> Option<RoomName> {
    let mut segments = path.split('/').skip(1);
    let first = segments.next()?;
    let raw = if first == "ws" { segments.next()? } else { first };
    RoomName::parse(&percent_decode_str(raw).decode_utf8().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_scheme_of_tokens_counts() {
        let of = |value: &'static [u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
            bearer(&headers).map(str::to_owned)
        };
        for value in [&b"Bearer plr_x"[..], b"bearer  plr_x", b"BEARER plr_x "] {
            assert_eq!(of(value).as_deref(), Some("plr_x"));
        }
        for value in [&b"Bearer"[..], b"Bearer ", b"Bearer \xff"] {
            assert_eq!(of(value).as_deref(), Some(""));
        }
        for value in [&b"Basic cGxyX3g="[..], b"Bearerplr_x", b"plr_x", b""] {
            assert_eq!(of(value), None);
        }
        assert_eq!(bearer(&HeaderMap::new()), None);
    }

    #[test]
    fn a_room_is_known_by_every_address_below_it() {
        for path in ["/harbour", "/harbour/", "/harbour/42", "/Harbour/events", "/ws/harbour/", "/%68arbour/hooks/x"] {
            assert_eq!(room_in(path), Some(RoomName::parse("harbour").unwrap()), "{path}");
        }
        for path in ["", "/", "/ws/", "/api/exchange", "/.search", "/%ff/"] {
            assert_eq!(room_in(path), None, "{path}");
        }
    }
}
