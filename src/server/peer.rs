//! Where a request comes from: the address at the other end, or, behind a proxy that is trusted, the one it speaks for.

use axum::http::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr};

/// The address at the other end of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Peer(pub(crate) IpAddr);

impl Peer {
    /// Where nothing is known of the other end.
    pub(crate) const UNKNOWN: Self = Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED));

    /// The address of the client that the request comes from.
    ///
    /// Each proxy adds at the end of `X-Forwarded-For` whom it was asked by. So from the end back, the first address
    /// that is no trusted proxy is the client; what stands before it is hearsay.
    pub(crate) fn client(self, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
        let peer = self.0.to_canonical();
        let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
        if !is_trusted(&peer) {
            return peer;
        }
        let values: Vec<&str> =
            headers.get_all("x-forwarded-for").into_iter().filter_map(|value| value.to_str().ok()).collect();
        let mut client = peer;
        for text in values.iter().rev().flat_map(|value| value.rsplit(',')) {
            // What is no address was written by nobody who is trusted.
            let Ok(address) = text.trim().parse::<IpAddr>() else { break };
            client = address.to_canonical();
            if !is_trusted(&client) {
                break;
            }
        }
        client
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&'static str]) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        Peer(peer.parse().unwrap()).client(&headers, &trusted).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_says_who_the_client_is() {
        assert_eq!(client("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(client("10.0.0.2", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("::ffff:10.0.0.2", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("10.0.0.2", &[]), "10.0.0.2");
    }

    #[test]
    fn what_a_client_claims_of_itself_does_not_count() {
        assert_eq!(client("10.0.0.2", &["127.0.0.1, 198.51.100.7, 10.0.0.9"]), "198.51.100.7");
        assert_eq!(client("10.0.0.2", &["127.0.0.1", "198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("10.0.0.2", &["198.51.100.7, nonsense"]), "10.0.0.2");
    }
}
