//! Resolution of names, which yields public addresses only. The connector gets these addresses and no others.

use super::address::is_public;
use hyper_util::client::legacy::connect::dns::Name;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::Semaphore;
use tower::Service;

/// Maximum number of names that the system resolves at the same time. Each occupies a thread, possibly for longer than
/// anybody waits for the answer.
const MAX_CONCURRENT_LOOKUPS: usize = 64;

/// Future of a look-up.
pub(super) type Lookup = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// A source of the addresses of names.
pub(super) trait AddressLookup: Send + Sync + 'static {
    /// Returns all addresses of a name.
    fn look_up(&self, name: String) -> Lookup;
}

/// The system's resolver.
pub(super) struct SystemLookup {
    permits: Arc<Semaphore>,
}

impl Default for SystemLookup {
    fn default() -> Self {
        Self { permits: Arc::new(Semaphore::new(MAX_CONCURRENT_LOOKUPS)) }
    }
}

impl AddressLookup for SystemLookup {
    fn look_up(&self, name: String) -> Lookup {
        let permits = self.permits.clone();
        Box::pin(async move {
            let permit = permits.acquire_owned().await.map_err(io::Error::other)?;
            let found = tokio::task::spawn_blocking(move || {
                // Held until the system answers, even if nobody waits any more.
                let _permit = permit;
                (name.as_str(), 0).to_socket_addrs().map(|found| found.map(|found| found.ip()).collect())
            });
            found.await.map_err(io::Error::other)?
        })
    }
}

/// A name has no public address.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to no public address")]
pub(super) struct NoPublicAddress;

/// The resolver of a client.
#[derive(Clone)]
pub(super) struct GuardedResolver {
    lookup: Arc<dyn AddressLookup>,
    /// Whether addresses that are not public pass.
    is_open: bool,
}

impl GuardedResolver {
    pub(super) fn new(lookup: Arc<dyn AddressLookup>, is_open: bool) -> Self {
        Self { lookup, is_open }
    }
}

impl Service<Name> for GuardedResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (found, is_open) = (self.lookup.look_up(name.as_str().to_owned()), self.is_open);
        Box::pin(async move {
            let found = found.await?.into_iter().filter(|address| is_open || is_public(*address));
            // Port 0 stands for the URL's.
            let found: Vec<SocketAddr> = found.map(|address| SocketAddr::new(address, 0)).collect();
            if found.is_empty() { Err(io::Error::other(NoPublicAddress)) } else { Ok(found.into_iter()) }
        })
    }
}
