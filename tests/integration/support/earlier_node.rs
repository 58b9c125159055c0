//! A node of the release before, which knows neither replies, mentions, reactions nor pins. It writes the log as that
//! release does, and says so over the relay.

use super::peer_node::PeerNode;
use super::redis::Redis;
use super::{Site, database};
use serde_json::{Value, json};

/// A node beside those of a test, which serves one room. It is gone when this is dropped.
pub struct EarlierNode {
    url: String,
    room: String,
    peer: PeerNode,
}

impl EarlierNode {
    /// Joins the site with this room, which has a message already.
    pub async fn join(site: &Site, redis: &Redis, room: &str) -> Self {
        let peer = PeerNode::join(site, redis, room).await;
        Self { url: site.database_url.clone(), room: room.to_owned(), peer }
    }

    /// Posts a message of the author of the message in this frame. Returns the frame, as its readers get it.
    pub async fn posts(&self, author: &Value, id: &str, text: &str) -> Value {
        let (seq, at) = self.append(author, id, (0, "NULL"), text, "").await;
        let frame = json!({"type": "message", "seq": seq, "id": id, "username": author["username"],
            "tag": author["tag"], "message": text, "sent_at": at});
        self.publish(frame)
    }

    /// Edits the message in this frame, as its author.
    pub async fn edits(&self, message: &Value, id: &str, text: &str) -> Value {
        let target = &message["seq"];
        let change = format!("UPDATE events SET edited_by = {{seq}} WHERE {{of_room}} AND seq = {target}");
        let (seq, at) = self.append(message, id, (1, &target.to_string()), text, &change).await;
        self.publish(json!({"type": "edited", "seq": seq, "id": id, "target": target, "text": text, "at": at}))
    }

    /// Deletes the message in this frame, as its author. Blanks everything that the release takes for edits of it.
    pub async fn deletes(&self, message: &Value, id: &str) -> Value {
        let target = &message["seq"];
        let change = format!(
            "UPDATE events SET text = '', deleted_by = {{seq}} WHERE {{of_room}} AND seq = {target};
            UPDATE events SET text = '' WHERE {{of_room}} AND target = {target} AND kind NOT IN (0, 2, 3)"
        );
        let (seq, at) = self.append(message, id, (2, &target.to_string()), "", &change).await;
        self.publish(json!({"type": "deleted", "seq": seq, "id": id, "target": target, "at": at}))
    }

    fn publish(&self, frame: Value) -> Value {
        self.peer.appends(&frame);
        frame
    }

    /// Appends a row with the columns of that release, and makes a `change` in the same transaction. Returns number and
    /// time of the event.
    async fn append(
        &self,
        author: &Value,
        id: &str,
        (kind, target): (i16, &str),
        text: &str,
        change: &str,
    ) -> (i64, i64) {
        let of_room = format!("room_id = (SELECT id FROM rooms WHERE name = '{}')", self.room);
        let seq = format!("(SELECT head FROM rooms WHERE name = '{}')", self.room);
        let change = change.replace("{of_room}", &of_room).replace("{seq}", &seq);
        // The room is locked first, as every writer does.
        let append = format!(
            "BEGIN; SELECT 1 FROM rooms WHERE name = '{room}' FOR UPDATE;
            UPDATE rooms SET head = head + 1 WHERE name = '{room}';
            INSERT INTO events (room_id, seq, author, id, kind, at, username, target, text, edited_by, deleted_by)
            SELECT r.id, r.head, e.author, '{id}', {kind}, r.last_at, CASE WHEN {kind} = 0 THEN e.username ELSE '' END,
                {target}, '{text}', NULL, NULL
            FROM rooms r JOIN events e ON e.room_id = r.id AND e.seq = {author} WHERE r.name = '{room}';
            {change}; COMMIT",
            room = self.room,
            author = author["seq"],
        );
        database::execute(&self.url, &append).await;
        let appended = format!("SELECT seq, at FROM events WHERE {of_room} AND id = '{id}'");
        let row = &database::rows(&self.url, &appended).await[0];
        (row.try_get_by_index(0).expect("a number"), row.try_get_by_index(1).expect("a time"))
    }
}
