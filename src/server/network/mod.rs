//! Clients by their addresses: the networks by which addresses are grouped, and the address behind a proxy.

pub(crate) mod client_ip;

use std::net::{IpAddr, Ipv6Addr};

/// Number by which the limit of one [`Network`] is multiplied for all networks of one site. Mobile carriers give each
/// phone a /64, so a site is more than one household; an attacker's /48 is worth four networks, not 65,536.
pub(crate) const SITE: u32 = 4;

/// An IPv4 address, or an IPv6 network of 64 bits, which is the size that one household gets (RFC 6177).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Network(IpAddr);

/// An IPv6 network of 48 bits: the most that one customer gets (RIPE-690).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct WiderNetwork([u8; 6]);

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        })
    }
}

impl Network {
    /// Returns the site that an IPv6 network belongs to, or `None` for an IPv4 address, which has no wider network.
    pub(crate) fn site(self) -> Option<WiderNetwork> {
        match self.0 {
            IpAddr::V4(_) => None,
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, ..] = address.octets();
                Some(WiderNetwork([a, b, c, d, e, f]))
            }
        }
    }

    /// Returns the bytes of a customer's network: the IPv4 address (4 bytes) or the site (6 bytes).
    pub(crate) fn customer(self) -> Vec<u8> {
        match (self.0, self.site()) {
            (_, Some(WiderNetwork(site))) => site.to_vec(),
            (IpAddr::V4(address), _) => address.octets().to_vec(),
            (IpAddr::V6(address), None) => address.octets().to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(address: &str) -> Network {
        Network::from(address.parse::<IpAddr>().unwrap())
    }

    #[test]
    fn a_network_of_64_bits_counts_as_one() {
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("192.0.2.1"), network("::ffff:192.0.2.1"));
    }

    #[test]
    fn a_site_has_48_bits() {
        assert_eq!(network("2001:db8:1:2::1").site(), network("2001:db8:1:ffff::1").site());
        assert_ne!(network("2001:db8:1::1").site(), network("2001:db8:2::1").site());
        assert_eq!(network("192.0.2.1").site(), None);
        assert_eq!(network("::ffff:192.0.2.1").customer(), [192, 0, 2, 1]);
        assert_eq!(network("2001:db8:1:2::1").customer(), [0x20, 0x01, 0x0d, 0xb8, 0, 1]);
    }
}
