//! Messages that were quoted, pinned, reacted to and mentioned, and their author: once removed, no node shows them
//! anywhere, and neither does the database.

use crate::reactions::{person, react};
use crate::support::api::{self, request};
use crate::support::hooks::{create_outgoing, hooked, try_now};
use crate::support::host::on_each_database;
use crate::support::receiver::Receiver;
use crate::support::redis::Redis;
use crate::support::{Client, DEADLINE, Door, Server, Site, database, eventually, http};
use serde_json::{Value, json};

on_each_database!(removed_content_is_shown_nowhere,);

/// The texts of three messages, each removed in another way, and their author.
const TEXTS: [&str; 3] = ["zanzibar-first", "zanzibar-second", "zanzibar-third"];
const AUTHOR: &str = "Zenobia";
const DRAFT: &str = "mombasa";
const RARE: &str = "🦖";

async fn send(client: &mut Client, mut frame: Value, id: &str) -> Value {
    frame["id"] = json!(id);
    client.send(frame).await;
    let answer = client.answer_to(id).await;
    assert_ne!(answer["type"], "rejected", "{answer}");
    answer
}

/// Everything that a visitor can read about the room on this node, with its address.
async fn surfaces(server: &Server, cookie: &str, head: i64) -> Vec<(String, String)> {
    let mut paths: Vec<String> = [
        "/",
        "/harbour/",
        "/harbour/?limit=200",
        "/harbour/pins",
        "/harbour/names",
        "/harbour/settings",
        "/api/load_history?room_name=harbour",
        "/api/load_pin?room_name=harbour",
        "/api/load_reactions?room_name=harbour&first=1&last=99",
    ]
    .map(str::to_owned)
    .into();
    for seq in 1..=4 {
        for path in ["", "?reply_to={seq}", "/react", "/reactions"] {
            paths.push(format!("/harbour/{seq}{path}").replace("{seq}", &seq.to_string()));
        }
        paths.push(format!("/api/load_quotes?room_name=harbour&seqs[0]={seq}"));
    }
    let (mut shown, browser) = (Vec::new(), http::browser());
    for path in paths {
        let accepted =
            if path.starts_with("/api") { &["application/json"][..] } else { &["text/html", "application/json"] };
        for &accept in accepted {
            let request = browser.get(server.url(&path)).header("cookie", cookie).header("accept", accept);
            shown.push((format!("{path} as {accept}"), http::send(request).await.body));
        }
    }
    for accept in ["text/event-stream", "application/x-ndjson", "text/plain"] {
        let request = browser.get(server.url("/harbour/events?after=0&wait=0")).header("accept", accept);
        shown.push((format!("stream as {accept}"), http::send(request).await.body));
    }
    let form = [("rooms", "harbour 0 ")];
    let previews = browser.post(server.url("/api/preview_rooms")).header("cookie", cookie).form(&form);
    shown.push(("previews".to_owned(), http::send(previews).await.body));
    let mut late = Door::of("harbour").after(0).join(server).await;
    let replayed = late.until(|frame| frame["seq"].as_i64() >= Some(head)).await;
    shown.push(("socket".to_owned(), json!(replayed).to_string()));
    shown
}

/// Waits until no node shows any of these words.
async fn is_shown_nowhere(servers: &[&Server], cookies: &[&str], head: i64, words: &[&str]) {
    for server in servers {
        for cookie in cookies {
            let since = std::time::Instant::now();
            loop {
                let shown = surfaces(server, cookie, head).await;
                // The page to react with has every emoji.
                let is_in = |place: &str, word: &str| word == RARE && place.contains("/react as");
                let bad = |(place, body): &&(String, String)| {
                    words.iter().any(|word| body.contains(word) && !is_in(place, word))
                };
                let Some((place, body)) = shown.iter().find(bad) else { break };
                assert!(since.elapsed() < DEADLINE, "{words:?} in {place} of {}: {body}", server.addr);
            }
        }
    }
}

/// Neither a table nor, if the database is embedded, a file contains any of these words.
async fn is_stored_nowhere(site: &Site, words: &[&str]) {
    if site.database_url.starts_with("sqlite") {
        eventually(&format!("the files lack {words:?}"), || async {
            let files = std::fs::read_dir(&site.data).expect("a directory").map(|it| it.expect("a file").path());
            let contains = |path: std::path::PathBuf| {
                let bytes = if path.is_file() { std::fs::read(path).unwrap_or_default() } else { Vec::new() };
                words.iter().any(|word| bytes.windows(word.len()).any(|window| window == word.as_bytes()))
            };
            (!files.into_iter().any(contains)).then_some(())
        })
        .await;
        return;
    }
    let tables = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'";
    for table in database::rows(&site.database_url, tables).await {
        let table: String = table.try_get_by_index(0).expect("a name");
        for word in words {
            let found = format!("SELECT CAST(t AS text) FROM {table} t WHERE CAST(t AS text) LIKE '%{word}%'");
            let found = database::rows(&site.database_url, &found).await;
            let found: Option<String> = found.first().map(|row| row.try_get_by_index(0).expect("a row"));
            assert_eq!(found, None, "{word} in {table}");
        }
    }
}

