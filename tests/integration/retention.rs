//! Messages older than the room's retention time are deleted permanently, and clients at that position are reset.

use crate::support::host::on_each_database;
use crate::support::{Client, Door, Site, database, eventually, http};
use serde_json::json;
use std::time::{SystemTime, UNIX_EPOCH};

on_each_database!(
    old_messages_go_and_the_rest_is_a_log_without_gaps,
    a_room_may_keep_its_messages_longer_or_shorter,
    a_reader_whose_next_message_has_gone_is_told,
    a_room_goes_on_that_lost_events_before_its_readers_had_them,
    a_room_of_which_nothing_is_left_goes_on,
    names_that_nobody_holds_any_more_go,
    an_edit_goes_with_the_message_that_it_is_of,
    a_room_that_cannot_be_swept_keeps_nothing_else_from_going,
    outdated_memberships_are_purged,
);

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn retention(site: &Site, arguments: &[&str]) -> (bool, String) {
    site.command(&[&["retention"], arguments].concat())
}

/// Makes the messages of a room up to `seq` older by a number of days.
async fn age(site: &Site, room: &str, seq: usize, days: i64) {
    let ms = days * DAY_MS;
    let of_room = format!("seq <= {seq} AND room_id = (SELECT id FROM rooms WHERE name = '{room}')");
    database::execute(&site.database_url, &format!("UPDATE events SET at = at - {ms} WHERE {of_room}")).await;
}

async fn numbers(site: &Site, room: &str) -> Vec<i64> {
    let messages = database::messages(&site.database_url, room).await;
    messages.iter().map(|message| message["seq"].as_i64().expect("a number")).collect()
}

/// Fills a room with a number of messages.
async fn filled(site: &Site, room: &str, count: usize) {
    let mut server = site.start();
    let mut client = Client::join(&server, room).await;
    for n in 1..=count {
        client.say(&n.to_string(), &format!("number {n} in {room}")).await;
    }
    server.stop();
}

async fn old_messages_go_and_the_rest_is_a_log_without_gaps(site: Site) {
    filled(&site, "harbour", 20).await;
    // More than one batch.
    let copy = "INSERT INTO events SELECT r.id, n.seq, e.author, 'c' || n.seq, 0, e.at, 'Ann', NULL, 'many', NULL, NULL
        FROM (WITH RECURSIVE n(seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < 900) SELECT seq FROM n) n,
        events e, rooms r WHERE e.seq = 20 AND r.name = 'full'";
    filled(&site, "full", 1).await;
    database::execute(&site.database_url, "DELETE FROM events WHERE text = 'number 1 in full'").await;
    database::execute(&site.database_url, copy).await;
    database::execute(&site.database_url, "UPDATE rooms SET head = 900 WHERE name = 'full'").await;
    age(&site, "harbour", 12, 8).await;
    age(&site, "full", 880, 8).await;

    let server = site.with_flags(&["--retention-days", "7"]).start();
    eventually("the old ones are gone", || async {
        let kept = (numbers(&site, "harbour").await, numbers(&site, "full").await);
        (kept == ((13..=20).collect(), (881..=900).collect())).then_some(())
    })
    .await;
    let mut late = Door::of("harbour").after(12).join(&server).await;
    for n in 13..=20 {
        assert_eq!(late.expect("message").await["seq"], n);
    }
    for (after, head) in [(0, 20), (11, 21)] {
        let mut client = Door::of("harbour").after(after).join(&server).await;
        assert_eq!(client.expect("reset").await["head"], head, "{after}");
        assert_eq!(client.say(&format!("after-{after}"), "still here").await["seq"], head + 1);
    }
    assert_eq!(numbers(&site, "harbour").await, (13..=22).collect::<Vec<_>>());
    let page = http::get(&server, "/harbour/").await.body;
    assert!(page.contains("number 13 in harbour") && !page.contains("number 12 in harbour"), "{page}");
    assert_eq!(http::get(&server, "/harbour/3").await.status, 200, "a link into what is gone leads to what is there");
    late.send(json!({"type": "edit", "id": "e", "target": 3, "text": "again"})).await;
    assert_eq!(late.answer_to("e").await["code"], "not_found");
}

