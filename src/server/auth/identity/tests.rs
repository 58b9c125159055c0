//! Tests of the verification of cookies, and of the authors that represent a network.

use super::author::hash_of;
use super::*;
use sha2::Digest;

#[test]
fn every_node_with_the_key_recognizes_an_identity() {
    let (author, cookie) = IdentitySigner::new(b"key").create();
    let recognized = IdentitySigner::new(b"key").verify(&cookie).unwrap();
    assert_eq!(recognized.as_bytes(), author.as_bytes());
}

#[test]
fn an_identity_that_nobody_gave_out_is_not_adopted() {
    let identities = IdentitySigner::new(b"key");
    let (_, foreign) = IdentitySigner::new(b"another key").create();
    let (_, own) = identities.create();
    let id = own.split_once('.').unwrap().0;
    let unsigned = format!("{id}.{}", Uuid::nil().simple());
    for cookie in ["", ".", "x.y", id, &foreign, &unsigned] {
        assert!(identities.verify(cookie).is_none(), "{cookie:?}");
    }
}

#[test]
fn an_old_cookie_is_renewed_and_proves_the_same() {
    let identities = IdentitySigner::new(b"key");
    let (author, cookie) = identities.create();
    let (bare, day) = cookie.rsplit_once('.').unwrap();
    let day: i64 = day.parse().unwrap();
    for fresh in [day, day + 29, day - 1] {
        assert_eq!(identities.renew_at(&cookie, fresh), None, "a node's clock may be behind");
    }
    let renewed = identities.renew_at(&cookie, day + 30).unwrap();
    assert_eq!(renewed, format!("{bare}.{}", day + 30));
    assert_eq!(identities.verify(&renewed).unwrap().as_bytes(), author.as_bytes());
    for ageless in [bare.to_owned(), format!("{bare}."), format!("{bare}.x"), format!("{bare}.{}", i64::MIN)] {
        assert_eq!(identities.renew_at(&ageless, day).as_ref(), Some(&cookie), "{ageless}");
    }
    assert_eq!(IdentitySigner::new(b"another key").renew_at(bare, day), None);
}

#[test]
fn a_visitor_with_the_cookie_is_no_guest() {
    let identities = IdentitySigner::new(b"key");
    let (author, cookie) = identities.create();
    assert!(author.is_guest() && IdentitySigner::guest().is_guest());
    assert!(!identities.verify(&cookie).unwrap().is_guest());
}

#[test]
fn a_guest_is_known_for_one_by_the_database_alone() {
    let (author, _) = IdentitySigner::new(b"key").create();
    let stored = |author: &AuthorId| AuthorId::from_stored(author.as_bytes()).unwrap();
    assert!(stored(&IdentitySigner::guest()).is_guest());
    assert!(!stored(&author).is_guest(), "the cookie is on its way");
    assert!(stored(&AuthorId::HOST).is_host() && !stored(&AuthorId::HOST).is_guest());
    assert_ne!(IdentitySigner::guest().as_bytes(), IdentitySigner::guest().as_bytes());
}

#[test]
fn the_author_does_not_give_the_id_away() {
    let (author, cookie) = IdentitySigner::new(b"key").create();
    let id = Uuid::try_parse(cookie.split('.').next().unwrap()).unwrap();
    assert_ne!(author.as_bytes(), id.as_bytes());
}

#[test]
fn guests_of_one_network_stand_together_and_are_different_authors() {
    let identities = IdentitySigner::new(b"key");
    let guest = |address: &str| identities.guest_of(address.parse::<std::net::IpAddr>().unwrap().into());
    let (one, two, other) = (guest("192.0.2.1"), guest("192.0.2.1"), guest("192.0.2.2"));
    assert_ne!(one.to_bytes(), two.to_bytes());
    assert_eq!(one.standing(), two.standing());
    assert_ne!(one.standing(), other.standing());
    assert_eq!(guest("2001:db8:1:2::1").standing(), guest("2001:db8:1:ff::1").standing(), "one customer's");
    assert_ne!(guest("2001:db8:1::1").standing(), guest("2001:db8:2::1").standing());
    for author in [one, two] {
        let stored = AuthorId::from_stored(author.as_bytes()).unwrap();
        assert!(stored.is_guest() && !stored.is_of_network());
        assert_eq!(stored.standing(), one.standing());
    }
    let together = AuthorId::from(one.standing());
    assert!(together.is_of_network() && !together.is_host());
    let another_site =
        IdentitySigner::new(b"another key").guest_of("192.0.2.1".parse::<std::net::IpAddr>().unwrap().into());
    assert_ne!(another_site.standing(), one.standing(), "nobody else can tell which network it is");
}

