//! Liveness and readiness endpoints.

use crate::server::http::state::AppState;
use crate::server::journal::WRITER;
use crate::server::relay::RelayState;
use crate::server::store::StoreError;
use crate::server::telemetry::outage::Outage;
use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use std::time::Duration;
use tokio::time::timeout;

/// Maximum time that the database may take to answer.
const READINESS_TIMEOUT: Duration = Duration::from_secs(2);

/// Condition that probes find, logged when it begins and when it ends: nothing else may use the database meanwhile.
static UNAVAILABLE: Outage =
    Outage::new("The database is not available; the node is not ready", "The database is available again");

/// `GET /healthz`: 200 while the process answers.
pub(crate) async fn healthz() -> &'static str {
    "ok"
}

#[derive(Serialize)]
pub(crate) struct Readiness {
    database: &'static str,
    relay: &'static str,
    draining: bool,
    /// Background tasks that panicked recently and were restarted, or will be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failing: Vec<&'static str>,
}

/// `GET /readyz`: 200 while rooms can be read and written, 503 otherwise. Losing the relay delays events between nodes
/// by a second, but does not affect readiness.
pub(crate) async fn readyz(State(state): State<AppState>) -> (StatusCode, Json<Readiness>) {
    let found = timeout(READINESS_TIMEOUT, state.chat.store.ready()).await.unwrap_or(Err(StoreError::Timeout));
    match &found {
        Ok(()) => UNAVAILABLE.over(),
        Err(error) => UNAVAILABLE.failed(error),
    }
    let database = found.is_ok();
    let draining = state.draining.is_cancelled();
    let relay = match state.relay.state() {
        RelayState::None => "none",
        RelayState::Ok => "ok",
        RelayState::Degraded => "degraded",
    };
    let failing = state.health.failing();
    let ready = database && !draining && !failing.contains(&WRITER);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { database: if database { "ok" } else { "unavailable" }, relay, draining, failing }))
}
