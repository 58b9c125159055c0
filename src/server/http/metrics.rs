//! The endpoint that Prometheus scrapes.

use super::state::AppState;
use crate::server::relay::RelayState;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use metrics::gauge;

/// The text format of Prometheus.
const METRICS_CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// `GET /metrics`.
pub(crate) async fn scrape(State(state): State<AppState>) -> impl IntoResponse {
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    gauge!("parlour_connections").set(number(state.sockets.len()));
    gauge!("parlour_rooms_active").set(number(state.chat.hub.room_ids().len()));
    gauge!("parlour_draining").set(f64::from(u8::from(state.draining.is_cancelled())));
    if state.relay.is_enabled() {
        gauge!("parlour_relay_queue_length").set(number(state.relay.queue_length()));
        gauge!("parlour_relay_degraded").set(f64::from(u8::from(state.relay.state() == RelayState::Degraded)));
    }
    ([(header::CONTENT_TYPE, METRICS_CONTENT_TYPE)], state.metrics.render())
}