async fn a_room_may_keep_its_messages_longer_or_shorter(site: Site) {
    let rooms = ["as-the-site", "shorter", "longer", "for-ever"];
    for room in rooms {
        filled(&site, room, 3).await;
        age(&site, room, 2, 10).await;
    }
    for (arguments, says) in [
        (&["shorter", "2"][..], "2 days"),
        (&["longer", "30"], "30 days"),
        (&["for-ever", "forever"], "forever"),
        (&["as-the-site", "3"], "3 days"),
        (&["as-the-site", "default"], "follows --retention-days of its server"),
        (&["longer"], "30 days"),
    ] {
        let (well, said) = retention(&site, arguments);
        assert!(well && said.contains(says), "{arguments:?}: {said}");
    }
    for (arguments, named) in
        [(&["nowhere", "3"][..], "nowhere"), (&["longer", "0"], "forever"), (&["longer", "x"], "a number of days")]
    {
        let (well, said) = retention(&site, arguments);
        assert!(!well && said.contains(named), "{arguments:?}: {said}");
    }
    let _server = site.with_flags(&["--retention-days", "20"]).start();
    eventually("the old ones are gone", || async { (numbers(&site, "shorter").await == [3]).then_some(()) }).await;
    for room in ["as-the-site", "longer", "for-ever"] {
        assert_eq!(numbers(&site, room).await, [1, 2, 3], "{room}");
    }
}

async fn a_reader_whose_next_message_has_gone_is_told(site: Site) {
    filled(&site, "harbour", 10).await;
    let server = site.start();
    let mut reader = Client::join(&server, "harbour").await;
    database::execute(&site.database_url, "DELETE FROM events WHERE seq <= 5").await;
    // It requests events that existed when it joined. It is reset instead of getting a log with a gap.
    reader.send(json!({"type": "sync", "after": 2})).await;
    assert_eq!(reader.expect("reset").await["head"], 10);
    assert_eq!(reader.say("on", "going on from there").await["seq"], 11);
    let mut reader = Door::of("harbour").after(2).join(&server).await;
    assert_eq!(reader.expect("reset").await["head"], 11);
}

async fn a_room_goes_on_that_lost_events_before_its_readers_had_them(site: Site) {
    let server = site.start();
    let mut reader = Client::join(&server, "harbour").await;
    let mut author = Client::join(&server, "harbour").await;
    assert_eq!(author.say("1", "first").await["seq"], 1);
    reader.expect("message").await;
    // As if another process had written seven events, and an eighth had removed them.
    database::execute(&site.database_url, "UPDATE rooms SET head = head + 7 WHERE name = 'harbour'").await;
    author.post("2", "second").await;
    for client in [&mut reader, &mut author] {
        let heard = client.until(|frame| frame["type"] == "reset").await;
        assert!(heard.iter().all(|frame| frame["type"] == "reset" || frame["seq"] == 9), "{heard:?}");
    }
    assert_eq!(author.say("3", "third").await["seq"], 10);
    reader.answer_to("3").await;
    assert_eq!(author.say("2", "second").await["seq"], 9);
}

async fn names_that_nobody_holds_any_more_go(site: Site) {
    let mut server = site.start();
    for name in ["Ann", "Bob"] {
        let cookie = http::identity(&server).await;
        Door::of("harbour").username(name).identity(&cookie, &server).join(&server).await.say(name, "hello").await;
    }
    server.stop();
    let held = || async { database::rows(&site.database_url, "SELECT DISTINCT author FROM names").await.len() };
    assert_eq!(held().await, 2);
    let ann = "(SELECT author FROM events WHERE seq = 1)";
    let ms = 31 * DAY_MS;
    database::execute(&site.database_url, &format!("UPDATE names SET at = at - {ms} WHERE author = {ann}")).await;
    let _server = site.start();
    eventually("one name is left", || async { (held().await == 1).then_some(()) }).await;
    let left = format!("SELECT 1 FROM names WHERE author = {ann}");
    assert!(database::rows(&site.database_url, &left).await.is_empty());
}

async fn a_room_of_which_nothing_is_left_goes_on(site: Site) {
    filled(&site, "harbour", 3).await;
    age(&site, "harbour", 3, 2).await;
    let server = site.with_flags(&["--retention-days", "1"]).start();
    eventually("everything is gone", || async { numbers(&site, "harbour").await.is_empty().then_some(()) }).await;
    let mut reader = Door::of("harbour").after(1).join(&server).await;
    assert_eq!(reader.expect("reset").await["head"], 3);
    let mut reader = Door::of("harbour").after(3).join(&server).await;
    assert_eq!(reader.say("on", "we go on").await["seq"], 4);
    let page = http::get(&server, "/harbour/").await.body;
    assert!(page.contains("we go on") && page.contains("data-head=\"4\""), "{page}");
}

