//! Requests to write that are refused: bad bodies, other media types, pages of other sites, rooms that do not admit, and
//! limits. Programs get problem details, and nothing is stored.

use crate::support::api::{Reply, curl, post_as, request, send};
use crate::support::host::on_each_database;
use crate::support::{Database, Door, Server, Site, database, http};
use serde_json::json;

on_each_database!(bad_bodies_are_refused_and_store_nothing);

const TEXT: &str = "text/plain";

async fn bad_bodies_are_refused_and_store_nothing(site: Site) {
    let server = site.start();
    let (json_type, form_type) = ("application/json", "application/x-www-form-urlencoded");
    let long = |text: &str| text.repeat(17 << 10).into_bytes();
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(5000), close.repeat(5000)).into_bytes();
    let cases: Vec<(&str, Vec<u8>, u16, &str)> = vec![
        (TEXT, b"".to_vec(), 422, "empty"),
        (TEXT, b" \n\t".to_vec(), 422, "empty"),
        (TEXT, "\u{200b}".into(), 422, "empty"),
        (TEXT, b"a\0b".to_vec(), 422, "invalid"),
        (TEXT, b"caf\xe9".to_vec(), 400, "invalid"),
        (TEXT, b"\xed\xa0\x80".to_vec(), 400, "invalid"),
        (TEXT, "x".repeat(4001).into(), 413, "too_long"),
        (TEXT, long("x"), 413, "too_long"),
        (TEXT, "x".repeat(100_000).into(), 413, "too_long"),
        ("text/plain; charset=iso-8859-1", b"x".to_vec(), 415, "invalid"),
        ("text/html", b"x".to_vec(), 415, "invalid"),
        ("application/xml", b"<message>x</message>".to_vec(), 415, "invalid"),
        ("application/octet-stream", b"x".to_vec(), 415, "invalid"),
        ("multipart/form-data; boundary=x", b"--x--".to_vec(), 415, "invalid"),
        ("no type", b"x".to_vec(), 415, "invalid"),
        (json_type, b"".to_vec(), 400, "invalid"),
        (json_type, b"hello".to_vec(), 400, "invalid"),
        (json_type, b"{\"message\": \"x\"".to_vec(), 400, "invalid"),
        (json_type, b"{\"message\": \"x\"} {}".to_vec(), 400, "invalid"),
        (json_type, b"{'message': 'x'}".to_vec(), 400, "invalid"),
        (json_type, b"{\"message\": \"\xff\"}".to_vec(), 400, "invalid"),
        (json_type, b"{\"message\": \"\\ud800\"}".to_vec(), 400, "invalid"),
        (json_type, b"{\"message\": \"x\", \"message\": \"y\"}".to_vec(), 400, "invalid"),
        (json_type, deep("[", "]"), 400, "invalid"),
        (json_type, deep("[", ""), 400, "invalid"),
        (json_type, b"null".to_vec(), 422, "invalid"),
        (json_type, b"[\"x\"]".to_vec(), 422, "invalid"),
        (json_type, b"{}".to_vec(), 422, "invalid"),
        (json_type, b"{\"message\": 5}".to_vec(), 422, "invalid"),
        (json_type, b"{\"message\": null}".to_vec(), 422, "invalid"),
        (json_type, b"{\"message\": \"\"}".to_vec(), 422, "empty"),
        (json_type, b"{\"message\": \"a\\u0000\"}".to_vec(), 422, "invalid"),
        (json_type, b"{\"message\": \"x\", \"id\": 5}".to_vec(), 422, "invalid"),
        (json_type, b"{\"message\": \"x\", \"id\": \"\"}".to_vec(), 422, "invalid"),
        (json_type, b"{\"message\": \"x\", \"username\": true}".to_vec(), 422, "invalid"),
        (json_type, "{\"message\": \"x\", \"username\": \"a\u{202e}b\"}".into(), 422, "username_invalid"),
        (json_type, long(" "), 413, "too_long"),
        ("application/json; charset=utf-16", b"{\"message\": \"x\"}".to_vec(), 415, "invalid"),
        (form_type, b"\xff".to_vec(), 400, "invalid"),
        (form_type, b"message=%ff".to_vec(), 400, "invalid"),
        (form_type, b"message=a&message=b".to_vec(), 422, "invalid"),
        (form_type, long("x"), 413, "too_long"),
        (form_type, "x".repeat(100_000).into(), 413, "too_long"),
    ];
    for (media_type, body, status, code) in cases {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let refused = post_as(&server, "/harbour/", media_type, body).await;
        assert_eq!((refused.status, refused.code()), (status, code.into()), "{media_type}: {shown}: {refused:?}");
    }
    let untyped = send(request(&server, "POST", "/harbour/").body("x")).await;
    assert_eq!((untyped.status, untyped.code()), (415, "invalid".into()));
    let packed = request(&server, "POST", "/harbour/").header("content-type", TEXT).header("content-encoding", "gzip");
    assert_eq!(send(packed.body("x")).await.status, 415);
    let twice = request(&server, "POST", "/harbour/").header("content-type", TEXT).header("idempotency-key", "a");
    assert_eq!(send(twice.header("idempotency-key", "b").body("x")).await.code(), "invalid");
    assert_eq!(post_as(&server, "/.x/", TEXT, "x").await.code(), "not_found");
    assert_eq!(send(request(&server, "PUT", "/harbour/").header("accept", "application/json")).await.status, 405);
    assert_eq!(database::room_names(&site.database_url).await, Vec::<String>::new());
}

