//! Rate limits per identity, per network and in total. Kept in memory, by each node separately.

use super::connection_counter::{ConnectionCounter, ConnectionPermit, LimitReached};
use super::message_volume::MessageVolume;
use super::preview_limit::PreviewCounters;
use super::token_bucket::{NetworkTokenBuckets, Rate, TokenBuckets};
use super::work_gate::{WorkGate, WorkPermit};
use crate::domain::{Rejection, RejectionCode};
use crate::server::auth::identity::AuthorId;
use crate::server::config::Rates;
use crate::server::network::Network;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::num::NonZeroU32;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Interval at which buckets that are full again are forgotten.
const CLEANUP_INTERVAL: Duration = Duration::from_secs(60);

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// Number of small requests (assets, health, metrics) that cost a network as much as one page.
const SMALL_REQUEST_FACTOR: NonZeroU32 = NonZeroU32::new(10).expect("it is not zero");

/// Maximum number of requests of one network that read the database at the same time, and that wait: a browser opens
/// six connections, so forty browsers fit.
const MAX_CONCURRENT_REQUESTS: usize = 3;
const MAX_WAITING_REQUESTS: usize = 256;

/// Maximum number of sockets of one network that enter their rooms at the same time. The limit on connections bounds
/// the number that wait.
const MAX_CONCURRENT_JOINS: usize = 2;

/// Maximum number of pages of one network that are rendered or compressed at the same time: more would occupy more than
/// one core.
const MAX_CONCURRENT_RENDERINGS: usize = 1;

/// A rate limit that was exceeded; the sender may retry after this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RateLimited(pub(crate) Duration);

impl RateLimited {
    /// Returns the response to a request: 429, and the time to retry (RFC 6585, section 4).
    pub(crate) fn response(self, detail: &'static str) -> Response {
        let seconds = self.0.as_secs().saturating_add(1).to_string();
        (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, seconds)], detail).into_response()
    }

    /// Returns the rejection that is sent to the sender.
    pub(crate) fn rejection(self, detail: &str) -> Rejection {
        let retry_after_ms = u32::try_from(self.0.as_millis()).unwrap_or(u32::MAX).max(1);
        Rejection { retry_after_ms: Some(retry_after_ms), ..Rejection::new(RejectionCode::RateLimited, detail) }
    }
}

/// Reason for which a client may not connect at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConnectError {
    /// The node has its maximum number of connections.
    NodeFull,
    /// The address has its maximum number of connections.
    NetworkFull,
    /// The address connects too often.
    RateLimited(RateLimited),
}

/// A cheap-to-clone handle on the counters of this node.
#[derive(Clone)]
pub(crate) struct Limiter(Arc<RwLock<Option<Arc<RateLimiters>>>>);

struct RateLimiters {
    messages: TokenBuckets<[u8; 16]>,
    /// Messages with a cookie. Guests are counted separately, so that guests who flood a room do not silence their
    /// neighbours.
    known: MessageVolume,
    guests: MessageVolume,
    requests: NetworkTokenBuckets,
    small_requests: NetworkTokenBuckets,
    joins: NetworkTokenBuckets,
    rooms: NetworkTokenBuckets,
    visitors: NetworkTokenBuckets,
    previews: PreviewCounters,
    connections: ConnectionCounter,
    working: WorkGate,
    entering: WorkGate,
    rendering: WorkGate,
    /// Permits of all networks together: one core is left to the sockets.
    cores: Arc<Semaphore>,
    rates: Rates,
}

/// A permit to render or compress, as long as it is held.
pub(crate) struct Rendering {
    _network: Option<WorkPermit>,
    _core: Option<OwnedSemaphorePermit>,
}

impl RateLimiters {
    fn new(rates: Rates, connections: ConnectionCounter) -> Self {
        let hourly = |number| NetworkTokenBuckets::new(Rate::new(number, HOUR, number));
        let minutely = |number| NetworkTokenBuckets::new(Rate::new(number, MINUTE, number));
        let cores = std::thread::available_parallelism().map_or(1, usize::from).saturating_sub(1).max(1);
        let small = |number: NonZeroU32| number.saturating_mul(SMALL_REQUEST_FACTOR);
        Self {
            messages: TokenBuckets::new(Rate::new(rates.messages_per_second, SECOND, rates.message_burst)),
            known: MessageVolume::new(&rates),
            guests: MessageVolume::new(&rates),
            requests: NetworkTokenBuckets::new(Rate::new(rates.requests_per_second, SECOND, rates.request_burst)),
            small_requests: NetworkTokenBuckets::new(Rate::new(
                small(rates.requests_per_second),
                SECOND,
                small(rates.request_burst),
            )),
            joins: minutely(rates.joins_per_minute),
            rooms: hourly(rates.rooms_per_hour),
            visitors: hourly(rates.visitors_per_hour),
            previews: PreviewCounters::new(),
            connections,
            working: WorkGate::new(MAX_CONCURRENT_REQUESTS, MAX_WAITING_REQUESTS),
            entering: WorkGate::new(MAX_CONCURRENT_JOINS, usize::MAX),
            rendering: WorkGate::new(MAX_CONCURRENT_RENDERINGS, usize::MAX),
            cores: Arc::new(Semaphore::new(cores)),
            rates,
        }
    }
}

impl Limiter {
    /// Creates a limiter; without rates, it lets everything through.
    pub(crate) fn new(rates: Option<Rates>) -> Self {
        Self(Arc::new(RwLock::new(rates.map(|rates| Arc::new(RateLimiters::new(rates, ConnectionCounter::default()))))))
    }

