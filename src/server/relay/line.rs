//! The two connections to Redis: one rings, one listens. Both are replaced for as long as it takes.

use super::seal::{SHARDS, Seal};
use super::{Bell, Heard, QUEUE, Rung};
use futures_util::StreamExt;
use redis::aio::MultiplexedConnection;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{error::Elapsed, sleep, timeout};
use uuid::Uuid;

/// A connection that brings nothing for so long is given up; how long to wait before the next.
const DEAF: Duration = Duration::from_secs(3);
const RECONNECT: Duration = Duration::from_millis(250);

/// What Redis is given to answer.
const ANSWER: Duration = Duration::from_secs(2);

/// Publishes what waits, all of it in one round trip.
pub(super) async fn ring_for_ever(client: redis::Client, seal: Seal, node: Uuid, mut bells: mpsc::Receiver<Bell>) {
    let mut number = 0;
    let mut connection: Option<MultiplexedConnection> = None;
    let mut waiting = Vec::new();
    let mut lost = false;
    while bells.recv_many(&mut waiting, QUEUE).await > 0 {
        lost |= waiting.len() == QUEUE;
        if lost {
            waiting.push(Bell::All);
        }
        let mut pipeline = redis::pipe();
        for bell in waiting.drain(..) {
            let shard = bell.room().map_or(0, |room| room.rem_euclid(SHARDS));
            number += 1;
            pipeline.publish(seal.channel(shard), seal.close(&Rung { node, number, bell })).ignore();
        }
        if connection.is_none() {
            connection = connect(&client).await.ok();
        }
        let rung = match &mut connection {
            Some(connection) => pipeline.query_async::<()>(connection).await.is_ok(),
            None => false,
        };
        lost = !rung;
        if !rung {
            connection = None;
        }
    }
}

pub(super) async fn connect(client: &redis::Client) -> redis::RedisResult<MultiplexedConnection> {
    let config =
        redis::AsyncConnectionConfig::new().set_connection_timeout(Some(ANSWER)).set_response_timeout(Some(ANSWER));
    client.get_multiplexed_async_connection_with_config(&config).await
}

/// Passes on what is heard; a connection that falls silent is replaced.
pub(super) async fn listen_for_ever(client: redis::Client, seal: Seal, heard: mpsc::Sender<Heard>) {
    loop {
        if let Err(error) = listen(&client, &seal, &heard).await {
            tracing::warn!(%error, "the relay is not heard");
        }
        if heard.is_closed() {
            return;
        }
        sleep(RECONNECT).await;
    }
}

async fn listen(client: &redis::Client, seal: &Seal, heard: &mpsc::Sender<Heard>) -> Result<(), Silence> {
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
