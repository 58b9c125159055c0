//! What runs only on the server. `run` wires the parts together, serves, and drains.
//!
//! `socket` and the server functions go through `chat`; `chat` through `journal`, `hub` and `store`. Only `store` and
//! `journal` know SeaORM, only `relay` knows Redis, only `router` and `pages` know the ui.

pub mod accept;
mod access;
mod answers;
pub mod arrivals;
mod assets;
mod body;
pub mod chat;
pub mod commands;
pub mod config;
mod headers;
mod health;
mod hub;
pub mod identity;
mod journal;
mod limits;
mod metrics;
mod network;
mod origin;
mod pages;
mod peer;
mod presence;
mod random;
mod relay;
mod rendered;
mod request;
mod retention;
mod router;
pub mod socket;
mod store;
pub mod telemetry;
pub(crate) mod visitor;
pub mod websocket;

use arrivals::Arrivals;
use assets::Assets;
use chat::Chat;
use config::{Config, redacted};
use hub::Hub;
use identity::Identities;
use journal::Journal;
use limits::Limiter;
use metrics::Metrics;
use relay::Relay;
use rendered::Rendered;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;
use store::{Store, StoreError};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A stopping server has gone by then, whatever hangs.
const DRAIN: Duration = Duration::from_secs(12);

/// What the database is given to say goodbye.
const CLOSE: Duration = Duration::from_secs(1);

/// How often rooms are compared with the database, without Redis: commands and, on PostgreSQL, other nodes may write it.
const LOOK: Duration = Duration::from_secs(1);

/// What every request may need; cheap to clone.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Parts>);

impl Deref for Shared {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// The parts of this server.
pub(crate) struct Parts {
    pub(crate) config: Arc<Config>,
    pub(crate) chat: Chat,
    pub(crate) identities: Identities,
    pub(crate) limiter: Limiter,
    pub(crate) relay: Relay,
    pub(crate) assets: Assets,
    pub(crate) rendered: Rendered,
    pub(crate) metrics: Metrics,
    pub(crate) sockets: TaskTracker,
    pub(crate) draining: CancellationToken,
}

/// Why the server does not serve.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the URL of Redis is wrong about.
    #[error("redis-url: {0}")]
    Redis(#[from] redis::RedisError),
}

impl From<sea_orm::DbErr> for RunError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Store(error.into())
    }
}

/// Reaches the database and Redis, as `parlour check` does.
pub async fn check(config: &Config) -> Result<(), RunError> {
    Store::open_existing(&config.database_url).await?.close().await?;
    if let Some(url) = &config.redis_url {
        Relay::check(url).await?;
    }
    Ok(())
}

/// Serves on `listener` until `shutdown`; then commits what waits, tells everybody, and returns.
pub async fn run(config: Config, listener: TcpListener, shutdown: impl Future<Output = ()>) -> Result<(), RunError> {
    accept::raise_open_files();
    let metrics = Metrics::start();
    tokio::pin!(shutdown);
    let store = tokio::select! {
        opened = Store::open(&config.database_url) => opened?,
        // Another node may be migrating, or the database away.
        () = &mut shutdown => {
            tracing::info!("stopped before it served");
            return Ok(());
        }
    };
    let identities = Identities::new(&store.secret("identity").await?);
    let (hub, changes) = Hub::new(store.clone());
    let mut tasks = JoinSet::new();
    tasks.spawn(metrics.clone().keep_up());
    let relay = match &config.redis_url {
        Some(url) => Relay::start(url, &store.secret("relay").await?, hub.clone(), &mut tasks)?,
        None => Relay::none(),
    };
    if config.redis_url.is_none() {
        tasks.spawn(look_for_ever(hub.clone()));
    }
    tasks.spawn(retention::keep_to_it(store.clone(), hub.clone(), config.retention_days));
    tasks.spawn(presence::tell_for_ever(hub.clone(), relay.clone(), changes));
    let (journal, writer) = Journal::start(store.clone(), hub.clone(), relay.clone());
    let limiter = Limiter::new(config.rates);
    tasks.spawn(limiter.clone().forget_for_ever());
    let rendered = Rendered::default();
    tasks.spawn(rendered.clone().forget_for_ever());
    let chat = Chat { store: store.clone(), hub, journal, limiter: limiter.clone() };
    let assets = Assets::new(config.leptos.site_root.clone());
    let arrivals = Arrivals::new(&config);
    announce(&config, &listener);

    let shared = Shared(Arc::new(Parts {
        config: Arc::new(config),
        chat,
        identities,
        limiter,
        relay,
        assets,
        rendered,
        metrics,
        sockets: TaskTracker::new(),
        draining: CancellationToken::new(),
    }));
    let (draining, sockets) = (shared.draining.clone(), shared.sockets.clone());
    let closing = CancellationToken::new();
    let serving = tokio::spawn(accept::serve(listener, router::router(shared), arrivals, closing.clone()));

    shutdown.await;
    tracing::info!("draining");
    draining.cancel();
    sockets.close();
    let drained = async {
        // Until the last socket has gone, whoever asks is told that this server is not ready.
        sockets.wait().await;
        closing.cancel();
        let _ = serving.await;
        // The last handle on the journal went with the last request.
        let _ = writer.await;
    };
    if tokio::time::timeout(DRAIN, drained).await.is_err() {
        tracing::warn!("some connections did not end in time");
    }
    tasks.shutdown().await;
    // A database that does not answer does not say goodbye either.
    tokio::time::timeout(CLOSE, store.close()).await.unwrap_or(Ok(()))?;
    Ok(())
}

/// Without a doorbell, whatever another node on the same PostgreSQL or a command has written is found by looking.
async fn look_for_ever(hub: Hub) {
    let mut often = tokio::time::interval(LOOK);
    loop {
        often.tick().await;
        if let Err(error) = hub.check().await {
            tracing::warn!(%error, "the rooms cannot be compared with the database just now");
        }
    }
}

/// One line on standard output: where the server listens, and what it uses.
fn announce(config: &Config, listener: &TcpListener) {
    let addr = listener.local_addr().map_or_else(|error| error.to_string(), |addr| addr.to_string());
    let redis = config.redis_url.as_deref().map_or_else(String::new, |url| format!(" and {}", redacted(url)));
    println!("parlour listens on http://{addr}, with {}{redis}", redacted(&config.database_url));
}
