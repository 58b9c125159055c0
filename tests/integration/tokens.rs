//! Tokens of the API: an identity by `Authorization`, on pages, the API and the socket, until it is revoked.

use crate::support::api::{JsonBody, Reply, curl, post_as, request, send};
use crate::support::event_reader::{EventReader, Format};
use crate::support::host::on_each_database;
use crate::support::redis::Redis;
use crate::support::{Client, Database, Door, Server, Site, database, eventually, http};
use serde_json::{Value, json};

on_each_database!(
    a_token_is_an_identity_with_a_name,
    a_revoked_token_ends_its_sockets_and_is_refused,
    a_token_of_a_room_is_a_guest_elsewhere,
    a_token_is_moderated_like_anybody,
    a_made_up_token_is_refused_and_costs_no_query,
);

/// Creates a token with a command, and returns the header that brings it.
pub fn create(site: &Site, arguments: &[&str]) -> String {
    let (well, said) = site.command(&[&["token", "create"], arguments].concat());
    let token = said.lines().find(|line| line.starts_with("plr_")).unwrap_or_else(|| panic!("no token: {said}"));
    assert!(well, "{said}");
    format!("Bearer {token}")
}

async fn ask(server: &Server, token: &str, method: &str, path: &str, body: Value) -> Reply {
    send(request(server, method, path).header("authorization", token).json(&body)).await
}

async fn say(server: &Server, token: &str, path: &str, text: &str) -> Reply {
    ask(server, token, "POST", path, json!({"message": text})).await
}

async fn a_token_is_an_identity_with_a_name(site: Site) {
    let server = site.start();
    let (bot, other) = (create(&site, &["CI bot"]), create(&site, &["other"]));
    let said = say(&server, &bot, "/harbour/", "built").await;
    assert_eq!((said.status, &said.json()["username"], &said.json()["seq"]), (201, &"CI bot".into(), &1.into()));
    assert_eq!(said.header("set-cookie"), "");
    let tag = said.json()["tag"].clone();
    let text = request(&server, "POST", "/harbour/").header("authorization", &bot).header("content-type", "text/plain");
    assert_eq!(send(text.body("as text")).await.json()["tag"], tag);
    let verbatim = request(&server, "POST", "/harbour/").header("authorization", bot.replace("Bearer", "bearer"));
    let verbatim = verbatim.header("content-type", "application/x-www-form-urlencoded").body("a=b, 100%");
    assert_eq!(send(verbatim).await.json()["username"], "CI bot");
    let form = request(&server, "POST", "/harbour/").header("authorization", &bot).form(&[("message", "form")]);
    let form = send(form).await;
    assert_eq!((form.status, form.header("set-cookie")), (303, ""));
    let renamed = ask(&server, &bot, "POST", "/harbour/", json!({"message": "x", "username": "Robot"})).await;
    assert_eq!((&renamed.json()["username"], &renamed.json()["tag"]), (&"Robot".into(), &tag));
    // It holds its names, owns the room that it has begun, and changes its own messages.
    let taken = ask(&server, &other, "POST", "/harbour/", json!({"message": "x", "username": "CI bot"})).await;
    assert_eq!((taken.status, taken.code()), (409, "username_taken".into()));
    let edited = ask(&server, &bot, "PATCH", "/harbour/1", json!({"message": "built, and tested"})).await;
    assert_eq!((edited.status, &edited.json()["type"]), (200, &"edited".into()));
    assert_eq!(ask(&server, &other, "PATCH", "/harbour/1", json!({"message": "x"})).await.code(), "forbidden");
    assert_eq!(say(&server, &other, "/harbour/", "hello").await.status, 201);
    assert_eq!(ask(&server, &bot, "DELETE", "/harbour/7", json!(null)).await.status, 200, "as the owner");
    // The same identity on the socket, and in a page. The token beats the cookie.
    let door = Door::of("harbour").header("authorization", &bot).header("cookie", http::identity(&server).await);
    let mut socket = door.join(&server).await;
    assert_eq!((&socket.welcome["tag"], &socket.welcome["username"]), (&tag, &"CI bot".into()));
    socket.send(json!({"message": "by socket", "id": "s"})).await;
    assert_eq!(socket.answer_to("s").await["username"], "CI bot");
    let page = send(request(&server, "GET", "/harbour/").header("authorization", &bot)).await;
    assert_eq!((page.status, page.header("set-cookie")), (200, ""));
    assert!(page.text.contains("CI bot"), "{}", page.text);
    assert_eq!(door.clone().header("origin", "http://evil.example").refusal(&server).await, 403);
    // Other schemes are a proxy's.
    let basic = request(&server, "POST", "/harbour/").header("authorization", "Basic Ym9iOng=");
    assert_eq!(send(basic.json(&json!({"message": "a guest"}))).await.json()["username"], "Anonymous");
    // A token in the address is nothing.
    let query = format!("/harbour/?token={0}&access_token={0}", bot.trim_start_matches("Bearer "));
    assert_eq!(post_as(&server, &query, "text/plain", "a guest").await.json()["username"], "Anonymous");
}

