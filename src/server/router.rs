//! The route table: every path that this server answers, and the middleware around its handlers.

use super::http::exchange::exchange;
use super::http::front::{front, open_room};
use super::http::hooks::incoming_hook;
use super::http::message_form::change_message;
use super::http::middleware::{
    body_limit, problem_details, public_address, request_id, request_limit, security_headers, validate, visitor,
};
use super::http::names::names;
use super::http::openapi::openapi;
use super::http::pins::{pin, pins};
use super::http::posting::{delete, edit, post};
use super::http::qr_code::qr_code;
use super::http::reactions::{react, react_page, reactors};
use super::http::render::not_found;
use super::http::room::room;
use super::http::server_fn::server_function;
use super::http::settings::{change, settings};
use super::http::state::AppState;
use super::http::{assets, health, metrics, robots};
use super::session;
use super::telemetry::metrics::READINESS_ROUTE;
use axum::Router;
use axum::extract::FromRef;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, get, patch, post as post_to};
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};

/// Returns the router of the whole server. No room's name is a first segment here: it begins with a full stop, as every
/// new address of the site does, or is in [`crate::domain::room::RESERVED_NAMES`].
pub(crate) fn router(state: AppState) -> Router {
    // Pages wait for their data on this runtime; a second call finds it initialized already.
    let _ = any_spawner::Executor::init_tokio();
    let pages = Router::new()
        .route("/", get(front).post(open_room))
        .route("/{room_name}", get(room))
        .route("/{room_name}/", get(room))
        .route("/{room_name}/settings", get(settings).post(change))
        .route("/{room_name}/pins", get(pins))
        .route("/{room_name}/{seq}", get(room))
        .route("/{room_name}/{seq}/react", get(react_page))
        .fallback(not_found)
        .route_layer(from_fn_with_state(state.clone(), visitor::identify_or_create))
        .route_layer(from_fn_with_state(state.clone(), public_address::redirect_to_public_url));
    // A program that writes gets no cookie.
    let posting = Router::new()
        .route("/{room_name}", post_to(post))
        .route("/{room_name}/", post_to(post))
        .route("/{room_name}/{seq}", patch(edit).delete(delete).post(change_message))
        .route("/{room_name}/{seq}/react", post_to(react))
        .route("/{room_name}/{seq}/reactions", get(reactors))
        .route("/{room_name}/{seq}/pin", post_to(pin))
        .route_layer(from_fn_with_state(state.clone(), visitor::identify));
    let functions = Router::new()
        .route("/{room_name}/names", get(names))
        .route("/{room_name}/qr", get(qr_code))
        .route(request_limit::EXCHANGE_PATH, post_to(exchange))
        .route("/api/{*function}", any(server_function))
        .route_layer(from_fn_with_state(state.clone(), visitor::identify));
    let html_is_compressed = SizeAbove::new(512).and(NotForContentType::new("application/wasm"));
    // Room pages are compressed when they are rendered. Other responses are compressed with little effort.
    let compressed =
        || CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(html_is_compressed.clone());
    let work = Router::new()
        .merge(pages)
        .merge(posting)
        .merge(functions)
        .layer(compressed())
        .layer(from_fn_with_state(state.clone(), request_limit::work));
    let small = Router::new()
        .route("/assets/{version}/{*path}", get(assets::asset))
        .route("/favicon.ico", get(assets::at_root))
        .route("/robots.txt", get(robots::robots))
        .route("/.openapi.json", get(openapi))
        .route("/healthz", get(health::healthz))
        .route(READINESS_ROUTE, get(health::readyz))
        .route("/metrics", get(metrics::scrape_with_site))
        .layer(compressed())
        .layer(from_fn_with_state(state.clone(), request_limit::small));
    let answers = Router::new().merge(work).merge(small).layer(from_fn(body_limit::buffer_body));
    let hooks = Router::new()
        .route("/{room_name}/hooks/{key}", post_to(incoming_hook))
        .layer(from_fn(body_limit::buffer_hook_body))
        .layer(from_fn_with_state(state.clone(), request_limit::programs));
    let connections = Router::new()
        .route("/{room_name}/events", get(session::events))
        .route("/ws/{room_name}", get(session::upgrade))
        .route("/ws/{room_name}/", get(session::upgrade))
        .route_layer(from_fn_with_state(state.clone(), visitor::identify));
    Router::new()
        .merge(answers)
        .merge(hooks)
        .merge(connections)
        .layer(CatchPanicLayer::new())
        .layer(from_fn_with_state(state.clone(), validate::validate))
        .layer(from_fn(problem_details::explain_errors))
        .layer(from_fn_with_state(state.clone(), security_headers::set_security_headers))
        .layer(from_fn(request_id::log_request))
        .with_state(state)
}

/// Returns the router of an address that serves metrics only. It answers under any name.
pub(crate) fn metrics_router(state: AppState) -> Router {
    Router::new().route("/metrics", get(metrics::scrape)).with_state(state)
}

impl FromRef<AppState> for assets::Assets {
    fn from_ref(state: &AppState) -> Self {
        state.assets.clone()
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::RoomName;

    #[test]
    fn no_first_segment_of_the_site_map_is_the_name_of_a_room() {
        let source = include_str!("router.rs");
        let routes = source.split(".route(\"/").skip(1).filter_map(|rest| rest.split('"').next());
        let segments: Vec<&str> = routes.map(|route| route.split('/').next().unwrap_or_default()).collect();
        assert!(segments.len() > 8, "{segments:?}");
        for segment in segments.into_iter().filter(|segment| !segment.is_empty() && !segment.starts_with('{')) {
            assert!(RoomName::parse(segment).is_err(), "{segment}");
        }
    }
}
