//! Previews of the rooms that a visitor knows: newest message, unread count, and the states that need no answer.

use crate::support::host::on_each_database;
use crate::support::{Client, Door, Server, Site, database, http};
use serde_json::{Value, json};

on_each_database!(
    a_preview_shows_the_newest_message_and_the_unread_ones,
    rooms_that_are_not_for_the_visitor_are_left_out,
    no_list_makes_the_database_work_without_a_bound,
    the_front_page_shows_the_rooms_in_which_the_visitor_has_a_name,
    a_preview_ends_with_what_it_showed,
    removed_messages_hide_no_others,
    a_refresh_without_news_costs_two_queries_however_many_rooms_it_names,
);

/// Requests previews of these lines; returns the status and the answer.
async fn ask(server: &Server, cookie: &str, lines: &str) -> (u16, Value) {
    let request = http::browser().post(server.url("/api/preview_rooms")).header("cookie", cookie);
    let answer = http::send(request.form(&[("rooms", lines)])).await;
    (answer.status.as_u16(), serde_json::from_str(&answer.body).unwrap_or_default())
}

async fn previews(server: &Server, cookie: &str, lines: &str) -> Vec<Value> {
    let (status, previews) = ask(server, cookie, lines).await;
    assert_eq!(status, 200, "{previews}");
    previews["changed"].as_array().expect("a list").clone()
}

/// The places of the rooms that have not changed.
async fn unchanged(server: &Server, cookie: &str, lines: &str) -> Value {
    let (_, previews) = ask(server, cookie, lines).await;
    assert_eq!(previews["changed"], json!([]), "{previews}");
    previews["unchanged"].clone()
}

fn state(preview: &Value) -> String {
    preview["state"].as_str().expect("a state").to_owned()
}

async fn a_preview_shows_the_newest_message_and_the_unread_ones(site: Site) {
    let server = site.start();
    let (ann, ben) = (http::identity(&server).await, http::identity(&server).await);
    let mut ann_there = Door::of("harbour").identity(&ann, &server).username("Ann").join(&server).await;
    let mut ben_there = Door::of("harbour").identity(&ben, &server).username("Ben").join(&server).await;
    ann_there.say("a1", "who brings the tent?").await;
    ben_there.say("b1", "two,\n\n actually").await;
    ben_there.say("b2", &"é".repeat(130)).await;

    let list = previews(&server, &ann, "harbour 1 \nnowhere 0 \na b c\n.hidden 0 \nharbour 0 ").await;
    assert_eq!(list.len(), 1, "{list:?}");
    let preview = &list[0];
    assert_eq!((&preview["room"], &preview["head"], &preview["unread"]), (&json!("harbour"), &json!(3), &json!(2)));
    let last = &preview["last"];
    assert_eq!((&last["username"], &last["own"]), (&json!("Ben"), &Value::Null));
    assert_eq!(last["excerpt"], json!(format!("{}…", "é".repeat(119))));
    assert!(last["at"].as_i64().is_some_and(|at| at > 1_700_000_000_000), "{last}");

    // The state that the client knows needs no answer.
    let known = state(preview);
    assert_eq!(unchanged(&server, &ann, &format!("nowhere 0 \nharbour 1 {known}")).await, json!([1]));
    ben_there.send(json!({"type": "delete", "id": "d", "target": 3})).await;
    ben_there.answer_to("d").await;
    let list = previews(&server, &ann, &format!("Harbour 1 {known}")).await;
    assert_eq!((&list[0]["last"]["excerpt"], &list[0]["unread"]), (&json!("two, actually"), &json!(1)));
    ben_there.say("b3", "@Ann: yes or no?").await;
    let list = previews(&server, &ann, "harbour 1 ").await;
    assert_eq!((&list[0]["mentions"], &list[0]["unread"]), (&json!(1), &json!(2)));
    ben_there.send(json!({"type": "delete", "id": "d2", "target": 5})).await;
    ben_there.answer_to("d2").await;
    ben_there.send(json!({"type": "edit", "id": "e", "target": 2, "text": "three"})).await;
    ben_there.answer_to("e").await;
    let list = previews(&server, &ben, "harbour 0 ").await;
    assert_eq!((&list[0]["last"]["excerpt"], &list[0]["last"]["own"]), (&json!("three"), &json!(true)));
    assert_eq!(list[0]["unread"], 1, "own messages do not count");
    assert_eq!(database::room_names(&site.database_url).await, ["harbour"], "reading creates nothing");
}

