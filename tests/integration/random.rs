//! Fuzzing: a hundred thousand frames, mutated from valid frames or random. Each is answered with a code of the
//! protocol or closes its connection with one, while another room continues. FRAMES_SEED repeats a run.

use crate::support::{Client, Database, Door, Server, Site, http};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

const FRAMES: usize = 100_000;

/// Number of frames that are sent before the answers are read.
const ROUND: usize = 250;

const CODES: [&str; 8] =
    ["empty", "too_long", "invalid", "username_invalid", "username_taken", "id_conflict", "not_found", "forbidden"];
const KINDS: [&str; 12] = [
    "message",
    "edited",
    "deleted",
    "moderated",
    "reacted",
    "other",
    "rejected",
    "presence",
    "typing",
    "heartbeat",
    "reset",
    "welcome",
];
const FIELDS: [&str; 15] = [
    "type",
    "id",
    "message",
    "username",
    "target",
    "text",
    "after",
    "room_name",
    "code",
    "colour",
    "reply_to",
    "emoji",
    "on",
    "action",
    "seconds",
];
const TYPES: [&str; 11] =
    ["post", "edit", "delete", "react", "moderate", "typing", "sync", "heartbeat", "welcome", "message", "dance"];

/// Input for the server, with the required result.
#[derive(Clone, Debug)]
enum Attack {
    /// Read, and perhaps answered.
    Text(String),
    /// The end of the connection, with this code.
    Ends(Vec<u8>, OpCode, u16),
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-5i64..50).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        proptest::sample::select(&TYPES[..]).prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 30, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map("[a-z]{0,6}", inner, 0..4)
                .prop_map(Value::from_iter::<std::collections::BTreeMap<String, Value>>),
        ]
    })
}

/// An object whose fields have the right names, and anything in them.
fn object() -> impl Strategy<Value = String> {
    let field = proptest::sample::select(&FIELDS[..]).prop_map(str::to_owned);
    let kind = proptest::option::of(proptest::sample::select(&TYPES[..]));
    (btree_map(field, anything(), 0..5), kind).prop_map(|(fields, kind)| {
        let mut object = Value::from_iter(fields);
        if let Some(kind) = kind {
            object["type"] = kind.into();
        }
        object.to_string()
    })
}

/// A frame of the protocol with some of its bytes changed, still UTF-8.
fn bent() -> impl Strategy<Value = String> {
    let sound = proptest::sample::select(vec![
        r#"{"type": "post", "id": "a1", "message": "hello", "username": "Ann"}"#,
        r#"{"username": "Ann", "room_name": "harbour", "message": "hello"}"#,
        r#"{"type": "edit", "id": "a2", "target": 1, "text": "hello!"}"#,
        r#"{"type": "delete", "id": "a3", "target": 1}"#,
        r#"{"type": "post", "id": "a4", "message": "@Ann yes", "reply_to": 1}"#,
        r#"{"type": "react", "id": "a5", "target": 1, "emoji": "👍", "on": true}"#,
        r#"{"type": "moderate", "id": "a6", "action": "pin", "target": 1}"#,
        r#"{"type": "sync", "after": 3}"#,
        r#"{"type": "typing"}"#,
    ]);
    (sound, vec((any::<proptest::sample::Index>(), "\\PC?|[\"{}\\[\\]:,\\\\0-9]"), 1..4)).prop_map(
        |(sound, changes)| {
            let mut text: Vec<char> = sound.chars().collect();
            for (at, put) in changes {
                let at = at.index(text.len());
                text.splice(at..=at, put.chars());
                text.push(' ');
            }
            text.into_iter().collect()
        },
    )
}

