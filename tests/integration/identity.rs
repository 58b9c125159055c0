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
