//! Reactions: one of each emoji by an identity, exactly once from however many connections, and counted as the log adds
//! them up.

use crate::support::api::{Reply, request, send};
use crate::support::host::on_each_database;
use crate::support::{Client, Door, Server, Site, database, http};
use futures_util::future::join_all;
use serde_json::{Value, json};

on_each_database!(
    a_reaction_is_an_event_and_counts_at_its_message,
    a_needless_reaction_is_answered_by_the_event_that_made_the_state,
    a_toggle_that_is_sent_again_changes_nothing,
    an_emoji_with_and_without_its_presentation_is_one,
    bad_reactions_are_refused,
    a_message_has_a_bounded_number_of_emoji_and_reactions,
    slow_mode_and_mutes_hold_for_reactions,
);

/// A room in which Ann owns message 1; she and Ben are connected.
pub struct Talk {
    pub server: Server,
    pub ann: (String, Client),
    pub ben: (String, Client),
}

impl Talk {
    pub async fn begun(site: &Site) -> Self {
        let server = site.start();
        let mut ann = person(&server, "Ann").await;
        let mut ben = person(&server, "Ben").await;
        ann.1.say("a1", "cake at four?").await;
        ben.1.expect_message("cake at four?").await;
        Self { server, ann, ben }
    }
}

pub async fn person(server: &Server, name: &str) -> (String, Client) {
    let cookie = http::identity(server).await;
    let client = Door::of("harbour").username(name).identity(&cookie, server).join(server).await;
    (cookie, client)
}

pub async fn react(client: &mut Client, id: &str, target: i64, emoji: &str, on: bool) -> Value {
    client.send(json!({"type": "react", "id": id, "target": target, "emoji": emoji, "on": on})).await;
    client.answer_to(id).await
}

/// A resource as JSON, as this visitor sees it.
pub async fn read(server: &Server, path: &str, cookie: &str) -> Reply {
    send(request(server, "GET", path).header("accept", "application/json").header("cookie", cookie)).await
}

/// The reactions to a message: emoji and count.
pub async fn counts(server: &Server, seq: i64) -> Vec<(String, u64)> {
    let message = read(server, &format!("/harbour/{seq}"), "").await.json();
    let reactions = message["reactions"].as_array().cloned().unwrap_or_default();
    let count =
        |it: &Value| (it["emoji"].as_str().expect("an emoji").to_owned(), it["count"].as_u64().expect("a count"));
    reactions.iter().map(count).collect()
}