async fn an_edit_goes_with_the_message_that_it_is_of(site: Site) {
    let mut server = site.start();
    let cookie = http::identity(&server).await;
    let mut ann = Door::of("harbour").identity(&cookie, &server).join(&server).await;
    for n in 1..=4 {
        ann.say(&n.to_string(), "as it was said").await;
    }
    for (id, target) in [("e5", 1), ("e6", 4), ("e7", 1)] {
        ann.send(json!({"type": "edit", "id": id, "target": target, "text": format!("edit of {target}")})).await;
        ann.answer_to(id).await;
    }
    server.stop();
    age(&site, "harbour", 3, 8).await;
    let mut server = site.with_flags(&["--retention-days", "7"]).start();
    eventually("the old ones are gone", || async { (numbers(&site, "harbour").await == [4, 5, 6, 7]).then_some(()) })
        .await;
    let left = database::messages(&site.database_url, "harbour").await;
    let texts: Vec<_> = left.iter().map(|event| event["message"].as_str().expect("a text")).collect();
    assert_eq!(texts, ["as it was said", "", "edit of 4", ""]);
    let mut late = Door::of("harbour").after(4).join(&server).await;
    let frames = json!(late.until(|frame| frame["seq"] == 7).await).to_string();
    assert!(frames.contains("edit of 4") && !frames.contains("edit of 1"), "{frames}");
    // Texts that an earlier release left in the database are not shown either.
    server.stop();
    database::execute(&site.database_url, "UPDATE events SET text = 'edit of 1' WHERE seq = 5").await;
    let server = site.start();
    let mut late = Door::of("harbour").after(4).join(&server).await;
    let frames = json!(late.until(|frame| frame["seq"] == 7).await).to_string();
    assert!(!frames.contains("edit of 1"), "{frames}");
}

async fn a_room_that_cannot_be_swept_keeps_nothing_else_from_going(site: Site) {
    for room in ["first", "second"] {
        filled(&site, room, 3).await;
        age(&site, room, 2, 10).await;
    }
    let first = "(SELECT id FROM rooms WHERE name = 'first')";
    let refuse = if site.database_url.starts_with("sqlite:") {
        format!(
            "CREATE TRIGGER kept BEFORE DELETE ON events WHEN OLD.room_id = {first} \
             BEGIN SELECT RAISE(ABORT, 'kept'); END"
        )
    } else {
        format!(
            "CREATE FUNCTION kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF OLD.room_id = {first} THEN \
             RAISE 'kept'; END IF; RETURN OLD; END $$; \
             CREATE TRIGGER kept BEFORE DELETE ON events FOR EACH ROW EXECUTE FUNCTION kept()"
        )
    };
    database::execute(&site.database_url, &refuse).await;
    let name = "INSERT INTO names SELECT r.id, 'old', e.author, 1, NULL FROM rooms r, events e \
                WHERE r.name = 'second' AND e.room_id = r.id AND e.seq = 3";
    database::execute(&site.database_url, name).await;
    let server = site.with_flags(&["--retention-days", "7"]).start();
    eventually("the second room is swept", || async { (numbers(&site, "second").await == [3]).then_some(()) }).await;
    eventually("and so are names", || async {
        database::rows(&site.database_url, "SELECT 1 FROM names").await.is_empty().then_some(())
    })
    .await;
    assert_eq!(numbers(&site, "first").await, [1, 2, 3]);
    assert!(server.log().contains("Purging expired messages failed"), "{}", server.log());
}

async fn outdated_memberships_are_purged(site: Site) {
    filled(&site, "harbour", 1).await;
    let url = &site.database_url;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_millis() as i64;
    let far = i64::MAX;
    // Who spoke long ago, whose ban is over, whose stamp cannot be; and a member, a ban, a mute, one who is slowed.
    let rows = [
        ("gone1", false, 0, 0, now - 2 * 3_600_000),
        ("gone2", false, now - 1000, now - 1000, 0),
        ("gone3", false, 0, 0, now + 30 * DAY_MS),
        ("stay1", true, 0, 0, 0),
        ("stay2", false, 0, far, 0),
        ("stay3", false, now + DAY_MS, 0, 0),
        ("stay4", false, 0, 0, now - 1000),
    ];
    for (who, member, muted, banned, spoke) in rows {
        let author =
            if url.starts_with("sqlite:") { format!("CAST('{who}' AS BLOB)") } else { format!("'{who}'::bytea") };
        let row =
            format!("SELECT id, {author}, {member}, {muted}, {banned}, {spoke} FROM rooms WHERE name = 'harbour'");
        database::execute(url, &format!("INSERT INTO standings {row}")).await;
    }
    let _server = site.start();
    eventually("four are left", || async {
        let left = database::rows(url, "SELECT author FROM standings ORDER BY author").await;
        let left: Vec<Vec<u8>> = left.iter().map(|row| row.try_get_by_index(0).expect("bytes")).collect();
        (left == ["stay1", "stay2", "stay3", "stay4"].map(|who| who.as_bytes().to_vec())).then_some(())
    })
    .await;
}
