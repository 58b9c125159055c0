//! Tests of the limits of one identity, of one network and of all together.

use super::*;
use crate::server::auth::identity::IdentitySigner;
use std::net::IpAddr;

fn rates(number: u32) -> Rates {
    let (number, many) = (NonZeroU32::new(number).unwrap(), NonZeroU32::new(100).unwrap());
    Rates {
        messages_per_second: NonZeroU32::MIN,
        message_burst: number,
        messages_per_second_per_address: NonZeroU32::MIN,
        message_burst_per_address: many,
        message_kilobytes_per_minute: many,
        requests_per_second: NonZeroU32::MIN,
        request_burst: number,
        connections_per_address: number,
        joins_per_minute: many,
        rooms_per_hour: number,
        visitors_per_hour: number,
        max_connections: number.saturating_add(1),
    }
}

fn limiter(number: u32) -> Limiter {
    Limiter::new(Some(rates(number)))
}

fn network(address: &str) -> Network {
    Network::from(address.parse::<IpAddr>().unwrap())
}

#[test]
fn each_identity_has_a_burst_of_its_own() {
    let (limiter, ann, bob) = (limiter(3), IdentitySigner::guest(), IdentitySigner::guest());
    let here = network("192.0.2.1");
    for _ in 0..3 {
        assert_eq!(limiter.check_message(&ann, here, 1), Ok(()));
    }
    let RateLimited(wait) = limiter.check_message(&ann, here, 1).unwrap_err();
    assert!(wait > Duration::ZERO && wait <= Duration::from_secs(1), "{wait:?}");
    assert_eq!(limiter.check_message(&bob, here, 1), Ok(()));
}

#[test]
fn many_identities_of_one_network_share_its_messages() {
    let limiter = limiter(3);
    let stored = |address: &str| {
        (0..200).filter(|_| limiter.check_message(&IdentitySigner::guest(), network(address), 1).is_ok()).count()
    };
    assert!((100..110).contains(&stored("192.0.2.1")));
    assert!((100..110).contains(&stored("192.0.2.2")), "another network has its own");
    let (known, _) = IdentitySigner::new(b"key").create();
    let known = AuthorId::from(known.to_bytes());
    assert_eq!(
        limiter.check_message(&known, network("192.0.2.1"), 1),
        Ok(()),
        "who has a cookie is not silenced by guests"
    );
}

#[test]
fn bytes_of_a_network_are_counted_whoever_sends_them() {
    let limiter = limiter(3);
    let send = |bytes| limiter.check_message(&IdentitySigner::guest(), network("192.0.2.1"), bytes);
    let stored = (0..20).filter(|_| send(16_000).is_ok()).count();
    assert_eq!(stored, 6, "100 kB in a minute");
    assert!(send(16_000).unwrap_err().0 <= Duration::from_secs(10));
    assert_eq!(send(10), Ok(()), "what is short still fits");
    assert_eq!(
        limiter.check_message(&IdentitySigner::guest(), network("192.0.2.2"), usize::MAX),
        Ok(()),
        "a full bucket"
    );
}

#[test]
fn a_message_that_is_refused_takes_nothing() {
    let (limiter, ann) = (limiter(1), IdentitySigner::guest());
    let here = network("192.0.2.1");
    assert_eq!(limiter.check_message(&ann, here, 1), Ok(()));
    for _ in 0..1000 {
        assert!(limiter.check_message(&ann, here, 1).is_err());
    }
    assert_eq!(limiter.check_message(&IdentitySigner::guest(), here, 90_000), Ok(()));
}

#[test]
fn connections_are_counted_by_address_and_together_and_given_back() {
    let limiter = limiter(2);
    let here = [limiter.check_connection(network("192.0.2.1")), limiter.check_connection(network("192.0.2.1"))];
    assert!(here.iter().all(Result::is_ok));
    assert_eq!(limiter.check_connection(network("192.0.2.1")).err(), Some(ConnectError::NetworkFull));
    let there = limiter.check_connection(network("192.0.2.2")).unwrap();
    assert_eq!(limiter.check_connection(network("192.0.2.3")).err(), Some(ConnectError::NodeFull));
    drop((here, there));
    assert!(limiter.check_connection(network("192.0.2.3")).is_ok());
}

#[test]
fn pages_do_not_use_up_what_health_checks_need() {
    let limiter = limiter(3);
    let here = network("192.0.2.1");
    while limiter.request(here).is_ok() {}
    assert_eq!(limiter.small_request(here), Ok(()));
}

#[tokio::test]
async fn without_rates_everything_passes() {
    let (limiter, ann, here) = (Limiter::new(None), IdentitySigner::guest(), network("::1"));
    assert!(
        (0..1000).all(|_| limiter.check_message(&ann, here, 9999).is_ok() && limiter.check_connection(here).is_ok())
    );
    assert!((0..1000).all(|_| limiter.request(here).is_ok() && limiter.small_request(here).is_ok()));
    assert!(limiter.work(here).await.is_ok());
}
