//! The host exports rooms and the messages of one identity, and deletes the latter, while clients post.

use crate::durability::addresses;
use crate::fan_out_load::Crowd;
use crate::support::host::on_each_database;
use crate::support::{Client, Door, Server, Site, database, eventually, http, tempdir};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;

on_each_database!(
    a_room_is_written_out_as_it_reads_now,
    messages_of_one_identity_are_exported_and_erased,
    removing_keeps_the_log_whole_while_people_talk,
    moderation_events_no_longer_name_an_erased_author,
    an_edit_goes_whose_message_has_gone_before,
    text_for_a_terminal_controls_none,
    of_how_somebody_stood_nothing_is_left_but_the_end_of_a_ban,
);

fn exported(site: &Site, arguments: &[&str]) -> String {
    let (well, said) = site.command(&[&["export"], arguments].concat());
    assert!(well, "{said}");
    said
}

async fn enter(server: &Server, room: &str, cookie: &str, name: &str) -> Client {
    Door::of(room).username(name).identity(cookie, server).join(server).await
}

async fn a_room_is_written_out_as_it_reads_now(site: Site) {
    let server = site.start();
    let cookie = http::identity(&server).await;
    let mut ann = enter(&server, "harbour", &cookie, "Ann").await;
    ann.say("1", "<script>alert(1)</script> & so on").await;
    ann.say("2", "two\nlines").await;
    ann.say("3", "first thoughts").await;
    ann.say("4", "regretted").await;
    ann.send(json!({"type": "edit", "id": "5", "target": 3, "text": "second thoughts"})).await;
    ann.answer_to("5").await;
    ann.send(json!({"type": "delete", "id": "6", "target": 4})).await;
    ann.answer_to("6").await;
    Client::join(&server, "elsewhere").await.say("1", "not here").await;

    let html = exported(&site, &["harbour", "--format", "html"]);
    assert!(html.starts_with("<!doctype html>") && html.contains("<h1>harbour</h1>"), "{html}");
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; so on") && !html.contains("<script"), "{html}");
    assert!(!html.contains("src=") && !html.contains("href="), "it needs nothing else: {html}");
    let text = exported(&site, &["harbour"]);
    assert!(text.contains("    two\n    lines") && text.contains("Ann [") && text.contains("(edited)"), "{text}");
    let json: Value = serde_json::from_str(&exported(&site, &["harbour", "--format", "json"])).expect("JSON");
    let messages = json["rooms"][0]["messages"].as_array().expect("messages");
    let said: Vec<_> = messages.iter().map(|message| (&message["seq"], &message["message"])).collect();
    let expected = [(1, "<script>alert(1)</script> & so on"), (2, "two\nlines"), (3, "second thoughts")];
    assert_eq!(json!(said), json!(expected));
    assert_eq!((&messages[2]["edited"], &messages[0]["username"]), (&json!(true), &json!("Ann")));
    for written in [&html, &text, &json.to_string()] {
        for gone in ["regretted", "first thoughts", "not here"] {
            assert!(!written.contains(gone), "{gone}: {written}");
        }
    }

    let file = tempdir::directory("export").join("harbour.html");
    let arguments = ["harbour", "--format", "html", "--output", file.to_str().expect("a path")];
    assert_eq!(exported(&site, &arguments), "");
    assert_eq!(std::fs::read_to_string(&file).expect("a file"), html);
    assert_eq!(file.metadata().expect("a file").permissions().mode() & 0o777, 0o600, "it may be of a private room");
    let (well, said) = site.command(&[&["export"], &arguments[..]].concat());
    assert!(!well && said.contains("harbour.html"), "nothing is overwritten: {said}");
    let (well, said) = site.command(&["export", "nowhere"]);
    assert!(!well && said.contains("nowhere"), "{said}");
    assert!(!database::room_names(&site.database_url).await.contains(&"nowhere".to_owned()));
}

