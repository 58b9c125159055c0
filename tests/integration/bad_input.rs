//! Bad input is rejected with the reason. It loses nothing and affects no other client.

use crate::support::host::on_each_database;
use crate::support::{Client, Door, Site, database, http};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::{
    Frame,
    coding::{Data, OpCode},
};

on_each_database!(
    a_bad_frame_is_rejected_with_the_reason_and_the_connection_stays,
    a_bad_name_has_no_socket,
    a_bad_name_has_no_page_and_no_row,
    an_address_in_a_room_that_is_no_message_has_no_page,
    a_name_that_is_not_canonical_leads_to_the_canonical_one,
    a_socket_is_not_opened_for_other_sites,
    a_call_whose_arguments_do_not_parse_is_no_error_of_the_server,
);

async fn a_bad_frame_is_rejected_with_the_reason_and_the_connection_stays(site: Site) {
    let server = site.start();
    let mut client = Client::join(&server, "harbour").await;
    let long = "x".repeat(4001);
    let long_id = "x".repeat(65);
    let frames = [
        (String::new(), "invalid", None),
        ("hello".into(), "invalid", None),
        ("null".into(), "invalid", None),
        ("42".into(), "invalid", None),
        (r#""hello""#.into(), "invalid", None),
        ("[]".into(), "invalid", None),
        ("{}".into(), "invalid", None),
        (r#"{"message": "cut"#.into(), "invalid", None),
        (r#"{"message": "a"} {"message": "b"}"#.into(), "invalid", None),
        (r#"{"message": 5}"#.into(), "invalid", None),
        (r#"{"message": null}"#.into(), "invalid", None),
        (r#"{"type": 5, "message": "x"}"#.into(), "invalid", None),
        ("[".repeat(5000), "invalid", None),
        (json!({"id": "a1", "type": "post"}).to_string(), "invalid", Some("a1")),
        (json!({"id": "a2", "type": "dance", "message": "x"}).to_string(), "invalid", Some("a2")),
        (json!({"id": "a3", "type": "welcome"}).to_string(), "invalid", Some("a3")),
        (json!({"id": "a4", "type": "sync"}).to_string(), "invalid", Some("a4")),
        (json!({"id": "a5", "type": "sync", "after": -1}).to_string(), "invalid", Some("a5")),
        (json!({"id": "a6", "type": "edit", "target": 1}).to_string(), "invalid", Some("a6")),
        (json!({"id": "a7", "type": "delete"}).to_string(), "invalid", Some("a7")),
        (json!({"id": "not an id", "message": "x"}).to_string(), "invalid", Some("not an id")),
        (json!({"id": "", "message": "x"}).to_string(), "invalid", Some("")),
        (json!({"id": long_id, "message": "x"}).to_string(), "invalid", Some(&long_id)),
        (json!({"id": "b1", "message": "a\u{0}b"}).to_string(), "invalid", Some("b1")),
        (json!({"id": "b2", "message": ""}).to_string(), "empty", Some("b2")),
        (json!({"id": "b3", "message": " \n\t "}).to_string(), "empty", Some("b3")),
        (json!({"id": "b4", "message": long}).to_string(), "too_long", Some("b4")),
        (json!({"id": "b5", "message": "x", "username": "x".repeat(33)}).to_string(), "username_invalid", Some("b5")),
        (json!({"id": "b6", "message": "x", "username": "a\u{202e}b"}).to_string(), "username_invalid", Some("b6")),
        (json!({"id": "b7", "message": "x", "username": "a\nb"}).to_string(), "username_invalid", Some("b7")),
        (json!({"id": "c1", "type": "edit", "target": 1, "text": "x"}).to_string(), "not_found", Some("c1")),
        (json!({"id": "c2", "type": "delete", "target": 9}).to_string(), "not_found", Some("c2")),
        (json!({"id": "c3", "type": "delete", "target": -1}).to_string(), "not_found", Some("c3")),
        (json!({"id": "c4", "type": "edit", "target": i64::MAX, "text": "x"}).to_string(), "not_found", Some("c4")),
    ];
    for (frame, code, id) in &frames {
        client.send_text(frame).await;
        let answer = client.expect("rejected").await;
        assert_eq!(answer["code"], *code, "{frame}: {answer}");
        assert_eq!(answer["id"].as_str(), *id, "{frame}: {answer}");
        assert!(answer["detail"].as_str().is_some_and(|detail| detail.ends_with('.')), "{frame}: {answer}");
        assert_eq!(answer.get("message"), None, "the original client would show it: {answer}");
    }
    assert_eq!(client.say("good", "still here").await["seq"], 1, "none of them took a number");
}

#[tokio::test]
async fn a_frame_of_another_kind_ends_the_connection_with_its_code() {
    let site = Site::new(crate::support::Database::Sqlite).await;
    let server = site.start();
    let mut other = Client::join(&server, "harbour").await;
    let not_utf8 = Frame::message(vec![b'"', 0xff, 0xfe, b'"'], OpCode::Data(Data::Text), true);
    for (message, code) in [
        (Message::binary(b"{\"message\": \"x\"}".to_vec()), 1003),
        (Message::Frame(not_utf8), 1007),
        (Message::text(json!({"message": "x".repeat(16 * 1024)}).to_string()), 1009),
        (Message::text(json!({"message": "x".repeat(300 * 1024)}).to_string()), 1009),
    ] {
        let what = format!("{} bytes, {code}", message.len());
        let mut client = Client::join(&server, "harbour").await;
        // The server may hang up before it has read all of it.
        let _ = client.send_message(message).await;
        assert_eq!(client.close_code().await, Some(code), "{what}");
    }
    assert_eq!(other.say("a", "undisturbed").await["seq"], 1);
}

#[tokio::test]
async fn a_frame_of_sixteen_kib_is_read() {
    let site = Site::new(crate::support::Database::Sqlite).await;
    let server = site.start();
    let mut client = Client::join(&server, "harbour").await;
    // Four bytes a character: the longest message there can be.
    let longest = "😀".repeat(4000);
    let frame = json!({"id": "a", "message": longest}).to_string();
    client.send_text(format!("{frame}{}", " ".repeat(16 * 1024 - frame.len()))).await;
    client.expect_message(&longest).await;
}

/// Encoded as in an address.
const BAD_NAMES: [&str; 14] = [
    "a%20b",
    "a%2Fb",
    "%00",
    "a%00b",
    ".hidden",
    "%2Ehidden",
    "%2E%2E",
    "caf%C3%A9%21",
    "a%E2%80%AEb",
    "%C2%BD",
    "a%3Cb%3E",
    "ws",
    "%FF%FE",
    "metrics%2E%2E%2Fws%2F%27%3B--",
];

async fn a_bad_name_has_no_socket(site: Site) {
    let server = site.start();
    let long = "a".repeat(65);
    for name in BAD_NAMES.into_iter().chain([long.as_str(), "API", "healthz"]) {
        let status = Door::at(&format!("/ws/{name}/")).refusal(&server).await;
        assert_eq!(status, 404, "{name}");
    }
    assert_eq!(database::room_names(&site.database_url).await, Vec::<String>::new());
}

async fn a_bad_name_has_no_page_and_no_row(site: Site) {
    let server = site.start();
    let long = "a".repeat(65);
    let bad = BAD_NAMES.into_iter().filter(|name| !["ws", "%2E%2E"].contains(name));
    for name in
        bad.chain([long.as_str(), "a%20b/1", "ws", "pkg/x", "a/b/c", ".x/1", "%2Ex/1", ".x~aaaaaaaaaaaaaaaaaaaaaaaaaa"])
    {
        let path = if name.contains('/') { format!("/{name}") } else { format!("/{name}/") };
        let answer = http::get(&server, &path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.location, None, "a name is never repaired");
        let answer = http::post_form(&server, &path, &[("message", "hello")]).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
    }
    for (path, reason) in [("/a%20b/", "a space"), ("/%ff/", "This one has"), ("/a%ffb/12", "This one has")] {
        let page = http::get(&server, path).await;
        assert!(page.status == 404 && page.body.contains(reason), "the page says why: {}", page.body);
    }
    assert_eq!(database::room_names(&site.database_url).await, Vec::<String>::new());
}

async fn an_address_in_a_room_that_is_no_message_has_no_page(site: Site) {
    let server = site.start();
    for path in
        ["/harbour/x", "/harbour/-1", "/harbour/1/2", "/harbour/99999999999999999999", "/harbour/1%2F", "/harbour/%FF"]
    {
        let answer = http::get(&server, path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(!answer.body.contains("data-room"), "{path}: what is not found is not shown");
    }
    assert_eq!(database::room_names(&site.database_url).await, Vec::<String>::new());
}

async fn a_name_that_is_not_canonical_leads_to_the_canonical_one(site: Site) {
    let server = site.start();
    for (path, location) in [
        ("/Harbour/?username=Ann%20Lee", "/harbour/?username=Ann%20Lee"),
        ("/HARBOUR", "/harbour/"),
        ("/Caf%C3%89/", "/caf%C3%A9/"),
        ("/cafe%CC%81/?a=b&c=%2F", "/caf%C3%A9/?a=b&c=%2F"),
        ("/Harbour/7?username=Ann", "/harbour/7?username=Ann"),
    ] {
        let answer = http::get(&server, path).await;
        assert_eq!((answer.status.as_u16(), answer.location.as_deref()), (308, Some(location)), "{path}");
    }
    assert_eq!(http::get(&server, "/caf%C3%A9/").await.status, 200);
    // The socket of either spelling is that of one room.
    let mut one = Door::at("/ws/CAF%C3%89").join(&server).await;
    let mut two = Door::at("/ws/cafe%CC%81/").join(&server).await;
    one.say("a", "hello").await;
    two.expect_message("hello").await;
    assert_eq!(database::room_names(&site.database_url).await, ["café"]);
}

async fn a_socket_is_not_opened_for_other_sites(site: Site) {
    let server = site.start();
    let cookie = http::identity(&server).await;
    let own = server.origin();
    let door = || Door::of("harbour");
    let another_port = own.rsplit_once(':').map(|(host, _)| format!("{host}:1")).expect("a port");
    for foreign in ["http://evil.example", "null", "", &own.replace("http:", "https:"), &another_port] {
        assert_eq!(door().header("origin", foreign).refusal(&server).await, 403, "{foreign:?}");
        let with_cookie = door().header("origin", foreign).header("cookie", cookie.as_str());
        assert_eq!(with_cookie.refusal(&server).await, 403, "{foreign:?}");
    }
    assert_eq!(door().header("cookie", cookie.as_str()).refusal(&server).await, 403, "a cookie needs an origin");
    door().identity(&cookie, &server).join(&server).await;
    door().header("origin", own.as_str()).join(&server).await;
    door().join(&server).await;
}

async fn a_call_whose_arguments_do_not_parse_is_no_error_of_the_server(site: Site) {
    let server = site.start();
    for call in [
        "load_reactions?room_name=harbour&first=x&last=1",
        "load_reactions?room_name=harbour",
        "load_reactions?room_name=harbour&first=1&last=1&first=1",
        "load_history?room_name=harbour&before=1e3",
        "load_quotes?room_name=harbour&seqs[0]=9223372036854775808",
        "load_pin",
    ] {
        let answer = http::get(&server, &format!("/api/{call}")).await;
        assert_eq!(answer.status, 400, "{call}: {}", answer.body);
    }
    assert!(!server.log().contains("status=500"));
}
