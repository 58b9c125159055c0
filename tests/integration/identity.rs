//! Identities: a cookie that pages set, that scripts cannot read, and that the database does not store.

use crate::support::host::on_each_database;
use crate::support::{Client, Database, Door, Site, database, http};
use sea_orm::TryGetable;

on_each_database!(
    every_page_gives_an_identity_once,
    an_identity_that_was_not_given_out_is_not_adopted,
    an_identity_is_recognized_after_a_restart,
    the_database_does_not_hold_the_cookie,
    an_old_cookie_is_given_anew_with_the_same_identity,
);

async fn every_page_gives_an_identity_once(site: Site) {
    let server = site.start();
    for path in ["/", "/harbour/", "/harbour", "/harbour/1", "/a%20b/"] {
        let cookies = http::get(&server, path).await.cookies;
        let [cookie] = cookies.as_slice() else { panic!("{path}: {cookies:?}") };
        let attributes: Vec<&str> = cookie.split("; ").skip(1).collect();
        assert!(cookie.starts_with("parlour_identity="), "{cookie}");
        for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(attributes.contains(&attribute), "{path}: {cookie}");
        }
        let pair = cookie.split(';').next().expect("a pair");
        let again = http::get_as(&server, path, &format!("other=1; {pair}; more=2")).await;
        assert_eq!(again.cookies, Vec::<String>::new(), "{path}");
        // Another program on this host has set something that is no text.
        let among = [b"theirs=caf\xe9; ", pair.as_bytes()].concat();
        let again = http::send(http::browser().get(server.url(path)).header("cookie", among)).await;
        assert_eq!(again.cookies, Vec::<String>::new(), "{path}");
    }
    let one = http::identity(&server).await;
    assert_ne!(one, http::identity(&server).await);
    for path in ["/healthz", "/readyz", "/robots.txt", "/assets/dev/x"] {
        assert_eq!(http::get(&server, path).await.cookies, Vec::<String>::new(), "{path} is no page");
    }
}

/// The id, the signature, and the day on which the cookie was given.
fn parts(cookie: &str) -> [&str; 3] {
    let value = cookie.strip_prefix("parlour_identity=").expect("a cookie");
    value.split('.').collect::<Vec<_>>().try_into().expect("three parts")
}

async fn an_old_cookie_is_given_anew_with_the_same_identity(site: Site) {
    let server = site.start();
    let cookie = http::identity(&server).await;
    let [id, signature, day] = parts(&cookie);
    let month_ago = day.parse::<i64>().expect("a day") - 31;
    for old in [format!("{id}.{signature}.{month_ago}"), format!("{id}.{signature}")] {
        for path in ["/", "/harbour/", "/Harbour"] {
            let renewed = http::get_as(&server, path, &format!("parlour_identity={old}")).await.cookies;
            let [renewed] = renewed.as_slice() else { panic!("{path}: {renewed:?}") };
            assert!(renewed.contains("; Max-Age=31536000;"), "{renewed}");
            let pair = renewed.split(';').next().expect("a pair");
            assert_eq!(parts(pair)[..2], [id, signature]);
            assert_eq!(http::get_as(&server, path, pair).await.cookies, Vec::<String>::new(), "it is not old any more");
        }
    }
    let forged = format!("parlour_identity={signature}.{id}.{month_ago}");
    assert!(
        !http::get_as(&server, "/", &forged).await.cookies[0].contains(id),
        "what was not given out is not renewed"
    );
}

