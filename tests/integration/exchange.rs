//! The exchange of frames by HTTP, for browsers whose network lets no WebSocket through.

use crate::support::host::on_each_database;
use crate::support::{Client, Door, Server, Site, http};
use serde_json::{Value, json};

on_each_database!(
    a_room_is_read_and_written_by_exchanges,
    a_position_that_cannot_be_continued_is_reset,
    nobody_exchanges_what_a_socket_would_not_bring,
);

/// A client that exchanges frames.
pub struct Exchanger<'a> {
    server: &'a Server,
    cookie: String,
    room: &'a str,
    epoch: String,
    pub after: i64,
}

impl<'a> Exchanger<'a> {
    pub async fn new(server: &'a Server, room: &'a str) -> Self {
        let cookie = http::identity(server).await;
        let mut client = Self { server, cookie, room, epoch: String::new(), after: 0 };
        let welcome = client.send(&[("welcome", "")]).await.remove(0);
        assert_eq!(welcome["type"], "welcome", "{welcome}");
        client.epoch = welcome["epoch"].as_str().expect("an epoch").to_owned();
        client.after = welcome["head"].as_i64().expect("a head");
        client
    }

    async fn answer(&self, fields: &[(&str, &str)]) -> http::Answer {
        let after = self.after.to_string();
        let mut form = vec![("room_name", self.room), ("username", "Ann")];
        if !self.epoch.is_empty() {
            form.extend([("epoch", self.epoch.as_str()), ("after", after.as_str())]);
        }
        form.extend_from_slice(fields);
        let request = http::browser().post(self.server.url("/api/exchange")).header("cookie", &self.cookie);
        http::send(request.header("origin", self.server.origin()).form(&form)).await
    }

    /// Sends a request, and returns the frames of the response without the heartbeat at its end.
    pub async fn send(&mut self, fields: &[(&str, &str)]) -> Vec<Value> {
        let answer = self.answer(fields).await;
        let mut lines = answer.body.lines();
        self.after = lines.next().and_then(|after| after.parse().ok()).unwrap_or_else(|| panic!("{}", answer.body));
        let mut frames: Vec<Value> = lines.map(|line| serde_json::from_str(line).expect("a frame")).collect();
        assert_eq!(frames.pop().expect("a heartbeat")["type"], "heartbeat");
        frames
    }

    pub async fn frame(&mut self, frame: Value) -> Vec<Value> {
        self.send(&[("frame", &frame.to_string())]).await
    }
}

async fn a_room_is_read_and_written_by_exchanges(site: Site) {
    let server = site.start();
    let mut socket = Client::join(&server, "harbour").await;
    let mut ann = Exchanger::new(&server, "harbour").await;
    let own = ann.frame(json!({"type": "post", "id": "a", "message": "by HTTP"})).await;
    assert_eq!((own.len(), &own[0]["id"], &own[0]["username"]), (1, &json!("a"), &json!("Ann")), "{own:?}");
    socket.until(|frame| frame["message"] == "by HTTP").await;
    socket.say("b", "by socket").await;
    let news = ann.send(&[]).await;
    assert_eq!((news.len(), &news[0]["message"]), (1, &json!("by socket")), "{news:?}");
    assert_eq!(ann.send(&[]).await, Vec::<Value>::new());
    let again = ann.frame(json!({"type": "post", "id": "a", "message": "by HTTP"})).await;
    assert_eq!((again.len(), &again[0]["seq"]), (1, &own[0]["seq"]), "a repeated id gets the stored event again");
    let edited = ann.frame(json!({"type": "edit", "id": "c", "target": own[0]["seq"], "text": "edited"})).await;
    assert_eq!((edited.len(), &edited[0]["type"]), (1, &json!("edited")), "{edited:?}");
    let refused = ann.frame(json!({"type": "edit", "id": "d", "target": news[0]["seq"], "text": "not hers"})).await;
    assert_eq!((refused.len(), &refused[0]["type"], &refused[0]["id"]), (1, &json!("rejected"), &json!("d")));
    let empty = ann.frame(json!({"message": "\u{200b}", "id": "e"})).await;
    assert_eq!(empty[0]["code"], "empty", "{empty:?}");
    let replayed = ann.frame(json!({"type": "sync", "after": 0})).await;
    assert_eq!(replayed.len(), 3, "{replayed:?}");
}

async fn a_position_that_cannot_be_continued_is_reset(site: Site) {
    let server = site.start();
    Client::join(&server, "harbour").await.say("a", "one").await;
    let mut ann = Exchanger::new(&server, "harbour").await;
    ann.epoch = "another".to_owned();
    let frames = ann.send(&[]).await;
    assert_eq!((frames.len(), &frames[0]["type"], &frames[0]["head"]), (1, &json!("reset"), &json!(1)));
    let mut bob = Exchanger::new(&server, "harbour").await;
    bob.after = 7;
    assert_eq!(bob.send(&[]).await[0]["type"], "reset");
}

async fn nobody_exchanges_what_a_socket_would_not_bring(site: Site) {
    let server = site.start();
    let ann = Exchanger::new(&server, "harbour").await;
    let form = [("room_name", "harbour"), ("frame", "{\"message\":\"x\"}")];
    let request = http::browser().post(server.url("/api/exchange")).header("cookie", &ann.cookie);
    assert_eq!(http::send(request.header("origin", "http://evil.example").form(&form)).await.status, 403);
    let locked = Exchanger { room: "harbour~aaaaaaaaaaaaaaaaaaaaaaaaaa", ..ann };
    assert_eq!(locked.answer(&[]).await.body, "-4504\n");
    assert_eq!(Door::of("harbour").join(&server).await.welcome["head"], 0);
}
