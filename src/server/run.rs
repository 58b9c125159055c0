//! Start, service and shutdown of the server.

use super::auth::identity::IdentitySigner;
use super::chat::Chat;
use super::config::{Config, redacted};
use super::hooks::outgoing::{OutgoingHooks, OutgoingParts};
use super::http::assets::{Assets, EmbeddedSite};
use super::http::form_token::FormTokenSigner;
use super::http::listener;
use super::http::page_cache::PageCache;
use super::http::state::{AppState, AppStateInner};
use super::hub::Hub;
use super::journal::Journal;
use super::limits::connection_limit::ConnectionLimiter;
use super::limits::rate_limiter::Limiter;
use super::outbound::OutboundClient;
use super::relay::Relay;
use super::reload::{self, Reloadable};
use super::store::{OpenError, Store, StoreError};
use super::supervisor::{Health, Supervisor};
use super::telemetry::logging;
use super::telemetry::metrics::Metrics;
use super::{measurements, metrics_server, presence_broadcaster, retention, router};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Name of the secret that signs identities.
const IDENTITY_KEY: &str = "identity";

/// Time limit for shutdown, after which the server exits even if something hangs.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(12);

/// Maximum time for closing the database.
const DATABASE_CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Reason why the server cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The URL of Redis is invalid.
    #[error("redis-url: {0}")]
    Redis(#[from] redis::RedisError),
    /// The address for metrics cannot be listened on.
    #[error("metrics-addr: cannot listen on {0}: {1}")]
    MetricsAddr(SocketAddr, std::io::Error),
    /// The system does not let the process handle SIGHUP.
    #[error("SIGHUP cannot be handled: {0}")]
    Hangups(std::io::Error),
    /// The task that accepts connections has ended.
    #[error("connections are no longer accepted")]
    Accepting,
}

impl From<StoreError> for RunError {
    fn from(error: StoreError) -> Self {
        Self::Store(error.into())
    }
}