async fn a_revoked_token_ends_its_sockets_and_is_refused(site: Site) {
    let server = site.start();
    let (bot, other) = (create(&site, &["bot"]), create(&site, &["other"]));
    let mut sockets = Vec::new();
    for room in ["harbour", "harbour", "tavern"] {
        sockets.push(Door::of(room).header("authorization", &bot).join(&server).await);
    }
    let mut streams = Vec::new();
    for format in [Format::EventStream, Format::JsonLines] {
        let headers = [("authorization", bot.as_str())];
        streams.push(EventReader::open(&server, "/harbour/events", format, &headers).await);
    }
    let mut ann = Client::join(&server, "harbour").await;
    let mut stays = Door::of("harbour").header("authorization", &other).join(&server).await;
    sockets[0].say("a", "hello").await;
    ann.expect_message("hello").await;
    let (well, said) = site.command(&["token", "revoke", "bot"]);
    assert!(well, "{said}");
    for path in ["/harbour/", "/"] {
        let refused = ask(&server, &bot, "POST", path, json!({"message": "x"})).await;
        assert_eq!((refused.status, refused.code()), (401, "forbidden".into()), "{path}");
        assert_eq!(refused.header("www-authenticate"), "Bearer");
    }
    for mut socket in sockets {
        assert_eq!(socket.close_code().await, Some(4506));
    }
    for mut stream in streams {
        stream.expect("message").await;
        assert_eq!(stream.expect("end").await.data["code"], 4506);
        assert_eq!(stream.next().await, None);
    }
    let stream = request(&server, "GET", "/harbour/events").header("authorization", &bot);
    assert_eq!(send(stream).await.status, 401);
    let door = Door::of("harbour").header("authorization", &bot);
    assert_eq!(door.refusal(&server).await, 401);
    assert_eq!(send(request(&server, "GET", "/harbour/").header("authorization", &bot)).await.status, 401);
    assert_eq!(stays.say("s", "still here").await["username"], "other");
    ann.expect_message("still here").await;
    let mut server = server;
    server.stop();
    let server = site.start();
    assert_eq!(say(&server, &bot, "/harbour/", "x").await.status, 401, "after a restart, too");
    assert_eq!(say(&server, &other, "/harbour/", "x").await.status, 201);
    assert_eq!(database::messages(&site.database_url, "harbour").await.len(), 3);
}

async fn a_token_of_a_room_is_a_guest_elsewhere(site: Site) {
    let server = site.start();
    let bot = create(&site, &["alerts", "--room", "harbour"]);
    let said = say(&server, &bot, "/harbour/", "here").await;
    assert_eq!((said.status, &said.json()["username"]), (201, &"alerts".into()));
    let elsewhere = say(&server, &bot, "/tavern/", "there").await;
    assert_eq!((elsewhere.status, &elsewhere.json()["username"]), (201, &"Anonymous".into()));
    assert_ne!(elsewhere.json()["tag"], said.json()["tag"]);
    assert_eq!(elsewhere.header("set-cookie"), "");
    assert_eq!(send(request(&server, "GET", "/").header("authorization", &bot)).await.header("set-cookie"), "");
    let door = |room: &str| Door::of(room).header("authorization", &bot);
    assert_eq!(door("harbour").join(&server).await.welcome["tag"], said.json()["tag"]);
    let mut guest = door("tavern").join(&server).await;
    assert_eq!(guest.welcome["username"], "Anonymous");
    let (well, said) = site.command(&["delete", "harbour", "--yes"]);
    assert!(well, "{said}");
    assert_eq!(say(&server, &bot, "/harbour/", "x").await.status, 401, "it has gone with its room");
    guest.send(json!({"message": "a guest stays", "id": "g"})).await;
    assert_eq!(guest.answer_to("g").await["type"], "message");
}

async fn a_token_is_moderated_like_anybody(site: Site) {
    let server = site.start();
    let ann = http::identity(&server).await;
    let mut owner = Door::of("harbour").identity(&ann, &server).join(&server).await;
    owner.say("1", "mine").await;
    let bot = create(&site, &["bot"]);
    let seq = say(&server, &bot, "/harbour/", "spam").await.json()["seq"].clone();
    let mut socket = Door::of("harbour").header("authorization", &bot).join(&server).await;
    let moderate =
        |action: &str, id: &str| json!({"type": "moderate", "id": id, "action": action, "target": seq, "seconds": 600});
    owner.send(moderate("mute", "m")).await;
    owner.answer_to("m").await;
    assert_eq!(say(&server, &bot, "/harbour/", "x").await.code(), "forbidden");
    owner.send(moderate("ban", "b")).await;
    owner.answer_to("b").await;
    assert_eq!(socket.close_code().await, Some(4503));
    let banned = say(&server, &bot, "/harbour/", "x").await;
    assert_eq!((banned.status, banned.code()), (403, "forbidden".into()));
    assert_eq!(curl(&server, "/harbour/", "a guest of this network").await.status, 201);
    assert_eq!(say(&server, &bot, "/tavern/", "x").await.status, 201);
}