async fn messages_of_one_identity_are_exported_and_erased(site: Site) {
    let mut server = site.start();
    let (ann, ben) = (http::identity(&server).await, http::identity(&server).await);
    let mut watching = Client::join(&server, "harbour").await;
    for room in ["harbour", "уют"] {
        let door = room.replace("уют", "%D1%83%D1%8E%D1%82");
        enter(&server, &door, &ann, "Annabelle").await.say("a", &format!("hers in {room}")).await;
        enter(&server, &door, &ben, "Ben").await.say("a", &format!("his in {room}")).await;
    }
    let mut again = enter(&server, "harbour", &ann, "Annabelle").await;
    again.send(json!({"type": "edit", "id": "e", "target": 1, "text": "hers, edited"})).await;
    again.answer_to("e").await;
    let taken_back = again.say("t", "hers, taken back").await["seq"].clone();
    again.send(json!({"type": "delete", "id": "d", "target": taken_back})).await;
    again.answer_to("d").await;

    let link = server.url("/harbour/1");
    let json: Value =
        serde_json::from_str(&exported(&site, &["--author-of", &link, "--format", "json"])).expect("JSON");
    let rooms = json["rooms"].as_array().expect("rooms");
    let said: Vec<_> = rooms.iter().map(|room| (&room["room_name"], &room["messages"][0]["message"])).collect();
    assert_eq!(json!(said), json!([["harbour", "hers, edited"], ["уют", "hers in уют"]]));

    let (well, said) = site.command(&["erase", "--author-of", "harbour/1"]);
    assert!(well && said.contains("--yes") && said.contains("harbour, уют"), "{said}");
    assert!(exported(&site, &["harbour"]).contains("hers"), "nothing has gone yet");
    let (well, said) = site.command(&["erase", "--author-of", "harbour/1", "--yes"]);
    assert!(well && said.contains("2 messages"), "{said}");
    // Connected clients see the deletion.
    watching.until(|frame| frame["type"] == "deleted" && frame["target"] == 1).await;
    // Later clients get neither her texts nor, soon, her name, even for messages that she had deleted herself.
    eventually("her name has gone", || async {
        let mut later = Door::of("harbour").after(0).join(&server).await;
        let frames = later.until(|frame| frame["type"] == "deleted" && frame["target"] == 1).await;
        let frames = json!(frames).to_string();
        assert!(frames.contains("Ben") && !frames.contains("hers"), "{frames}");
        (!frames.contains("Annabelle")).then_some(())
    })
    .await;

    for room in ["harbour", "уют"] {
        let text = exported(&site, &[room]);
        assert!(text.contains("his in") && !text.contains("hers"), "{text}");
    }
    for (arguments, named) in [(&["harbour/99"][..], "99"), (&["harbour"], "ROOM/NUMBER"), (&["nowhere/1"], "nowhere")]
    {
        let (well, said) = site.command(&[&["erase", "--author-of"], arguments].concat());
        assert!(!well && said.contains(named), "{arguments:?}: {said}");
    }
    // Her name is free again, and stands nowhere.
    assert_eq!(enter(&server, "harbour", &ben, "Annabelle").await.welcome["username"], "Annabelle");
    server.stop();
    let rows =
        database::rows(&site.database_url, "SELECT 1 FROM events WHERE username = 'Annabelle' OR text LIKE 'hers%'");
    assert!(rows.await.is_empty());
    if site.database_url.starts_with("sqlite:") {
        let file = std::fs::read(site.data.join("parlour.db")).expect("a file");
        assert!(!file.windows(4).any(|bytes| bytes == b"hers"), "it is not in the file any more");
    }
}

