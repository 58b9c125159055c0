//! Limit on the connections of each address that are not live sockets: pages and idle connections. They are counted as
//! they are accepted, before anything is read. A connection that becomes live is counted by `rate_limiter` from then
//! on.

use super::connection_counter::{ConnectionCounter, ConnectionPermit, LimitReached};
use crate::server::config::{Config, Rates};
use crate::server::network::Network;
use crate::server::network::client_ip::{ClientIp, is_trusted};
use axum::http::HeaderMap;
use ipnet::IpNet;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Number of connections that every address may have: a browser opens several for a page.
const MIN_PER_NETWORK: u32 = 64;

/// A cheap-to-clone handle on the counters.
#[derive(Clone, Default)]
pub struct ConnectionLimiter {
    /// Maximum number of connections of one address; 0 if they are not counted.
    most: Arc<AtomicU32>,
    /// Trusted proxies, which forward the connections of other clients and are not counted.
    trusted: Arc<[IpNet]>,
    open: ConnectionCounter,
}

impl ConnectionLimiter {
    pub(crate) fn new(config: &Config) -> Self {
        let limiter = Self { trusted: config.trusted_proxies.clone().into(), ..Self::default() };
        limiter.replace(config.rates);
        limiter
    }

    /// Applies other rates from now on; `None` if nothing is limited.
    pub(crate) fn replace(&self, rates: Option<Rates>) {
        let most = rates.map_or(0, |rates| rates.connections_per_address.get().max(MIN_PER_NETWORK));
        self.most.store(most, Ordering::Relaxed);
    }

    /// Returns the maximum number of connections of one address; `None` if they are not counted.
    fn most(&self) -> Option<u32> {
        Some(self.most.load(Ordering::Relaxed)).filter(|most| *most > 0)
    }

    /// Returns the network whose budget a response counts against: the client's, also behind a trusted proxy. `None`
    /// if nothing is limited.
    pub(crate) fn client(&self, peer: ClientIp, headers: &HeaderMap) -> Option<Network> {
        self.most().map(|_| peer.client(headers, &self.trusted).into())
    }

    /// Counts a connection from `address` until the returned permit is dropped.
    ///
    /// # Errors
    ///
    /// Returns an error if the network has its maximum number.
    pub(crate) fn acquire(&self, address: IpAddr) -> Result<Option<ConnectionPermit>, LimitReached> {
        let most = self.most().filter(|_| !is_trusted(address, &self.trusted));
        most.map(|most| self.open.acquire(address.into(), most, u32::MAX)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(address: &str) -> IpAddr {
        address.parse().unwrap()
    }

    #[test]
    fn each_address_has_its_own_and_gives_them_back() {
        let connections = ConnectionLimiter { most: Arc::new(2.into()), ..ConnectionLimiter::default() };
        let here = [connections.acquire(address("192.0.2.1")), connections.acquire(address("192.0.2.1"))];
        assert!(here.iter().all(Result::is_ok));
        assert!(connections.acquire(address("192.0.2.1")).is_err());
        assert!(connections.acquire(address("192.0.2.2")).is_ok());
        drop(here);
        assert!(connections.acquire(address("192.0.2.1")).is_ok());
    }

    #[test]
    fn where_nothing_is_limited_nobody_is_counted() {
        let connections = ConnectionLimiter::default();
        let all: Vec<_> = (0..1000).map(|_| connections.acquire(address("192.0.2.1"))).collect();
        assert!(all.iter().all(|taken| matches!(taken, Ok(None))));
    }

    #[test]
    fn a_trusted_proxy_is_not_counted_and_everybody_else_is() {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        let connections =
            ConnectionLimiter { most: Arc::new(2.into()), trusted: trusted.into(), ..ConnectionLimiter::default() };
        for proxy in ["10.1.2.3", "::1", "::ffff:10.1.2.3"] {
            let all: Vec<_> = (0..1000).map(|_| connections.acquire(address(proxy))).collect();
            assert!(all.iter().all(Result::is_ok), "{proxy}");
        }
        let direct: Vec<_> =
            (0..1000).map(|_| connections.acquire(address("192.0.2.1"))).filter_map(Result::ok).collect();
        assert_eq!(direct.len(), 2);
    }
}
