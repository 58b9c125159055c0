//! A room's messages as JSON: pages in both directions, single messages, and validators.

use crate::support::host::on_each_database;
use crate::support::{Client, Database, Door, Server, Site, http};
use reqwest::header::{ACCEPT, HeaderMap, IF_NONE_MATCH};
use serde_json::{Value, json};

on_each_database!(
    pages_follow_each_other_in_both_directions,
    a_message_reads_as_it_does_now,
    nothing_new_is_answered_with_304,
    a_private_room_is_nowhere_for_others,
);

struct JsonAnswer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl JsonAnswer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The numbers of the messages on the page.
    fn numbers(&self) -> Vec<i64> {
        let page = self.json();
        let messages = page["messages"].as_array().expect("messages").iter();
        messages.map(|message| message["seq"].as_i64().expect("a number")).collect()
    }
}

async fn get_json(server: &Server, path: &str, headers: &[(&str, &str)]) -> JsonAnswer {
    let request = http::browser().get(server.url(path)).header(ACCEPT, "application/json");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    JsonAnswer { status, headers, body: response.text().await.expect("a body") }
}

async fn pages_follow_each_other_in_both_directions(site: Site) {
    let server = site.start();
    let ann = Client::with_messages(&server, 250).await;
    let newest = get_json(&server, "/harbour/", &[]).await;
    assert_eq!(newest.numbers(), (201..=250).collect::<Vec<_>>());
    let page = newest.json();
    assert_eq!((&page["room"], &page["epoch"], &page["head"]), (&json!("harbour"), &ann.welcome["epoch"], &json!(250)));
    assert_eq!((&page["before"], &page["after"]), (&json!(201), &json!(null)));
    assert!(!newest.headers.contains_key("set-cookie"));
    for (query, numbers, before, after) in [
        ("limit=1", 250..=250, json!(250), json!(null)),
        ("limit=0", 250..=250, json!(250), json!(null)),
        ("limit=-5", 250..=250, json!(250), json!(null)),
        ("limit=1000", 51..=250, json!(51), json!(null)),
        ("limit=99999999999999999999", 51..=250, json!(51), json!(null)),
        ("before=201&limit=200", 1..=200, json!(null), json!(200)),
        ("before=3", 1..=2, json!(null), json!(2)),
        ("after=248", 249..=250, json!(249), json!(null)),
        ("after=0&limit=3", 1..=3, json!(null), json!(3)),
        ("around=100&limit=4", 98..=101, json!(98), json!(101)),
        ("around=100&limit=1", 100..=100, json!(100), json!(100)),
    ] {
        let answer = get_json(&server, &format!("/harbour/?{query}"), &[]).await;
        assert_eq!(answer.numbers(), numbers.collect::<Vec<_>>(), "{query}");
        let page = answer.json();
        assert_eq!((&page["before"], &page["after"]), (&before, &after), "{query}");
        let links: Vec<&str> = answer.headers.get_all("link").iter().map(|link| link.to_str().unwrap()).collect();
        for (number, name, relation) in [(before, "before", "prev"), (after, "after", "next")] {
            let link = links.iter().find(|link| link.ends_with(&format!("rel=\"{relation}\"")));
            assert_eq!(link.is_some(), number.is_number(), "{query} {links:?}");
            assert!(
                link.is_none_or(|link| link.starts_with(&format!("</harbour/?{name}={number}&limit="))),
                "{links:?}"
            );
        }
    }
    for query in ["before=99", "after=250", "before=1", "around=5"] {
        let answer = get_json(&server, &format!("/nobody-was-here/?{query}"), &[]).await;
        assert_eq!((answer.status, answer.numbers()), (200, vec![]), "{query}");
    }
    for query in [
        "before=x",
        "after=-1",
        "around=",
        "limit=x",
        "limit=",
        "before=1&after=2",
        "before=1&before=2",
        "around=1&after=0",
    ] {
        let answer = get_json(&server, &format!("/harbour/?{query}"), &[]).await;
        assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("invalid")), "{query}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
}

