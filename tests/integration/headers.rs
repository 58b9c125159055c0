//! Headers of every response, and the attributes of cookies on an https site.

use crate::support::{Client, Database, Door, Server, Site, http};
use reqwest::header::HeaderMap;

async fn headers(server: &Server, path: &str) -> HeaderMap {
    let request = http::browser().get(server.url(path)).send();
    request.await.expect("an answer").headers().clone()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map_or("", |value| value.to_str().expect("visible ASCII"))
}

fn nonce(policy: &str) -> &str {
    policy.split_once("'nonce-").and_then(|(_, rest)| rest.split_once('\'')).expect("a nonce").0
}

#[tokio::test]
async fn every_answer_says_where_it_may_stand_and_what_it_may_load() {
    let server = Site::new(Database::Sqlite).await.start();
    for path in
        ["/", "/harbour/", "/a%20b/", "/robots.txt", "/healthz", "/api/nothing", "/ws/harbour/", "/assets/dev/x"]
    {
        let headers = headers(&server, path).await;
        assert_eq!(text(&headers, "x-content-type-options"), "nosniff", "{path}");
        assert_eq!(text(&headers, "referrer-policy"), "no-referrer", "{path}");
        assert_eq!(text(&headers, "cross-origin-opener-policy"), "same-origin", "{path}");
        let policy = text(&headers, "content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert_eq!(text(&headers, "strict-transport-security"), "", "{path}");
    }
}

#[tokio::test]
async fn pages_are_not_changed_on_the_way_and_telephone_numbers_stay_text() {
    let server = Site::new(Database::Sqlite).await.start();
    for path in ["/", "/harbour/", "/a%20b/"] {
        let answer = http::browser().get(server.url(path)).send().await.expect("an answer");
        let lines: Vec<_> = answer.headers().get_all("cache-control").iter().collect();
        assert_eq!(lines, ["private, no-store", "no-transform"], "{path}");
        let page = answer.text().await.expect("a page");
        assert!(page.contains("name=\"format-detection\" content=\"telephone=no"), "{path}");
    }
}

#[tokio::test]
async fn the_front_page_may_be_indexed_and_rooms_never() {
    let mut site = Site::new(Database::Sqlite).await;
    for (settings, indexed) in [(&[][..], false), (&["--front-page-indexed", "on"], true)] {
        site = site.limited(settings);
        let mut server = site.start();
        let front = http::get(&server, "/").await.body;
        assert!(front.contains("<meta name=\"description\" content=\"Chat rooms"), "{front}");
        assert_eq!(front.contains("noindex"), !indexed);
        for path in ["/harbour/", "/a%20b/"] {
            assert!(http::get(&server, path).await.body.contains("noindex"), "{path}");
        }
        let robots = http::get(&server, "/robots.txt").await.body;
        assert_eq!(robots.contains("Allow: /$"), indexed, "{robots}");
        assert!(!indexed || robots.ends_with("Disallow: /\n"), "{robots}");
        server.stop();
    }
}

#[tokio::test]
async fn a_host_with_the_default_port_is_the_site() {
    let server = Site::new(Database::Sqlite).await.limited(&["--allowed-hosts", "chat.example"]).start();
    let cookie = http::identity(&server).await;
    let request = http::browser().post(server.url("/harbour/")).header("host", "chat.example:80");
    let request = request.header("origin", "http://chat.example").header("cookie", cookie);
    let answer = http::send(request.form(&[("message", "hello"), ("username", "Ann")])).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
}

#[tokio::test]
async fn scripts_run_by_a_nonce_that_no_other_page_has() {
    let server = Site::new(Database::Sqlite).await.start();
    let mut seen = Vec::new();
    for path in ["/", "/harbour/", "/harbour/", "/a%20b/"] {
        let answer = http::browser().get(server.url(path)).send().await.expect("an answer");
        assert_eq!(text(answer.headers(), "cache-control"), "private, no-store");
        let policy = text(answer.headers(), "content-security-policy").to_owned();
        for part in ["'strict-dynamic'", "'wasm-unsafe-eval'", "base-uri 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe-inline"), "{path}: {policy}");
        let page = answer.text().await.expect("a page");
        let nonce = nonce(&policy).to_owned();
        assert!(page.contains("<script"), "{path}");
        for script in page.split("<script").skip(1) {
            let tag = script.split('>').next().expect("a tag");
            assert!(tag.contains(&format!("nonce=\"{nonce}\"")), "{path}: <script{tag}>");
        }
        assert!(!page.contains(" style=\"") && !page.contains("<style"), "{path}: no inline style");
        assert!(!seen.contains(&nonce), "{path}");
        seen.push(nonce);
    }
}

#[tokio::test]
async fn over_https_cookies_are_of_this_host_alone() {
    let site = Site::new(Database::Sqlite).await.limited(&["--public-url", "https://chat.example"]);
    let server = site.start();
    let answer = http::send(http::browser().get(server.url("/")).header("host", "chat.example")).await;
    let [cookie] = answer.cookies.as_slice() else { panic!("{:?}", answer.cookies) };
    assert!(cookie.starts_with("__Host-parlour_identity=") && cookie.ends_with("; Secure"), "{cookie}");
    assert!(cookie.contains("; Path=/;") && !cookie.contains("Domain"), "{cookie}");
    assert!(text(&headers(&server, "/harbour/").await, "strict-transport-security").starts_with("max-age="));
    let pair = cookie.split(';').next().expect("a pair");
    let door = |cookie: &str| Door::of("harbour").header("cookie", cookie).header("origin", "https://chat.example");
    let one = door(pair).join(&server).await;
    let two = door(pair).join(&server).await;
    assert_eq!(one.welcome["tag"], two.welcome["tag"]);
    // Without the `__Host-` prefix, another site may have set the cookie.
    let tossed = door(&pair.replace("__Host-", "")).join(&server).await;
    let again = door(&pair.replace("__Host-", "")).join(&server).await;
    // Tags are short: two strangers may have the same one, but hardly all three.
    assert!(tossed.welcome["tag"] != one.welcome["tag"] || again.welcome["tag"] != one.welcome["tag"]);
    let _guest = Client::join(&server, "harbour").await;
}

#[tokio::test]
async fn a_function_redirects_nobody() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    Client::join(&server, "harbour").await.say("1", "hello").await;
    let own = server.url("/harbour/");
    for referer in ["javascript:alert(1)", "http://evil.example/", "data:text/html,x", "//evil.example", own.as_str()] {
        for accept in ["text/html", "text/html,application/xhtml+xml,*/*;q=0.8"] {
            for path in ["/api/load_history?room_name=harbour", "/api/load_history?room_name=a%20b", "/api/nothing"] {
                let request = http::browser().get(server.url(path)).header("accept", accept).header("referer", referer);
                let answer = http::send(request).await;
                assert!(!answer.status.is_redirection(), "{path} {referer}: {}", answer.status);
                assert_eq!(answer.location, None, "{path} {referer}");
            }
            let form = [("room_name", "harbour"), ("username", "Ann")];
            let request = http::browser().post(server.url("/api/join_room")).header("accept", accept);
            let request = request.header("referer", referer).header("origin", server.origin());
            let answer = http::send(request.form(&form)).await;
            assert_eq!((answer.status.as_u16(), answer.location), (200, None), "{referer}");
        }
    }
}
