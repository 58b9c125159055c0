//! The settings of a room: title, topic and retention by the socket, and the page of forms that works without script.

use crate::support::host::on_each_database;
use crate::support::server::Server;
use crate::support::{Client, Door, Site, database, eventually, http};
use serde_json::{Value, json};

on_each_database!(
    the_owner_shortens_retention_but_does_not_lengthen_it,
    every_form_changes_what_it_shows,
    a_refused_form_returns_what_was_typed,
    only_the_owner_changes_a_room,
    a_room_is_handed_over_and_deleted_after_a_question,
    a_private_room_keeps_the_title_that_was_typed,
);

/// A room of Ann's, in which Bob has written message 2.
pub struct Room {
    pub server: Server,
    pub ann: String,
    pub bob: String,
    pub client: Client,
}

impl Room {
    pub async fn of(server: Server) -> Self {
        let (ann, bob) = (http::identity(&server).await, http::identity(&server).await);
        let mut client = Door::of("harbour").username("Ann").identity(&ann, &server).join(&server).await;
        client.say("a1", "mine").await;
        let mut other = Door::of("harbour").username("Bob").identity(&bob, &server).join(&server).await;
        other.say("b1", "hello").await;
        client.until(|frame| frame["message"] == "hello").await;
        Self { server, ann, bob, client }
    }

    /// Takes an action as Ann. Returns the answer.
    pub async fn moderate(&mut self, id: &str, mut frame: Value) -> Value {
        (frame["type"], frame["id"]) = (json!("moderate"), json!(id));
        self.client.send(frame).await;
        self.client.answer_to(id).await
    }

    pub async fn page(&self, cookie: &str) -> String {
        let answer = http::get_as(&self.server, "/harbour/settings", cookie).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    /// Sends a form of the settings page.
    pub async fn form(&self, cookie: &str, fields: &[(&str, &str)]) -> http::Answer {
        form(&self.server, "/harbour/settings", cookie, fields).await
    }

    /// Sends a form, which is applied. Returns the page that it leads to.
    pub async fn apply(&self, fields: &[(&str, &str)]) -> String {
        let answer = self.form(&self.ann, fields).await;
        assert_eq!(answer.status, 303, "{fields:?}: {}", answer.body);
        let location = answer.location.expect("the page");
        let page = http::get_as(&self.server, location.split('#').next().unwrap(), &self.ann).await;
        assert_eq!(page.status, 200, "{location}");
        page.body
    }
}

pub async fn form(server: &Server, path: &str, cookie: &str, fields: &[(&str, &str)]) -> http::Answer {
    let request = http::browser().post(server.url(path)).header("cookie", cookie);
    http::send(request.header("origin", server.origin()).form(fields)).await
}

/// The tag of the field with this name.
pub fn field<'a>(page: &'a str, name: &str) -> &'a str {
    let tags = page.split('<').map(|rest| rest.split('>').next().unwrap_or_default());
    let found = tags.into_iter().find(|tag| tag.contains(&format!("name=\"{name}\"")));
    found.unwrap_or_else(|| panic!("no field {name}: {page}"))
}

/// The value that is selected in the list after this label.
fn selected<'a>(page: &'a str, label: &str) -> &'a str {
    let list = page.split(&format!("aria-label=\"{label}\"")).nth(1).expect("a list");
    let option =
        list.split("<option").find(|option| option.split('>').next().is_some_and(|tag| tag.contains("selected")));
    option.and_then(|option| option.split("value=\"").nth(1)?.split('"').next()).expect("a selected option")
}

