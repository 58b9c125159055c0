//! A receiver of outgoing webhooks on loopback, which answers as it is told to and keeps what it gets.

use super::{DEADLINE, eventually};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;
use standardwebhooks::Webhook;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One request.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The status with which it was answered.
    pub status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Delivery {
    /// Its id.
    pub fn id(&self) -> &str {
        self.headers["webhook-id"].to_str().expect("plain text")
    }

    /// Its body.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// The events in it.
    pub fn events(&self) -> Vec<Value> {
        self.json()["events"].as_array().expect("a list").clone()
    }

    /// Checks the signature with another implementation, and the form of the body.
    pub fn verify(&self, secret: &str) {
        let mut headers = HeaderMap::new();
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            headers.insert(name, self.headers[name].clone());
        }
        Webhook::new(secret).expect("a secret").verify(&self.body, &headers).expect("a valid signature");
        assert_eq!(self.headers["content-type"], "application/json");
        assert_eq!(self.json()["type"], "room.events");
        assert!((1..=50).contains(&self.events().len()));
    }
}

#[derive(Clone)]
struct Kept {
    deliveries: Arc<Mutex<Vec<Delivery>>>,
    status: Arc<AtomicU16>,
}

/// The receiver.
pub struct Receiver {
    /// Where it listens.
    pub addr: SocketAddr,
    kept: Kept,
}

/// Stands for an answer that does not come.
pub const NO_ANSWER: u16 = 1;

impl Receiver {
    /// Starts one that answers with this status.
    pub async fn start(status: u16) -> Self {
        let kept = Kept { deliveries: Arc::default(), status: Arc::new(AtomicU16::new(status)) };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let addr = listener.local_addr().expect("an address");
        let router = Router::new().route("/{*path}", post(receive)).with_state(kept.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { addr, kept }
    }

    /// The URL for deliveries.
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.addr)
    }

    /// Changes the answer.
    pub fn answer(&self, status: u16) {
        self.kept.status.store(status, Ordering::SeqCst);
    }

    /// Every request so far.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.kept.deliveries.lock().expect("no panic").clone()
    }

    /// The events of the requests that were answered with 200.
    pub fn taken(&self) -> Vec<Value> {
        self.deliveries().iter().filter(|delivery| delivery.status == 200).flat_map(Delivery::events).collect()
    }

    /// Waits for the event of this number to be taken, and returns all that were.
    pub async fn taken_up_to(&self, seq: i64) -> Vec<Value> {
        eventually(&format!("event {seq} is delivered"), || async {
            let taken = self.taken();
            taken.iter().any(|event| event["seq"] == seq || event["to"] == seq).then_some(taken)
        })
        .await
    }

    /// Waits for this number of requests, and returns all.
    pub async fn requests(&self, number: usize) -> Vec<Delivery> {
        eventually(&format!("{number} requests"), || async {
            let deliveries = self.deliveries();
            (deliveries.len() >= number).then_some(deliveries)
        })
        .await
    }
}

async fn receive(State(kept): State<Kept>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let status = kept.status.load(Ordering::SeqCst);
    kept.deliveries.lock().expect("no panic").push(Delivery { status, headers, body });
    if status == NO_ANSWER {
        tokio::time::sleep(DEADLINE + Duration::from_secs(60)).await;
    }
    StatusCode::from_u16(status).expect("a status")
}
