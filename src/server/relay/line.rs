//! The two connections to Redis: one rings, one listens. Both are replaced for as long as it takes.

use super::outbox::Outbox;
use super::seal::{SHARDS, Seal};
use super::{Heard, Rung, SPEAKS};
use crate::server::outage::Outage;
use futures_util::StreamExt;
use redis::aio::MultiplexedConnection;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{error::Elapsed, sleep, timeout};
use uuid::Uuid;

/// A connection that brings nothing for so long is given up; how long to wait before the next.
const DEAF: Duration = Duration::from_secs(3);
const RECONNECT: Duration = Duration::from_millis(250);

/// What Redis is given to answer.
const ANSWER: Duration = Duration::from_secs(2);

/// The name of this node, and the number of its last bell; shared by the publishers that follow each other.
#[derive(Clone)]
pub(super) struct Numbers {
    node: Uuid,
    last: Arc<AtomicU64>,
}

impl Numbers {
    pub(super) fn new(node: Uuid) -> Self {
        Self { node, last: Arc::default() }
    }

    pub(super) fn node(&self) -> Uuid {
        self.node
    }

    fn next(&self) -> u64 {
        self.last.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// Publishes what waits, some of it in each round trip, until the node leaves.
pub(super) async fn ring_for_ever(
    client: redis::Client,
    seal: Seal,
    numbers: Numbers,
    outbox: Arc<Outbox>,
    outage: Arc<Outage>,
) {
    let mut connection: Option<MultiplexedConnection> = None;
    while let Some(bells) = outbox.next().await {
        let mut pipeline = redis::pipe();
        for bell in bells {
            let shard = bell.room().map_or(0, |room| room.rem_euclid(SHARDS));
            let rung = Rung { node: numbers.node, number: numbers.next(), speaks: SPEAKS, bell };
            pipeline.publish(seal.channel(shard), seal.close(&rung)).ignore();
        }
        let rung = async {
            let connection = match &mut connection {
                Some(connection) => connection,
                none => none.insert(connect(&client).await?),
            };
            pipeline.query_async::<()>(connection).await
        };
        match rung.await {
            Ok(()) => outage.over(),
            Err(error) => {
                outage.failed(&error);
                outbox.lost();
                connection = None;
            }
        }
    }
    outbox.has_left();
}

pub(super) async fn connect(client: &redis::Client) -> redis::RedisResult<MultiplexedConnection> {
    let config =
        redis::AsyncConnectionConfig::new().set_connection_timeout(Some(ANSWER)).set_response_timeout(Some(ANSWER));
    client.get_multiplexed_async_connection_with_config(&config).await
}

/// Passes on what is heard; a connection that falls silent is replaced.
pub(super) async fn listen_for_ever(
    client: redis::Client,
    seal: Seal,
    heard: mpsc::Sender<Heard>,
    outage: Arc<Outage>,
) {
    loop {
        if let Err(error) = listen(&client, &seal, &heard, &outage).await {
            outage.failed(&error);
        }
        if heard.is_closed() {
            return;
        }
        sleep(RECONNECT).await;
    }
}

async fn listen(
    client: &redis::Client,
    seal: &Seal,
    heard: &mpsc::Sender<Heard>,
    outage: &Outage,
) -> Result<(), Silence> {
    let subscribe = async {
        let mut connection = client.get_async_pubsub().await?;
        connection.subscribe(seal.channels()).await?;
        redis::RedisResult::Ok(connection)
    };
    let mut messages = timeout(ANSWER, subscribe).await??.into_on_message();
    let mut something = Some(Heard::Nothing);
    loop {
        if let Some(something) = something
            && heard.send(something).await.is_err()
        {
            return Ok(());
        }
        let Some(message) = timeout(DEAF, messages.next()).await? else { return Err(Silence::Closed) };
        // Not before something has come: where a cut line is accepted again and stays silent, nothing has changed.
        outage.over();
        something = seal.open(message.get_payload_bytes()).map(Heard::Rung);
    }
}

/// Why nothing is heard.
#[derive(Debug, thiserror::Error)]
enum Silence {
    #[error("Redis does not answer")]
    Deaf(#[from] Elapsed),
    #[error("Redis closed the connection")]
    Closed,
    #[error("{0}")]
    Redis(#[from] redis::RedisError),
}
