//! The two connections to Redis: one publishes, one subscribes. Both are reestablished after errors.

use super::queue::RelayQueue;
use super::signer::{CHANNEL_COUNT, MessageSigner};
use super::{Envelope, RELAY_VERSION, RelayEvent};
use crate::server::telemetry::outage::Outage;
use futures_util::StreamExt;
use redis::aio::MultiplexedConnection;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{error::Elapsed, sleep, timeout};
use uuid::Uuid;

/// Time after which a silent connection is given up, and the delay before the next attempt.
const READ_TIMEOUT: Duration = Duration::from_secs(3);
const RECONNECT_DELAY: Duration = Duration::from_millis(250);

/// Maximum time for a response of Redis.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(2);

/// The id of this node and the sequence number of its last message; shared by consecutive publishers.
#[derive(Clone)]
pub(super) struct SequenceNumbers {
    node: Uuid,
    last: Arc<AtomicU64>,
}

impl SequenceNumbers {
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

/// Publishes queued messages in batches, one per round trip, until the node leaves.
pub(super) async fn run_publisher(
    client: redis::Client,
    seal: MessageSigner,
    numbers: SequenceNumbers,
    outbox: Arc<RelayQueue>,
    outage: Arc<Outage>,
) {
    let mut connection: Option<MultiplexedConnection> = None;
    while let Some(bells) = outbox.next().await {
        let mut pipeline = redis::pipe();
        for bell in bells {
            let shard = bell.room().map_or(0, |room| room.rem_euclid(CHANNEL_COUNT));
            let rung = Envelope { node: numbers.node, number: numbers.next(), speaks: RELAY_VERSION, bell };
            pipeline.publish(seal.channel(shard), seal.sign(&rung)).ignore();
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
    let config = redis::AsyncConnectionConfig::new()
        .set_connection_timeout(Some(RESPONSE_TIMEOUT))
        .set_response_timeout(Some(RESPONSE_TIMEOUT));
    client.get_multiplexed_async_connection_with_config(&config).await
}

/// Forwards received messages, and replaces a connection that falls silent.
pub(super) async fn run_subscriber(
    client: redis::Client,
    seal: MessageSigner,
    received: mpsc::Sender<RelayEvent>,
    outage: Arc<Outage>,
) {
    loop {
        if let Err(error) = subscribe(&client, &seal, &received, &outage).await {
            outage.failed(&error);
        }
        if received.is_closed() {
            return;
        }
        sleep(RECONNECT_DELAY).await;
    }
}

async fn subscribe(
    client: &redis::Client,
    seal: &MessageSigner,
    received: &mpsc::Sender<RelayEvent>,
    outage: &Outage,
) -> Result<(), SubscriptionError> {
    let subscribe = async {
        let mut connection = client.get_async_pubsub().await?;
        connection.subscribe(seal.channels()).await?;
        redis::RedisResult::Ok(connection)
    };
    let mut messages = timeout(RESPONSE_TIMEOUT, subscribe).await??.into_on_message();
    let mut something = Some(RelayEvent::Resubscribed);
    loop {
        if let Some(something) = something
            && received.send(something).await.is_err()
        {
            return Ok(());
        }
        let Some(message) = timeout(READ_TIMEOUT, messages.next()).await? else {
            return Err(SubscriptionError::Closed);
        };
        // The outage ends only once a message has arrived: a connection that is accepted and stays silent changes
        // nothing.
        outage.over();
        something = seal.verify(message.get_payload_bytes()).map(RelayEvent::Message);
    }
}

/// Reason why no messages are received.
#[derive(Debug, thiserror::Error)]
enum SubscriptionError {
    #[error("Redis does not answer")]
    Deaf(#[from] Elapsed),
    #[error("Redis closed the connection")]
    Closed,
    #[error("{0}")]
    Redis(#[from] redis::RedisError),
}