async fn an_identity_that_was_not_given_out_is_not_adopted(site: Site) {
    let server = site.start();
    let own = http::identity(&server).await;
    let [id, signature, _] = parts(&own);
    let forgeries = [
        String::new(),
        "admin".to_owned(),
        id.to_owned(),
        format!("{id}."),
        format!("{id}.{}", "0".repeat(signature.len())),
        format!("{}.{signature}", "0".repeat(id.len())),
        format!("{signature}.{id}"),
    ];
    for forged in forgeries {
        let cookie = format!("parlour_identity={forged}");
        let answer = http::get_as(&server, "/", &cookie).await;
        assert_eq!(answer.cookies.len(), 1, "{forged:?} is replaced");
        assert!(!answer.cookies[0].starts_with(&format!("{cookie};")), "{forged:?} is not confirmed");
        let own = Door::of("harbour").identity(&own, &server).join(&server).await;
        // A visitor without a cookie gets a new identity every time. Tags are short: they may collide once, but not
        // three times.
        let mut alike = true;
        for _ in 0..3 {
            let forger = Door::of("harbour").identity(&cookie, &server).join(&server).await;
            alike &= forger.welcome["tag"] == own.welcome["tag"];
        }
        assert!(!alike, "{forged:?}");
    }
}

async fn an_identity_is_recognized_after_a_restart(site: Site) {
    let mut server = site.start();
    let cookie = http::identity(&server).await;
    let tag = Door::of("harbour").identity(&cookie, &server).join(&server).await.welcome["tag"].clone();
    server.stop();
    let server = site.start();
    assert_eq!(http::get_as(&server, "/", &cookie).await.cookies, Vec::<String>::new());
    let client = Door::of("harbour").identity(&cookie, &server).join(&server).await;
    assert_eq!(client.welcome["tag"], tag);
}

async fn the_database_does_not_hold_the_cookie(site: Site) {
    let mut server = site.start();
    let cookie = http::identity(&server).await;
    let mut client = Door::of("harbour").identity(&cookie, &server).join(&server).await;
    let said = client.say("a", "find-me").await;
    let rows = database::rows(&site.database_url, "SELECT author FROM events").await;
    let author = Vec::<u8>::try_get_by(&rows[0], 0).expect("bytes");
    drop(client);
    server.stop();

    let [id, signature, _] = parts(&cookie);
    let raw = |hex: &str| uuid::Uuid::try_parse(hex).expect("hexadecimal digits").into_bytes().to_vec();
    let secrets = [id.as_bytes().to_vec(), signature.as_bytes().to_vec(), raw(id), raw(signature)];
    assert!(!secrets.contains(&author));
    let tag: String = author.iter().take(2).map(|byte| format!("{byte:02x}")).collect();
    let shown = said["tag"].as_str().expect("a tag");
    assert_eq!(shown.len(), tag.len(), "the tag is four characters");
    for name in ["parlour.db", "parlour.db-wal"] {
        let Ok(bytes) = std::fs::read(site.data.join(name)) else { continue };
        let holds = |secret: &[u8]| bytes.windows(secret.len()).any(|window| window == secret);
        assert!(name != "parlour.db" || holds(b"find-me"), "this is the file");
        assert!(!secrets.iter().any(|secret| holds(secret)), "the cookie lies in {name}");
    }
}

/// The cookies of a browser, by name; those of all ports of a host are together.
#[derive(Default)]
struct CookieJar(std::collections::BTreeMap<String, String>);