fn attack() -> impl Strategy<Value = Attack> {
    let deep =
        (1usize..8000, "[\\[{]|\\{\"message\":").prop_map(|(depth, open)| open.repeat(depth.min(16_000 / open.len())));
    let long = (4001usize..15_000).prop_map(|length| json!({"message": "x".repeat(length)}).to_string());
    let text = OpCode::Data(Data::Text);
    prop_oneof![
        300 => object().prop_map(Attack::Text),
        300 => bent().prop_map(Attack::Text),
        300 => "\\PC{0,60}".prop_map(Attack::Text),
        40 => deep.prop_map(Attack::Text),
        40 => long.prop_map(Attack::Text),
        5 => vec(any::<u8>(), 0..100).prop_map(|bytes| Attack::Ends(bytes, OpCode::Data(Data::Binary), 1003)),
        5 => vec(0x80u8.., 1..100).prop_map(|mut bytes| {
            bytes.push(0xff);
            bytes
        }).prop_map(move |bytes| Attack::Ends(bytes, text, 1007)),
        5 => (16_385usize..40_000).prop_map(move |length| Attack::Ends(vec![b' '; length], text, 1009)),
    ]
}

/// Two people next door, who talk until `over`; how much they have said.
async fn conversation(server: Arc<Server>, over: Arc<AtomicBool>) -> usize {
    let (mut ann, mut bob) = (Client::join(&server, "next-door").await, Client::join(&server, "next-door").await);
    let mut said = 0;
    while !over.load(Ordering::Relaxed) {
        said += 1;
        let text = format!("word {said}");
        ann.say(&said.to_string(), &text).await;
        bob.expect_message(&text).await;
    }
    said
}

/// Reads up to the answer to `id`. Whatever comes is of the contract.
async fn read_up_to(client: &mut Client, id: &str, sent: &[Attack]) {
    loop {
        let frame = client.next_frame().await;
        let frame = frame.unwrap_or_else(|| panic!("closed with {:?} within {sent:?}", client.closed));
        let (kind, code) = (frame["type"].as_str().expect("a type"), frame["code"].as_str());
        assert!(KINDS.contains(&kind), "{frame}");
        assert!(code.is_none_or(|code| CODES.contains(&code)), "{frame}");
        if frame["id"] == id {
            return;
        }
    }
}

async fn rounds(server: &Server, runner: &mut TestRunner) -> (usize, usize) {
    let strategy = attack();
    let (mut sent, mut ended) = (0, 0);
    // With an identity, which may react and pin.
    let cookie = http::identity(server).await;
    let door = Door::of("harbour").identity(&cookie, server);
    let mut client = door.join(server).await;
    while sent < FRAMES {
        let mut round: Vec<Attack> = Vec::with_capacity(ROUND);
        let mut end = None;
        while round.len() < ROUND && end.is_none() {
            match strategy.new_tree(runner).expect("nothing is filtered").current() {
                Attack::Ends(bytes, opcode, code) => end = Some((bytes, opcode, code)),
                text => round.push(text),
            }
        }
        for attack in &round {
            let Attack::Text(text) = attack else { unreachable!("only texts are kept") };
            client.send_text(text.as_str()).await;
        }
        let marker = format!("marker-{sent}");
        client.post(&marker, "marker").await;
        read_up_to(&mut client, &marker, &round).await;
        sent += round.len();
        if let Some((bytes, opcode, code)) = end {
            let shown = format!("{} bytes, {opcode}", bytes.len());
            let _ = client.send_message(Message::Frame(Frame::message(bytes, opcode, true))).await;
            assert_eq!(client.close_code().await, Some(code), "{shown}");
            client = door.join(server).await;
            (sent, ended) = (sent + 1, ended + 1);
        }
    }
    (sent, ended)
}

#[test]
fn a_hundred_thousand_random_frames_harm_nobody() {
    let seed = std::env::var("FRAMES_SEED").ok().map(|seed| seed.parse().expect("a number"));
    let seed: u64 = seed.unwrap_or_else(|| crate::fan_out_load::random(u64::MAX));
    println!("FRAMES_SEED={seed}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let site = Site::new(Database::Sqlite).await;
        let server = Arc::new(site.start());
        let over = Arc::new(AtomicBool::new(false));
        let next_door = tokio::spawn(conversation(server.clone(), over.clone()));
        let (sent, ended) = rounds(&server, &mut runner).await;
        over.store(true, Ordering::Relaxed);
        let said = next_door.await.expect("next door goes on");
        println!("{sent} frames, {ended} of them ended their connection; {said} messages next door");
        assert!(sent >= FRAMES && ended > FRAMES / 200 && said > 10);
        assert!(!server.log().contains("panicked"), "{}", server.log());
    });
}
