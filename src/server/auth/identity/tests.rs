//! Who is recognised, and who stands for whom.

use super::*;

#[test]
fn every_node_with_the_key_recognises_an_identity() {
    let (author, cookie) = IdentitySigner::new(b"key").create();
    let recognised = IdentitySigner::new(b"key").verify(&cookie).unwrap();
    assert_eq!(recognised.as_bytes(), author.as_bytes());
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
fn whoever_comes_back_with_the_cookie_is_no_guest() {
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
fn whoever_is_no_guest_stands_alone() {
    let (author, _) = IdentitySigner::new(b"key").create();
    assert_eq!(author.standings().collect::<Vec<_>>(), [author.to_bytes()]);
    let guest = IdentitySigner::guest();
    let among = author.among_guests_like(&guest);
    assert_eq!(among.standings().collect::<Vec<_>>(), [author.to_bytes(), guest.standing()]);
    assert_eq!(AuthorId::HOST.standing(), AuthorId::HOST.to_bytes());
    assert!(!AuthorId::HOST.is_of_network() && !author.is_of_network());
}
