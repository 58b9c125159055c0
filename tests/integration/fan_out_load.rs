//! Clients that post and read while faults are injected. They resend until acknowledged, resume from their position,
//! and record their actions and observations.

use crate::checker::{Clock, Entry, History, Post, View};
use crate::stream_readers;
use crate::support::database::UnknownEvent;
use crate::support::event_reader::Format;
use crate::support::{Client, DEADLINE, Door, Server, Site, database, eventually, http};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// The room they are in.
pub const ROOM: &str = "harbour";

/// Number of readers in each crowd that read by HTTP. Their views come last.
pub const STREAM_READERS: usize = 4;

/// Current addresses of the servers. A killed server restarts at another address.
pub type Addresses = Arc<Mutex<Vec<SocketAddr>>>;

/// A crowd in one room.
pub struct Crowd {
    clock: Arc<Clock>,
    over: Arc<AtomicBool>,
    /// Number of acknowledged messages.
    acknowledged: Arc<AtomicUsize>,
    writers: Vec<JoinHandle<Vec<Post>>>,
    readers: Vec<JoinHandle<View>>,
    /// Events that a later release has appended.
    others: Vec<Post>,
    settled: tokio::sync::watch::Sender<Option<i64>>,
}

impl Crowd {
    /// Sends them in, each writer with an identity that `server` gives. Beside the `readers` with sockets,
    /// [`STREAM_READERS`] read streams of events.
    pub async fn enter(server: &Server, addresses: &Addresses, writers: usize, readers: usize) -> Self {
        let settled = tokio::sync::watch::Sender::new(None);
        let (clock, over, acknowledged) = (Arc::default(), Arc::default(), Arc::default());
        let (writing, reading, others) = (Vec::new(), Vec::new(), Vec::new());
        let mut crowd = Self { clock, over, acknowledged, writers: writing, readers: reading, others, settled };
        for n in 0..writers {
            let cookie = http::identity(server).await;
            let (addresses, clock) = (addresses.clone(), crowd.clock.clone());
            let writer = Author { n, cookie, username: None, addresses, clock, resends_one_in: 50, client: None };
            crowd.writers.push(tokio::spawn(writer.write(crowd.over.clone(), crowd.acknowledged.clone())));
        }
        for n in 0..readers {
            crowd.readers.push(tokio::spawn(read(n, addresses.clone(), crowd.settled.subscribe())));
        }
        // In each format, from the first event, and from now on.
        for format in [Format::EventStream, Format::JsonLines] {
            for after in [Some(0), None] {
                let reader = stream_readers::read(format, after, addresses.clone(), crowd.settled.subscribe());
                crowd.readers.push(tokio::spawn(reader));
            }
        }
        crowd
    }

    /// Counts these events of the room as posts.
    pub fn record(&mut self, posts: Vec<Post>) {
        self.others.extend(posts);
    }

    /// Adds a writer, which counts with the crowd's clock what was acknowledged, until it is over.
    pub fn send_in(
        &mut self,
        writer: impl FnOnce(Arc<Clock>, Arc<AtomicBool>, Arc<AtomicUsize>) -> JoinHandle<Vec<Post>>,
    ) {
        self.writers.push(writer(self.clock.clone(), self.over.clone(), self.acknowledged.clone()));
    }

    /// Appends an event of an unknown kind, which then counts as a post.
    pub async fn append_unknown(&mut self, site: &Site, id: &str) {
        let invoked = self.clock.tick();
        let event = UnknownEvent { id, target: 1, text: "" };
        let seq = database::append_unknown(&site.database_url, ROOM, event).await;
        let acknowledged = Some((self.clock.tick(), seq));
        self.others.push(Post { id: id.to_owned(), text: String::new(), invoked, acknowledged });
    }

    /// Returns when some more was said.
    pub async fn goes_on(&self) {
        let enough = self.acknowledged.load(Ordering::SeqCst) + 10;
        let said = || async { (self.acknowledged.load(Ordering::SeqCst) >= enough).then_some(()) };
        eventually("people talk", said).await;
    }

    /// Lets the writers finish, then lets the readers read to the end of `log`, and puts it all together.
    pub async fn leave<F: Future<Output = Vec<Value>>>(self, log: impl FnOnce() -> F) -> History {
        self.over.store(true, Ordering::SeqCst);
        let mut history = History { posts: self.others, ..History::default() };
        for writer in self.writers {
            history.posts.extend(writer.await.expect("a writer"));
        }
        history.log = log().await.iter().map(entry).collect();
        self.settled.send_replace(Some(history.log.len() as i64));
        for reader in self.readers {
            history.views.push(reader.await.expect("a reader"));
        }
        history
    }
}