impl CookieJar {
    /// Opens a page, and keeps the cookies that it sets.
    async fn open(&mut self, server: &crate::support::Server, path: &str) -> http::Answer {
        let header: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = http::get_as(server, path, &header.join("; ")).await;
        for cookie in &answer.cookies {
            let (name, value) = cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a pair");
            self.0.insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    /// The tag of the visitor on this server.
    async fn tag(&self, server: &crate::support::Server) -> String {
        let header: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let client = Door::of("harbour").identity(&header.join("; "), server).join(server).await;
        client.welcome["tag"].to_string()
    }
}

#[tokio::test]
async fn two_sites_on_one_host_leave_each_other_their_cookies() {
    let (one, two) = (Site::new(Database::Sqlite).await, Site::new(Database::Sqlite).await);
    let (one, two) = (one.start(), two.start());
    let mut jar = CookieJar::default();
    jar.open(&one, "/harbour/?username=Ann").await;
    let first = jar.tag(&one).await;
    let page = jar.open(&two, "/harbour/").await;
    assert!(!page.body.contains("Ann"), "the name is the other site's");
    jar.open(&two, "/harbour/?username=Bob").await;
    let second = jar.tag(&two).await;
    for _ in 0..2 {
        let page = jar.open(&one, "/harbour/").await;
        assert!(
            page.cookies.is_empty() && page.body.contains("Ann") && !page.body.contains("Bob"),
            "{:?}",
            page.cookies
        );
        let page = jar.open(&two, "/harbour/").await;
        assert!(
            page.cookies.is_empty() && page.body.contains("Bob") && !page.body.contains("Ann"),
            "{:?}",
            page.cookies
        );
        assert_eq!((jar.tag(&one).await, jar.tag(&two).await), (first.clone(), second.clone()));
    }
    // The cookies of the first site are gone: those of the second still are its own.
    jar.0.retain(|name, _| name.contains("_username_") || name.contains("_identity_"));
    let page = jar.open(&two, "/harbour/").await;
    assert!(page.cookies.is_empty() && page.body.contains("Bob"), "{:?}", page.cookies);
    assert_eq!(jar.tag(&two).await, second);
}

#[tokio::test]
async fn guests_are_somebody_else_on_every_connection() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    let mut tags = std::collections::HashSet::new();
    for _ in 0..4 {
        tags.insert(Client::join(&server, "harbour").await.welcome["tag"].to_string());
    }
    assert!(tags.len() > 1, "{tags:?}");
}

#[tokio::test]
async fn responses_for_one_visitor_are_not_cached_by_proxies() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    for path in [
        "/",
        "/harbour/",
        "/Harbour",
        "/?room_name=harbour",
        "/a%20b/",
        "/api/load_history?room_name=harbour",
        "/api/open_room?room_name=harbour",
        "/api/nothing",
        "/ws/harbour/",
        "/assets/dev/nothing",
        "/metrics",
    ] {
        let answer = http::browser().get(server.url(path)).send().await.expect("an answer");
        assert_eq!(answer.headers()["cache-control"], "private, no-store", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_identity_outlives_the_change_from_http_to_https() {
    let site = Site::new(Database::Sqlite).await;
    let mut server = site.start();
    let cookie = http::identity(&server).await;
    let mut ann = Door::of("harbour").username("Ann").identity(&cookie, &server).join(&server).await;
    ann.say("a", "hello").await;
    let tag = ann.welcome["tag"].clone();
    server.stop();

    let with_tls = site.with_flags(&["--public-url", "https://chat.example"]);
    let server = with_tls.start();
    let page = http::browser().get(server.url("/harbour/")).header("host", "chat.example").header("cookie", &cookie);
    let answer = http::send(page).await;
    let [new] = answer.cookies.as_slice() else { panic!("{:?}", answer.cookies) };
    let new = new.split(';').next().expect("a pair");
    assert!(new.starts_with("__Host-parlour_identity="), "{new}");
    for cookie in [&*cookie, new] {
        let door = Door::of("harbour").username("Ann").header("cookie", cookie);
        let mut ann = door.header("origin", "https://chat.example").join(&server).await;
        assert_eq!(ann.welcome["tag"], tag);
        assert_eq!(ann.say(&format!("b{}", cookie.len()), "her name is hers").await["type"], "message");
    }
    // With its own cookie, that of before counts no more.
    let other = http::send(http::browser().get(server.url("/")).header("host", "chat.example")).await.cookies;
    let other = other[0].split(';').next().expect("a pair").to_owned();
    let door = Door::of("harbour").header("cookie", format!("{cookie}; {other}"));
    let both = door.header("origin", "https://chat.example").join(&server).await;
    let door = Door::of("harbour").header("cookie", other);
    let alone = door.header("origin", "https://chat.example").join(&server).await;
    assert_eq!(both.welcome["tag"], alone.welcome["tag"]);
}
