//! An address for `/metrics` alone, apart from the site's.

use super::{listener, router};
use crate::server::config::Config;
use crate::server::limits::connection_limit::ConnectionLimiter;
use crate::server::{AppState, RunError};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Listens on the address that is configured for metrics, if there is one.
pub(crate) async fn bind(config: &Config) -> Result<Option<TcpListener>, RunError> {
    let Some(addr) = config.metrics_addr else { return Ok(None) };
    TcpListener::bind(addr).await.map(Some).map_err(|error| RunError::MetricsAddr(addr, error))
}

/// Serves metrics until `closing`.
pub(crate) fn serve(listener: TcpListener, shared: AppState, closing: CancellationToken) -> JoinHandle<()> {
    if let Ok(addr) = listener.local_addr() {
        tracing::info!("Metrics are served on http://{addr}/metrics");
    }
    let unlimited = ConnectionLimiter::default();
    tokio::spawn(listener::serve(listener, router::metrics_router(shared), unlimited, closing))
}
