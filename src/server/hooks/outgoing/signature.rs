//! Signatures of deliveries, as Standard Webhooks defines them (<https://www.standardwebhooks.com>, version 1.0.0).

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Prefix of a secret as it is shown.
const SECRET_PREFIX: &str = "whsec_";

/// Version of the signature scheme: HMAC-SHA-256.
const SIGNATURE_VERSION: &str = "v1";

/// Returns a secret in the form in which receivers are given it.
pub(crate) fn shown_secret(secret: &[u8]) -> String {
    format!("{SECRET_PREFIX}{}", BASE64_STANDARD.encode(secret))
}

/// Returns the signature of a delivery, at a time in seconds since 1970.
pub(super) fn signature(secret: &[u8], id: &str, timestamp: i64, body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    let mac = mac.chain_update(format!("{id}.{timestamp}.")).chain_update(body).finalize().into_bytes();
    format!("{SIGNATURE_VERSION},{}", BASE64_STANDARD.encode(mac))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::time::now_ms;
    use standardwebhooks::Webhook;

    #[test]
    fn another_implementation_verifies_signatures() {
        let (secret, body) = ([7; 32], "{\"type\":\"room.events\",\"text\":\"naïve 😀\"}".as_bytes());
        let (id, timestamp) = ("out_x.a0b1c2d3.4-7", now_ms() / 1000);
        let webhook = Webhook::new(&shown_secret(&secret)).unwrap();
        let signed = signature(&secret, id, timestamp, body);
        assert_eq!(signed, webhook.sign(id, timestamp, body).unwrap());
        assert_ne!(signed, signature(&secret, id, timestamp + 1, body));
        assert_ne!(signed, signature(&secret, "out_x.a0b1c2d3.4-8", timestamp, body));
    }
}
