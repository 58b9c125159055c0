//! Malicious input: paths, names and frames made to break something. They are refused, leave nothing behind, and do not
//! affect other clients.

use crate::support::fuzz_corpus::{encode, lines, texts};
use crate::support::{Client, Database, Door, Server, Site, database, http, raw};
use parlour::domain::RoomName;
use serde_json::json;
use std::path::Path;

const REFUSED: [u16; 4] = [400, 404, 414, 431];

/// Two people whose conversation goes on whatever happens elsewhere.
struct Bystanders(Client, Client, usize);

impl Bystanders {
    async fn meet(server: &Server) -> Self {
        Self(Client::join(server, "bystanders").await, Client::join(server, "bystanders").await, 0)
    }

    async fn go_on(&mut self) {
        self.2 += 1;
        let text = format!("word {}", self.2);
        self.0.say(&self.2.to_string(), &text).await;
        self.1.expect_message(&text).await;
    }
}

#[tokio::test]
async fn a_hostile_path_is_refused_and_leaves_nothing() {
    for format in ["text", "json"] {
        let site = Site::new(Database::Sqlite).await;
        let environment = [("RUST_LOG", Path::new("debug,sqlx=warn")), ("PARLOUR_LOG_FORMAT", Path::new(format))];
        let server = Server::start_with(&site.arguments(), &environment);
        let mut bystanders = Bystanders::meet(&server).await;
        let mut paths = lines("paths.txt");
        assert!(paths.len() > 250);
        paths.extend(
            ["a".repeat(5000), "%41".repeat(3000), "../".repeat(1000), "a/".repeat(1000), "a".repeat(40_000)]
                .map(|path| format!("/{path}").into_bytes()),
        );
        for (at, path) in paths.iter().enumerate() {
            let shown = String::from_utf8_lossy(path).chars().take(100).collect::<String>();
            let answer = raw::request(&server, "GET", path, "", "").await.unwrap_or_else(|| panic!("GET {shown}"));
            if answer.status == 308 {
                let location = answer.get("location").expect("where to");
                let plain = location.bytes().all(|b| b.is_ascii_graphic());
                assert!(
                    plain && location.starts_with('/') && !location[1..].starts_with(['/', '\\', '.']),
                    "{shown}: {location}"
                );
            } else {
                assert!(REFUSED.contains(&answer.status), "GET {shown}: {answer:?}");
                let form = "Content-Type: application/x-www-form-urlencoded\r\n";
                let answer = raw::request(&server, "POST", path, form, "message=hello").await;
                let status = answer.unwrap_or_else(|| panic!("POST {shown}")).status;
                assert!(REFUSED.contains(&status) || status == 405, "POST {shown}: {status}");
            }
            if !path.starts_with(b"/") {
                continue;
            }
            let handshake =
                "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
            let answer = raw::request(&server, "GET", &[b"/ws", path.as_slice()].concat(), handshake, "").await;
            let status = answer.unwrap_or_else(|| panic!("GET /ws{shown}")).status;
            // Another spelling of a valid name has a socket; without `Connection: upgrade` it is not opened.
            assert!(REFUSED.contains(&status) || status == 426, "GET /ws{shown}: {status}");
            if at % 50 == 0 {
                bystanders.go_on().await;
            }
        }
        bystanders.go_on().await;
        assert_eq!(database::room_names(&site.database_url).await, ["bystanders"]);
        every_line_is_whole(&server.log(), format, paths.len());
    }
}

const HANDSHAKE: &str = "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

#[tokio::test]
async fn a_request_for_a_socket_is_a_get() {
    let server = Site::new(Database::Sqlite).await.start();
    let answer = raw::request(&server, "HEAD", b"/ws/harbour/", HANDSHAKE, "").await.expect("an answer");
    assert_eq!((answer.status, answer.get("allow")), (405, Some("GET")));
}

#[tokio::test]
async fn a_request_for_a_socket_has_no_body() {
    let server = Site::new(Database::Sqlite).await.start();
    let answer = raw::request(&server, "GET", b"/ws/harbour/", HANDSHAKE, "\x01\x00").await.expect("an answer");
    let reason = "A request for a WebSocket has no body.";
    assert_eq!((answer.status, answer.get("content-length")), (400, Some(&*reason.len().to_string())));
}

/// A line of the log begins as lines do, and nothing in it moves the cursor of a terminal.
fn every_line_is_whole(log: &str, format: &str, requests: usize) {
    let mut of_requests = 0;
    for line in log.lines() {
        match format {
            "json" => drop(
                serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|error| panic!("{error}: {line:?}")),
            ),
            _ => assert!(line.starts_with("20") && line.as_bytes().get(10) == Some(&b'T'), "{line:?}"),
        }
        let stray = |c: char| {
            c.is_control()
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert!(!line.contains(stray), "{line:?}");
        of_requests += usize::from(line.contains("Answered a request"));
    }
    assert!(of_requests >= requests, "{of_requests} of {requests} requests are in the log");
}

