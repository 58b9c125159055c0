//! Server for `/metrics` at a separate address.

use super::http::listener;
use super::http::state::AppState;
use super::limits::connection_limit::ConnectionLimiter;
use super::router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Serves metrics until `closing`.
pub(super) fn serve(listener: TcpListener, state: AppState, closing: CancellationToken) -> JoinHandle<()> {
    if let Ok(addr) = listener.local_addr() {
        tracing::info!("Metrics are served on http://{addr}/metrics");
    }
    let unlimited = ConnectionLimiter::default();
    tokio::spawn(listener::serve(listener, router::metrics_router(state), unlimited, closing))
}