/// The event in a frame, or a row of the log.
pub fn entry(message: &Value) -> Entry {
    let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
    Entry { seq: message["seq"].as_i64().expect("a number"), id: text("id"), text: text("message") }
}

/// Returns a random server, so that clients move between servers.
pub fn any(addresses: &Addresses) -> SocketAddr {
    let addresses = addresses.lock().expect("nobody panics here");
    addresses[random(addresses.len() as u64) as usize]
}

/// A number below `below`.
pub fn random(below: u64) -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().1 % below
}

/// A client that resends a command until it is acknowledged, over as many connections as that takes.
pub struct Author {
    pub n: usize,
    pub cookie: String,
    /// The name under which it joins; without one it is nobody's.
    pub username: Option<String>,
    pub addresses: Addresses,
    pub clock: Arc<Clock>,
    /// It resends one in so many commands over another connection, perhaps before the first is stored.
    pub resends_one_in: u64,
    pub client: Option<Client>,
}

impl Author {
    /// One post after the other, each until it is acknowledged.
    async fn write(mut self, over: Arc<AtomicBool>, acknowledged: Arc<AtomicUsize>) -> Vec<Post> {
        let mut posts = Vec::new();
        while !over.load(Ordering::SeqCst) {
            let id = format!("{}-{}", self.n, posts.len());
            let text = format!("text of {id}");
            let frame = json!({"type": "post", "message": text});
            posts.push(self.submit(frame, id, text).await);
            acknowledged.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(random(20))).await;
        }
        posts
    }

    /// Sends a command until it is acknowledged. `text` is what readers receive of it.
    pub async fn submit(&mut self, mut frame: Value, id: String, text: String) -> Post {
        frame["id"] = json!(id);
        let (invoked, since) = (self.clock.tick(), Instant::now());
        let seq = loop {
            match self.attempt(&frame, &id).await {
                Some(seq) => break seq,
                None => self.client = None,
            }
            assert!(since.elapsed() < DEADLINE, "{id} is never acknowledged");
        };
        Post { id, text, invoked, acknowledged: Some((self.clock.tick(), seq)) }
    }

    /// Sends it; its number, or nothing if the connection broke first.
    async fn attempt(&mut self, frame: &Value, id: &str) -> Option<i64> {
        if self.client.is_none() {
            let addr = any(&self.addresses);
            let door = Door::of(ROOM).header("cookie", &*self.cookie).header("origin", format!("http://{addr}"));
            let door = match &self.username {
                Some(username) => door.username(username),
                None => door,
            };
            self.client = door.try_join(addr).await;
        }
        let Some(client) = &mut self.client else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            return None;
        };
        client.send_message(frame.to_string().into()).await.ok()?;
        if random(self.resends_one_in) == 0 {
            return None;
        }
        loop {
            let answer = client.next_frame().await?;
            if answer["id"] == id {
                let code = answer["code"].as_str().unwrap_or_default();
                assert!(["", "unavailable", "draining"].contains(&code), "{answer}");
                return answer["seq"].as_i64();
            }
        }
    }
}

/// Reads, is cut off or leaves at random moments, and resumes; once the end of the log is known, to there, unless it
/// does not come.
async fn read(n: usize, addresses: Addresses, mut settled: tokio::sync::watch::Receiver<Option<i64>>) -> View {
    let mut view: Option<View> = None;
    let mut ending: Option<Instant> = None;
    loop {
        let mut door = Door::of(ROOM);
        if let Some(view) = &view {
            door = door.after(view.after + view.seen.len() as i64);
        } else if n == 0 {
            door = door.after(0);
        }
        let Some(mut client) = door.try_join(any(&addresses)).await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let head = client.welcome["head"].as_i64().expect("a number");
        let view = view.get_or_insert_with(|| View { after: if n == 0 { 0 } else { head }, seen: Vec::new() });
        let patience = tokio::time::sleep(Duration::from_millis(100 + random(1500)));
        tokio::pin!(patience);
        loop {
            let last = view.after + view.seen.len() as i64;
            if let Some(end) = *settled.borrow_and_update()
                && (last >= end || ending.get_or_insert_with(Instant::now).elapsed() > DEADLINE)
            {
                return view.clone();
            }
            tokio::select! {
                frame = client.next_frame() => match frame {
                    Some(frame) if !frame["seq"].is_null() => view.seen.push(entry(&frame)),
                    Some(frame) => assert_ne!(frame["type"], "reset", "the log goes on: {frame}"),
                    None => break,
                },
                _ = settled.changed() => {}
                () = tokio::time::sleep(DEADLINE), if ending.is_some() => {}
                // Once all is written, there is nothing to leave for.
                () = &mut patience, if settled.borrow().is_none() => break,
            }
        }
    }
}