async fn moderation_events_no_longer_name_an_erased_author(site: Site) {
    let mut server = site.start();
    let (ben, ann) = (http::identity(&server).await, http::identity(&server).await);
    let mut owner = enter(&server, "harbour", &ben, "Ben").await;
    owner.say("1", "his").await;
    enter(&server, "harbour", &ann, "Annabelle").await.say("2", "hers").await;
    enter(&server, "harbour", &http::identity(&server).await, "Carol").await.say("3", "another's").await;
    for target in [2, 3] {
        let act =
            json!({"type": "moderate", "id": target.to_string(), "action": "mute", "target": target, "seconds": 60});
        owner.send(act).await;
        owner.answer_to(&target.to_string()).await;
    }
    let (well, said) = site.command(&["erase", "--author-of", "harbour/2", "--yes"]);
    assert!(well, "{said}");
    // The server keeps recent events in memory for a while.
    server.stop();
    let server = site.start();
    let mut later = Door::of("harbour").after(0).join(&server).await;
    let frames = later.until(|frame| frame["type"] == "deleted").await;
    let acts: Vec<_> = frames.iter().filter(|frame| frame["type"] == "moderated").collect();
    assert_eq!((&acts[0]["subject"]["username"], &acts[0]["action"]), (&json!("Anonymous"), &json!("mute")));
    assert_eq!(acts[1]["subject"]["username"], "Carol");
    assert!(acts[0]["until"].is_i64() && !json!(frames).to_string().contains("Annabelle"), "{frames:?}");
    assert_eq!(acts[1]["by"]["username"], "Ben");
    // The owner's name goes, too; what the owner did stays.
    let mut server = server;
    let (well, said) = site.command(&["erase", "--author-of", "harbour/1", "--yes"]);
    assert!(well, "{said}");
    server.stop();
    let server = site.start();
    let frames = Door::of("harbour").after(0).join(&server).await.until(|frame| frame["type"] == "deleted").await;
    let acts: Vec<_> = frames.iter().filter(|frame| frame["type"] == "moderated").collect();
    assert!(acts.len() == 2 && acts.iter().all(|act| act.get("by").is_none()), "{acts:?}");
    assert!(!json!(frames).to_string().contains("Ben"), "{frames:?}");
}

async fn an_edit_goes_whose_message_has_gone_before(site: Site) {
    let mut server = site.start();
    let ann = http::identity(&server).await;
    let mut hers = enter(&server, "harbour", &ann, "Annabelle").await;
    hers.say("1", "hers").await;
    hers.say("2", "hers too").await;
    hers.send(json!({"type": "edit", "id": "3", "target": 1, "text": "hers, edited"})).await;
    hers.answer_to("3").await;
    // As retention does, from the beginning of the log.
    database::execute(&site.database_url, "DELETE FROM events WHERE seq = 1").await;
    let (well, said) = site.command(&["erase", "--author-of", "harbour/2", "--yes"]);
    assert!(well && said.contains("1 messages"), "{said}");
    server.stop();
    let rows = database::rows(&site.database_url, "SELECT 1 FROM events WHERE text LIKE 'hers%'").await;
    assert!(rows.is_empty(), "nothing of hers is left");
}

async fn removing_keeps_the_log_whole_while_people_talk(site: Site) {
    let servers = [site.start()];
    let ann = http::identity(&servers[0]).await;
    let mut hers = enter(&servers[0], "mountains", &ann, "Ann").await;
    for n in 0..150 {
        hers.say(&n.to_string(), "hers").await;
    }
    // The others talk in the same database at the same time, each message held against the log.
    let crowd = Crowd::enter(&servers[0], &addresses(&servers), 4, 2).await;
    let mut beside = Client::join(&servers[0], "mountains").await;
    let talking = tokio::spawn(async move {
        let mut seqs = Vec::new();
        for n in 0..60 {
            seqs.push(beside.say(&format!("b{n}"), "his").await["seq"].as_i64().expect("a number"));
        }
        seqs
    });
    let (well, said) = site.command(&["erase", "--author-of", "mountains/1", "--yes"]);
    assert!(well && said.contains("150 messages"), "{said}");
    let seqs = talking.await.expect("he goes on");
    crate::durability::is_kept(&site, crowd, 20).await;
    let log = database::messages(&site.database_url, "mountains").await;
    let numbers: Vec<i64> = log.iter().map(|row| row["seq"].as_i64().expect("a number")).collect();
    assert_eq!(numbers, (1..=360).collect::<Vec<_>>(), "150 messages, 60 messages, 150 removals");
    for seq in seqs {
        assert_eq!(log[seq as usize - 1]["message"], "his", "what was acknowledged stays where it is");
    }
    assert!(log.iter().all(|row| row["message"] != "hers"));
}

