//! The page cache: a page is rendered once for many visitors. Changes in a room show at once, and data of one visitor
//! is never in another visitor's page.

use crate::support::host::on_each_database;
use crate::support::page::Page;
use crate::support::{Client, Database, Door, Server, Site, database, http};
use serde_json::json;

on_each_database!(
    events_show_on_the_page_at_once,
    own_messages_are_marked_for_their_author_alone,
    a_denied_visitor_gets_no_cached_page,
    expired_messages_leave_the_page,
    a_name_is_written_into_a_page_as_text,
);

/// Returns the number of cached pages that were served again.
async fn reused(server: &Server) -> u64 {
    let text = http::get(server, "/metrics").await.body;
    let line = text.lines().find(|line| line.starts_with("parlour_room_pages_total") && line.contains("reused"));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or_default()
}

async fn author(server: &Server, name: &str) -> (String, Client) {
    let cookie = http::identity(server).await;
    let client = Door::of("harbour").username(name).identity(&cookie, server).join(server).await;
    (cookie, client)
}

/// Requests the page twice, and returns the second response, which is from the cache.
async fn page_of(server: &Server, cookie: &str) -> String {
    let first = http::get_as(server, "/harbour/", cookie).await.body;
    let before = reused(server).await;
    let second = http::get_as(server, "/harbour/", cookie).await.body;
    assert_eq!(reused(server).await, before + 1, "it is reused");
    let (one, other) = (Page::parse(&first), Page::parse(&second));
    assert_eq!((one.list, one.messages), (other.list, other.messages));
    assert_eq!(first.len(), second.len());
    assert_ne!(first, second, "the nonce and the form's id are new");
    second
}

async fn events_show_on_the_page_at_once(site: Site) {
    let server = site.start();
    let (_, mut ann) = author(&server, "Ann").await;
    let reader = http::identity(&server).await;
    assert!(Page::parse(&page_of(&server, &reader).await).messages.is_empty());
    for n in 1..=60 {
        ann.say(&format!("m{n}"), &format!("text-{n}.")).await;
        if n % 20 == 0 {
            let page = Page::parse(&page_of(&server, &reader).await);
            assert!(page.shows(n, &format!("text-{n}.")) && page.number("data-head") == n, "{page:?}");
        }
    }
    ann.send(json!({"type": "edit", "id": "e", "target": 50, "text": "another text"})).await;
    ann.answer_to("e").await;
    let page = Page::parse(&page_of(&server, &reader).await);
    assert!(page.shows(50, "another text") && !page.shows(50, "text-50."), "{page:?}");
    ann.send(json!({"type": "delete", "id": "d", "target": 50})).await;
    ann.answer_to("d").await;
    let page = page_of(&server, &reader).await;
    assert!(!page.contains("another text") && page.contains("Message removed"), "{page}");
    ann.send(json!({"type": "post", "id": "n", "message": "newly named", "username": "Anna"})).await;
    ann.answer_to("n").await;
    let page = Page::parse(&page_of(&server, &reader).await);
    assert!(page.shows(63, "Anna") && page.shows(60, "text-60."), "{page:?}");
    // Another part of the history is another page.
    let around = Page::parse(&http::get_as(&server, "/harbour/7", &reader).await.body);
    assert!(around.shows(7, "text-7.") && !around.numbers().contains(&60), "{around:?}");
    database::execute(&site.database_url, "UPDATE rooms SET epoch = 'another'").await;
    let page = Page::parse(&page_of(&server, &reader).await);
    assert_eq!(page.list["data-epoch"], "another");
}

