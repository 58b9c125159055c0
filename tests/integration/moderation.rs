//! Moderation: the author of the first message owns the room. Moderation actions are in the log, and apply at every
//! entry to the room.

use crate::support::host::on_each_database;
use crate::support::server::Server;
use crate::support::{Client, Database, Door, Site, database, eventually, http};
use serde_json::{Value, json};

on_each_database!(
    the_first_author_owns_the_room,
    the_owner_removes_any_message,
    a_muted_author_can_only_read,
    a_banned_author_is_disconnected_and_kept_out,
    slow_mode_makes_everybody_wait_but_the_owner,
    a_locked_room_lets_those_back_in_who_were_there,
    a_room_that_is_handed_over_obeys_its_new_owner,
    a_room_is_not_handed_over_to_a_guest,
    an_act_sent_twice_is_done_once_and_a_bad_one_not_at_all,
    a_silent_participant_is_banned_by_tag,
    pages_show_what_the_owner_did_between_the_messages,
);

#[tokio::test]
async fn a_ban_during_a_join_disconnects() {
    let site = Site::new(Database::Postgres).await;
    let mut people = People::gathered(&site).await;
    // Bob comes again, was let in, and waits for his name while he is banned.
    let names = database::hold_names(&site.database_url).await;
    let (door, addr) = (people.door(&people.bob.0).username("Bob"), people.server.addr);
    let coming = tokio::spawn(async move { door.try_join(addr).await });
    eventually("he waits for his name", || async {
        let waiting = "SELECT 1 FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE c.relname = 'names' AND NOT l.granted";
        (!database::rows(&site.database_url, waiting).await.is_empty()).then_some(())
    })
    .await;
    // By the host, whose commands need no names.
    let (is_done, said) = site.command(&["ban", "harbour/2", "10m"]);
    assert!(is_done, "{said}");
    assert_eq!(people.bob.1.close_code().await, Some(4503));
    names.release().await;
    let mut late = coming.await.expect("a task").expect("he was let in before");
    assert_eq!(late.close_code().await, Some(4503));
}

struct People {
    server: Server,
    /// Speaks first, and so owns the room.
    ann: (String, Client),
    bob: (String, Client),
}

impl People {
    /// Ann has said "mine" (1), and Bob "hello" (2).
    async fn gathered(site: &Site) -> Self {
        let server = site.start();
        let (ann, bob) = (http::identity(&server).await, http::identity(&server).await);
        let door = |cookie: &str, name| Door::of("harbour").username(name).identity(cookie, &server);
        let mut ann = (ann.clone(), door(&ann, "Ann").join(&server).await);
        let mut bob = (bob.clone(), door(&bob, "Bob").join(&server).await);
        ann.1.say("a1", "mine").await;
        bob.1.until(|frame| frame["message"] == "mine").await;
        bob.1.say("b1", "hello").await;
        ann.1.until(|frame| frame["message"] == "hello").await;
        Self { server, ann, bob }
    }

    /// Takes a moderation action as Ann. Returns the event that all clients receive.
    async fn moderate(&mut self, frame: Value) -> Value {
        moderate(&mut self.ann.1, frame).await
    }

    fn door(&self, cookie: &str) -> Door {
        Door::of("harbour").identity(cookie, &self.server)
    }
}