#[tokio::test]
async fn a_hostile_name_is_nobodys() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    let mut client = Client::join(&server, "harbour").await;
    let names = texts("names.txt");
    assert!(names.len() > 80);
    for (at, name) in names.iter().enumerate() {
        let id = at.to_string();
        client.send(json!({"message": "x", "id": id, "username": name})).await;
        let answer = client.answer_to(&id).await;
        assert_eq!(answer["code"], "username_invalid", "{name:?}: {answer}");
        let encoded = encode(name);
        let visitor = Door::of("harbour").username(&encoded).join(&server).await;
        assert_eq!(visitor.welcome["username"], "Anonymous", "{name:?}");
        let answer = http::post_form(&server, "/harbour/", &[("username", name), ("message", "x")]).await;
        assert_eq!(answer.status, 422, "{name:?}");
        let page = http::get(&server, &format!("/harbour/?username={encoded}")).await;
        let remembered = |cookies: &[String]| cookies.iter().any(|cookie| cookie.starts_with("parlour_username="));
        assert!(page.status == 200 && !remembered(&page.cookies), "{name:?}: {:?}", page.cookies);
        let front = http::get(&server, &format!("/?username={encoded}&room_name=harbour")).await;
        assert!(front.status == 303 && !remembered(&front.cookies), "{name:?}: {:?}", front.cookies);
        if RoomName::parse(name).is_err() {
            assert_eq!(http::get(&server, &format!("/{encoded}/")).await.status, 404, "{name:?}");
            assert_eq!(Door::of(&encoded).refusal(&server).await, 404, "{name:?}");
        }
        if RoomName::parse_form(name).is_err() {
            assert_eq!(http::get(&server, &format!("/?room_name={encoded}")).await.status, 422, "{name:?}");
        }
    }
    assert_eq!(client.say("good", "still here").await["seq"], 1, "nothing was said under them");
    assert_eq!(database::room_names(&site.database_url).await, ["harbour"]);
}

#[tokio::test]
async fn a_hostile_frame_is_rejected_with_its_code() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    let mut bystanders = Bystanders::meet(&server).await;
    let mut client = Client::join(&server, "harbour").await;
    let frames = texts("frames.txt");
    assert!(frames.len() > 140);
    for line in &frames {
        let (code, frame) = line.split_once(' ').expect("a code and a frame");
        let frame = frame.replace("{deep}", &"[".repeat(4000)).replace("{long}", &"x".repeat(4001));
        client.send_text(frame.as_str()).await;
        let answer = client.expect("rejected").await;
        assert_eq!(answer["code"], code, "{line}: {answer}");
        bystanders.go_on().await;
    }
    // Unknown fields are not an error.
    for (id, extra) in
        [("1", json!({"colour": "red"})), ("2", json!({"a": {"b": [1, null, {"c": []}]}})), ("3", json!({"": 0}))]
    {
        let mut frame = json!({"message": "x", "id": id});
        frame.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
        client.send(frame).await;
        assert_eq!(client.answer_to(id).await["seq"].to_string(), id);
    }
}

#[tokio::test]
async fn a_hostile_query_is_not_heard() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    Client::join(&server, "harbour").await.say("1", "hello").await;
    let names: Vec<String> = texts("names.txt").iter().map(|name| encode(name)).collect();
    let numbers = ["%", "%zz", "%FF", "-1", "1.5", "NaN", "+", "%00", "1%00", "%D9%A1"];
    let frames: Vec<String> = texts("frames.txt").iter().map(|frame| encode(frame)).collect();
    let numbers = numbers.map(str::to_owned).into_iter().chain(frames);
    // They count as not said, alone, beside others and twice.
    let names = names.iter().map(|name| format!("username={name}&after={name}&{name}={name}"));
    let numbers =
        numbers.flat_map(|it| [format!("after={it}"), format!("after=0&after={it}"), format!("{it}&&=&after=")]);
    for query in names.chain(numbers) {
        let mut reader = Door::at(&format!("/ws/harbour/?{query}")).join(&server).await;
        assert_eq!((&reader.welcome["head"], &reader.welcome["username"]), (&json!(1), &json!("Anonymous")), "{query}");
        reader.send(json!({"type": "sync", "after": 0})).await;
        assert_eq!(reader.expect("message").await["seq"], 1, "{query}");
    }
    // A number is one, however large.
    let mut reader = Door::at("/ws/harbour/?after=99999999999999999999").join(&server).await;
    assert_eq!(reader.expect("reset").await["head"], 1);
}
