//! People who reply, mention, react and pin while nodes come and go. Each resends until answered, like the writers of the
//! crowd beside them.

use crate::checker::Post;
use crate::fan_out_load::{Addresses, Author, Crowd, ROOM, random};
use crate::support::{Door, Server, http};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

const EMOJI: [&str; 3] = ["👍", "🎉", "❤️"];

/// Number of messages that they talk about.
const TOPICS: i64 = 4;

/// A room with the messages that people will talk about, written by its owner.
pub struct Conversation {
    owner: String,
    topics: Vec<Post>,
}

/// Beginning of the ids of reactions and pins, whose texts no reader receives.
pub const ACT: &str = "act-";

impl Conversation {
    /// Begins the room.
    pub async fn begin(server: &Server) -> Self {
        let owner = http::identity(server).await;
        let mut client = Door::of(ROOM).username("P0").identity(&owner, server).join(server).await;
        let mut topics = Vec::new();
        for n in 1..=TOPICS {
            let (id, text) = (format!("topic-{n}"), format!("topic {n}"));
            assert_eq!(client.say(&id, &text).await["seq"], n);
            topics.push(Post { id, text, invoked: 0, acknowledged: Some((0, n)) });
        }
        Self { owner, topics }
    }

    /// Sends the owner and further people into the crowd's room, each with an identity that `server` gives.
    pub async fn join(self, crowd: &mut Crowd, server: &Server, people: usize, addresses: &Addresses) {
        crowd.record(self.topics);
        for n in 0..people {
            let cookie = if n == 0 { self.owner.clone() } else { http::identity(server).await };
            let (username, addresses) = (Some(format!("P{n}")), addresses.clone());
            crowd.send_in(|clock, over, acknowledged| {
                let author = Author { n, cookie, username, addresses, clock, resends_one_in: 20, client: None };
                tokio::spawn(talk(author, over, acknowledged))
            });
        }
    }
}

/// Replies, reacts and takes that back, and as the owner pins and unpins, each until it is acknowledged.
async fn talk(mut author: Author, over: Arc<AtomicBool>, acknowledged: Arc<AtomicUsize>) -> Vec<Post> {
    let mut posts = Vec::new();
    // Each ends somewhere, so that some reactions and pins remain.
    while !over.load(Ordering::SeqCst) {
        let round = posts.len() as i64;
        let target = round / 8 % TOPICS + 1;
        // Each pair of acts restores the state, so that the next pair changes it again.
        let (kind, is_first) = (round / 2 % 4, round % 2 == 0);
        let action = if is_first { "pin" } else { "unpin" };
        let emoji = EMOJI[(author.n + kind as usize) % EMOJI.len()];
        let (frame, text) = match kind {
            0 => {
                let text = format!("@P{} as I said, {round}", author.n);
                (json!({"type": "post", "message": text, "reply_to": target}), text)
            }
            1 if author.n == 0 => (json!({"type": "moderate", "action": action, "target": target}), String::new()),
            _ => (json!({"type": "react", "target": target, "emoji": emoji, "on": is_first}), String::new()),
        };
        let id = format!("{}{}-{round}", if text.is_empty() { ACT } else { "reply-" }, author.n);
        posts.push(author.submit(frame, id, text).await);
        acknowledged.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(random(20))).await;
    }
    posts
}