async fn a_reaction_is_an_event_and_counts_at_its_message(site: Site) {
    let mut talk = Talk::begun(&site).await;
    let event = react(&mut talk.ben.1, "r1", 1, "👍", true).await;
    let expected = json!({"type": "reacted", "seq": 2, "id": "r1", "target": 1, "emoji": "👍", "on": true,
        "username": "Ben", "tag": event["tag"], "at": event["at"]});
    assert_eq!(event, expected);
    assert_eq!(talk.ann.1.expect("reacted").await, expected, "everybody has it live");
    react(&mut talk.ann.1, "r2", 1, "🎉", true).await;
    react(&mut talk.ann.1, "r3", 1, "👍", true).await;
    let all = [("👍".to_owned(), 2), ("🎉".to_owned(), 1)];
    assert_eq!(counts(&talk.server, 1).await, all, "in the order in which they came");
    let page = read(&talk.server, "/harbour/", "").await;
    let etag = page.header("etag").to_owned();
    let page = page.json();
    assert_eq!(page["messages"][0]["reactions"], json!([{"emoji": "👍", "count": 2}, {"emoji": "🎉", "count": 1}]));
    assert_eq!(page["messages"].as_array().map(Vec::len), Some(1), "a reaction is no message");
    let function = http::get(&talk.server, "/api/load_history?room_name=harbour").await.body;
    assert!(function.contains(r#""reactions":[{"emoji":"👍","count":2}"#), "{function}");
    let own =
        http::get_as(&talk.server, "/api/load_reactions?room_name=harbour&first=1&last=9", &talk.ben.0).await.body;
    let expected =
        json!([{"seq": 1, "reactions": [{"emoji": "👍", "count": 2, "own": true}, {"emoji": "🎉", "count": 1}]}]);
    assert_eq!(serde_json::from_str::<Value>(&own).expect("JSON"), json!({"head": 4, "messages": expected}));
    let who = read(&talk.server, "/harbour/1/reactions", "").await.json();
    assert_eq!(who["reactions"][0], json!({"emoji": "👍", "count": 2, "names": ["Ben", "Ann"], "others": 0}));

    // Taken back: the head, the entity tag and the counts change.
    assert_eq!(react(&mut talk.ben.1, "r4", 1, "👍", false).await["on"], false);
    assert_ne!(read(&talk.server, "/harbour/", "").await.header("etag"), etag);
    assert_eq!(counts(&talk.server, 1).await, [("👍".to_owned(), 1), ("🎉".to_owned(), 1)]);
    react(&mut talk.ann.1, "r5", 1, "🎉", false).await;
    assert_eq!(counts(&talk.server, 1).await, [("👍".to_owned(), 1)]);
    // Neither counts as unread.
    let unread = http::get(&talk.server, "/api/count_unread?rooms[0][room]=harbour&rooms[0][read]=1").await;
    assert_eq!(unread.body, "[0]");
    // They are replayed, and streamed.
    let mut late = Door::of("harbour").after(1).join(&talk.server).await;
    for seq in 2..=6 {
        assert_eq!(late.expect("reacted").await["seq"], seq);
    }
    let stream = request(&talk.server, "GET", "/harbour/events?after=0&wait=0");
    let stream = send(stream.header("accept", "text/event-stream")).await.text;
    assert!(stream.contains("id: 2\nevent: reacted\ndata: {"), "{stream}");
}

async fn a_needless_reaction_is_answered_by_the_event_that_made_the_state(site: Site) {
    let mut talk = Talk::begun(&site).await;
    let ben = &mut talk.ben.1;
    let never = react(ben, "n1", 1, "👍", false).await;
    let expected =
        json!({"type": "reacted", "seq": null, "id": "n1", "target": 1, "emoji": "👍", "on": false, "repeated": true});
    assert_eq!(never, expected);
    let made = react(ben, "r1", 1, "👍", true).await;
    assert_eq!(made["seq"], 2);
    let again = |event: &Value, id: &str| {
        let mut again = event.clone();
        (again["id"], again["repeated"]) = (json!(id), json!(true));
        again
    };
    assert_eq!(react(ben, "n2", 1, "👍", true).await, again(&made, "n2"));
    assert_eq!(react(ben, "r1", 1, "👍", true).await, again(&made, "r1"), "a repeated id, too");
    let ended = react(ben, "r2", 1, "👍", false).await;
    assert_eq!((&ended["seq"], &ended["on"]), (&json!(3), &json!(false)));
    assert_eq!(react(ben, "n3", 1, "👍", false).await, again(&ended, "n3"));
    // Only the asker hears of it, and no number was taken.
    assert_eq!(ben.say("b1", "so it is").await["seq"], 4);
    let heard = talk.ann.1.until(|frame| frame["seq"] == 4).await;
    assert_eq!(heard.iter().map(|frame| &frame["seq"]).collect::<Vec<_>>(), [2, 3, 4]);
    // An id means one thing.
    let ben = &mut talk.ben.1;
    assert_eq!(react(ben, "r1", 1, "🎉", true).await["code"], "id_conflict");
    assert_eq!(react(ben, "r1", 1, "👍", false).await["code"], "id_conflict");
    // By HTTP, and by the exchange of frames.
    let post = request(&talk.server, "POST", "/harbour/1/react").header("cookie", &talk.ben.0);
    let post = post.header("accept", "application/json").form(&[("emoji", "👍"), ("on", "false"), ("id", "n4")]);
    let reply = send(post).await;
    assert_eq!((reply.status, reply.json()), (200, again(&ended, "n4")));
}

async fn a_toggle_that_is_sent_again_changes_nothing(site: Site) {
    let talk = Talk::begun(&site).await;
    let toggle = async |path: &str, cookie: &str, id: &str| {
        let post = request(&talk.server, "POST", path).header("cookie", cookie).header("idempotency-key", id);
        send(post.header("accept", "application/json").form(&[("emoji", "👍")])).await
    };
    for (id, is_on) in [("t1", true), ("t2", false), ("t3", true)] {
        let first = toggle("/harbour/1/react", &talk.ben.0, id).await;
        assert_eq!((first.status, &first.json()["on"]), (200, &json!(is_on)));
        let mut again = first.json();
        again["repeated"] = json!(true);
        // Several times, and at the same time.
        let once_more = || toggle("/harbour/1/react", &talk.ben.0, id);
        for reply in
            [once_more().await, once_more().await].into_iter().chain(join_all((0..5).map(|_| once_more())).await)
        {
            assert_eq!((reply.status, reply.json()), (200, again.clone()));
        }
        assert_eq!(counts(&talk.server, 1).await.len(), usize::from(is_on));
    }
    for (id, action) in [("p1", "pin"), ("p2", "unpin")] {
        let first = toggle("/harbour/1/pin", &talk.ann.0, id).await.json();
        let again = toggle("/harbour/1/pin", &talk.ann.0, id).await;
        assert_eq!((&first["action"], again.status, &again.json()["seq"]), (&json!(action), 200, &first["seq"]));
    }
    // The id of something else is still that.
    assert_eq!(toggle("/harbour/1/react", &talk.ann.0, "a1").await.code(), "id_conflict");
    assert_eq!(toggle("/harbour/1/pin", &talk.ann.0, "a1").await.code(), "id_conflict");
}

async fn an_emoji_with_and_without_its_presentation_is_one(site: Site) {
    let mut talk = Talk::begun(&site).await;
    let event = react(&mut talk.ben.1, "r1", 1, "❤", true).await;
    assert_eq!(event["emoji"], "❤\u{fe0f}");
    assert_eq!(react(&mut talk.ben.1, "r2", 1, "❤\u{fe0f}", true).await["repeated"], true);
    assert_eq!(react(&mut talk.ann.1, "r3", 1, "❤\u{fe0f}", true).await["seq"], 3);
    assert_eq!(counts(&talk.server, 1).await, [("❤\u{fe0f}".to_owned(), 2)]);
}

async fn bad_reactions_are_refused(site: Site) {
    let mut talk = Talk::begun(&site).await;
    for (n, (target, emoji, code)) in [
        (1, "x", "invalid"),
        (1, "", "invalid"),
        (1, "👍👍", "invalid"),
        (1, ":+1:", "invalid"),
        (9, "👍", "not_found"),
        (-1, "👍", "not_found"),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = react(&mut talk.ben.1, &format!("bad{n}"), target, emoji, true).await;
        assert_eq!((&answer["type"], &answer["code"]), (&json!("rejected"), &json!(code)), "{emoji}: {answer}");
    }
    // A guest has no identity.
    let mut guest = Client::join(&talk.server, "harbour").await;
    assert_eq!(react(&mut guest, "g1", 1, "👍", true).await["code"], "forbidden");
    let post = request(&talk.server, "POST", "/harbour/1/react").header("accept", "application/json");
    assert_eq!(send(post.form(&[("emoji", "👍")])).await.code(), "forbidden");
    // Reactions to an event that is no message, or to a message that is gone.
    react(&mut talk.ben.1, "r1", 1, "👍", true).await;
    assert_eq!(react(&mut talk.ben.1, "r2", 2, "👍", true).await["code"], "not_found");
    talk.ann.1.send(json!({"type": "delete", "id": "d1", "target": 1})).await;
    talk.ann.1.answer_to("d1").await;
    assert_eq!(react(&mut talk.ben.1, "r3", 1, "👍", false).await["code"], "not_found");
    // In a room without a message.
    let mut empty = Door::of("tavern").identity(&talk.ben.0, &talk.server).join(&talk.server).await;
    assert_eq!(react(&mut empty, "e1", 1, "👍", true).await["code"], "not_found");
    // A name that somebody holds is not shown at another's reaction.
    let mut other = Door::of("harbour").username("Ann").identity(&http::identity(&talk.server).await, &talk.server);
    other = other.after(0);
    let mut other = other.join(&talk.server).await;
    talk.ann.1.say("a2", "who is Ann?").await;
    assert_eq!(react(&mut other, "o1", 4, "👀", true).await["username"], "Anonymous");
}

async fn a_message_has_a_bounded_number_of_emoji_and_reactions(site: Site) {
    let mut talk = Talk::begun(&site).await;
    let emoji = [
        "😀", "😃", "😄", "😁", "😆", "😅", "🤣", "😂", "🙂", "🙃", "😉", "😊", "😇", "🥰", "😍", "🤩", "😘", "😗",
        "😚", "😙",
    ];
    for (n, emoji) in emoji.iter().enumerate() {
        assert_eq!(react(&mut talk.ben.1, &format!("r{n}"), 1, emoji, true).await["type"], "reacted", "{emoji}");
    }
    assert_eq!(react(&mut talk.ben.1, "more", 1, "🥲", true).await["code"], "invalid");
    assert_eq!(react(&mut talk.ann.1, "same", 1, "😀", true).await["type"], "reacted", "one of them may come again");
    assert_eq!(react(&mut talk.ben.1, "less", 1, "😙", false).await["on"], false);
    assert_eq!(react(&mut talk.ben.1, "more", 1, "🥲", true).await["type"], "reacted", "there is room again");
    // 500 of them, most of which other people have given.
    let author = match site.database_url.starts_with("sqlite") {
        true => "CAST(n.n AS BLOB)",
        false => "decode(lpad(to_hex(n.n), 8, '0'), 'hex')",
    };
    let others = format!(
        "INSERT INTO reactions SELECT r.room_id, r.target, r.emoji, {author}, 'x', r.seq, r.at
        FROM (WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 479) SELECT n FROM n) n,
        reactions r WHERE r.emoji = '😃'"
    );
    database::execute(&site.database_url, &others).await;
    database::execute(&site.database_url, "UPDATE reaction_counts SET count = count + 479 WHERE emoji = '😃'").await;
    let full = react(&mut talk.ann.1, "full", 1, "😃", true).await;
    assert_eq!(full["code"], "invalid", "{full}");
    let who = read(&talk.server, "/harbour/1/reactions", "").await.json();
    let crowd = who["reactions"].as_array().expect("reactions").iter().find(|it| it["emoji"] == "😃").expect("it");
    assert_eq!((crowd["count"].as_u64(), crowd["others"].as_u64()), (Some(480), Some(460)));
    assert_eq!(crowd["names"].as_array().map(Vec::len), Some(20));
    let message = read(&talk.server, "/harbour/1", "").await.json();
    assert_eq!(message["reactions"].as_array().map(Vec::len), Some(20));
}

async fn slow_mode_and_mutes_hold_for_reactions(site: Site) {
    let mut talk = Talk::begun(&site).await;
    talk.ben.1.say("b1", "yes").await;
    talk.ann.1.send(json!({"type": "moderate", "id": "m1", "action": "slow_mode", "seconds": 600})).await;
    talk.ann.1.answer_to("m1").await;
    assert_eq!(react(&mut talk.ben.1, "r1", 1, "👍", true).await["type"], "reacted");
    let slowed = react(&mut talk.ben.1, "r2", 1, "🎉", true).await;
    assert_eq!((&slowed["code"], slowed["retry_after_ms"].as_u64() > Some(0)), (&json!("rate_limited"), true));
    talk.ann.1.send(json!({"type": "moderate", "id": "m2", "action": "slow_mode", "seconds": 0})).await;
    talk.ann.1.answer_to("m2").await;
    talk.ann.1.send(json!({"type": "moderate", "id": "m3", "action": "mute", "target": 2, "seconds": 600})).await;
    talk.ann.1.answer_to("m3").await;
    assert_eq!(react(&mut talk.ben.1, "r3", 1, "👍", false).await["code"], "forbidden");
    assert_eq!(counts(&talk.server, 1).await, [("👍".to_owned(), 1)]);
}
