//! Acknowledged messages are on the page, however the server ended.

use crate::support::host::on_each_database;
use crate::support::page::Page;
use crate::support::{Client, Door, Server, Site, database, http};
use serde_json::{Value, json};

on_each_database!(
    history_survives_a_restart,
    history_survives_kill_9,
    the_page_shows_the_newest_fifty_oldest_first,
    a_message_has_an_address_of_its_own,
    the_page_says_where_a_client_goes_on,
    moderation_events_are_asked_for_only_in_rooms_that_have_some,
    messages_are_text_on_the_page,
    unread_messages_are_counted_in_rooms_that_there_are,
    without_the_database_functions_say_so,
);

async fn fill(server: &Server, room: &str, count: i64) {
    let mut client = Client::join(server, room).await;
    for n in 1..=count {
        client.post(&n.to_string(), &format!("message {n}.")).await;
    }
    client.answer_to(&count.to_string()).await;
}

async fn history_survives_a_restart(site: Site) {
    let mut server = site.start();
    fill(&server, "harbour", 3).await;
    server.stop();
    is_kept(&site).await;
}

async fn history_survives_kill_9(site: Site) {
    let mut server = site.start();
    fill(&server, "harbour", 3).await;
    server.kill();
    is_kept(&site).await;
}

async fn is_kept(site: &Site) {
    let server = site.start();
    let page = Page::of(&server, "harbour").await;
    assert_eq!(page.numbers(), [1, 2, 3]);
    for n in 1..=3 {
        assert!(page.shows(n, &format!("message {n}.")), "{page:?}");
    }
    let mut client = Client::join(&server, "harbour").await;
    assert_eq!(client.welcome["head"], 3);
    assert_eq!(client.welcome["epoch"], page.list["data-epoch"].as_str());
    assert_eq!(client.say("next", "x").await["seq"], 4);
}

async fn the_page_shows_the_newest_fifty_oldest_first(site: Site) {
    let server = site.start();
    fill(&server, "harbour", 120).await;
    let page = Page::of(&server, "harbour").await;
    assert_eq!(page.numbers(), (71..=120).collect::<Vec<_>>());
    assert!(page.shows(71, "message 71.") && page.shows(120, "message 120."));
    // The slash is optional here too.
    let without = http::get(&server, "/harbour").await;
    assert_eq!(without.status, 200);
    assert_eq!(Page::parse(&without.body).numbers(), page.numbers());
}

async fn a_message_has_an_address_of_its_own(site: Site) {
    let server = site.start();
    fill(&server, "harbour", 120).await;
    let answer = http::get(&server, "/harbour/40").await;
    assert_eq!(answer.status, 200);
    let page = Page::parse(&answer.body);
    assert!(page.shows(40, "message 40."), "{page:?}");
    let numbers = page.numbers();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
    assert!(numbers.contains(&39) && numbers.contains(&41) && !numbers.contains(&120), "{numbers:?}");
    assert_eq!(page.number("data-head"), 120);
    let newest = Page::of(&server, "harbour").await;
    assert!(newest.shows(120, "message 120."));
    let html = http::get(&server, "/harbour/").await.body;
    assert!(html.contains("/harbour/120\""), "every message links to its own address");
}

async fn the_page_says_where_a_client_goes_on(site: Site) {
    let server = site.start();
    fill(&server, "harbour", 2).await;
    let page = Page::of(&server, "harbour").await;
    assert_eq!(page.list["data-room"], "harbour");
    assert_eq!(page.number("data-head"), 2);
    Client::join(&server, "harbour").await.say("later", "x").await;
    let mut client =
        Door::of("harbour").after(page.number("data-head")).epoch(&page.list["data-epoch"]).join(&server).await;
    let next = client.next().await;
    assert_eq!((&next["type"], &next["seq"]), (&json!("message"), &json!(3)), "nothing is missing between the two");
}

async fn unread_messages_are_counted_in_rooms_that_there_are(site: Site) {
    let server = site.start();
    fill(&server, "harbour", 3).await;
    fill(&server, "mountains", 2).await;
    let rooms =
        [("harbour", 1), ("a%00b", 0), ("nowhere", 0), ("a%20b", 0), ("Harbour", 0), ("mountains", 0), ("harbour", 1)];
    let ask = |(at, (room, read)): (usize, &(&str, i64))| format!("rooms[{at}][room]={room}&rooms[{at}][read]={read}");
    let query: Vec<String> = rooms.iter().enumerate().map(ask).collect();
    let answer = http::get(&server, &format!("/api/count_unread?{}", query.join("&"))).await;
    // A room that is named again is not counted again.
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "[2,0,0,0,2,2,2]"));
    assert_eq!(database::room_names(&site.database_url).await, ["harbour", "mountains"]);
}

async fn without_the_database_functions_say_so(site: Site) {
    let server = site.start();
    fill(&server, "harbour", 1).await;
    database::execute(&site.database_url, "ALTER TABLE rooms RENAME TO away").await;
    for question in ["count_unread?rooms[0][room]=harbour&rooms[0][read]=0", "load_history?room_name=harbour"] {
        let answer = http::get(&server, &format!("/api/{question}")).await;
        assert_eq!(answer.status, 503, "{question}: {}", answer.body);
        assert!(answer.body.contains("Unavailable") || answer.body.contains("cannot be read"), "{}", answer.body);
    }
    database::execute(&site.database_url, "ALTER TABLE away RENAME TO rooms").await;
    assert_eq!(http::get(&server, "/api/load_history?room_name=harbour").await.status, 200, "it is back");
}

async fn messages_are_text_on_the_page(site: Site) {
    let server = site.start();
    let mut client = Client::join(&server, "harbour").await;
    let text = "<script>alert(1)</script>\n</li></ol> \"quoted\" & 'so on'";
    client.send(json!({"username": "<i>Ann</i>", "message": text})).await;
    client.expect_message(text).await;
    let html = http::get(&server, "/harbour/").await.body;
    let page = Page::parse(&html);
    assert!(page.shows(1, "<script>alert(1)</script>"), "{page:?}");
    assert!(page.shows(1, "<i>Ann</i>"), "{page:?}");
    assert!(!html.contains("<script>alert(1)") && !html.contains("<i>Ann"), "nothing of it is markup");
}

async fn moderation_events_are_asked_for_only_in_rooms_that_have_some(site: Site) {
    let server = site.start();
    let cookie = http::identity(&server).await;
    let mut ann = Door::of("harbour").identity(&cookie, &server).join(&server).await;
    ann.say("1", "hello").await;
    let notes = async || {
        let page = http::get(&server, "/api/load_history?room_name=harbour").await.body;
        let page: Value = serde_json::from_str(&page).expect("a page");
        let metrics = http::get(&server, "/metrics").await.body;
        let is_asked = metrics.lines().any(|line| {
            line.starts_with("parlour_database_seconds_count{operation=\"moderations\"") && !line.ends_with(" 0")
        });
        (page["notes"].as_array().map_or(0, Vec::len), is_asked)
    };
    http::get(&server, "/harbour/").await;
    assert_eq!(notes().await, (0, false));
    ann.send(json!({"type": "moderate", "id": "2", "action": "slow_mode", "seconds": 5})).await;
    ann.answer_to("2").await;
    assert_eq!(notes().await, (1, true));
}