async fn a_message_reads_as_it_does_now(site: Site) {
    let server = site.start();
    let mut ann = Client::with_messages(&server, 2).await;
    let message = get_json(&server, "/harbour/1", &[]).await.json();
    assert_eq!((&message["seq"], &message["id"], &message["message"]), (&json!(1), &json!("1"), &json!("1")));
    assert_eq!((&message["username"], &message["tag"]), (&json!("Ann"), &ann.welcome["tag"]));
    assert!(message["sent_at"].is_i64() && message.get("edited").is_none() && message.get("deleted").is_none());
    ann.send(json!({"type": "edit", "id": "3", "target": 1, "text": "new"})).await;
    ann.answer_to("3").await;
    let message = get_json(&server, "/harbour/1", &[]).await.json();
    assert_eq!((&message["message"], &message["edited"]), (&json!("new"), &json!(true)));
    ann.send(json!({"type": "delete", "id": "4", "target": 1})).await;
    ann.answer_to("4").await;
    let message = get_json(&server, "/harbour/1", &[]).await.json();
    assert_eq!((&message["message"], &message["deleted"]), (&json!(""), &json!(true)));
    let page = get_json(&server, "/harbour/", &[]).await.json();
    assert_eq!(page["messages"][0], message);
    // Edits and deletions have numbers, but are no messages.
    for path in ["/harbour/3", "/harbour/4", "/harbour/5", "/harbour/99999999999999999999", "/harbour/x", "/a/b/c"] {
        let answer = get_json(&server, path, &[]).await;
        assert_eq!((answer.status, &answer.json()["code"]), (404, &json!("not_found")), "{path}");
    }
}

async fn nothing_new_is_answered_with_304(site: Site) {
    let server = site.start();
    let mut ann = Client::with_messages(&server, 2).await;
    for (id, path) in [("3", "/harbour/"), ("4", "/harbour/?limit=1"), ("5", "/harbour/1")] {
        let first = get_json(&server, path, &[]).await;
        let tag = first.headers["etag"].to_str().expect("text").to_owned();
        assert_eq!(first.headers["vary"], "accept");
        for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
            let again = get_json(&server, path, &[(IF_NONE_MATCH.as_str(), &known)]).await;
            assert_eq!((again.status, &*again.body), (304, ""), "{path} {known}");
            assert_eq!(again.headers["etag"], *tag);
        }
        ann.send(json!({"type": "edit", "id": id, "target": 1, "text": path})).await;
        ann.answer_to(id).await;
        let changed = get_json(&server, path, &[(IF_NONE_MATCH.as_str(), &tag)]).await;
        assert_eq!(changed.status, 200, "{path}");
    }
    let html = http::browser().get(server.url("/harbour/")).header(ACCEPT, "text/html").send().await.expect("a page");
    assert!(html.headers().get_all("vary").iter().any(|vary| vary == "accept"));
}

async fn a_private_room_is_nowhere_for_others(site: Site) {
    let server = site.start();
    let (owner, other) = (http::identity(&server).await, http::identity(&server).await);
    let form = [("username", "Ann"), ("room_name", "secret")];
    let request = http::browser().post(server.url("/")).header("cookie", &owner).form(&form);
    let path = http::send(request).await.location.expect("a room");
    // With another invitation the address alone no longer admits anybody.
    let mut ann = Door::at(&format!("/ws{path}")).identity(&owner, &server).join(&server).await;
    ann.say("1", "hidden").await;
    ann.send(json!({"type": "moderate", "id": "renew", "action": "renew"})).await;
    ann.answer_to("renew").await;
    let key_at = path.find('~').expect("a key") + 1;
    let none = format!("{}{}/", &path[..key_at], "a".repeat(26));
    for below in ["", "1", "events?wait=0", "events?wait=0&after=0", "?limit=1"] {
        assert_eq!(get_json(&server, &format!("{path}{below}"), &[("cookie", &owner)]).await.status, 200, "{below}");
        let there = get_json(&server, &format!("{path}{below}"), &[("cookie", &other)]).await;
        let nowhere = get_json(&server, &format!("{none}{below}"), &[("cookie", &other)]).await;
        assert_eq!((there.status, nowhere.status), (404, 404), "{below}");
        assert_eq!(there.body, nowhere.body, "{below}");
        let named = |headers: &HeaderMap| {
            let stable = headers.iter().filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()));
            stable.map(|(name, value)| format!("{name}: {value:?}")).collect::<Vec<_>>()
        };
        assert_eq!(named(&there.headers), named(&nowhere.headers), "{below}");
    }
}

#[tokio::test]
async fn a_page_of_another_site_reads_nothing() {
    let server = Site::new(Database::Sqlite).await.start();
    let _ann = Client::with_messages(&server, 1).await;
    for path in ["/harbour/", "/harbour/1"] {
        for foreign in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
            let answer = get_json(&server, path, &[foreign]).await;
            assert_eq!((answer.status, &answer.json()["code"]), (403, &json!("forbidden")), "{path} {foreign:?}");
        }
        assert_eq!(get_json(&server, path, &[("sec-fetch-site", "same-origin")]).await.status, 200);
    }
}

#[tokio::test]
async fn a_program_without_cookies_is_no_new_visitor_each_time() {
    let site = Site::new(Database::Sqlite).await.limited(&["--visitors-per-hour", "1"]);
    let server = site.start();
    for _ in 0..5 {
        assert_eq!(get_json(&server, "/harbour/", &[]).await.status, 200);
    }
}