async fn text_for_a_terminal_controls_none(site: Site) {
    let server = site.start();
    Client::join(&server, "harbour").await.say("1", "plain").await;
    let character = if site.database_url.starts_with("sqlite:") { "char" } else { "chr" };
    let hostile = format!("{character}(27) || '[2J' || {character}(8238) || {character}(13) || {character}(155)");
    let update = format!("UPDATE events SET text = {hostile}, username = {hostile}");
    database::execute(&site.database_url, &update).await;
    let text = exported(&site, &["harbour"]);
    assert!(text.contains("\\u001b[2J\\u202e\\u000d\\u009b"), "{text}");
    assert!(!text.contains(['\u{1b}', '\u{202e}', '\r', '\u{9b}']), "{text:?}");
    let json: Value = serde_json::from_str(&exported(&site, &["harbour", "--format", "json"])).expect("JSON");
    assert_eq!(json["rooms"][0]["messages"][0]["message"], "\u{1b}[2J\u{202e}\r\u{9b}", "programs get it all");
}

async fn of_how_somebody_stood_nothing_is_left_but_the_end_of_a_ban(site: Site) {
    let server = site.start();
    let (ann, ben) = (http::identity(&server).await, http::identity(&server).await);
    for room in ["harbour", "tavern"] {
        let mut owner = enter(&server, room, &ann, "Ann").await;
        owner.say("mine", "mine").await;
        enter(&server, room, &ben, "Ben").await.say("his", "his").await;
        let mut act = json!({"type": "moderate", "id": "slow", "action": "slow_mode", "seconds": 600});
        if room == "tavern" {
            act = json!({"type": "moderate", "id": "ban", "action": "ban", "target": 2, "seconds": 600});
        }
        owner.send(act.clone()).await;
        owner.answer_to(act["id"].as_str().expect("an id")).await;
    }
    enter(&server, "harbour", &ben, "Ben").await.say("slowly", "his too").await;
    database::execute(&site.database_url, "UPDATE standings SET member = true").await;
    let (well, said) = site.command(&["erase", "--author-of", "harbour/2", "--yes"]);
    assert!(well, "{said}");
    let his = "SELECT s.member, s.spoke_at, s.banned_until, s.author FROM standings s JOIN rooms r ON r.id = s.room_id";
    let rows = |room: &str| format!("{his} WHERE r.name = '{room}'");
    let left = database::rows(&site.database_url, &rows("harbour")).await;
    let left = left.iter().map(|row| row.try_get_by_index::<Vec<u8>>(3).expect("an author"));
    // The slow-mode state that new visitors of his network share does not belong to an identity.
    assert_eq!(left.filter(|author| !author.starts_with(&[1, 0, 0, 0, 0, 0])).count(), 0);
    let ban = database::rows(&site.database_url, &rows("tavern")).await;
    assert_eq!(ban.len(), 1);
    let left: (bool, i64, i64) = (
        ban[0].try_get_by_index(0).expect("whether he is a member"),
        ban[0].try_get_by_index(1).expect("a time"),
        ban[0].try_get_by_index(2).expect("a time"),
    );
    assert!(!left.0 && left.1 == 0 && left.2 > 0, "{left:?}");
    assert_eq!(Door::of("tavern").identity(&ben, &server).turned_away(&server).await.0, 4503);
}