async fn the_owner_shortens_retention_but_does_not_lengthen_it(site: Site) {
    let day = 24 * 60 * 60;
    let mut room = Room::of(site.with_flags(&["--retention-days", "30"]).start()).await;
    let set = room.moderate("r1", json!({"action": "retention", "seconds": 7 * day})).await;
    assert_eq!((&set["action"], &set["seconds"]), (&json!("retention"), &json!(7 * day)));
    assert_eq!(room.moderate("r2", json!({"action": "retention", "seconds": 31 * day})).await["code"], "invalid");
    let page = room.page(&room.ann).await;
    assert_eq!(selected(&page, "Keep messages"), "7");
    assert!(!page.contains("value=\"365\""), "{page}");
    let (_, said) = site.command(&["retention", "harbour"]);
    assert!(said.contains("Its owner has set 7 days"), "{said}");
    let older = "UPDATE events SET at = at - 864000000 WHERE seq <= 2";
    database::execute(&site.database_url, older).await;
    room.server.stop();
    room.server = site.with_flags(&["--retention-days", "30"]).start();
    eventually("the old ones are gone", || async {
        let kept = database::rows(&site.database_url, "SELECT 1 FROM events WHERE kind = 0").await;
        kept.is_empty().then_some(())
    })
    .await;
    // The host's setting for the room bounds the owner, too.
    assert!(site.command(&["retention", "harbour", "forever"]).0);
    room.apply(&[("action", "retention"), ("value", "365")]).await;
    assert_eq!(selected(&room.page(&room.ann).await, "Keep messages"), "365");
    assert!(site.command(&["retention", "harbour", "7"]).0);
    assert_eq!(selected(&room.page(&room.ann).await, "Keep messages"), "0", "7 days are the limit now");
    let answer = room.form(&room.ann, &[("action", "retention"), ("value", "30")]).await;
    assert!(answer.status == 422 && answer.body.contains("7 days at most"), "{}", answer.body);
}

