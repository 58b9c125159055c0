//! How much of what is let through: of one identity, of one address, of all. Kept in memory, for each node on its own.

use super::config::Rates;
use super::identity::Author;
use super::network::{Census, Counted, Enough, Network};
use crate::domain::{Rejection, RejectionCode};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

/// How often what has not been used for a while is forgotten.
const FORGET: Duration = Duration::from_secs(60);

/// Something that came too often; it makes sense again after this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMuch(pub(crate) Duration);

impl TooMuch {
    /// The answer to a request: 429, and when to come again (RFC 6585, section 4).
    pub(crate) fn response(self, detail: &'static str) -> Response {
        let seconds = self.0.as_secs().saturating_add(1).to_string();
        (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, seconds)], detail).into_response()
    }

    /// What whoever sent it is told.
    pub(crate) fn rejection(self, detail: &str) -> Rejection {
        let retry_after_ms = u32::try_from(self.0.as_millis()).unwrap_or(u32::MAX).max(1);
        Rejection { retry_after_ms: Some(retry_after_ms), ..Rejection::new(RejectionCode::RateLimited, detail) }
    }
}

/// Why somebody may not connect just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// The node has as many connections as it takes.
    Node,
    /// The address has as many connections as one may have.
    Address,
    /// The address connects too often.
    Joins(TooMuch),
}

/// A cheap-to-clone handle on the counters of this node.
#[derive(Clone)]
pub(crate) struct Limiter(Option<Arc<Counters>>);

struct Counters {
    messages: DefaultKeyedRateLimiter<[u8; 16]>,
    joins: DefaultKeyedRateLimiter<Network>,
    rooms: DefaultKeyedRateLimiter<Network>,
    visitors: DefaultKeyedRateLimiter<Network>,
    connections: Census,
    rates: Rates,
}

impl Limiter {
    /// Without rates, everything is let through.
    pub(crate) fn new(rates: Option<Rates>) -> Self {
        Self(rates.map(|rates| {
            Arc::new(Counters {
                messages: RateLimiter::keyed(
                    Quota::per_second(rates.messages_per_second).allow_burst(rates.message_burst),
                ),
                joins: RateLimiter::keyed(Quota::per_minute(rates.joins_per_minute)),
                rooms: RateLimiter::keyed(Quota::per_hour(rates.rooms_per_hour)),
                visitors: RateLimiter::keyed(Quota::per_hour(rates.visitors_per_hour)),
                connections: Census::default(),
                rates,
            })
        }))
    }

    /// One more message of `author`.
    pub(crate) fn message(&self, author: &Author) -> Result<(), TooMuch> {
        self.0.as_ref().map_or(Ok(()), |it| check(&it.messages, &author.to_bytes()))
    }

    /// One more new room.
    pub(crate) fn room(&self, network: Network) -> Result<(), TooMuch> {
        self.0.as_ref().map_or(Ok(()), |it| check(&it.rooms, &network))
    }

    /// One more visitor who has no identity yet.
    pub(crate) fn visitor(&self, network: Network) -> Result<(), TooMuch> {
        self.0.as_ref().map_or(Ok(()), |it| check(&it.visitors, &network))
    }

    /// One more connection, for as long as what comes back is held; `None` where nothing is counted.
    pub(crate) fn connection(&self, network: Network) -> Result<Option<Counted>, Full> {
        let Some(counters) = &self.0 else { return Ok(None) };
        check(&counters.joins, &network).map_err(Full::Joins)?;
        let Rates { connections_per_address: each, max_connections: all, .. } = &counters.rates;
        let counted = counters.connections.take(network, each.get(), all.get());
        counted.map(Some).map_err(|enough| match enough {
            Enough::Together => Full::Node,
            Enough::OfNetwork => Full::Address,
        })
    }

    /// Forgets, every now and then, whoever has not come for a while.
    pub(crate) async fn forget_for_ever(self) {
        let Some(counters) = self.0 else { return };
        loop {
            tokio::time::sleep(FORGET).await;
            counters.messages.retain_recent();
            counters.joins.retain_recent();
            counters.rooms.retain_recent();
            counters.visitors.retain_recent();
        }
    }
}

fn check<K: Clone + Eq + Hash>(limiter: &DefaultKeyedRateLimiter<K>, key: &K) -> Result<(), TooMuch> {
    limiter.check_key(key).map_err(|not_until| TooMuch(not_until.wait_time_from(DefaultClock::default().now())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::identity::Identities;
    use std::net::IpAddr;
    use std::num::NonZeroU32;

    fn limiter(number: u32) -> Limiter {
        let number = NonZeroU32::new(number).unwrap();
        Limiter::new(Some(Rates {
            messages_per_second: NonZeroU32::MIN,
            message_burst: number,
            connections_per_address: number,
            joins_per_minute: NonZeroU32::new(100).unwrap(),
            rooms_per_hour: number,
            visitors_per_hour: number,
            max_connections: number.saturating_add(1),
        }))
    }

    fn network(address: &str) -> Network {
        Network::from(address.parse::<IpAddr>().unwrap())
    }

    #[test]
    fn each_identity_has_a_burst_of_its_own() {
        let (limiter, ann, bob) = (limiter(3), Identities::guest(), Identities::guest());
        for _ in 0..3 {
            assert_eq!(limiter.message(&ann), Ok(()));
        }
        let TooMuch(wait) = limiter.message(&ann).unwrap_err();
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(1), "{wait:?}");
        assert_eq!(limiter.message(&bob), Ok(()));
    }

    #[test]
    fn connections_are_counted_by_address_and_together_and_given_back() {
        let limiter = limiter(2);
        let here = [limiter.connection(network("192.0.2.1")), limiter.connection(network("192.0.2.1"))];
        assert!(here.iter().all(Result::is_ok));
        assert_eq!(limiter.connection(network("192.0.2.1")).err(), Some(Full::Address));
        let there = limiter.connection(network("192.0.2.2")).unwrap();
        assert_eq!(limiter.connection(network("192.0.2.3")).err(), Some(Full::Node));
        drop((here, there));
        assert!(limiter.connection(network("192.0.2.3")).is_ok());
    }

    #[test]
    fn without_rates_everything_passes() {
        let (limiter, ann) = (Limiter::new(None), Identities::guest());
        assert!((0..1000).all(|_| limiter.message(&ann).is_ok() && limiter.connection(network("::1")).is_ok()));
    }
}
