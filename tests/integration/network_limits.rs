//! Limits per network, on messages, connections and requests. Visitors of other networks are not affected.

use crate::support::host::on_each_database;
use crate::support::server::Server;
use crate::support::{Client, Database, Door, Site, database, eventually, http, raw};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::time::Instant;
use tokio::net::TcpSocket;

on_each_database!(
    guests_of_one_network_share_its_messages,
    slow_mode_counts_the_guests_of_a_network_as_one,
    newcomers_of_a_network_share_slow_mode,
    a_guest_who_is_muted_is_muted_under_another_connection,
    a_guest_who_is_banned_does_not_come_back_from_the_same_network,
    an_office_does_not_notice_any_limit,
    an_identity_holds_a_few_names_in_a_room,
);

/// A visitor of the network that the proxy on this machine names.
fn door(network: &str) -> Door {
    Door::of("harbour").header("x-forwarded-for", network)
}

/// A site behind a proxy on this machine.
fn behind_proxy(site: Site, settings: &[&str]) -> Site {
    site.limited(settings).limited(&["--trusted-proxies", "127.0.0.1"])
}

async fn owner(server: &Server) -> Client {
    let cookie = http::identity(server).await;
    let mut owner = door("198.51.100.1").identity(&cookie, server).join(server).await;
    owner.say("o", "mine").await;
    owner
}

async fn moderate(owner: &mut Client, mut frame: Value) -> Value {
    let id = format!("act-{}", frame["action"].as_str().expect("an action"));
    frame["type"] = json!("moderate");
    frame["id"] = json!(id);
    owner.send(frame).await;
    owner.answer_to(&id).await
}

async fn guests_of_one_network_share_its_messages(site: Site) {
    let limits = ["--messages-per-second-per-address", "1", "--message-burst-per-address", "40"];
    let server = behind_proxy(site, &limits).start();
    let since = Instant::now();
    let mut stored = 0;
    let mut refusal = None;
    for number in 0..30 {
        // A new connection is a new guest, with a burst of its own.
        let mut guest = door("192.0.2.1").join(&server).await;
        for post in 0..5 {
            let answer = guest.say(&format!("{number}-{post}"), "flood").await;
            match answer["type"].as_str() {
                Some("message") => stored += 1,
                _ => refusal = Some(answer),
            }
        }
    }
    let most = 41 + since.elapsed().as_secs();
    assert!(stored >= 40 && stored <= most, "{stored} of 150, at most {most}");
    let refusal = refusal.expect("there is too much");
    assert_eq!(refusal["code"], "rate_limited");
    assert!(refusal["retry_after_ms"].as_u64().is_some_and(|wait| (1..=1000).contains(&wait)), "{refusal}");
    let form = http::browser().post(server.url("/harbour/")).header("x-forwarded-for", "192.0.2.1");
    let answers = join_all((0..5).map(|_| http::send(form.try_clone().unwrap().form(&[("message", "by form")])))).await;
    assert!(answers.iter().any(|answer| answer.status == 429), "the form is another door to the same");
    let cookie = http::identity(&server).await;
    let mut neighbour = door("192.0.2.1").identity(&cookie, &server).join(&server).await;
    assert_eq!(neighbour.say("n", "calm").await["type"], "message", "guests do not silence who has a cookie");
    let mut elsewhere = door("192.0.2.2").join(&server).await;
    for post in 0..10 {
        assert_eq!(elsewhere.say(&post.to_string(), "calm").await["type"], "message");
    }
}

async fn slow_mode_counts_the_guests_of_a_network_as_one(site: Site) {
    let server = behind_proxy(site, &[]).start();
    let mut owner = owner(&server).await;
    moderate(&mut owner, json!({"action": "slow_mode", "seconds": 3600})).await;
    let mut said = Vec::new();
    for number in 0..10 {
        let mut guest = door("192.0.2.1").join(&server).await;
        said.push(guest.say(&number.to_string(), "hello").await);
    }
    let stored = said.iter().filter(|answer| answer["type"] == "message").count();
    assert_eq!(stored, 1, "{said:?}");
    assert!(said[1]["retry_after_ms"].as_u64().is_some_and(|wait| wait > 3_000_000), "{:?}", said[1]);
    // A form without a cookie is a guest's too.
    let form = http::browser().post(server.url("/harbour/")).header("x-forwarded-for", "192.0.2.1");
    assert_eq!(http::send(form.form(&[("message", "by form")])).await.status, 429);
    // One customer of an IPv6 network has many addresses.
    let mut stored = 0;
    for number in 0..10 {
        let mut guest = door(&format!("2001:db8:1:{number}::1")).join(&server).await;
        stored += usize::from(guest.say("x", "hello").await["type"] == "message");
    }
    assert_eq!(stored, 1);
    let cookie = http::identity(&server).await;
    let mut known = door("192.0.2.1").identity(&cookie, &server).join(&server).await;
    assert_eq!(known.say("k", "I have a cookie").await["type"], "message");
    assert_eq!(door("192.0.2.2").join(&server).await.say("e", "elsewhere").await["type"], "message");
}

