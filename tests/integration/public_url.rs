//! Pages under another address than the public URL: they are redirected, and the log says so once.

use crate::support::http::{Answer, browser, send};
use crate::support::{Database, Door, Server, Site, eventually, http};

const PUBLIC: &str = "https://chat.example";

async fn get(server: &Server, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = browser().get(server.url(path));
    send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
}

#[tokio::test]
async fn pages_under_another_address_lead_to_the_public_url() {
    let site = Site::new(Database::Sqlite).await.with_flags(&["--public-url", PUBLIC]);
    let server = site.start();
    for (path, host, proto) in [
        ("/", "127.0.0.1:3000", None),
        ("/harbour/?username=Ann%20B", "localhost:3000", None),
        ("/harbour/42", "chat.example:3000", None),
        ("/harbour/", "chat.example", Some("http")),
        ("//evil.example/", "192.0.2.1", None),
    ] {
        let headers = [("host", host), ("x-forwarded-proto", proto.unwrap_or("https"))];
        let answer = get(&server, path, &headers).await;
        if path.starts_with("//") {
            assert!(answer.location.is_none_or(|location| location.starts_with(PUBLIC)), "{path}");
            continue;
        }
        assert_eq!((answer.status.as_u16(), answer.location), (307, Some(format!("{PUBLIC}{path}"))), "{host}");
        assert!(answer.cookies.iter().all(|cookie| !cookie.contains("identity")), "nobody comes into being");
    }
    for headers in [&[("host", "chat.example")][..], &[("host", "CHAT.example:443"), ("x-forwarded-proto", "https")]] {
        assert_eq!(get(&server, "/harbour/", headers).await.status, 200, "{headers:?}");
    }
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(get(&server, path, &[]).await.status, 200, "{path} is no page");
    }
    assert_eq!(server.log().matches("another address than --public-url").count(), 1, "{}", server.log());
}

#[tokio::test]
async fn a_redirect_that_leads_back_ends() {
    let site = Site::new(Database::Sqlite).await.with_flags(&["--public-url", PUBLIC]);
    let server = site.start();
    let first = get(&server, "/harbour/", &[]).await;
    let [cookie] = first.cookies.as_slice() else { panic!("{:?}", first.cookies) };
    let pair = cookie.split(';').next().expect("a pair");
    for _ in 0..2 {
        assert_eq!(get(&server, "/harbour/", &[("cookie", pair)]).await.status, 200);
    }
    assert_eq!(server.log().matches("The proxy reports another address").count(), 1, "{}", server.log());
}

#[tokio::test]
async fn a_socket_of_another_address_is_refused_and_logged_once() {
    let site = Site::new(Database::Sqlite).await.with_flags(&["--public-url", PUBLIC]);
    let server = site.start();
    for _ in 0..3 {
        let door = Door::of("harbour").header("origin", "http://127.0.0.1:3000");
        assert_eq!(door.refusal(&server).await, 403);
    }
    let refusals = || server.log().matches("A socket was refused").count();
    // A thread of its own writes the log.
    eventually("the refusal is logged", || async { (refusals() > 0).then_some(()) }).await;
    assert_eq!(refusals(), 1, "{}", server.log());
    let cookie = http::send(browser().get(server.url("/")).header("host", "chat.example")).await.cookies;
    assert!(cookie[0].starts_with("__Host-"), "{cookie:?}");
}