async fn rooms_that_are_not_for_the_visitor_are_left_out(site: Site) {
    let server = site.start();
    let (ann, eve) = (http::identity(&server).await, http::identity(&server).await);
    let open = http::browser().post(server.url("/")).header("cookie", &ann).form(&[("room_name", "Book Club")]);
    let location = http::send(open).await.location.expect("the way into the room");
    let private = location.trim_matches('/').to_owned();
    let mut owner = Door::of(&private).identity(&ann, &server).username("Ann").join(&server).await;
    owner.say("1", "between us").await;
    let line = format!("{private} 0 ");
    assert_eq!(previews(&server, &ann, &line).await[0]["title"], "Book Club");
    // The address is the invitation: who has it may see the room, and is not made a member by looking.
    assert_eq!(previews(&server, &eve, &line).await.len(), 1);
    owner.send(json!({"type": "moderate", "id": "renew", "action": "renew"})).await;
    owner.answer_to("renew").await;
    assert_eq!(previews(&server, &eve, &line).await, Vec::<Value>::new());
    assert_eq!(previews(&server, &ann, &line).await.len(), 1);

    let mut host = Door::of("harbour").identity(&ann, &server).username("Ann").join(&server).await;
    let mut guest = Door::of("harbour").identity(&eve, &server).username("Eve").join(&server).await;
    host.say("1", "hello").await;
    guest.say("2", "spam").await;
    host.send(json!({"type": "moderate", "id": "ban", "action": "ban", "target": 2, "seconds": 600})).await;
    host.answer_to("ban").await;
    let both = format!("{line}\nharbour 0 ");
    assert_eq!(previews(&server, &eve, &both).await, Vec::<Value>::new());
    assert_eq!(previews(&server, &ann, &both).await.len(), 2);
}

async fn no_list_makes_the_database_work_without_a_bound(site: Site) {
    let server = site.start();
    let ann = http::identity(&server).await;
    let mut there = Door::of("room-0").identity(&ann, &server).username("Ann").join(&server).await;
    there.say("1", "hello").await;
    for number in 1..40 {
        Client::join(&server, &format!("room-{number}")).await.say("1", "hello").await;
    }
    let lines: Vec<String> = (0..40).map(|number| format!("room-{number} 0 ")).collect();
    assert_eq!(previews(&server, &ann, &lines.join("\n")).await.len(), 30, "at most 30 rooms");
    let many: Vec<String> = (0..10_000).map(|number| format!("r{number}")).collect();
    let (status, _) = ask(&server, &ann, &many.join(" 0 \n")).await;
    assert!(matches!(status, 200 | 413), "{status}");
    for read in [i64::MIN, -1, i64::MAX] {
        let list = previews(&server, &ann, &format!("room-1 {read} x")).await;
        assert_eq!(list[0]["unread"], i64::from(read < 1), "{read}");
    }
    for odd in ["room-1 99999999999999999999 ", "room-1", "\0 0 ", "room-1\t0", &"x".repeat(5000)] {
        assert_eq!(previews(&server, &ann, odd).await, Vec::<Value>::new(), "{odd:?}");
    }
    let other = server.url("/api/preview_rooms");
    let foreign = http::browser().post(other).header("sec-fetch-site", "cross-site").form(&[("rooms", "room-1 0 ")]);
    assert_eq!(http::send(foreign).await.status, 403);
}

async fn the_front_page_shows_the_rooms_in_which_the_visitor_has_a_name(site: Site) {
    let server = site.start();
    let (ann, eve) = (http::identity(&server).await, http::identity(&server).await);
    let mut there = Door::of("harbour").identity(&ann, &server).username("Ann").join(&server).await;
    there.say("1", "<b>hello</b>").await;
    let page = http::get_as(&server, "/", &ann).await.body;
    assert!(page.contains("href=\"/harbour/\"") && page.contains("You: &lt;b&gt;hello"), "{page}");
    assert!(!http::get_as(&server, "/", &eve).await.body.contains("/harbour/"), "it is not Eve's");
    assert!(!http::get(&server, "/").await.body.contains("/harbour/"));
}

