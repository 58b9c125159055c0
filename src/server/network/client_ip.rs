//! The client's address: the peer of the connection or, behind a trusted proxy, the address that the proxy forwards.

use axum::http::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Once;

/// The address at the other end of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientIp(pub(crate) IpAddr);

impl ClientIp {
    /// Placeholder for a connection whose peer address is not known.
    pub(crate) const UNKNOWN: Self = Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED));

    /// The address of the client that the request comes from.
    ///
    /// Each proxy appends the address of its own client to `X-Forwarded-For`. Read from the end, the first address that
    /// is not a trusted proxy is therefore the client; entries before it cannot be trusted. An entry without an address
    /// hides the client: the request then counts as one of the nearest known address, the proxy that wrote the entry.
    pub(crate) fn client(self, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
        let peer = self.0.to_canonical();
        if !is_trusted(peer, trusted) {
            return peer;
        }
        let values: Vec<String> = headers
            .get_all("x-forwarded-for")
            .into_iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect();
        let mut client = peer;
        for text in values.iter().rev().flat_map(|value| value.rsplit(',')) {
            match ForwardedEntry::parse(text) {
                ForwardedEntry::Nobody => continue,
                ForwardedEntry::Unknown => {
                    warn(text, client);
                    break;
                }
                ForwardedEntry::Address(address) => client = address.to_canonical(),
            }
            if !is_trusted(client, trusted) {
                break;
            }
        }
        client
    }
}

/// Returns whether `address` belongs to a trusted proxy.
pub(crate) fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    let address = address.to_canonical();
    trusted.iter().any(|network| network.contains(&address))
}

/// Warns the host once that a proxy hides its clients, which are then all counted as one.
fn warn(text: &str, client: IpAddr) {
    static ONCE: Once = Once::new();
    let text: String = text.chars().filter(|c| c.is_ascii_graphic()).take(64).collect();
    ONCE.call_once(|| {
        tracing::warn!(entry = text, counted_as = %client, "An entry of X-Forwarded-For names no address");
    });
}

/// An entry of `X-Forwarded-For`. No standard defines its syntax; these are the spellings of proxies in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ForwardedEntry {
    Address(IpAddr),
    /// An empty list element (RFC 9110, section 5.6.1.2), or a proxy on this machine that was reached by a Unix socket.
    Nobody,
    /// `unknown`, a name that hides an address (RFC 7239, section 6), or invalid text.
    Unknown,
}

impl ForwardedEntry {
    fn parse(text: &str) -> Self {
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'');
        let text = text.strip_prefix("for=").or_else(|| text.strip_prefix("For=")).unwrap_or(text);
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '"');
        if text.is_empty() || text.starts_with("unix:") {
            return Self::Nobody;
        }
        let address = match text.strip_prefix('[') {
            Some(rest) => rest
                .split_once(']')
                .filter(|(_, rest)| rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))
                .and_then(|(inside, _)| address(inside)),
            // An ambiguous entry is read as an IPv6 address without a port: its /64 is the same either way.
            None => address(text).or_else(|| {
                let (host, _) = text.rsplit_once(':').filter(|(_, port)| is_port(port))?;
                address(host)
            }),
        };
        address.map_or(Self::Unknown, Self::Address)
    }
}

/// Parses an address. The zone of an IPv6 address (RFC 4007, section 11) is dropped, because it only has a meaning on
/// this machine.
fn address(text: &str) -> Option<IpAddr> {
    match text.split_once('%') {
        Some((text, _)) => text.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => text.trim().parse().ok(),
    }
}

fn is_port(text: &str) -> bool {
    (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        ClientIp(peer.parse().unwrap()).client(&headers, &trusted).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_says_who_the_client_is() {
        assert_eq!(client("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(client("10.0.0.2", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("::ffff:10.0.0.2", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("10.0.0.2", &[]), "10.0.0.2");
    }

    #[test]
    fn an_untrusted_entry_does_not_count() {
        assert_eq!(client("10.0.0.2", &["127.0.0.1, 198.51.100.7, 10.0.0.9"]), "198.51.100.7");
        assert_eq!(client("10.0.0.2", &["127.0.0.1", "198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("10.0.0.2", &["nonsense, 198.51.100.7:1"]), "198.51.100.7");
        assert_eq!(client("10.0.0.2", &["\u{e9}, \u{1f600}, 198.51.100.7"]), "198.51.100.7");
    }

    #[test]
    fn an_entry_is_read_in_every_spelling() {
        for (spelling, address) in [
            ("198.51.100.7", "198.51.100.7"),
            ("198.51.100.7:443", "198.51.100.7"),
            ("  198.51.100.7\t", "198.51.100.7"),
            ("\"198.51.100.7\"", "198.51.100.7"),
            ("\"198.51.100.7:65535\"", "198.51.100.7"),
            ("[198.51.100.7]:443", "198.51.100.7"),
            ("for=198.51.100.7", "198.51.100.7"),
            ("for=\"[2001:db8::1]:4711\"", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("2001:DB8::1", "2001:db8::1"),
            ("2001:db8:0:0:0:0:0:1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("\"[2001:db8::1]:443\"", "2001:db8::1"),
            ("2001:db8:0:0:0:0:0:1:443", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"),
            ("[fe80::1%25eth0]:443", "fe80::1"),
            ("::ffff:198.51.100.7", "198.51.100.7"),
            ("[::ffff:198.51.100.7]:443", "198.51.100.7"),
            ("::ffff:198.51.100.7:443", "198.51.100.7"),
            ("198.51.100.7,", "198.51.100.7"),
            ("198.51.100.7, ,", "198.51.100.7"),
            ("198.51.100.7, unix:", "198.51.100.7"),
            ("unknown, 198.51.100.7", "198.51.100.7"),
            ("198.51.100.7:1, [::1]:2", "198.51.100.7"),
        ] {
            assert_eq!(client("10.0.0.2", &[spelling]), address, "{spelling}");
        }
    }

    #[test]
    fn a_proxy_that_hides_its_client_counts_as_the_client() {
        for hidden in
            ["unknown", "_hidden", "-", "nonsense", "198.51.100.7:x", "[::1", "[::1]x", "198.51.100.999", "1.2.3.4%x"]
        {
            assert_eq!(client("10.0.0.2", &[&format!("198.51.100.7, {hidden}")]), "10.0.0.2", "{hidden}");
            assert_eq!(client("10.0.0.2", &[&format!("198.51.100.7, {hidden}, 10.0.0.9")]), "10.0.0.9", "{hidden}");
        }
    }
}