async fn newcomers_of_a_network_share_slow_mode(site: Site) {
    let server = behind_proxy(site, &[]).start();
    let mut owner = owner(&server).await;
    moderate(&mut owner, json!({"action": "slow_mode", "seconds": 3600})).await;
    let since = Instant::now();
    let newcomer = async |network: &str| {
        let cookie = http::identity(&server).await;
        door(network).identity(&cookie, &server).join(&server).await
    };
    // An office of twenty, all of whom are here for the first time, notices slow mode alone.
    let people = join_all((0..20).map(|person| {
        let newcomer = &newcomer;
        async move {
            let mut client = newcomer("192.0.2.1").await;
            let first = client.say(&format!("{person}-1"), "hello").await;
            assert_eq!(first["type"], "message", "{first}");
            let second = client.say(&format!("{person}-2"), "hello").await;
            assert!(second["retry_after_ms"].as_u64().is_some_and(|wait| wait > 3_000_000), "{second}");
            client
        }
    }));
    let _people = people.await;
    // A new cookie for each message is not worth more than the twentieth part of a pause.
    let (mut stored, part) = (0, 180);
    for number in 0..10 {
        let answer = newcomer("192.0.2.1").await.say(&format!("new-{number}"), "hello").await;
        match answer["retry_after_ms"].as_u64() {
            Some(wait) => assert!((1..=part * 1000).contains(&wait), "{answer}"),
            None => stored += 1,
        }
        let cookie = http::identity(&server).await;
        let form = http::browser().post(server.url("/harbour/")).header("x-forwarded-for", "192.0.2.1");
        let form = form.header("cookie", cookie).form(&[("message", "by form")]);
        stored += u64::from(http::send(form).await.status != 429);
    }
    let most = since.elapsed().as_secs() / part;
    assert!(stored <= most, "{stored}, at most {most}");
    assert_eq!(newcomer("192.0.2.2").await.say("e", "elsewhere").await["type"], "message");
    // Guests of the network are not newcomers, and the owner does not wait.
    assert_eq!(door("192.0.2.1").join(&server).await.say("g", "a guest").await["type"], "message");
    assert_eq!(owner.say("o2", "mine too").await["type"], "message");
    // The shared identity of new visitors cannot be the subject of a moderation action.
    let named = moderate(&mut owner, json!({"action": "mute", "tag": "0100", "seconds": 600})).await;
    assert_eq!(named["code"], "not_found", "{named}");
}

async fn a_guest_who_is_muted_is_muted_under_another_connection(site: Site) {
    let server = behind_proxy(site, &[]).start();
    let mut owner = owner(&server).await;
    let mut guest = door("192.0.2.1").join(&server).await;
    guest.say("g", "noise").await;
    let done = moderate(&mut owner, json!({"action": "mute", "target": 2, "seconds": 600})).await;
    assert_eq!(done["subject"]["tag"], guest.welcome["tag"], "{done}");
    assert_eq!(guest.say("g2", "noise").await["code"], "forbidden");
    for number in 0..3 {
        let mut again = door("192.0.2.1").join(&server).await;
        assert_eq!(again.say(&number.to_string(), "noise").await["code"], "forbidden");
    }
    assert_eq!(door("192.0.2.2").join(&server).await.say("e", "elsewhere").await["type"], "message");
    moderate(&mut owner, json!({"action": "pardon", "target": 2})).await;
    assert_eq!(door("192.0.2.1").join(&server).await.say("p", "music").await["type"], "message");
}

async fn a_guest_who_is_banned_does_not_come_back_from_the_same_network(site: Site) {
    let server = behind_proxy(site, &[]).start();
    let mut owner = owner(&server).await;
    let mut guest = door("192.0.2.1").username("Mallory").join(&server).await;
    let mut friend = door("192.0.2.1").join(&server).await;
    let mut elsewhere = door("192.0.2.2").join(&server).await;
    let cookie = http::identity(&server).await;
    let mut known = door("192.0.2.1").identity(&cookie, &server).join(&server).await;
    guest.say("g", "noise").await;
    moderate(&mut owner, json!({"action": "ban", "tag": guest.welcome["tag"], "seconds": 600})).await;
    assert_eq!(guest.close_code().await, Some(4503));
    assert_eq!(friend.close_code().await, Some(4503), "another guest of the network");
    assert_eq!(door("192.0.2.1").turned_away(&server).await.0, 4503);
    assert_eq!(known.say("k", "I have a cookie").await["type"], "message");
    assert_eq!(elsewhere.say("e", "elsewhere").await["type"], "message");
    // The shared identity of a network's guests cannot be the subject of a moderation action.
    let named = moderate(&mut owner, json!({"action": "mute", "tag": "0000", "seconds": 600})).await;
    assert_eq!(named["code"], "not_found", "{named}");
    moderate(&mut owner, json!({"action": "pardon", "target": 2})).await;
    assert_eq!(door("192.0.2.1").join(&server).await.say("p", "music").await["type"], "message");
}

