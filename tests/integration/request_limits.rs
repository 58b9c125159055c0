//! Limits on page requests per network, and the low cost of each request.

use crate::support::{Client, Database, Site, http};
use flate2::read::GzDecoder;
use futures_util::future::join_all;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, COOKIE, RETRY_AFTER};
use std::io::Read;

/// A site behind a proxy on this machine.
async fn behind_proxy(settings: &[&str]) -> Site {
    Site::new(Database::Sqlite).await.limited(settings).limited(&["--trusted-proxies", "127.0.0.1"])
}

#[tokio::test]
async fn a_flood_of_pages_is_answered_and_is_nobody_elses_trouble() {
    let server = behind_proxy(&["--requests-per-second", "1", "--request-burst", "50"]).await.start();
    let browser = http::browser();
    let page = |network: &str| browser.get(server.url("/harbour/")).header("x-forwarded-for", network.to_owned());
    let flood = join_all((0..300).map(|_| async { page("192.0.2.1").send().await.expect("an answer") }));
    let (flood, visitor) = tokio::join!(flood, http::send(page("192.0.2.2")));
    assert_eq!(visitor.status, 200);
    let refused: Vec<_> = flood.iter().filter(|answer| answer.status() == 429).collect();
    assert!(flood.iter().all(|answer| [200, 429].contains(&answer.status().as_u16())));
    assert!(refused.len() >= 200, "{}", refused.len());
    let wait = refused[0].headers().get(RETRY_AFTER).and_then(|wait| wait.to_str().ok()?.parse::<u64>().ok());
    assert!(wait.is_some_and(|wait| wait >= 1), "{wait:?}");
    for path in ["/api/load_history?room_name=harbour", "/nowhere/at/all", "/"] {
        let request = browser.get(server.url(path)).header("x-forwarded-for", "192.0.2.1");
        assert_eq!(http::send(request).await.status, 429, "{path}");
    }
    for path in ["/healthz", "/readyz", "/metrics"] {
        let request = browser.get(server.url(path)).header("x-forwarded-for", "192.0.2.1");
        assert_eq!(http::send(request).await.status, 200, "{path}");
    }
    let health = |_| async {
        let request = browser.get(server.url("/healthz")).header("x-forwarded-for", "192.0.2.3");
        request.send().await.expect("an answer").status()
    };
    let healths = join_all((0..700).map(health)).await;
    assert!(healths.iter().any(|status| *status == 429), "these have a limit too");
}

#[tokio::test]
async fn many_requests_at_once_wait_for_their_turn() {
    let server = behind_proxy(&["--request-burst", "1000"]).await.start();
    let browser = http::browser();
    let history = |network: &str| {
        let request = browser.get(server.url("/api/load_history?room_name=harbour"));
        request.header("x-forwarded-for", network.to_owned())
    };
    Client::join(&server, "harbour").await.say("1", "hello").await;
    let flood = join_all((0..200).map(|_| http::send(history("192.0.2.1"))));
    let (flood, visitor) = tokio::join!(flood, http::send(history("192.0.2.2")));
    assert_eq!(visitor.status, 200);
    assert!(flood.iter().all(|answer| answer.status == 200), "none is lost");
}

#[tokio::test]
async fn numbers_that_no_message_has_lead_to_one_page() {
    let server = Site::new(Database::Sqlite).await.start();
    Client::join(&server, "harbour").await.say("1", "hello").await;
    let cookie = http::identity(&server).await;
    let rendered = async || {
        let text = http::get(&server, "/metrics").await.body;
        let line = text.lines().find(|line| line.starts_with("parlour_room_pages_total") && line.contains("rendered"));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).unwrap_or_default()
    };
    assert_eq!(http::get_as(&server, "/harbour/", &cookie).await.status, 200);
    let before = rendered().await;
    for seq in [2, 3, 1000, i64::MAX] {
        let page = http::get_as(&server, &format!("/harbour/{seq}"), &cookie).await;
        assert!(page.status == 200 && page.body.contains("hello"), "{seq}");
    }
    assert_eq!(rendered().await, before + 1, "all of them share one page");
    assert_eq!(http::get_as(&server, "/harbour/1", &cookie).await.status, 200);
    assert_eq!(rendered().await, before + 2, "that of a message is a page of its own");
}

#[tokio::test]
async fn a_page_is_compressed_and_is_the_same_page() {
    let server = Site::new(Database::Sqlite).await.start();
    let mut ann = Client::join(&server, "harbour").await;
    for number in 0..50 {
        ann.say(&number.to_string(), &format!("{number}: {}", "many words & <signs> ".repeat(50))).await;
    }
    let cookie = format!("{}; parlour_username=Zo%C3%AB", http::identity(&server).await);
    let request = |encoding: &str| {
        let request = http::browser().get(server.url("/harbour/")).header(COOKIE, &cookie);
        request.header(ACCEPT_ENCODING, encoding.to_owned()).send()
    };
    let plain = request("identity").await.unwrap();
    assert!(plain.headers().get(CONTENT_ENCODING).is_none());
    let plain = plain.text().await.unwrap();
    // Twice: rendered, and kept.
    for _ in 0..2 {
        let packed = request("gzip, deflate").await.unwrap();
        assert_eq!(packed.headers()[CONTENT_ENCODING], "gzip");
        assert_eq!(packed.headers()["vary"], "accept-encoding");
        let packed = packed.bytes().await.unwrap();
        assert!(packed.len() * 4 < plain.len(), "{} of {}", packed.len(), plain.len());
        let mut page = String::new();
        GzDecoder::new(&packed[..]).read_to_string(&mut page).unwrap();
        assert_eq!(page.len(), plain.len(), "but for the nonce and an id");
        assert!(page.contains("Zoë") && page.contains("49: many words"), "{page}");
    }
    let of_browsers = request("gzip, deflate, br, zstd").await.unwrap();
    assert_eq!(of_browsers.headers()[CONTENT_ENCODING], "br");
}