async fn own_messages_are_marked_for_their_author_alone(site: Site) {
    let server = site.start();
    let (ann_cookie, mut ann) = author(&server, "Ann").await;
    let (bob_cookie, mut bob) = author(&server, "Bob").await;
    ann.say("1", "mine").await;
    bob.say("2", "his").await;
    bob.say("3", "his too").await;
    let eve = http::identity(&server).await;
    let orders = [([&ann_cookie, &bob_cookie, &eve], &[1][..]), ([&eve, &bob_cookie, &ann_cookie], &[1, 4])];
    for (order, of_ann) in orders {
        for cookie in order {
            let page = page_of(&server, cookie).await;
            let (expected, tag): (&[i64], _) = match cookie {
                it if *it == ann_cookie => (of_ann, Some(&ann.welcome["tag"])),
                it if *it == bob_cookie => (&[2, 3], Some(&bob.welcome["tag"])),
                _ => (&[], None),
            };
            assert_eq!(Page::parse(&page).own, expected);
            let owner = *cookie == ann_cookie;
            assert_eq!(page.contains(r#""ownership":"Yours""#), owner, "whose the room is");
            if let Some(tag) = tag.and_then(|tag| tag.as_str()) {
                assert!(page.contains(&format!(r#""tag":"{tag}","permalink""#)), "{page}");
            }
        }
        ann.say("4", "one more").await;
        ann.send(json!({"type": "delete", "id": "d", "target": 4})).await;
        ann.answer_to("d").await;
    }
    ann.send(json!({"type": "moderate", "id": "h", "action": "hand_over", "target": 2})).await;
    ann.answer_to("h").await;
    for (cookie, owner) in [(&ann_cookie, false), (&bob_cookie, true), (&eve, false)] {
        let page = page_of(&server, cookie).await;
        assert_eq!(page.contains(r#""ownership":"Yours""#), owner);
    }
}

async fn a_denied_visitor_gets_no_cached_page(site: Site) {
    let server = site.start();
    let (ann_cookie, mut ann) = author(&server, "Ann").await;
    let (bob_cookie, mut bob) = author(&server, "Bob").await;
    ann.say("1", "for those inside").await;
    bob.say("2", "hello").await;
    let eve = http::identity(&server).await;
    for cookie in [&ann_cookie, &bob_cookie, &eve] {
        assert!(page_of(&server, cookie).await.contains("for those inside"));
    }
    ann.send(json!({"type": "moderate", "id": "b", "action": "ban", "target": 2, "seconds": 1000})).await;
    ann.answer_to("b").await;
    page_of(&server, &eve).await;
    ann.send(json!({"type": "moderate", "id": "l", "action": "lock"})).await;
    ann.answer_to("l").await;
    page_of(&server, &ann_cookie).await;
    for cookie in [&bob_cookie, &eve] {
        let answer = http::get_as(&server, "/harbour/", cookie).await;
        assert_eq!(answer.status, 403);
        assert!(!answer.body.contains("for those inside"), "{}", answer.body);
    }
}

async fn expired_messages_leave_the_page(site: Site) {
    let server = site.start();
    let (_, mut ann) = author(&server, "Ann").await;
    ann.say("1", "long ago").await;
    ann.say("2", "just now").await;
    let reader = http::identity(&server).await;
    assert!(page_of(&server, &reader).await.contains("long ago"));
    // As another node would.
    database::execute(&site.database_url, "DELETE FROM events WHERE seq = 1").await;
    let page = page_of(&server, &reader).await;
    assert!(!page.contains("long ago") && page.contains("just now"), "{page}");
    database::execute(&site.database_url, "DELETE FROM events").await;
    assert!(!page_of(&server, &reader).await.contains("just now"));
}

async fn a_name_is_written_into_a_page_as_text(site: Site) {
    let server = site.start();
    Client::join(&server, "harbour").await.say("1", "hello").await;
    let reader = http::identity(&server).await;
    page_of(&server, &reader).await;
    for (name, encoded, in_attribute, in_data) in [
        ("plain", "plain", "plain", "plain"),
        ("\"><b>", "%22%3E%3Cb%3E", "&quot;&gt;&lt;b&gt;", "\\\">\\u003cb>"),
        ("a&b\\", "a%26b%5C", "a&amp;b\\", "a&b\\\\"),
        ("'Zoë", "'Zo%C3%AB", "'Zoë", "'Zoë"),
    ] {
        for _ in 0..2 {
            let page = http::get_as(&server, &format!("/harbour/?username={encoded}"), &reader).await.body;
            assert!(page.contains(&format!("value=\"{in_attribute}\"")), "{name}: {page}");
            let data = format!(r#""username":"{in_data}","tag""#);
            assert!(page.contains(&data), "{name}: {page}");
            assert!(!page.contains("<b>\""), "{name}");
        }
    }
}

/// A page that one server has rendered, and that visitors of another server change.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_of_another_node_shows_on_the_page_at_once() {
    let site = Site::new(Database::Postgres).await;
    let (one, two) = (site.start(), site.start());
    let reader = http::identity(&one).await;
    let (_, mut ann) = author(&two, "Ann").await;
    for n in 1..=5 {
        ann.say(&n.to_string(), &format!("text-{n}.")).await;
        assert!(page_of(&one, &reader).await.contains(&format!("text-{n}.")));
    }
}
