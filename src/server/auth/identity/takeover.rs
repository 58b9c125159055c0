//! Takeover of identities from the time before a site had TLS. Browsers still send their cookies, but under a name that
//! a page on a neighboring host, or anybody on the network path, could also set. So only identities that were created
//! before the change are taken over, and only for as long as browsers keep such a cookie.

use super::{AuthorId, IdentitySigner, NEW_MINUTES, minute, today};
use crate::domain::timestamp::DAY_MS;
use crate::server::network::Network;
use crate::server::time::now_ms;

/// Time for which browsers keep a cookie, in milliseconds.
const COOKIE_LIFETIME_MS: i64 = 365 * DAY_MS;

impl IdentitySigner {
    /// Lets identities from before `tls_since`, in UTC milliseconds, be taken over. `None` takes over none.
    pub(crate) fn with_tls_since(self, tls_since: Option<i64>) -> Self {
        Self { tls_since, ..self }
    }

    /// Returns the author whom a cookie from the time without TLS proves, and the value of the cookie that replaces it.
    pub(crate) fn take_over(&self, cookie: &str, network: Network) -> Option<(AuthorId, String)> {
        self.take_over_at(cookie, network, now_ms())
    }

    fn take_over_at(&self, cookie: &str, network: Network, now: i64) -> Option<(AuthorId, String)> {
        let since = self.tls_since.filter(|since| now.saturating_sub(*since) < COOKIE_LIFETIME_MS)?;
        let author = self.verify_at(cookie, network, now)?;
        let id = self.id(cookie)?;
        let [a, b, c, d, ..] = *id.as_bytes();
        let made = u32::from_be_bytes([a, b, c, d]);
        // The ids of the first releases are random: one in 150 seems to be from before the change, and the others from
        // the future.
        let is_of_before = made <= minute(since) || made > minute(now).saturating_add(NEW_MINUTES);
        is_of_before.then(|| (author, self.cookie(id, today())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};
    use uuid::Uuid;

    #[test]
    fn identities_from_before_the_change_are_taken_over_for_a_year() {
        let here = Network::from(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let since = 30_000_000 * 60_000;
        let signer = IdentitySigner::new(b"key").with_tls_since(Some(since));
        let made = |minutes: u32| {
            let mut bits = [7; 16];
            bits[..4].copy_from_slice(&minutes.to_be_bytes());
            signer.cookie(Uuid::from_bytes(bits), 0)
        };
        let now = since + 10 * DAY_MS;
        let (author, cookie) = signer.take_over_at(&made(29_999_000), here, now).unwrap();
        assert_eq!(signer.verify(&cookie).unwrap().as_bytes(), author.as_bytes());
        assert!(signer.take_over_at(&made(3_000_000_000), here, now).is_some(), "of a first release");
        assert!(signer.take_over_at(&made(30_000_100), here, now).is_none(), "it is younger than TLS");
        assert!(signer.take_over_at(&made(29_999_000), here, since + COOKIE_LIFETIME_MS).is_none());
        assert!(signer.take_over_at(&made(29_999_000).replace('7', "8"), here, now).is_none(), "it is forged");
        let of_tls = IdentitySigner::new(b"key");
        assert!(of_tls.take_over_at(&made(29_999_000), here, now).is_none(), "the site always had TLS");
    }
}