#[tokio::test]
async fn pages_of_other_sites_are_refused_before_anything_else() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    for (name, value) in [("origin", "http://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")] {
        for media_type in [TEXT, "application/json", "application/x-www-form-urlencoded", "application/xml"] {
            for method in ["POST", "PATCH", "DELETE"] {
                let path = if method == "POST" { "/harbour/" } else { "/harbour/1" };
                let post = request(&server, method, path).header(name, value).header("content-type", media_type);
                let refused = send(post.body("{\"message\": \"x\"}")).await;
                assert_eq!(refused.status, 403, "{method} {name} {media_type}");
            }
        }
    }
    assert_eq!(database::room_names(&site.database_url).await, Vec::<String>::new());
}

/// Returns the answer without what differs each time.
fn comparable(reply: &Reply) -> (u16, String, Vec<(String, String)>) {
    let mut headers: Vec<_> = reply
        .headers
        .iter()
        .filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().expect("a plain header").to_owned()))
        .collect();
    headers.sort();
    (reply.status, reply.text.clone(), headers)
}

#[tokio::test]
async fn a_private_room_answers_strangers_like_none() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    let owner = http::identity(&server).await;
    let open = http::browser().post(server.url("/")).header("cookie", &owner).form(&[("room_name", "club")]);
    let room = http::send(open).await.location.expect("a room");
    let renew = json!({"type": "moderate", "id": "r", "action": "renew"});
    let path = room.trim_matches('/').to_owned();
    let mut client = Door::of(&path).identity(&owner, &server).join(&server).await;
    client.send(renew).await;
    client.answer_to("r").await;
    let none = format!("/club~{}/", "a".repeat(26));
    for (method, below, media_type, body) in [
        ("POST", "", TEXT, "x"),
        ("POST", "", TEXT, ""),
        ("POST", "", "application/json", "{\"message\": \"x\"}"),
        ("POST", "", "application/x-www-form-urlencoded", "x"),
        ("PATCH", "1", "application/json", "{\"message\": \"x\"}"),
        ("DELETE", "1", TEXT, ""),
    ] {
        let ask = async |room: &str| {
            let ask = request(&server, method, &format!("{room}{below}")).header("content-type", media_type);
            comparable(&send(ask.body(body)).await)
        };
        let (private, missing) = (ask(&room).await, ask(&none).await);
        assert_eq!(private, missing, "{method} {media_type} {body}");
        assert_eq!(private.0, 404, "{method} {media_type} {body}");
    }
    let post = request(&server, "POST", &room).header("cookie", &owner).header("content-type", TEXT).body("x");
    assert_eq!(send(post).await.status, 201);
}

/// Posts until a limit refuses it.
async fn until_refused(post: impl AsyncFn() -> Reply) -> Reply {
    for _ in 0..200 {
        let reply = post().await;
        if reply.status != 201 {
            return reply;
        }
    }
    panic!("nothing is limited");
}

#[tokio::test]
async fn guests_post_within_the_limits_of_their_network() {
    let limits = ["--messages-per-second-per-address", "1", "--message-burst-per-address", "3"];
    let server: Server = Site::new(Database::Sqlite).await.limited(&limits).start();
    for (media_type, body) in [(TEXT, "x"), ("application/x-www-form-urlencoded", "hello there")] {
        let refused = until_refused(async || post_as(&server, "/harbour/", media_type, body).await).await;
        assert_eq!((refused.status, refused.code()), (429, "rate_limited".into()), "{media_type}");
    }
}

#[tokio::test]
async fn limits_of_requests_are_problems_for_programs() {
    let limits = ["--requests-per-second", "1", "--request-burst", "3"];
    let server: Server = Site::new(Database::Sqlite).await.limited(&limits).start();
    let refused = until_refused(async || post_as(&server, "/harbour/", TEXT, "x").await).await;
    assert_eq!((refused.status, refused.code()), (429, "rate_limited".into()));
    let refused = until_refused(async || curl(&server, "/harbour/", "hello there").await).await;
    assert_eq!((refused.status, refused.code()), (429, "rate_limited".into()));
    let wrong_host = request(&server, "POST", "/harbour/").header("host", "evil.example").header("content-type", TEXT);
    let refused = send(wrong_host.body("x")).await;
    assert_eq!((refused.status, refused.code()), (421, "invalid".into()));
}