async fn moderate(client: &mut Client, mut frame: Value) -> Value {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let id = format!("act{}", NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    frame["type"] = json!("moderate");
    frame["id"] = json!(id);
    client.send(frame).await;
    client.answer_to(&id).await
}

async fn the_first_author_owns_the_room(site: Site) {
    let server = site.start();
    let ann = http::identity(&server).await;
    // A guest will not be back, and so owns nothing.
    Client::join(&server, "harbour").await.say("g1", "passing by").await;
    let mut ann = Door::of("harbour").identity(&ann, &server).join(&server).await;
    assert_eq!(moderate(&mut ann, json!({"action": "lock"})).await["code"], "forbidden");
    ann.say("a1", "hello").await;
    let mut bob = Door::of("harbour").identity(&http::identity(&server).await, &server).join(&server).await;
    bob.say("b1", "hello too").await;
    assert_eq!(moderate(&mut bob, json!({"action": "lock"})).await["code"], "forbidden");
    let locked = moderate(&mut ann, json!({"action": "lock"})).await;
    assert_eq!((&locked["type"], &locked["seq"]), (&json!("moderated"), &json!(4)));
    bob.until(|frame| frame["type"] == "moderated").await;
}

async fn the_owner_removes_any_message(site: Site) {
    let mut people = People::gathered(&site).await;
    people.bob.1.send(json!({"type": "delete", "id": "b2", "target": 1})).await;
    assert_eq!(people.bob.1.answer_to("b2").await["code"], "forbidden");
    people.ann.1.send(json!({"type": "edit", "id": "a2", "target": 2, "text": "words in a mouth"})).await;
    assert_eq!(people.ann.1.answer_to("a2").await["code"], "forbidden");
    people.ann.1.send(json!({"type": "delete", "id": "a3", "target": 2})).await;
    let deleted = people.bob.1.until(|frame| frame["type"] == "deleted").await;
    assert_eq!(deleted.last().unwrap()["target"], 2);
    let page = http::get(&people.server, "/harbour/").await.body;
    assert!(page.contains("Message removed") && !page.contains(">hello<"), "{page}");
}

async fn a_muted_author_can_only_read(site: Site) {
    let mut people = People::gathered(&site).await;
    let muted = people.moderate(json!({"action": "mute", "target": 2, "seconds": 600})).await;
    assert_eq!((&muted["action"], &muted["subject"]["username"]), (&json!("mute"), &json!("Bob")));
    assert!(muted["until"].as_i64() > muted["at"].as_i64(), "{muted}");
    people.bob.1.post("b2", "let me speak").await;
    assert_eq!(people.bob.1.answer_to("b2").await["code"], "forbidden");
    people.bob.1.send(json!({"type": "edit", "id": "b3", "target": 2, "text": "by the back door"})).await;
    assert_eq!(people.bob.1.answer_to("b3").await["code"], "forbidden");
    let form = http::browser().post(people.server.url("/harbour/")).header("cookie", &people.bob.0);
    let answer = http::send(form.form(&[("message", "by form")])).await;
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("by form"), "the text comes back");
    people.ann.1.say("a2", "quiet now").await;
    people.bob.1.until(|frame| frame["message"] == "quiet now").await;
    people.moderate(json!({"action": "pardon", "target": 2})).await;
    people.bob.1.post("b4", "thank you").await;
    people.bob.1.until(|frame| frame["message"] == "thank you").await;
}

async fn a_banned_author_is_disconnected_and_kept_out(site: Site) {
    let mut people = People::gathered(&site).await;
    let mut other_tab = people.door(&people.bob.0).join(&people.server).await;
    let mut carol = Client::join(&people.server, "harbour").await;
    people.moderate(json!({"action": "ban", "target": 2, "seconds": 600})).await;
    assert_eq!(people.bob.1.close_code().await, Some(4503));
    assert_eq!(other_tab.close_code().await, Some(4503));
    assert_eq!(people.door(&people.bob.0).turned_away(&people.server).await.0, 4503);
    for path in ["/harbour/", "/harbour/2", "/api/load_history?room_name=harbour"] {
        let answer = http::get_as(&people.server, path, &people.bob.0).await;
        assert_eq!(answer.status, 403, "{path}");
        assert!(!answer.body.contains("mine") && answer.body.contains("come in until"), "{path}: {}", answer.body);
    }
    let form = http::browser().post(people.server.url("/harbour/")).header("cookie", &people.bob.0);
    assert_eq!(http::send(form.form(&[("message", "by form")])).await.status, 403);
    // Other participants stay connected.
    carol.say("c1", "still here").await;
    people.moderate(json!({"action": "pardon", "target": 2})).await;
    assert_eq!(people.door(&people.bob.0).join(&people.server).await.welcome["head"], 5);
}