async fn a_preview_ends_with_what_it_showed(site: Site) {
    let server = site.start();
    let ann = http::identity(&server).await;
    let mut there = Door::of("harbour").identity(&ann, &server).username("Ann").join(&server).await;
    for id in ["1", "2", "3"] {
        there.say(id, "hello").await;
    }
    let known = format!("harbour 0 {}", state(&previews(&server, &ann, "harbour 0 ").await[0]));
    assert_eq!(unchanged(&server, &ann, &known).await, json!([0]));
    // Retention removes messages without an event.
    database::execute(&site.database_url, "DELETE FROM events WHERE seq < 3").await;
    assert_eq!(previews(&server, &ann, &known).await.len(), 1);
    database::execute(&site.database_url, "UPDATE rooms SET title = 'Harbor'").await;
    let titled = previews(&server, &ann, &known).await;
    assert_eq!(titled[0]["title"], "Harbor");
    let known = format!("harbour 0 {}", state(&titled[0]));
    database::execute(&site.database_url, "UPDATE rooms SET title = NULL").await;
    assert_eq!(previews(&server, &ann, &known).await[0]["title"], Value::Null, "as after an erasure");
    database::execute(&site.database_url, "UPDATE rooms SET erasures = erasures + 1").await;
    assert_eq!(previews(&server, &ann, &format!("harbour 0 {}", state(&titled[0]))).await.len(), 1);
    let (deleted, output) = site.command(&["delete", "harbour", "--yes"]);
    assert!(deleted, "{output}");
    let (_, gone) = ask(&server, &ann, &known).await;
    assert_eq!(gone, json!({"changed": [], "unchanged": []}), "it is not unchanged, but gone");
}

async fn removed_messages_hide_no_others(site: Site) {
    let server = site.start();
    let (ann, ben) = (http::identity(&server).await, http::identity(&server).await);
    let mut there = Door::of("harbour").identity(&ben, &server).username("Ben").join(&server).await;
    there.say("kept", "still here").await;
    for number in 0..60 {
        there.say(&format!("m{number}"), "gone soon").await;
    }
    for number in 0..60 {
        there.send(json!({"type": "delete", "id": format!("d{number}"), "target": number + 2})).await;
        there.answer_to(&format!("d{number}")).await;
    }
    let list = previews(&server, &ann, "harbour 0 ").await;
    assert_eq!((&list[0]["unread"], &list[0]["last"]["excerpt"]), (&json!(1), &json!("still here")));
}

/// Number of queries of one kind so far.
async fn queries(server: &Server, kind: &str) -> u64 {
    let text = http::get(server, "/metrics").await.body;
    let of_kind = format!("parlour_database_seconds_count{{operation=\"{kind}\"");
    let counts = text.lines().filter(|line| line.starts_with(&of_kind)).filter_map(|line| line.rsplit(' ').next());
    counts.map(|count| count.parse::<u64>().expect("a number")).sum()
}

async fn a_refresh_without_news_costs_two_queries_however_many_rooms_it_names(site: Site) {
    const REFRESHES: u64 = 5;
    let server = site.start();
    let (ann, ben) = (http::identity(&server).await, http::identity(&server).await);
    let mut names: Vec<String> = (0..9).map(|number| format!("room-{number}")).collect();
    let open = http::browser().post(server.url("/")).header("cookie", &ann).form(&[("room_name", "club")]);
    names.push(http::send(open).await.location.expect("the way into the room").trim_matches('/').to_owned());
    for name in &names {
        Door::of(name).identity(&ben, &server).username("Ben").join(&server).await.say("1", "hello").await;
    }
    let lines = |state: &dyn Fn(usize) -> String| {
        names
            .iter()
            .enumerate()
            .map(|(index, name)| format!("{name} 0 {}", state(index)))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let kinds = ["rooms", "standings", "newest", "unread", "mentions"];
    let counts = async || {
        let mut counts = Vec::new();
        for kind in kinds {
            counts.push(queries(&server, kind).await);
        }
        counts
    };
    let before = counts().await;
    let all = previews(&server, &ann, &lines(&|_| String::new())).await;
    assert_eq!(all.len(), 10);
    let changed: Vec<u64> = counts().await.iter().zip(&before).map(|(now, before)| now - before).collect();
    assert_eq!(changed, [1, 1, 10, 10, 10], "{kinds:?}");
    let known = lines(&|index| state(&all[index]));
    let before = counts().await;
    for _ in 0..REFRESHES {
        assert_eq!(unchanged(&server, &ann, &known).await, json!((0..10).collect::<Vec<_>>()));
    }
    let unchanged: Vec<u64> = counts().await.iter().zip(&before).map(|(now, before)| now - before).collect();
    assert_eq!(unchanged, [REFRESHES, REFRESHES, 0, 0, 0], "{kinds:?}");
}