/// Twenty people behind one address come in the morning, all at once, and talk.
async fn an_office_does_not_notice_any_limit(site: Site) {
    let server = site.limited(&[]).start();
    let people = join_all((0..20).map(|person| {
        let server = &server;
        async move {
            let cookie = http::identity(server).await;
            let page = http::get_as(server, "/harbour/", &cookie).await;
            assert_eq!(page.status, 200);
            let counts = http::get_as(server, "/api/count_unread", &cookie).await.status;
            assert_ne!(counts, 429);
            let mut client = Door::of("harbour").identity(&cookie, server).join(server).await;
            for number in 0..10 {
                client.post(&format!("{person}-{number}"), &"words ".repeat(20)).await;
            }
            for number in 0..10 {
                let answer = client.answer_to(&format!("{person}-{number}")).await;
                assert_eq!(answer["type"], "message", "{answer}");
            }
        }
    }));
    people.await;
}

async fn an_identity_holds_a_few_names_in_a_room(site: Site) {
    let server = site.start();
    let somebody = async || {
        let cookie = http::identity(&server).await;
        Door::of("harbour").identity(&cookie, &server).join(&server).await
    };
    let (mut hoarder, mut other) = (somebody().await, somebody().await);
    for number in 0..25 {
        let name = format!("name-{number:02}");
        hoarder.send(json!({"type": "post", "id": name, "message": "x", "username": name})).await;
        assert_eq!(hoarder.answer_to(&name).await["type"], "message");
    }
    let held = "SELECT skeleton FROM names";
    assert_eq!(database::rows(&site.database_url, held).await.len(), 20);
    let mut take = async |name: &str| {
        other.send(json!({"type": "post", "id": format!("o-{name}"), "message": "x", "username": name})).await;
        other.answer_to(&format!("o-{name}")).await
    };
    assert_eq!(take("name-00").await["type"], "message", "the one used longest ago is free");
    assert_eq!(take("name-24").await["code"], "username_taken");
}

#[tokio::test]
async fn the_address_of_a_client_is_read_in_every_spelling() {
    let site = Site::new(Database::Sqlite).await;
    let server = behind_proxy(site, &["--connections-per-address", "1"]).start();
    let _one = door("192.0.2.1").join(&server).await;
    let _two = door("2001:db8::1").join(&server).await;
    for same in ["192.0.2.1:5678", "\"192.0.2.1:1\"", "[::ffff:192.0.2.1]:443", "unknown, 192.0.2.1", "192.0.2.1, "] {
        assert_eq!(door(same).refusal(&server).await, 429, "{same}");
    }
    for same in ["[2001:db8::2]", "[2001:db8::3]:443", "2001:DB8::4", "\"[2001:db8::5]:443\""] {
        assert_eq!(door(same).refusal(&server).await, 429, "{same}");
    }
    let mut others = Vec::new();
    for other in ["192.0.2.3:5678", "[192.0.2.4]:1", "[2001:db8:0:1::1]:443", "\"192.0.2.5\"", "_hidden, 192.0.2.6"] {
        others.push(door(other).join(&server).await);
    }
}

/// Connects from another address of this machine.
async fn connect_from(source: &str, server: &Server) -> tokio::net::TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(format!("{source}:0").parse().expect("an address")).expect("an address of this machine");
    socket.connect(server.addr).await.expect("a connection")
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_connection_beside_the_proxy_is_counted() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let site = Site::new(Database::Sqlite).await;
    let server = behind_proxy(site, &["--connections-per-address", "1"]).start();
    let answered = async |source: &str| {
        let mut stream = connect_from(source, &server).await;
        let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        answer.starts_with(b"HTTP/1.1 200")
    };
    let idle = eventually("others of the same address are hung up on", || async {
        let mut idle = Vec::new();
        for _ in 0..64 {
            idle.push(connect_from("127.0.0.2", &server).await);
        }
        (!answered("127.0.0.2").await).then_some(idle)
    })
    .await;
    let mut of_proxy = Vec::new();
    for _ in 0..200 {
        of_proxy.push(raw::connect(&server).await);
    }
    assert!(answered("127.0.0.1").await, "the proxy is not counted");
    assert!(answered("127.0.0.3").await, "another address has its own");
    drop(idle);
}
