//! People, webhooks and tokens in the settings of a room.

use crate::room_settings::{Room, field};
use crate::support::host::on_each_database;
use crate::support::{Database, Door, Site, database, http};

on_each_database!(a_person_is_muted_and_banned_by_a_form, webhooks_and_tokens_are_made_and_ended_by_forms,);

async fn a_person_is_muted_and_banned_by_a_form(site: Site) {
    let room = Room::of(site.start()).await;
    let carol = http::identity(&room.server).await;
    let silent = Door::of("harbour").identity(&carol, &room.server).join(&room.server).await;
    let tag = silent.welcome["tag"].as_str().expect("a tag").to_owned();
    let page = room.page(&room.ann).await;
    let list = page.split("id=\"people\"").nth(1).expect("the people");
    assert!(list.contains("owner, that’s you") && list.contains("Bob") && list.contains("last message"), "{list}");
    assert!(list.contains(&format!("value=\"tag-{tag}\"")) && list.contains("here now"), "{list}");
    let page = room.apply(&[("action", "mute"), ("person", "2"), ("value", "600")]).await;
    assert!(page.contains("Unmute") && page.contains("muted until") && page.contains("Undo"), "{page}");
    let page = room.apply(&[("action", "ban"), ("person", "2"), ("value", "600")]).await;
    assert!(page.contains("Lift the ban") && page.contains("banned until"), "{page}");
    assert_eq!(http::get_as(&room.server, "/harbour/settings", &room.bob).await.status, 403);
    assert_eq!(room.form(&room.bob, &[("action", "username"), ("username", "Rob")]).await.status, 403);
    let page = room.apply(&[("action", "pardon"), ("person", "2")]).await;
    assert!(page.contains("can write again") && !page.contains("Lift the ban"), "{page}");
    room.page(&room.bob).await;
    let page = room.apply(&[("action", "ban"), ("person", &format!("tag-{tag}")), ("value", "600")]).await;
    assert!(page.contains("banned until"), "{page}");
    assert_eq!(http::get_as(&room.server, "/harbour/", &carol).await.status, 403);
}

/// The value of the field that shows a secret.
fn secret(page: &str) -> String {
    let shown = page.split("readonly").nth(1).and_then(|rest| rest.split("value=\"").nth(1)?.split('"').next());
    shown.unwrap_or_else(|| panic!("nothing is shown: {page}")).to_owned()
}

async fn webhooks_and_tokens_are_made_and_ended_by_forms(site: Site) {
    let room = Room::of(site.start()).await;
    let made = room.form(&room.ann, &[("hook_name", "Tide station")]).await;
    assert_eq!(made.status, 200, "{}", made.body);
    let address = secret(&made.body);
    assert!(address.starts_with(&format!("{}/harbour/hooks/", room.server.origin())), "{address}");
    assert!(made.body.contains("Tide station") && made.body.contains("Never used"), "{}", made.body);
    let posted = http::send(http::browser().post(&address).body("low water at six")).await;
    assert_eq!(posted.status, 200, "{}", posted.body);
    let page = room.page(&room.ann).await;
    assert!(page.contains("Last used on") && !page.contains(&address), "shown once: {page}");
    let id = |page: &str| field(page, "id").split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let hook = id(&page);
    let made = room.form(&room.ann, &[("action", "token"), ("token_label", "Bot")]).await;
    let token = secret(&made.body);
    assert!(token.starts_with("plr_"), "{token}");
    let request = http::browser().post(room.server.url("/harbour/")).bearer_auth(&token).body("beep");
    assert_eq!(http::send(request.header("content-type", "text/plain")).await.status, 201);
    for (fields, detail, status) in [
        (vec![("hook_name", "")], "at least one", 422),
        (vec![("hook_name", "a\u{202e}b")], "isn’t allowed", 422),
        (vec![("token_label", "x\u{0}y")], "isn’t allowed", 422),
        (vec![("hook_name", "CI"), ("webhook_url", "https://example.org/x")], "sends no webhooks", 403),
        (vec![("action", "end_hook"), ("id", "nothing")], "no such webhook", 422),
        (vec![("action", "end_token"), ("id", &hook)], "no such token", 422),
    ] {
        let answer = room.form(&room.ann, &fields).await;
        assert_eq!(answer.status, status, "{fields:?}: {}", answer.body);
        assert!(answer.body.contains(detail), "{fields:?}: {}", answer.body);
    }
    let stranger = room.form(&room.bob, &[("hook_name", "Mine")]).await;
    assert!(stranger.status == 403 && !stranger.body.contains("readonly"), "{}", stranger.body);
    let page = room.apply(&[("action", "end_hook"), ("id", &hook)]).await;
    assert!(page.contains("Ended on"), "{page}");
    assert_eq!(http::send(http::browser().post(&address).body("again")).await.status, 404);
    let token_id = id(&page);
    room.apply(&[("action", "end_token"), ("id", &token_id)]).await;
    let request = http::browser().post(room.server.url("/harbour/")).bearer_auth(&token).body("beep");
    assert_eq!(http::send(request.header("content-type", "text/plain")).await.status, 401);
}

#[tokio::test]
async fn outgoing_webhooks_are_offered_where_the_site_has_them() {
    let site = Site::new(Database::Sqlite).await;
    let room = Room::of(site.with_flags(&["--outgoing-webhooks", "on"]).start()).await;
    assert!(room.page(&room.ann).await.contains("name=\"webhook_url\""));
    let made = room.form(&room.ann, &[("hook_name", "CI"), ("webhook_url", "https://ci.example.org/in")]).await;
    assert!(made.status == 200 && secret(&made.body).starts_with("whsec_"), "{}", made.body);
    assert!(made.body.contains("https://ci.example.org/in"), "{}", made.body);
    let refused = room.form(&room.ann, &[("hook_name", "CI"), ("webhook_url", "http://127.0.0.1/in")]).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert!(field(&refused.body, "webhook_url").contains("value=\"http://127.0.0.1/in\""), "{}", refused.body);
}

#[tokio::test]
async fn people_are_shown_in_pages() {
    let site = Site::new(Database::Sqlite).await;
    let room = Room::of(site.start()).await;
    let crowd = "INSERT INTO events WITH RECURSIVE n(n) AS (SELECT 3 UNION ALL SELECT n + 1 FROM n WHERE n < 122)
        SELECT room_id, n, randomblob(16), 'c' || n, 0, at, 'Guest ' || n, NULL, 'hi', NULL, NULL FROM n, events WHERE seq = 1";
    database::execute(&site.database_url, crowd).await;
    database::execute(&site.database_url, "UPDATE rooms SET head = 122").await;
    let mut seen = 0;
    for page in 1..=3 {
        let answer = http::get_as(&room.server, &format!("/harbour/settings?people={page}"), &room.ann).await;
        assert!(answer.body.contains(&format!("Page {page} of 3")), "{}", answer.body);
        seen += answer.body.matches("<li class=\"row\">").count();
    }
    assert_eq!(seen, 1 + 121, "the owner, Bob and the crowd");
    for page in ["0", "9", "x", ""] {
        let answer = http::get_as(&room.server, &format!("/harbour/settings?people={page}"), &room.ann).await;
        assert!(answer.status == 200 && answer.body.contains(" of 3"), "{page}: {}", answer.body);
    }
}