    /// Applies other rates from now on. Connections stay counted; everything else counts from zero.
    pub(crate) fn replace(&self, rates: Option<Rates>) {
        let connections = self.counters().map(|it| it.connections.clone()).unwrap_or_default();
        let counters = rates.map(|rates| Arc::new(RateLimiters::new(rates, connections)));
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = counters;
    }

    /// Returns the rates in force; `None` if nothing is limited.
    pub(crate) fn rates(&self) -> Option<Rates> {
        self.counters().map(|it| it.rates)
    }

    fn counters(&self) -> Option<Arc<RateLimiters>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts a message, edit, deletion or moderation action of `author` in `network`, with `bytes` of text.
    ///
    /// # Errors
    ///
    /// Returns how long to wait if the author or the network has sent too much.
    pub(crate) fn check_message(&self, author: &AuthorId, network: Network, bytes: usize) -> Result<(), RateLimited> {
        let Some(it) = self.counters() else { return Ok(()) };
        let of_network = if author.is_guest() { &it.guests } else { &it.known };
        let (author, bytes) = (author.to_bytes(), u32::try_from(bytes).unwrap_or(u32::MAX));
        let wait = it.messages.wait(author, 1);
        let wait = wait.max(of_network.messages.wait(network, 1)).max(of_network.bytes.wait(network, bytes));
        if wait > Duration::ZERO {
            return Err(RateLimited(wait));
        }
        it.messages.take(author, 1);
        of_network.messages.take(network, 1);
        of_network.bytes.take(network, bytes);
        Ok(())
    }

    /// Counts a request that reads from the database or renders a page.
    ///
    /// # Errors
    ///
    /// Returns how long to wait if the network has sent too many.
    pub(crate) fn request(&self, network: Network) -> Result<(), RateLimited> {
        self.counters().map_or(Ok(()), |it| it.requests.try_take(network, 1).map_err(RateLimited))
    }

    /// Counts a request that costs little.
    ///
    /// # Errors
    ///
    /// Returns how long to wait if the network has sent too many.
    pub(crate) fn small_request(&self, network: Network) -> Result<(), RateLimited> {
        self.counters().map_or(Ok(()), |it| it.small_requests.try_take(network, 1).map_err(RateLimited))
    }

    /// Counts a request for previews of a number of rooms.
    ///
    /// # Errors
    ///
    /// Returns how long to wait if the author or the network has requested too many.
    pub(crate) fn previews(&self, author: &AuthorId, network: Network, rooms: usize) -> Result<(), RateLimited> {
        self.counters().map_or(Ok(()), |it| it.previews.check(author, network, rooms).map_err(RateLimited))
    }

    /// Counts a new room.
    ///
    /// # Errors
    ///
    /// Returns how long to wait if the network has opened too many.
    pub(crate) fn check_room(&self, network: Network) -> Result<(), RateLimited> {
        self.counters().map_or(Ok(()), |it| it.rooms.try_take(network, 1).map_err(RateLimited))
    }

    /// Counts a visitor without an identity.
    ///
    /// # Errors
    ///
    /// Returns how long to wait if the network has too many new visitors.
    pub(crate) fn check_visitor(&self, network: Network) -> Result<(), RateLimited> {
        self.counters().map_or(Ok(()), |it| it.visitors.try_take(network, 1).map_err(RateLimited))
    }

    /// Counts a connection until the returned permit is dropped. Returns `None` if connections are not limited.
    ///
    /// # Errors
    ///
    /// Returns an error if the node or the network has its maximum number, or if the network connects too often.
    pub(crate) fn check_connection(&self, network: Network) -> Result<Option<ConnectionPermit>, ConnectError> {
        let Some(counters) = self.counters() else { return Ok(None) };
        counters.joins.try_take(network, 1).map_err(|wait| ConnectError::RateLimited(RateLimited(wait)))?;
        let Rates { connections_per_address: each, max_connections: all, .. } = &counters.rates;
        let counted = counters.connections.acquire(network, each.get(), all.get());
        counted.map(Some).map_err(|enough| match enough {
            LimitReached::Total => ConnectError::NodeFull,
            LimitReached::PerNetwork => ConnectError::NetworkFull,
        })
    }

    /// Waits until `network` may read from the database for a request. Cancel safe.
    ///
    /// # Errors
    ///
    /// Returns an error if too many requests of the network wait already.
    pub(crate) async fn work(&self, network: Network) -> Result<Option<WorkPermit>, RateLimited> {
        let Some(counters) = self.counters() else { return Ok(None) };
        counters.working.enter(network).await.map(Some).ok_or(RateLimited(SECOND))
    }

    /// Waits until `network` may read from the database to enter a room. Cancel safe.
    pub(crate) async fn enter(&self, network: Network) -> Option<WorkPermit> {
        self.counters()?.entering.enter(network).await
    }

    /// Waits until `network` may render or compress. Cancel safe.
    pub(crate) async fn render(&self, network: Network) -> Rendering {
        let Some(counters) = self.counters() else { return Rendering { _network: None, _core: None } };
        let _network = counters.rendering.enter(network).await;
        Rendering { _network, _core: counters.cores.clone().acquire_owned().await.ok() }
    }

    /// Periodically removes the buckets of inactive clients.
    pub(crate) async fn run_cleanup(self) {
        loop {
            tokio::time::sleep(CLEANUP_INTERVAL).await;
            let Some(counters) = self.counters() else { continue };
            counters.messages.prune();
            counters.previews.prune();
            for of_networks in [
                &counters.known.messages,
                &counters.known.bytes,
                &counters.guests.messages,
                &counters.guests.bytes,
                &counters.requests,
                &counters.small_requests,
                &counters.joins,
                &counters.rooms,
                &counters.visitors,
            ] {
                of_networks.prune();
                tokio::task::yield_now().await;
            }
        }
    }
}

#[cfg(test)]
mod tests;
