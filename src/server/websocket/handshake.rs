//! The opening handshake (RFC 6455, section 4.2).

use super::WebSocket;
use super::takeover::Takeover;
use axum::extract::FromRequestParts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use sha1::{Digest, Sha1};

/// Constant that is appended to the client's key before hashing (RFC 6455, section 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A valid request for a WebSocket.
#[derive(Debug)]
pub struct Handshake {
    accept: HeaderValue,
    takeover: Takeover,
}

/// Reason why a request is not a valid WebSocket request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeRejection {
    /// The request is an ordinary HTTP request.
    #[error("This is an address for WebSockets: the request needs `Connection: upgrade` and `Upgrade: websocket`.")]
    NoUpgrade,
    /// The method is not GET, as the RFC requires.
    #[error("A request for a WebSocket is a GET.")]
    Method,
    /// The version is not supported.
    #[error("The request needs `Sec-WebSocket-Version: 13`.")]
    Version,
    /// The key is missing or invalid.
    #[error("The request needs a `Sec-WebSocket-Key`: 16 bytes in base64.")]
    Key,
    /// The request has a body, which would precede the first frame.
    #[error("A request for a WebSocket has no body.")]
    Body,
}

impl IntoResponse for HandshakeRejection {
    fn into_response(self) -> Response {
        let version = [(header::SEC_WEBSOCKET_VERSION, "13")];
        match self {
            Self::NoUpgrade | Self::Key | Self::Body => (StatusCode::BAD_REQUEST, self.to_string()).into_response(),
            Self::Method => {
                (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET")], self.to_string()).into_response()
            }
            Self::Version => (StatusCode::UPGRADE_REQUIRED, version, self.to_string()).into_response(),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Handshake {
    type Rejection = HandshakeRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, HandshakeRejection> {
        let headers = &parts.headers;
        if !header_contains(headers, header::CONNECTION, "upgrade")
            || !header_contains(headers, header::UPGRADE, "websocket")
        {
            return Err(HandshakeRejection::NoUpgrade);
        }
        if parts.method != Method::GET {
            return Err(HandshakeRejection::Method);
        }
        if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            return Err(HandshakeRejection::Version);
        }
        let length = headers.get(header::CONTENT_LENGTH);
        if headers.contains_key(header::TRANSFER_ENCODING) || length.is_some_and(|length| length != "0") {
            return Err(HandshakeRejection::Body);
        }
        let key = headers.get(header::SEC_WEBSOCKET_KEY).ok_or(HandshakeRejection::Key)?;
        let accept = accept(key.as_bytes()).ok_or(HandshakeRejection::Key)?;
        let takeover = parts.extensions.remove().ok_or(HandshakeRejection::NoUpgrade)?;
        Ok(Self { accept, takeover })
    }
}

impl Handshake {
    /// Returns the response, and a future that resolves to the socket once the response is sent, or to `None` if the
    /// client has gone by then. The socket accepts messages of up to `longest` bytes.
    pub fn accept_key(self, longest: usize) -> (Response, impl Future<Output = Option<WebSocket>>) {
        let headers = [
            (header::CONNECTION, HeaderValue::from_static("upgrade")),
            (header::UPGRADE, HeaderValue::from_static("websocket")),
            (header::SEC_WEBSOCKET_ACCEPT, self.accept),
        ];
        let taken = self.takeover.claim();
        let socket = async move {
            let taken = taken.await.ok()?;
            Some(WebSocket::new(taken.stream, longest, taken.read.to_vec()))
        };
        ((StatusCode::SWITCHING_PROTOCOLS, headers).into_response(), socket)
    }
}

/// Returns whether a comma-separated header contains this word.
fn header_contains(headers: &HeaderMap, name: HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|said| said.trim().eq_ignore_ascii_case(word))
}

/// Returns the `Sec-WebSocket-Accept` value for a key, or `None` if the key is invalid.
fn accept(key: &[u8]) -> Option<HeaderValue> {
    let base64 = base64::engine::general_purpose::STANDARD;
    base64.decode(key).ok().filter(|bytes| bytes.len() == 16)?;
    let hash = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    HeaderValue::try_from(base64.encode(hash)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_the_rfc_has_the_answer_of_the_rfc() {
        assert_eq!(accept(b"dGhlIHNhbXBsZSBub25jZQ==").unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(accept(b"c2hvcnQ="), None);
        assert_eq!(accept(b"not base64"), None);
    }

    #[test]
    fn a_word_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::CONNECTION, "keep-alive, Upgrade".parse().unwrap());
        assert!(header_contains(&headers, header::CONNECTION, "upgrade"));
        assert!(!header_contains(&headers, header::CONNECTION, "up"));
    }
}