#[test]
fn an_identity_is_new_for_an_hour_and_newcomers_count_together() {
    let identities = IdentitySigner::new(b"key");
    let (author, cookie) = identities.create();
    let network = |address: &str| Network::from(address.parse::<std::net::IpAddr>().unwrap());
    let (here, there) = (network("192.0.2.1"), network("192.0.2.2"));
    let made = now_ms();
    let recognized = |cookie: &str, network, now| identities.verify_at(cookie, network, now).unwrap();
    let newcomers = |network, now| recognized(&cookie, network, now).newcomers(now);
    let together = newcomers(here, made).unwrap();
    for (minutes, is_new) in [(-61, false), (-3, true), (0, true), (58, true), (61, false), (100_000_000, false)] {
        let kept = newcomers(here, made + minutes * 60_000);
        assert_eq!(kept, is_new.then_some(together), "{minutes} minutes later, by a clock that may be behind");
    }
    assert_eq!(recognized(&cookie, here, made).newcomers(made + 61 * 60_000), None, "a connection that is older");
    assert_ne!(newcomers(there, made), Some(together));
    let (_, neighbour) = identities.create();
    assert_eq!(recognized(&neighbour, here, made).newcomers(made), Some(together));
    assert_eq!(newcomers(network("2001:db8:1:2::1"), made), newcomers(network("2001:db8:1:ff::1"), made));
    let known = recognized(&cookie, here, made);
    assert_eq!(known.to_bytes(), author.to_bytes());
    assert_eq!(known.standings().collect::<Vec<_>>(), [author.to_bytes()], "a guest's ban is not theirs");
    let together = AuthorId::from(together);
    assert!(together.is_of_network() && !together.is_host());
    assert_ne!(together.to_bytes(), identities.guest_of(here).standing());
    assert_eq!(IdentitySigner::guest().newcomers(made), None);
}

#[test]
fn identities_of_other_releases_are_recognized() {
    let identities = IdentitySigner::new(b"key");
    let here = Network::from("192.0.2.1".parse::<std::net::IpAddr>().unwrap());
    // Issued by earlier releases: a random id, with a day or without one.
    let before = "07070707070707070707070707070707.fa97e361e7d3d1318bee6d9ea10074b3";
    for cookie in [before.to_owned(), format!("{before}.20000")] {
        let author = identities.verify_from(&cookie, here).unwrap();
        assert_eq!(author.to_bytes(), hash_of(Uuid::from_bytes([7; 16])));
        assert_eq!(author.newcomers(now_ms()), None);
    }
    // Issued now, in the format that earlier releases read: an id, its truncated HMAC, a day.
    let (author, cookie) = identities.create();
    let parts: Vec<&str> = cookie.split('.').collect();
    let [id, signature, day] = parts[..] else { panic!("{cookie}") };
    let [id, signature] = [id, signature].map(|part| Uuid::try_parse(part).unwrap());
    let mac = Hmac::<Sha256>::new_from_slice(b"key").unwrap().chain_update(id.as_bytes());
    mac.verify_truncated_left(signature.as_bytes()).unwrap();
    assert_eq!(day.parse::<i64>().unwrap(), today());
    assert_eq!(Sha256::digest(id.as_bytes())[..16], author.to_bytes());
}

#[test]
fn an_identity_shares_nothing_with_its_network() {
    let (author, _) = IdentitySigner::new(b"key").create();
    assert_eq!(author.standings().collect::<Vec<_>>(), [author.to_bytes()]);
    let guest = IdentitySigner::guest();
    let among = author.among_guests_like(&guest);
    assert_eq!(among.standings().collect::<Vec<_>>(), [author.to_bytes(), guest.standing()]);
    assert_eq!(AuthorId::HOST.standing(), AuthorId::HOST.to_bytes());
    assert!(!AuthorId::HOST.is_of_network() && !author.is_of_network());
}