async fn every_form_changes_what_it_shows(site: Site) {
    let room = Room::of(site.start()).await;
    let page = room.page(&room.ann).await;
    let token = field(&page, "token").split("value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let page =
        room.apply(&[("action", "description"), ("token", token), ("title", "Summer trip"), ("topic", "Cake")]).await;
    assert!(field(&page, "title").contains("value=\"Summer trip\"") && page.contains(">Saved<"), "{page}");
    assert!(field(&page, "topic").contains("value=\"Cake\""), "{page}");
    let is_locked =
        |page: &str| page.split("value=\"locked\"").nth(1).unwrap().split('>').next().unwrap().contains("checked");
    assert!(!is_locked(&page));
    assert!(is_locked(&room.apply(&[("action", "access"), ("access", "locked")]).await));
    assert!(!is_locked(&room.apply(&[("action", "access"), ("access", "link")]).await));
    let page = room.apply(&[("action", "slow_mode"), ("value", "45")]).await;
    assert_eq!(selected(&page, "Slow mode"), "45", "also one that is not in the list");
    let page = room.apply(&[("action", "slow_mode"), ("value", "0")]).await;
    assert_eq!((selected(&page, "Slow mode"), selected(&page, "Keep messages")), ("0", "0"));
    assert_eq!(selected(&room.apply(&[("action", "retention"), ("value", "90")]).await, "Keep messages"), "90");
    // What changes nothing adds nothing to the log.
    let head = || async { database::rows(&site.database_url, "SELECT 1 FROM events").await.len() };
    let before = head().await;
    room.apply(&[("action", "description"), ("title", "Summer trip"), ("topic", "Cake")]).await;
    room.apply(&[("action", "access"), ("access", "link")]).await;
    room.apply(&[("action", "slow_mode"), ("value", "0")]).await;
    assert_eq!(head().await, before);
    let page = room.apply(&[("action", "description"), ("title", "harbour"), ("topic", "")]).await;
    assert!(field(&page, "title").contains("value=\"harbour\""), "{page}");
    let answer = room.form(&room.bob, &[("action", "username"), ("username", " Bobby ")]).await;
    assert_eq!(answer.status, 303);
    assert!(answer.cookies.iter().any(|cookie| cookie.starts_with("parlour_username=Bobby")), "{:?}", answer.cookies);
}

async fn a_refused_form_returns_what_was_typed(site: Site) {
    let room = Room::of(site.start()).await;
    let long = "x".repeat(81);
    for (fields, detail, status) in [
        (vec![("action", "description"), ("title", long.as_str()), ("topic", "kept & <kept>")], "Up to 80", 413),
        (vec![("action", "description"), ("title", "kept & <kept>"), ("topic", "a\u{202e}b")], "isn’t allowed", 422),
        (vec![("action", "username"), ("username", "a\u{202e}kept & <kept>")], "isn’t allowed", 422),
        (vec![("action", "username"), ("username", "  ")], "at least one", 422),
        (vec![("action", "access"), ("access", "nobody")], "Choose", 422),
        (vec![("action", "slow_mode"), ("value", "3601")], "0 to 3600", 422),
        (vec![("action", "slow_mode"), ("value", "soon")], "Choose", 422),
        (vec![("action", "retention"), ("value", "4294967295")], "too long", 422),
        (vec![("action", "ban"), ("person", "2"), ("value", "99999999")], "1 to 31536000", 422),
        (vec![("action", "ban"), ("person", "999"), ("value", "60")], "no such message", 422),
        (vec![("action", "ban"), ("person", "tag-0000"), ("value", "60")], "has this tag", 422),
        (vec![("action", "hand_over"), ("person", "")], "Choose somebody", 422),
        (vec![("action", "renew")], "not private", 422),
        (vec![("action", "dance")], "not one of this page", 422),
        (vec![], "not one of this page", 422),
        (vec![("action", "slow_mode"), ("token", "0123"), ("value", "10")], "out of date", 403),
    ] {
        let answer = room.form(&room.ann, &fields).await;
        assert_eq!(answer.status, status, "{fields:?}: {}", answer.body);
        assert!(answer.body.contains(detail), "{fields:?}: the page says why ({detail}): {}", answer.body);
        if fields.iter().any(|(_, value)| value.contains("kept & <kept>")) {
            assert!(answer.body.contains("kept &amp; &lt;kept"), "{fields:?}: {}", answer.body);
        }
    }
    let taken = room.form(&room.bob, &[("action", "username"), ("username", "Ann")]).await;
    assert!(taken.status == 409 && field(&taken.body, "username").contains("value=\"Ann\""), "{}", taken.body);
    assert!(taken.cookies.iter().all(|cookie| !cookie.contains("username")), "{:?}", taken.cookies);
    assert_eq!(database::rows(&site.database_url, "SELECT 1 FROM events WHERE kind = 3").await.len(), 0);
}

async fn only_the_owner_changes_a_room(site: Site) {
    let room = Room::of(site.start()).await;
    for page in [room.page(&room.bob).await, http::get(&room.server, "/nowhere/settings").await.body] {
        assert!(page.contains("name=\"username\"") && !page.contains("name=\"title\""), "{page}");
        assert!(!page.contains("Danger zone") && !page.contains("parlour.wasm"), "{page}");
    }
    for fields in [
        vec![("action", "description"), ("title", "Bob’s"), ("topic", "")],
        vec![("action", "access"), ("access", "locked")],
        vec![("action", "ban"), ("person", "1"), ("value", "60")],
        vec![("action", "delete"), ("confirmed", "yes")],
        vec![("action", "hand_over"), ("person", "2"), ("confirmed", "yes")],
    ] {
        for cookie in [room.bob.as_str(), ""] {
            let answer = room.form(cookie, &fields).await;
            assert!(answer.status == 403 && answer.body.contains("Only the owner"), "{fields:?}: {}", answer.body);
        }
        for (name, foreign) in [("origin", "http://evil.example"), ("sec-fetch-site", "cross-site")] {
            let request = http::browser().post(room.server.url("/harbour/settings")).header("cookie", &room.ann);
            assert_eq!(http::send(request.header(name, foreign).form(&fields)).await.status, 403, "{fields:?}");
        }
    }
    assert_eq!(database::rows(&site.database_url, "SELECT 1 FROM events WHERE kind = 3").await.len(), 0);
    let vacant =
        form(&room.server, "/nowhere/settings", &room.ann, &[("action", "access"), ("access", "locked")]).await;
    assert_eq!(vacant.status, 403);
    let canonical = http::get(&room.server, "/Harbour/settings?people=2").await;
    assert_eq!((canonical.status.as_u16(), canonical.location.as_deref()), (308, Some("/harbour/settings?people=2")));
}

async fn a_room_is_handed_over_and_deleted_after_a_question(site: Site) {
    let room = Room::of(site.start()).await;
    let asked = room.form(&room.ann, &[("action", "hand_over"), ("person", "2")]).await;
    assert!(asked.status == 200 && asked.body.contains("Hand harbour over to Bob?"), "{}", asked.body);
    assert!(field(&asked.body, "person").contains("value=\"2\""), "{}", asked.body);
    room.page(&room.ann).await;
    let page = room.apply(&[("action", "hand_over"), ("person", "2"), ("confirmed", "yes")]).await;
    assert!(!page.contains("name=\"title\""), "{page}");
    assert!(room.page(&room.bob).await.contains("name=\"title\""));
    let mut reader = Client::join(&room.server, "harbour").await;
    let asked = room.form(&room.bob, &[("action", "delete")]).await;
    assert!(asked.status == 200 && asked.body.contains("Delete harbour?"), "{}", asked.body);
    assert_eq!(http::get(&room.server, "/harbour/").await.status, 200);
    let answer = room.form(&room.bob, &[("action", "delete"), ("confirmed", "yes")]).await;
    assert_eq!((answer.status.as_u16(), answer.location.as_deref()), (303, Some("/")));
    assert_eq!(reader.close_code().await, Some(4505));
    assert_eq!(database::room_names(&site.database_url).await, Vec::<String>::new());
    assert!(!http::get(&room.server, "/harbour/").await.body.contains("hello"));
}

async fn a_private_room_keeps_the_title_that_was_typed(site: Site) {
    let server = site.start();
    let (ann, eve) = (http::identity(&server).await, http::identity(&server).await);
    let open = http::browser().post(server.url("/")).header("cookie", &ann);
    let answer = http::send(open.form(&[("username", "Ann"), ("room_name", "  Summer  Trip ")])).await;
    let location = answer.location.expect("the way into the room");
    let path = location.split('?').next().unwrap().to_owned();
    assert!(path.starts_with("/summer-trip~"), "{path}");
    let page = http::get_as(&server, &path, &ann).await.body;
    assert!(page.contains("<title>Summer Trip · Parlour</title>"), "{page}");
    let settings = format!("{path}settings");
    let page = http::get_as(&server, &settings, &ann).await.body;
    assert!(field(&page, "title").contains("value=\"Summer Trip\""), "{page}");
    assert!(page.contains(&format!("value=\"{}{path}\"", server.origin())), "the link is shown: {page}");
    let renewed = form(&server, &settings, &ann, &[("action", "renew")]).await;
    assert_eq!(renewed.status, 303, "{}", renewed.body);
    let page = http::get_as(&server, &settings, &ann).await.body;
    assert!(page.contains("?invitation="), "{page}");
    let answer = form(&server, &settings, &ann, &[("action", "description"), ("title", ""), ("topic", "")]).await;
    assert_eq!(answer.status, 303);
    assert!(http::get_as(&server, &path, &ann).await.body.contains("<title>summer-trip · Parlour</title>"));

    // To strangers it is not there, whatever they send.
    let nowhere = format!("/summer-trip~{}/settings", "abcdefghijklmnopqrstuvwxyz");
    let blank = |answer: http::Answer| {
        let body = answer.body.split("nonce=\"").map(|rest| rest.split_once('"').map_or(rest, |(_, rest)| rest));
        (answer.status, answer.location, body.collect::<String>())
    };
    let missing = blank(http::get_as(&server, &nowhere, &eve).await);
    assert_eq!(missing.0, 404);
    assert_eq!(blank(http::get_as(&server, &settings, &eve).await), missing);
    for fields in [vec![("action", "username"), ("username", "Eve")], vec![("action", "delete")], vec![("x", "y")]] {
        let there = blank(form(&server, &settings, &eve, &fields).await);
        assert_eq!(there, blank(form(&server, &nowhere, &eve, &fields).await), "{fields:?}");
        assert_eq!(there.0, 404);
    }
}
