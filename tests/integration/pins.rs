//! Pins: by the owner and the host, a bounded number, and shown as the messages read now.

use crate::reactions::{person, read};
use crate::support::api::{request, send};
use crate::support::host::on_each_database;
use crate::support::{Client, Site, http};
use serde_json::{Value, json};

on_each_database!(the_owner_pins_and_unpins, a_room_has_at_most_fifty_pins, pins_and_reactions_work_without_a_script,);

async fn act(client: &mut Client, id: &str, action: &str, target: i64) -> Value {
    client.send(json!({"type": "moderate", "id": id, "action": action, "target": target})).await;
    client.answer_to(id).await
}

async fn the_owner_pins_and_unpins(site: Site) {
    let server = site.start();
    let (mut ann, mut ben) = (person(&server, "Ann").await, person(&server, "Ben").await);
    ann.1.say("a1", "first").await;
    ben.1.say("b1", "second").await;
    ann.1.expect_message("second").await;
    assert_eq!(act(&mut ben.1, "x1", "pin", 1).await["code"], "forbidden");
    assert_eq!(act(&mut ann.1, "x2", "pin", 9).await["code"], "not_found");
    let never = act(&mut ann.1, "n1", "unpin", 2).await;
    let expected =
        json!({"type": "moderated", "seq": null, "id": "n1", "action": "unpin", "target": 2, "repeated": true});
    assert_eq!(never, expected);
    let pinned = act(&mut ann.1, "p1", "pin", 2).await;
    let by = json!({"username": "Ann", "tag": ann.1.welcome["tag"]});
    let expected =
        json!({"type": "moderated", "seq": 3, "id": "p1", "action": "pin", "by": by, "target": 2, "at": pinned["at"]});
    assert_eq!(pinned, expected);
    let heard = ben.1.until(|frame| frame["type"] == "moderated").await.pop().expect("a frame");
    assert_eq!(heard, expected);
    let again = act(&mut ann.1, "n2", "pin", 2).await;
    assert_eq!((&again["seq"], &again["id"], &again["repeated"]), (&json!(3), &json!("n2"), &json!(true)));
    let (well, said) = site.command(&["pin", "harbour/1"]);
    assert!(well && said.contains("pinned"), "{said}");
    let pins = read(&server, "/harbour/pins", "").await.json();
    let numbers: Vec<&Value> = pins["messages"].as_array().expect("messages").iter().map(|it| &it["seq"]).collect();
    assert_eq!(numbers, [1, 2], "the latest pin first");
    assert_eq!(pins["messages"][0]["pinned"], true);
    assert_eq!(read(&server, "/harbour/1", "").await.json()["pinned"], true);
    // It reads as it does now.
    ann.1.send(json!({"type": "edit", "id": "e1", "target": 1, "text": "first of all"})).await;
    ann.1.answer_to("e1").await;
    assert_eq!(read(&server, "/harbour/pins", "").await.json()["messages"][0]["message"], "first of all");
    let latest = http::get(&server, "/api/load_pin?room_name=harbour").await.body;
    assert!(latest.contains(r#""seq":1"#) && latest.contains("first of all"), "{latest}");
    let page = http::get(&server, "/harbour/pins").await;
    assert!(
        page.status == 200 && page.body.contains("first of all") && page.body.contains("/harbour/2"),
        "{}",
        page.body
    );
    assert_eq!(http::get(&server, "/Harbour/pins").await.location.as_deref(), Some("/harbour/pins"));
    let unpinned = act(&mut ann.1, "u1", "unpin", 2).await;
    assert_eq!((&unpinned["action"], &unpinned["target"]), (&json!("unpin"), &json!(2)));
    let again = act(&mut ann.1, "n3", "unpin", 2).await;
    assert_eq!((&again["seq"], &again["repeated"]), (&unpinned["seq"], &json!(true)), "{again}");
    assert_eq!(read(&server, "/harbour/2", "").await.json()["pinned"], Value::Null);
    let unread = http::get(&server, "/api/count_unread?rooms[0][room]=harbour&rooms[0][read]=2").await;
    assert_eq!(unread.body, "[0]");
}

async fn a_room_has_at_most_fifty_pins(site: Site) {
    let server = site.start();
    let mut ann = person(&server, "Ann").await;
    for n in 1..=51 {
        ann.1.say(&format!("m{n}"), &format!("message {n}")).await;
    }
    for n in 1..=50 {
        assert_eq!(act(&mut ann.1, &format!("p{n}"), "pin", n).await["type"], "moderated", "{n}");
    }
    assert_eq!(act(&mut ann.1, "p51", "pin", 51).await["code"], "invalid");
    ann.1.send(json!({"type": "delete", "id": "d1", "target": 7})).await;
    ann.1.answer_to("d1").await;
    assert_eq!(act(&mut ann.1, "p51", "pin", 51).await["type"], "moderated", "there is room again");
    assert_eq!(read(&server, "/harbour/pins", "").await.json()["messages"].as_array().map(Vec::len), Some(50));
}

async fn pins_and_reactions_work_without_a_script(site: Site) {
    let server = site.start();
    let (mut ann, ben) = (person(&server, "Ann").await, person(&server, "Ben").await);
    ann.1.say("a1", "hello").await;
    let page = http::get_as(&server, "/harbour/1/react", &ben.0).await;
    assert_eq!(page.status, 200);
    for part in ["value=\"👍\"", "value=\"🦖\"", "action=\"/harbour/1/react\"", "hello"] {
        assert!(page.body.contains(part), "{part}");
    }
    assert!(!page.body.contains("/harbour/1/pin"), "only the owner pins");
    let token =
        page.body.split("name=\"token\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a token");
    let post = async |path: &str, cookie: &str, form: &[(&str, &str)]| {
        let post = http::browser().post(server.url(path)).header("cookie", cookie).header("accept", "text/html");
        http::send(post.form(form)).await
    };
    let reacted = post("/harbour/1/react", &ben.0, &[("emoji", "🦖"), ("token", token)]).await;
    assert_eq!((reacted.status.as_u16(), reacted.location.as_deref()), (303, Some("/harbour/1")));
    let page = http::get_as(&server, "/harbour/1/react", &ben.0).await.body;
    assert!(page.contains("aria-pressed=\"true\"") && page.contains("🦖 1 · "), "{page}");
    // Without `on`, it toggles.
    for count in [0, 1] {
        assert_eq!(post("/harbour/1/react", &ben.0, &[("emoji", "🦖")]).await.status, 303);
        let reactions = read(&server, "/harbour/1", "").await.json()["reactions"].as_array().map_or(0, Vec::len);
        assert_eq!(reactions, count);
    }
    assert_eq!(post("/harbour/1/react", &ben.0, &[("emoji", "🦖"), ("on", "true")]).await.status, 303);
    // What is refused comes back with the reason.
    let stale = post("/harbour/1/react", &ben.0, &[("emoji", "🎉"), ("token", "0")]).await;
    assert!(stale.status == 403 && stale.body.contains("out of date"), "{}", stale.body);
    let bad = post("/harbour/1/react", &ben.0, &[("emoji", "x")]).await;
    assert!(bad.status == 422 && bad.body.contains("one emoji"), "{}", bad.body);
    assert_eq!(post("/harbour/9/react", &ben.0, &[("emoji", "🎉")]).await.status, 404);
    assert_eq!(post("/harbour/1/pin", &ben.0, &[("on", "true")]).await.status, 403);
    let foreign = http::browser().post(server.url("/harbour/1/react")).header("origin", "https://elsewhere.example");
    let foreign = http::send(foreign.header("cookie", &ben.0).form(&[("emoji", "🎉")])).await;
    assert_eq!(foreign.status, 403);
    assert_eq!(read(&server, "/harbour/1", "").await.json()["reactions"], json!([{"emoji": "🦖", "count": 1}]));
    // The owner pins.
    assert!(http::get_as(&server, "/harbour/1/react", &ann.0).await.body.contains("Pin this message"));
    for pinned in [json!(true), Value::Null] {
        let done = post("/harbour/1/pin", &ann.0, &[]).await;
        assert_eq!((done.status.as_u16(), done.location.as_deref()), (303, Some("/harbour/1")));
        assert_eq!(read(&server, "/harbour/1", "").await.json()["pinned"], pinned);
    }
    // A private room's addresses tell strangers nothing.
    let private = format!("/secret~{}", "a".repeat(26));
    for path in ["/1/react", "/1/reactions", "/pins"] {
        let strange = read(&server, &format!("{private}{path}"), &ben.0).await;
        assert_eq!((strange.status, strange.code().as_str()), (404, "not_found"), "{path}");
    }
    let none = send(request(&server, "POST", &format!("{private}/1/react")).header("accept", "application/json"));
    assert_eq!(none.await.status, 404);
}
