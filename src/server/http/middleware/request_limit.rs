//! Request limits per network: the request rate, and the number of concurrent requests. One address therefore cannot
//! occupy the database or the processor, however many requests it sends.

use super::visitor;
use crate::server::http::problem::Problem;
use crate::server::http::state::AppState;
use crate::server::limits::rate_limiter::RateLimited;
use crate::server::network::Network;
use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

pub(crate) const TOO_MANY_REQUESTS: &str = "Too many requests come from your network. Try again a little later.";

/// Path at which frames are exchanged by HTTP. Unlike the server functions beside it, it commits entries.
pub(crate) const EXCHANGE_PATH: &str = "/api/exchange";

/// Path at which pages refresh the list of rooms. It has its own limit, by the number of rooms.
const PREVIEWS_PATH: &str = "/api/preview_rooms";

/// Limits requests that read the database or render something. Reading requests wait for their network's turn. Their
/// responses are compressed before the turn ends; compressing needs a separate turn.
pub(crate) async fn work(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let network = visitor::network(request.extensions(), request.headers(), &state.config);
    let counted = match request.uri().path() {
        PREVIEWS_PATH => state.limiter.small_request(network),
        _ => state.limiter.request(network),
    };
    if let Err(limited) = counted {
        return refusal(limited);
    }
    // A posted message waits for its commit, which must not hold up other requests. Server functions commit nothing.
    let path = request.uri().path();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let commits = !reads && (path == EXCHANGE_PATH || !path.starts_with("/api/"));
    let permit = match commits {
        true => None,
        false => match state.limiter.work(network).await {
            Ok(permit) => permit,
            Err(limited) => return refusal(limited),
        },
    };
    request.extensions_mut().insert(network);
    let response = next.run(request).await;
    let response = complete(&state, network, response).await;
    drop(permit);
    response
}

/// Limits requests by which programs post. They wait for their commit, so they take no turn. Answers with problem
/// details.
pub(crate) async fn programs(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let network = visitor::network(request.extensions(), request.headers(), &state.config);
    if let Err(limited) = state.limiter.request(network) {
        return Problem::from(limited.rejection(TOO_MANY_REQUESTS)).into_response();
    }
    request.extensions_mut().insert(network);
    next.run(request).await
}

/// Limits requests that cost little: assets, health, metrics.
pub(crate) async fn small(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let network = visitor::network(request.extensions(), request.headers(), &state.config);
    match state.limiter.small_request(network) {
        Ok(()) => next.run(request).await,
        Err(limited) => refusal(limited),
    }
}

fn refusal(limited: RateLimited) -> Response {
    limited.response(TOO_MANY_REQUESTS)
}

/// Returns the response with its complete body, so that a client that reads slowly does not hold a turn. A body of
/// known size is complete already.
async fn complete(state: &AppState, network: Network, response: Response) -> Response {
    if response.body().size_hint().exact().is_some() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let rendering = state.limiter.render(network).await;
    let bytes = to_bytes(body, usize::MAX).await;
    drop(rendering);
    match bytes {
        Ok(bytes) => {
            parts.headers.remove(header::TRANSFER_ENCODING);
            Response::from_parts(parts, Body::from(bytes))
        }
        Err(error) => {
            tracing::error!(%error, "The body of a response could not be read");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
