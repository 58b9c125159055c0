//! Nodes of two releases in one site, as during a rolling restart: the earlier one knows neither replies, mentions,
//! reactions nor pins, and writes the same log.

use crate::annotated_log::{AnnotatedLog, assert_read_alike, log};
use crate::cluster::two_nodes;
use crate::reactions::{person, react, read};
use crate::support::earlier_node::EarlierNode;
use crate::support::event_reader::{EventReader, Format};
use crate::support::{Client, Server, database, eventually, http};
use serde_json::{Value, json};

const ROOM: &str = "harbour";

/// A text that an earlier node posts, edits and deletes.
const SECRET: &str = "zanzibar";

async fn send(client: &mut Client, mut frame: Value, id: &str) -> Value {
    frame["id"] = json!(id);
    client.send(frame).await;
    client.answer_to(id).await
}

async fn quote(server: &Server, seq: &Value) -> Value {
    let quotes = http::get(server, &format!("/api/load_quotes?room_name={ROOM}&seqs[0]={seq}")).await.body;
    serde_json::from_str::<Value>(&quotes).expect("quotes")[0]["excerpt"].clone()
}

async fn latest_pin(server: &Server) -> Value {
    let pin = http::get(server, &format!("/api/load_pin?room_name={ROOM}")).await.body;
    serde_json::from_str(&pin).expect("a pin, or none")
}

/// The connection is as it was: every event came once and in order, from `first` on.
async fn has_followed(client: &mut Client, first: i64, last: i64) -> Vec<Value> {
    client.send(json!({"type": "sync", "after": first - 1})).await;
    let events = client.until(|frame| frame["seq"] == last && frame["type"] != "heartbeat").await;
    assert!(client.closed.is_none());
    events
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_goes_on_beside_a_node_that_does_not_know_it() {
    let (site, redis, mut one, mut two) = two_nodes().await;
    let (mut ann, mut ben) = (person(&one, "Ann").await.1, person(&two, "Ben").await.1);
    let mut stream = EventReader::open(&two, "/harbour/events?after=0", Format::EventStream, &[]).await;
    let said = send(&mut ann, json!({"type": "post", "message": "cake at four?"}), "a1").await;
    ben.until(|frame| frame["id"] == "a1").await;
    let earlier = EarlierNode::join(&site, &redis, ROOM).await;

    // New events beside its events: both nodes, and a reader of each, have them all.
    send(&mut ben, json!({"type": "post", "message": "@Ann yes", "reply_to": 1}), "b1").await;
    let old = earlier.posts(&said, "o1", &format!("{SECRET}, said @Ben on the earlier node")).await;
    ann.until(|frame| frame["id"] == "o1").await;
    ben.until(|frame| frame["id"] == "o1").await;
    assert_eq!(react(&mut ben, "r1", 1, "👍", true).await["seq"], 4);
    assert_eq!(react(&mut ben, "r2", 3, "🎉", true).await["seq"], 5);
    assert_eq!(react(&mut ann, "r3", 3, "🎉", true).await["seq"], 6);
    for (id, target) in [("p1", 1), ("p2", 3)] {
        send(&mut ann, json!({"type": "moderate", "action": "pin", "target": target}), id).await;
    }
    send(&mut ann, json!({"type": "post", "message": "@Ben right", "reply_to": 3}), "a2").await;
    ben.until(|frame| frame["id"] == "a2").await;
    let state = assert_read_alike(&site, &[&one, &two], ROOM).await;
    assert_eq!((&state.pins[..], &state.messages[&3].mentions.len()), (&[3, 1][..], &0), "{state:?}");
    assert_eq!(state.messages[&3].reactions, [("🎉".to_owned(), 2)]);

    // It edits: what quotes and pins the message reads as it does now.
    earlier.edits(&old, "o2", &format!("{SECRET} again")).await;
    ann.until(|frame| frame["id"] == "o2").await;
    ben.until(|frame| frame["id"] == "o2").await;
    for server in [&one, &two] {
        assert_eq!(quote(server, &old["seq"]).await, format!("{SECRET} again"));
        assert_eq!(latest_pin(server).await["excerpt"], format!("{SECRET} again"));
    }
    assert_eq!(assert_read_alike(&site, &[&one, &two], ROOM).await.messages[&3].text, format!("{SECRET} again"));

    // It deletes, and knows of neither reactions nor pins.
    earlier.deletes(&old, "o3").await;
    ann.until(|frame| frame["id"] == "o3").await;
    ben.until(|frame| frame["id"] == "o3").await;
    let head = react(&mut ann, "r4", 1, "🎉", true).await["seq"].as_i64().expect("a number");
    let refused = react(&mut ben, "r5", 3, "👍", true).await;
    assert_eq!(refused["code"], "not_found", "{refused}");
    for server in [&one, &two] {
        assert_eq!(quote(server, &old["seq"]).await, "");
        assert_eq!(latest_pin(server).await["seq"], 1);
        assert_eq!(read(server, "/harbour/3/reactions", "").await.status, 404);
        let replayed = eventually("the node has every event", || async {
            Some(log(server, ROOM).await).filter(|log| log.len() as i64 == head)
        })
        .await;
        let state = AnnotatedLog::replay(&replayed);
        assert_eq!(AnnotatedLog::of_pages(server, ROOM).await, state);
        assert_eq!((state.messages.contains_key(&3), &state.pins[..]), (false, &[1][..]));
        for path in ["/harbour/", "/harbour/3", "/harbour/10", "/harbour/pins", "/api/load_history?room_name=harbour"] {
            assert!(!http::get(server, path).await.body.contains(SECRET), "{path}");
        }
        assert!(!json!(replayed).to_string().contains(SECRET), "{replayed:?}");
    }
    // Nobody's connection has ended, and each reads the log.
    for client in [&mut ann, &mut ben] {
        let events = has_followed(client, 1, head).await;
        let numbers = events.iter().filter_map(|event| event["seq"].as_i64());
        assert_eq!(numbers.collect::<Vec<_>>(), (1..=head).collect::<Vec<_>>(), "{events:?}");
    }
    for seq in 1..=head {
        assert_eq!(stream.next().await.expect("the stream goes on").data["seq"], seq);
    }

    // The last of the earlier nodes is gone. A restarted node reads the same from the database, and clears up.
    drop(earlier);
    let before = AnnotatedLog::of_pages(&one, ROOM).await;
    for server in [&mut one, &mut two] {
        server.stop();
        *server = site.start();
    }
    assert_eq!(AnnotatedLog::of_pages(&one, ROOM).await, before);
    eventually("nothing of the deleted message is left", || async {
        for left in [
            "reactions WHERE target = 3",
            "reaction_counts WHERE target = 3",
            "pins WHERE seq = 3",
            "mentions WHERE message = 3",
        ] {
            if !database::rows(&site.database_url, &format!("SELECT 1 FROM {left}")).await.is_empty() {
                return None;
            }
        }
        Some(())
    })
    .await;
    assert_eq!(assert_read_alike(&site, &[&one, &two], ROOM).await, before);
}