/// Serves on `listener` until `shutdown` completes; then commits pending entries, informs clients and nodes, and
/// returns. `site` has the assets of pages; without it they are read from the site root.
///
/// # Errors
///
/// Returns an error if the database or the URL of Redis cannot be used, if the system refuses a handler of signals, or if
/// connections are no longer accepted.
pub async fn run(
    config: Config,
    site: Option<EmbeddedSite>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> Result<(), RunError> {
    listener::raise_open_files();
    // One that comes while the database is waited for is answered afterwards.
    let hangups = reload::hangups().map_err(RunError::Hangups)?;
    let metrics = Metrics::start();
    let metrics_listener = match config.metrics_addr {
        Some(addr) => Some(TcpListener::bind(addr).await.map_err(|error| RunError::MetricsAddr(addr, error))?),
        None => None,
    };
    tokio::pin!(shutdown);
    let store = tokio::select! {
        opened = Store::open_patiently(&config.database_url, config.database_wait) => opened?,
        // Another node may be migrating the database, or the database may be unavailable.
        () = &mut shutdown => {
            tracing::info!("Stopped before serving");
            return Ok(());
        }
    };
    let tls_since = store.tls_since(config.is_https(), IDENTITY_KEY).await?;
    let identities = IdentitySigner::new(&store.get_or_create_secret(IDENTITY_KEY).await?).with_tls_since(tls_since);
    let form_tokens = FormTokenSigner::new(&store.get_or_create_secret("forms").await?);
    let (hub, changes) = Hub::new(store.clone());
    let health = Health::default();
    let mut tasks = Supervisor::new(health.clone());
    {
        let metrics = metrics.clone();
        tasks.spawn("metrics", move || metrics.clone().run_upkeep());
    }
    let relay = match &config.redis_url {
        Some(url) => Relay::start(url, &store.get_or_create_secret("relay").await?, hub.clone(), &mut tasks)?,
        None => Relay::disabled(),
    };
    {
        let hub = hub.clone();
        tasks.spawn("look", move || hub.clone().run_reconciler());
    }
    {
        let hub = hub.clone();
        tasks.spawn("revocation", move || hub.clone().run_revocation());
    }
    let (retention_days, days) = watch::channel(config.retention_days);
    {
        let (store, hub, days) = (store.clone(), hub.clone(), days.clone());
        tasks.spawn("retention", move || retention::run_retention(store.clone(), hub.clone(), days.clone()));
    }
    {
        let (hub, relay) = (hub.clone(), relay.clone());
        tasks.spawn("presence", move || {
            presence_broadcaster::run_broadcaster(hub.clone(), relay.clone(), changes.clone())
        });
    }
    let (journal, writer) = Journal::start(store.clone(), hub.clone(), relay.clone(), health.clone());
    let limiter = Limiter::new(config.rates);
    {
        let limiter = limiter.clone();
        tasks.spawn("limits", move || limiter.clone().run_cleanup());
    }
    let rendered = PageCache::default();
    {
        let rendered = rendered.clone();
        tasks.spawn("pages", move || rendered.clone().run_cleanup());
    }
    let chat = Chat { store: store.clone(), hub, journal, limiter: limiter.clone(), retention_days: days };
    let (sockets, draining) = (TaskTracker::new(), CancellationToken::new());
    if config.outgoing_webhooks {
        let hooks = OutgoingHooks::new(OutgoingParts {
            store: store.clone(),
            followers: chat.hub.followers().clone(),
            client: OutboundClient::new(&config.webhook_hosts),
            deliveries: sockets.clone(),
            draining: draining.clone(),
        });
        tasks.spawn("webhooks", move || hooks.clone().run());
    }
    let assets = Assets::new(site, config.leptos.site_root.clone());
    let connections = ConnectionLimiter::new(&config);
    {
        let parts = Reloadable { limiter: limiter.clone(), connections: connections.clone(), retention_days };
        let config = config.clone();
        tasks.spawn("reload", move || reload::run_reloads(hangups.clone(), config.clone(), parts.clone()));
    }
    {
        let (store, data) = (store.clone(), config.data.clone());
        tasks.spawn("measurements", move || measurements::run_measurements(store.clone(), data.clone()));
    }
    announce(&config, &listener);

    let state = AppState::new(AppStateInner {
        config: Arc::new(config),
        chat,
        identities,
        form_tokens,
        limiter,
        relay: relay.clone(),
        assets,
        rendered,
        metrics,
        health,
        sockets: sockets.clone(),
        draining: draining.clone(),
    });
    let closing = CancellationToken::new();
    let measuring = metrics_listener.map(|listener| metrics_server::serve(listener, state.clone(), closing.clone()));
    let mut serving = tokio::spawn(listener::serve(listener, router::router(state), connections, closing.clone()));

    let is_listener_gone = tokio::select! {
        () = &mut shutdown => false,
        // The task ends on request, or by a panic.
        _ = &mut serving => true,
    };
    tracing::info!("Draining");
    draining.cancel();
    sockets.close();
    let drained = async {
        // Readiness probes get "not ready" until the last socket is closed.
        sockets.wait().await;
        closing.cancel();
        if !is_listener_gone {
            let _ = serving.await;
        }
        if let Some(measuring) = measuring {
            let _ = measuring.await;
        }
        // The last handle of the journal was dropped with the last request.
        let _ = writer.await;
    };
    if tokio::time::timeout(SHUTDOWN_TIMEOUT, drained).await.is_err() {
        tracing::warn!("Some connections did not close before the shutdown timeout");
    }
    // The other nodes need not wait for this one to time out.
    relay.leave().await;
    tasks.shutdown().await;
    // A database that does not answer does not complete the close either.
    tokio::time::timeout(DATABASE_CLOSE_TIMEOUT, store.close()).await.unwrap_or(Ok(()))?;
    if is_listener_gone { Err(RunError::Accepting) } else { Ok(()) }
}

/// Prints one line on standard output: the address of the server, and the services it uses.
fn announce(config: &Config, listener: &TcpListener) {
    let addr = listener.local_addr().map_or_else(|error| error.to_string(), |addr| addr.to_string());
    let redis = config.redis_url.as_deref().map_or_else(String::new, |url| format!(" and {}", redacted(url)));
    logging::announce(&format!("parlour listens on http://{addr}, with {}{redis}", redacted(&config.database_url)));
}
