//! Another node of a site, as the relay shows it: it has as many readers as a test says, without their sockets.

use super::redis::Redis;
use super::{Site, database};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::fmt::Write;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// How often a node says that it is alive, and after how many times it repeats what it has.
const BEAT: Duration = Duration::from_millis(300);
const REPEATED_AFTER: u64 = 20;

/// A node that only the relay knows. It is gone when this is dropped.
pub struct PeerNode {
    room: i64,
    bells: mpsc::UnboundedSender<Value>,
    _beating: JoinSet<()>,
}

impl PeerNode {
    /// Joins the site with this room, which has a message already.
    pub async fn join(site: &Site, redis: &Redis, room: &str) -> Self {
        let sql = format!("SELECT id FROM rooms WHERE name = '{room}'");
        let id = database::rows(&site.database_url, &sql).await[0].try_get_by_index(0).expect("an id");
        let secrets = database::rows(&site.database_url, "SELECT value FROM site WHERE name = 'relay'").await;
        let secret: Vec<u8> = secrets[0].try_get_by_index(0).expect("a secret");
        let key = Hmac::<Sha256>::new_from_slice(&secret).expect("a key of any length");
        let name = key.clone().chain_update(b"channels").finalize().into_bytes();
        let channel = name[..4].iter().fold("parlour:".to_owned(), |mut name, byte| {
            write!(name, "{byte:02x}").expect("a string takes anything");
            name
        }) + ":0";
        let (bells, mut rung) = mpsc::unbounded_channel::<Value>();
        let mut connection = redis.connect().await;
        let (node, mut number, mut presence) = (uuid::Uuid::new_v4(), 0_u64, json!("Beat"));
        let mut beating = JoinSet::new();
        beating.spawn(async move {
            loop {
                number += 1;
                let bell = match tokio::time::timeout(BEAT, rung.recv()).await {
                    Ok(Some(bell)) => bell,
                    Ok(None) => return,
                    Err(_) if number.is_multiple_of(REPEATED_AFTER) => presence.clone(),
                    Err(_) => json!("Beat"),
                };
                if bell.get("Presence").is_some() {
                    presence = bell.clone();
                }
                let envelope = json!({"node": node, "number": number, "speaks": 1, "bell": bell}).to_string();
                let mut signed = key.clone().chain_update(&envelope).finalize().into_bytes()[..16].to_vec();
                signed.extend(envelope.as_bytes());
                let published = redis::cmd("PUBLISH").arg(&channel).arg(signed).exec_async(&mut connection).await;
                published.expect("Redis takes it");
            }
        });
        Self { room: id, bells, _beating: beating }
    }

    /// Publishes that so many readers are there, without their names.
    pub fn has_readers(&self, count: usize) {
        self.ring(json!({"Presence": {
            "room": self.room, "present": {"count": count, "participants": []}, "asks": false
        }}));
    }

    /// Publishes that somebody is typing.
    pub fn types(&self) {
        let frame = json!({"type": "typing", "username": "Zoe", "tag": "0a0b"}).to_string();
        self.ring(json!({"Typing": {"room": self.room, "text": frame}}));
    }

    /// Publishes an event that is in the database.
    pub fn appends(&self, event: &Value) {
        let seq = &event["seq"];
        self.ring(json!({"Room": {"room": self.room, "first": seq, "last": seq, "frames": [event.to_string()]}}));
    }

    fn ring(&self, bell: Value) {
        self.bells.send(bell).expect("the node is there");
    }
}