async fn removed_content_is_shown_nowhere(site: Site) {
    let is_alone = site.database_url.starts_with("sqlite");
    let redis = tokio::task::spawn_blocking(move || (!is_alone).then(Redis::start)).await.expect("Redis");
    let site = match &redis {
        Some(redis) => site.with_redis(redis.url()),
        None => site,
    };
    let receiver = Receiver::start(500).await;
    let site = hooked(&site, &[&receiver]);
    let mut nodes = vec![site.start()];
    nodes.extend(redis.is_some().then(|| site.start()));
    let last = nodes.len() - 1;
    let ((owner, mut ann), (_, mut ben)) = (person(&nodes[0], "Ann").await, person(&nodes[last], "Ben").await);
    let (cookie, mut author) = person(&nodes[last], AUTHOR).await;
    ann.say("a1", "cake at four?").await;
    create_outgoing(&site, "harbour", &receiver.url());
    author.until(|frame| frame["id"] == "a1").await;
    for (n, text) in TEXTS.iter().enumerate() {
        send(&mut author, json!({"type": "post", "message": format!("{DRAFT} {text}")}), &format!("z{n}")).await;
    }
    for (n, text) in (2..).zip(TEXTS) {
        let text = format!("@Ann {text} @Ben");
        send(&mut author, json!({"type": "edit", "target": n, "text": text}), &format!("e{n}")).await;
        let reply = json!({"type": "post", "message": format!("@ZENOBIA on {n}"), "reply_to": n});
        send(&mut ben, reply, &format!("b{n}")).await;
        react(&mut ben, &format!("r{n}"), n, RARE, true).await;
        ann.until(|frame| frame["id"] == format!("r{n}")).await;
        send(&mut ann, json!({"type": "moderate", "action": "pin", "target": n}), &format!("p{n}")).await;
    }
    let head = react(&mut author, "r1", 1, RARE, true).await["seq"].as_i64().expect("a number");
    ann.until(|frame| frame["seq"] == head).await;
    ben.until(|frame| frame["seq"] == head).await;
    receiver.requests(1).await;
    let visitors = [&*owner, ""];

    // Everything shows the newest texts. Caches are filled.
    let all = async |nodes: &[Server]| {
        for server in nodes {
            for cookie in visitors {
                for (place, body) in surfaces(server, cookie, head).await {
                    let has_log = place.starts_with("stream") || place == "socket";
                    assert!(has_log || !body.contains(DRAFT), "an earlier text in {place}: {body}");
                }
            }
        }
    };
    all(&nodes).await;
    let shown = surfaces(&nodes[0], &owner, head).await;
    let places = |word: &str| shown.iter().filter(|(_, body)| body.contains(word)).count();
    assert!(TEXTS.iter().all(|text| places(text) > 10) && places(AUTHOR) > 20 && places(RARE) > 10, "the test sees it");

    // One is deleted by its author, one by the host; the last goes with the author.
    let delete = request(&nodes[last], "DELETE", "/harbour/2").header("cookie", &cookie);
    let deleted = api::send(delete.header("origin", nodes[last].origin())).await;
    assert_eq!(deleted.status, 200, "{deleted:?}");
    let head = deleted.json()["seq"].as_i64().expect("a number");
    let is_gone = async |servers: &[&Server], words: &[&str], head: i64| {
        is_shown_nowhere(servers, &visitors, head, words).await;
        is_stored_nowhere(&site, words).await;
    };
    let servers: Vec<&Server> = nodes.iter().collect();
    is_gone(&servers, &TEXTS[..1], head).await;
    let (well, said) = site.command(&["remove", "harbour/3"]);
    assert!(well, "{said}");
    is_gone(&servers, &TEXTS[..2], head + 1).await;
    // Whoever is there is among the participants.
    drop(author);
    let (well, said) = site.command(&["erase", "--author-of", "harbour/4", "--yes"]);
    assert!(well, "{said}");
    let words = [TEXTS[0], TEXTS[1], TEXTS[2], DRAFT, AUTHOR, RARE];
    is_gone(&servers, &words, head + 3).await;
    for format in ["text", "html", "json"] {
        let (well, exported) = site.command(&["export", "harbour", "--format", format]);
        assert!(well && exported.contains("cake") && !words.iter().any(|word| exported.contains(word)), "{exported}");
    }
    // What was pending is delivered as the log reads now.
    receiver.answer(200);
    try_now(&site).await;
    let delivered = json!(receiver.taken_up_to(head + 3).await).to_string();
    assert!(!words.iter().any(|word| delivered.contains(word)), "{delivered}");
    // So it is after a restart.
    for server in &mut nodes {
        server.stop();
        *server = site.start();
    }
    let servers: Vec<&Server> = nodes.iter().collect();
    is_gone(&servers, &words, head + 3).await;
}
