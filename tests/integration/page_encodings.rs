//! Pages in the encodings that browsers ask for. They are put together from parts that were compressed before, and
//! decode to the page that a client without encodings gets.

use crate::support::{Client, Database, Door, Server, Site, http};
use flate2::read::GzDecoder;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, COOKIE, VARY};
use serde_json::json;
use std::io::Read;

/// What Chromium and Firefox send, over https and at `localhost`.
const OF_BROWSERS: &str = "gzip, deflate, br, zstd";

/// A page as it was sent.
struct Sent {
    encoding: String,
    bytes: Vec<u8>,
    /// The decoded page, without what differs each time: its nonce, and the id of its form.
    page: String,
    form_id: String,
}

async fn sent(server: &Server, path: &str, cookie: &str, accepted: &str) -> Sent {
    let request = http::browser().get(server.url(path)).header(COOKIE, cookie).header(ACCEPT_ENCODING, accepted);
    let answer = request.send().await.expect("an answer");
    let headers = answer.headers().clone();
    let text = |name: &str| headers.get(name).map_or("", |value| value.to_str().expect("plain text")).to_owned();
    assert_eq!(answer.status(), 200);
    let mut vary: Vec<_> = headers.get_all(VARY).iter().map(|vary| vary.to_str().expect("plain text")).collect();
    vary.sort_unstable();
    assert_eq!(vary, ["accept", "accept-encoding"], "{accepted}");
    assert_eq!(headers.get_all("cache-control").iter().collect::<Vec<_>>(), ["private, no-store", "no-transform"]);
    let encoding = text(CONTENT_ENCODING.as_str());
    let bytes = answer.bytes().await.expect("a body").to_vec();
    assert_eq!(text(CONTENT_LENGTH.as_str()), bytes.len().to_string());
    let mut page = String::new();
    match encoding.as_str() {
        "br" => brotli::Decompressor::new(&bytes[..], 4096).read_to_string(&mut page).expect("brotli"),
        "gzip" => GzDecoder::new(&bytes[..]).read_to_string(&mut page).expect("gzip"),
        _ => (&bytes[..]).read_to_string(&mut page).expect("UTF-8"),
    };
    let policy = text("content-security-policy");
    let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).expect("a nonce");
    assert_eq!(page.matches(nonce).count(), page.matches("nonce=\"").count());
    let form_id = page.split("name=\"id\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("an id");
    assert_eq!(page.matches(form_id).count(), 2, "in the form and in the data");
    let form_id = form_id.to_owned();
    Sent { encoding, bytes, page: page.replace(&form_id, "ID").replace(nonce, "NONCE"), form_id }
}

fn named(cookie: &str, name: &str) -> String {
    format!("{cookie}; parlour_username={}", utf8_percent_encode(name, NON_ALPHANUMERIC))
}

/// Names of every length, with characters that HTML, JSON and brotli write in ways of their own.
fn names() -> impl Iterator<Item = String> {
    let characters: Vec<char> = "ab\"'<>&\\/ {}|`éßЖ日本\u{1f600}\u{5d0}=u;-_x".chars().collect();
    (0..200_usize).map(move |number| {
        let length = number % 32 + 1;
        (0..length).map(|index| characters[(index * (number / 32 + 1) + number) % characters.len()]).collect()
    })
}

#[tokio::test]
async fn every_visitor_gets_the_same_page_in_every_encoding() {
    let server = Site::new(Database::Sqlite).await.start();
    let owner = http::identity(&server).await;
    let mut ann = Door::of("harbour").username("Ann").identity(&owner, &server).join(&server).await;
    let muted = http::identity(&server).await;
    let mut bob = Door::of("harbour").username("Bob").identity(&muted, &server).join(&server).await;
    let text = |number: usize| format!("{number}: words that recur, <signs> & \u{1f600} {}", number * 7919 % 1009);
    for number in 0..30 {
        ann.say(&format!("a{number}"), &text(number)).await;
        bob.say(&format!("b{number}"), &text(number)).await;
    }
    ann.send(json!({"type": "moderate", "id": "m", "action": "mute", "target": 2, "seconds": 6000})).await;
    ann.answer_to("m").await;
    let reader = http::identity(&server).await;
    let special = [owner.clone(), named(&owner, "Ann"), muted.clone(), named(&muted, "Bob"), reader.clone()];
    let visitors = special.into_iter().chain(names().map(|name| named(&reader, &name)));
    let mut with_own_values = 0;
    for (number, cookie) in visitors.enumerate() {
        let path = if number % 9 == 8 { "/harbour/7" } else { "/harbour/" };
        let plain = sent(&server, path, &cookie, "identity").await;
        assert_eq!(plain.encoding, "");
        for (accepted, encoding) in [(OF_BROWSERS, "br"), ("gzip, deflate", "gzip"), ("gzip;q=0.9, br;q=0.8", "gzip")] {
            let packed = sent(&server, path, &cookie, accepted).await;
            assert_eq!((packed.encoding.as_str(), &packed.page), (encoding, &plain.page), "{accepted} {cookie}");
            assert!(packed.bytes.len() * 4 < plain.bytes.len(), "{} {}", packed.bytes.len(), plain.bytes.len());
            // The visitor's own values are in the response as they are in the page, not compressed.
            let own = packed.form_id.as_bytes();
            with_own_values += usize::from(packed.bytes.windows(own.len()).any(|bytes| bytes == own));
        }
    }
    assert!(with_own_values > 300, "{with_own_values}");
}

#[tokio::test]
async fn a_page_is_put_together_once_it_is_asked_for_again() {
    let server = Site::new(Database::Sqlite).await.start();
    let mut ann = Client::join(&server, "harbour").await;
    let cookie = http::identity(&server).await;
    for number in 0..3 {
        ann.say(&format!("{number}"), &"many words ".repeat(40)).await;
        for encoding in ["br", "gzip"] {
            let first = sent(&server, "/harbour/", &cookie, encoding).await;
            let again = sent(&server, "/harbour/", &cookie, encoding).await;
            assert_eq!((again.encoding.as_str(), &first.page), (encoding, &again.page));
            let plain = sent(&server, "/harbour/", &cookie, "identity").await;
            assert_eq!(plain.page, again.page);
        }
    }
}

#[tokio::test]
async fn a_request_for_the_head_describes_the_page() {
    let server = Site::new(Database::Sqlite).await.start();
    let cookie = http::identity(&server).await;
    for _ in 0..3 {
        let page = sent(&server, "/harbour/", &cookie, OF_BROWSERS).await;
        let request = http::browser().request(Method::HEAD, server.url("/harbour/"));
        let head =
            request.header(COOKIE, &cookie).header(ACCEPT_ENCODING, OF_BROWSERS).send().await.expect("an answer");
        assert_eq!(head.headers()[CONTENT_ENCODING], "br");
        assert_eq!(head.headers()[VARY], "accept-encoding");
        let len: usize = head.headers()[CONTENT_LENGTH].to_str().expect("digits").parse().expect("a number");
        assert!(len.abs_diff(page.bytes.len()) < page.bytes.len() / 4, "{len} {}", page.bytes.len());
        assert!(head.bytes().await.expect("no body").is_empty());
    }
}