async fn a_made_up_token_is_refused_and_costs_no_query(site: Site) {
    let server = site.start();
    let real = create(&site, &["bot"]);
    assert_eq!(say(&server, &real, "/harbour/", "x").await.status, 201);
    let forged = format!("{}{}", &real[..real.len() - 1], if real.ends_with('a') { "b" } else { "a" });
    let made_up = ["Bearer", "Bearer ", "Bearer x", "Bearer plr_", "bearer eyJhbGciOiJub25lIn0.e30.", &forged];
    for token in made_up {
        let refused = say(&server, token, "/harbour/", "x").await;
        assert_eq!((refused.status, refused.code()), (401, "forbidden".into()), "{token}");
        assert_eq!(refused.header("www-authenticate"), "Bearer", "{token}");
    }
    let queries = async || {
        let metrics = http::get(&server, "/metrics").await.body;
        let of_tokens = metrics.lines().filter(|line| line.contains("_count") && line.contains("\"token\""));
        of_tokens.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>()
    };
    let before = queries().await;
    assert!(before > 0.0, "looking a token up is measured");
    for number in 0..100 {
        let token = format!("Bearer plr_{}", format!("{number:02}").repeat(26).replace(['0', '1', '8', '9'], "a"));
        assert_eq!(say(&server, &token, "/harbour/", "x").await.status, 401);
        assert_eq!(say(&server, &forged, "/harbour/", "x").await.status, 401);
    }
    assert_eq!(queries().await, before);
    assert_eq!(database::messages(&site.database_url, "harbour").await.len(), 1);
}

#[tokio::test]
async fn a_token_enters_a_private_room_that_admits_it() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    let owner = http::identity(&server).await;
    let open = http::browser().post(server.url("/")).header("cookie", &owner).form(&[("room_name", "club")]);
    let room = http::send(open).await.location.expect("a room");
    let name = room.trim_matches('/').to_owned();
    let (stranger, member) = (create(&site, &["stranger"]), create(&site, &["member", "--room", &name]));
    let mut socket = Door::of(&name).identity(&owner, &server).join(&server).await;
    socket.send(json!({"type": "moderate", "id": "r", "action": "renew"})).await;
    socket.answer_to("r").await;
    assert_eq!(say(&server, &stranger, &room, "x").await.status, 404);
    assert_eq!(say(&server, &member, &room, "x").await.status, 201, "a member from the beginning");
    let unknown = format!("club~{}", "a".repeat(26));
    let (well, said) = site.command(&["token", "create", "x", "--room", &unknown]);
    assert!(!well && said.contains("there is no room"), "{said}");
}

#[tokio::test]
async fn a_token_that_is_revoked_beside_one_node_ends_on_all() {
    let redis = tokio::task::spawn_blocking(Redis::start).await.expect("Redis");
    for relay in [true, false] {
        let site = Site::new(Database::Postgres).await;
        let site = if relay { site.with_redis(redis.url()) } else { site };
        let nodes = [site.start(), site.start()];
        let bot = create(&site, &["bot"]);
        let mut sockets = Vec::new();
        for node in &nodes {
            sockets.push(Door::of("harbour").header("authorization", &bot).join(node).await);
        }
        assert!(site.command(&["token", "revoke", "bot"]).0);
        for socket in &mut sockets {
            assert_eq!(socket.close_code().await, Some(4506));
        }
        for node in &nodes {
            assert_eq!(say(node, &bot, "/harbour/", "x").await.status, 401);
        }
    }
}

#[tokio::test]
async fn the_time_of_a_use_is_stored_once_an_hour() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    let bot = create(&site, &["bot"]);
    let used = async || {
        let rows = database::rows(&site.database_url, "SELECT used_at FROM tokens").await;
        rows[0].try_get_by_index::<Option<i64>>(0).expect("a time")
    };
    assert_eq!(used().await, None);
    assert_eq!(say(&server, &bot, "/harbour/", "x").await.status, 201);
    let first = eventually("the use is stored", async || used().await).await;
    assert_eq!(say(&server, &bot, "/harbour/", "y").await.status, 201);
    assert_eq!(used().await, Some(first));
}