async fn slow_mode_makes_everybody_wait_but_the_owner(site: Site) {
    let mut people = People::gathered(&site).await;
    let slow = people.moderate(json!({"action": "slow_mode", "seconds": 3600})).await;
    assert_eq!(slow["seconds"], 3600);
    people.bob.1.post("b2", "first").await;
    people.bob.1.until(|frame| frame["message"] == "first").await;
    people.bob.1.post("b3", "second").await;
    let rejected = people.bob.1.answer_to("b3").await;
    assert_eq!(rejected["code"], "rate_limited");
    assert!(rejected["retry_after_ms"].as_u64().is_some_and(|wait| wait > 3_000_000), "{rejected}");
    // A stored post is still acknowledged, and slow mode does not apply to the owner.
    people.bob.1.post("b2", "first").await;
    assert_eq!(people.bob.1.answer_to("b2").await["seq"], 4);
    people.ann.1.post("a2", "one").await;
    people.ann.1.post("a3", "two").await;
    people.ann.1.until(|frame| frame["message"] == "two").await;
    people.moderate(json!({"action": "slow_mode", "seconds": 0})).await;
    people.bob.1.post("b3", "second").await;
    people.bob.1.until(|frame| frame["message"] == "second").await;
}

async fn a_locked_room_lets_those_back_in_who_were_there(site: Site) {
    let mut people = People::gathered(&site).await;
    // Carol is there and says nothing; Dora has never been.
    let (carol, dora) = (http::identity(&people.server).await, http::identity(&people.server).await);
    let mut silent = people.door(&carol).join(&people.server).await;
    people.moderate(json!({"action": "lock"})).await;
    silent.until(|frame| frame["type"] == "moderated").await;
    for path in ["/harbour/", "/harbour/1", "/api/load_history?room_name=harbour"] {
        let answer = http::get_as(&people.server, path, &dora).await;
        assert_eq!(answer.status, 403, "{path}");
        assert!(!answer.body.contains("mine") && answer.body.contains("locked"), "{path}: {}", answer.body);
    }
    assert_eq!(people.door(&dora).turned_away(&people.server).await.0, 4504);
    silent.say("c1", "I was here").await;
    for cookie in [&people.ann.0, &people.bob.0, &carol] {
        // Connected visitors who have not posted are admitted shortly after the lock is announced.
        while people.door(cookie).try_join(people.server.addr).await.is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
    people.moderate(json!({"action": "unlock"})).await;
    people.door(&dora).join(&people.server).await;
}

async fn a_room_that_is_handed_over_obeys_its_new_owner(site: Site) {
    let mut people = People::gathered(&site).await;
    let handed = people.moderate(json!({"action": "hand_over", "target": 2})).await;
    assert_eq!(handed["subject"]["tag"], people.bob.1.welcome["tag"]);
    assert_eq!(people.moderate(json!({"action": "lock"})).await["code"], "forbidden");
    assert_eq!(moderate(&mut people.bob.1, json!({"action": "lock"})).await["type"], "moderated");
    people.door(&people.ann.0).join(&people.server).await;
}

async fn a_room_is_not_handed_over_to_a_guest(site: Site) {
    let mut people = People::gathered(&site).await;
    let mut guest = Client::join(&people.server, "harbour").await;
    guest.say("g1", "passing by").await;
    for whom in [json!({"target": 3}), json!({"tag": guest.welcome["tag"]})] {
        let mut act = json!({"action": "hand_over"});
        act.as_object_mut().expect("an object").extend(whom.as_object().expect("an object").clone());
        let refused = people.moderate(act).await;
        assert_eq!(refused["code"], "invalid", "{refused}");
        assert!(refused["detail"].as_str().is_some_and(|detail| detail.contains("guest")), "{refused}");
    }
    assert_eq!(people.moderate(json!({"action": "lock"})).await["type"], "moderated", "it is hers as before");
    // A visitor who posts a form without a cookie gets one with the response, and can become the owner.
    people.moderate(json!({"action": "unlock"})).await;
    assert_eq!(http::post_form(&people.server, "/harbour/", &[("message", "new here")]).await.status, 303);
    assert_eq!(people.moderate(json!({"action": "hand_over", "target": 6})).await["type"], "moderated");
}

async fn an_act_sent_twice_is_done_once_and_a_bad_one_not_at_all(site: Site) {
    let mut people = People::gathered(&site).await;
    let act = json!({"type": "moderate", "id": "once", "action": "mute", "target": 2, "seconds": 600});
    people.ann.1.send(act.clone()).await;
    let done = people.ann.1.answer_to("once").await;
    people.ann.1.send(act).await;
    assert_eq!(people.ann.1.answer_to("once").await, done);
    for (bad, code) in [
        (json!({"action": "mute", "target": 2}), "invalid"),
        (json!({"action": "ban", "target": 2, "seconds": 99_999_999}), "invalid"),
        (json!({"action": "ban", "target": 99, "seconds": 60}), "not_found"),
        (json!({"action": "ban", "target": 1, "seconds": 60}), "invalid"),
        (json!({"action": "ban", "seconds": 60}), "invalid"),
        (json!({"action": "slow_mode", "seconds": 5000}), "invalid"),
        (json!({"action": "dance"}), "invalid"),
    ] {
        assert_eq!(people.moderate(bad.clone()).await["code"], code, "{bad}");
    }
    assert_eq!(people.door(&people.ann.0).join(&people.server).await.welcome["head"], 3);
}

async fn a_silent_participant_is_banned_by_tag(site: Site) {
    let mut people = People::gathered(&site).await;
    let carol = http::identity(&people.server).await;
    let mut silent = people.door(&carol).username("Carol").join(&people.server).await;
    let tag = silent.welcome["tag"].clone();
    let act = json!({"type": "moderate", "id": "once", "action": "ban", "tag": tag, "seconds": 600});
    people.ann.1.send(act.clone()).await;
    let banned = people.ann.1.answer_to("once").await;
    assert_eq!(banned["subject"], json!({"username": "Carol", "tag": tag}));
    assert_eq!(silent.close_code().await, Some(4503));
    assert_eq!(people.door(&carol).turned_away(&people.server).await.0, 4503);
    // Sent again, it is the same action, although no participant has this tag any more.
    people.ann.1.send(act.clone()).await;
    assert_eq!(people.ann.1.answer_to("once").await, banned);
    let own = people.ann.1.welcome["tag"].clone();
    for (tag, code) in [(json!("zzzz"), "not_found"), (json!(""), "not_found"), (own, "invalid")] {
        let refused = people.moderate(json!({"action": "ban", "tag": tag, "seconds": 60})).await;
        assert_eq!(refused["code"], code, "{tag}");
    }
    // Who is no owner does not learn who is there.
    for tag in [tag.clone(), json!("zzzz")] {
        let refused = moderate(&mut people.bob.1, json!({"action": "ban", "tag": tag, "seconds": 60})).await;
        assert_eq!(refused["code"], "forbidden", "{tag}");
    }
    people.moderate(json!({"action": "pardon", "tag": tag})).await;
    people.door(&carol).join(&people.server).await;
}

async fn pages_show_what_the_owner_did_between_the_messages(site: Site) {
    let mut people = People::gathered(&site).await;
    people.moderate(json!({"action": "mute", "target": 2, "seconds": 600})).await;
    people.moderate(json!({"action": "lock"})).await;
    people.ann.1.say("a2", "quiet now").await;
    let page = http::get_as(&people.server, "/harbour/", &people.ann.0).await.body;
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} is not in {page}"));
    let owner = r#"<b dir="auto">Ann</b>"#;
    let places = [">hello<", owner, "muted Bob until ", "locked the room. Nobody new can come in.", ">quiet now<"];
    assert!(places.map(place).is_sorted(), "{page}");
    // They are no messages: programs read them in the log.
    let json = http::browser().get(people.server.url("/harbour/")).header("accept", "application/json");
    let json = http::send(json.header("cookie", &people.ann.0)).await.body;
    assert!(json.contains("quiet now") && !json.contains("mute"), "{json}");
}
