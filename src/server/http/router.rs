//! The site map, and what is asked of its pages; `pages` renders them.

use super::middleware::visitor::Visitor;
use super::middleware::{body_limit, request_id, request_limit, security_headers, validate, visitor};
use super::render::{RoomRequest, front_page, not_found, remembered_username, room_page};
use super::{assets, health, origin};
use crate::domain::event::parse_seq;
use crate::domain::room::encode_segment;
use crate::domain::{Rejection, RejectionCode, RememberedUsername, RoomName, Username};
use crate::server::auth::access::AccessDenied;
use crate::server::chat::RoomCommand;
use crate::server::telemetry::metrics;
use crate::server::{AppState, session};
use crate::ui::RejectedForm;
use axum::Router;
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Extension, Form, FromRef, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get};
use leptos::prelude::provide_context;
use serde::Deserialize;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};

/// Everything this server answers. Every first segment here is in [`crate::domain::room::RESERVED`].
pub(crate) fn router(shared: AppState) -> Router {
    // Pages wait for their data on this runtime; a second call finds it there already.
    let _ = any_spawner::Executor::init_tokio();
    let pages = Router::new()
        .route("/", get(front).post(open_private_room))
        .route("/{room_name}", get(room).post(post))
        .route("/{room_name}/", get(room).post(post))
        .route("/{room_name}/{seq}", get(room))
        .fallback(not_found)
        .route_layer(from_fn_with_state(shared.clone(), visitor::identify_or_create));
    let functions = Router::new()
        .route("/api/{*function}", any(server_function))
        .route_layer(from_fn_with_state(shared.clone(), visitor::identify));
    let html_is_compressed = SizeAbove::new(512).and(NotForContentType::new("application/wasm"));
    // Room pages are compressed when they are rendered. What is left is compressed with little effort.
    let compressed =
        || CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(html_is_compressed.clone());
    let work = Router::new()
        .merge(pages)
        .merge(functions)
        .layer(compressed())
        .layer(from_fn_with_state(shared.clone(), request_limit::work));
    let small = Router::new()
        .route("/assets/{version}/{*path}", get(assets::asset))
        .route("/favicon.ico", get(assets::at_root))
        .route("/robots.txt", get(assets::at_root))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::scrape))
        .layer(compressed())
        .layer(from_fn_with_state(shared.clone(), request_limit::small));
    let answers = Router::new().merge(work).merge(small).layer(from_fn(body_limit::buffer_body));
    let sockets = Router::new()
        .route("/ws/{room_name}", get(session::upgrade))
        .route("/ws/{room_name}/", get(session::upgrade))
        .route_layer(from_fn_with_state(shared.clone(), visitor::identify));
    Router::new()
        .merge(answers)
        .merge(sockets)
        .layer(CatchPanicLayer::new())
        .layer(from_fn_with_state(shared.clone(), validate::validate))
        .layer(from_fn_with_state(shared.clone(), security_headers::set_security_headers))
        .layer(from_fn(request_id::log_request))
        .with_state(shared)
}

impl FromRef<AppState> for assets::Assets {
    fn from_ref(shared: &AppState) -> Self {
        shared.assets.clone()
    }
}

#[derive(Default, Deserialize)]
struct FrontForm {
    username: Option<String>,
    room_name: Option<String>,
    /// Of the front page's own form.
    token: Option<String>,
}

/// `GET /`: the front page, and where its form leads.
async fn front(
    State(shared): State<AppState>,
    Extension(visitor): Extension<Visitor>,
    form: Result<Query<FrontForm>, QueryRejection>,
    request: Request,
) -> Response {
    let FrontForm { username, room_name, token } = form.map(|Query(form)| form).unwrap_or_default();
    let Some(room_name) = room_name else { return front_page(&shared, request, username, None).await };
    match RoomName::parse_form(&room_name) {
        Ok(room_name) => {
            let username = username.filter(|name| !name.trim().is_empty());
            // Whoever sends the form wants to go by this name. A link only fills one in: of the form there is proof.
            let headers = request.headers();
            let has_token = token.is_some_and(|token| shared.form_tokens.proves(&visitor.author, &token));
            let own = has_token && !origin::is_elsewhere(headers)
                || origin::is_of_front_page(headers, shared.config.public_url.as_deref());
            enter(&shared, &room_name, username.as_deref(), own || remembered_username(&request).is_none())
        }
        Err(_) => {
            let page = front_page(&shared, request, username, Some(room_name)).await;
            (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
        }
    }
}

/// `POST /`: opens a private room, and leads to it.
async fn open_private_room(
    State(shared): State<AppState>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    Form(FrontForm { username, room_name, .. }): Form<FrontForm>,
) -> Response {
    if !origin::is_same_origin_request(&headers, shared.config.public_url.as_deref()) {
        return (StatusCode::FORBIDDEN, "Pages of other sites cannot open rooms here.").into_response();
    }
    let typed = room_name.unwrap_or_default();
    let username = username.filter(|name| !name.trim().is_empty());
    let Ok(title) = RoomName::parse_form(&typed) else {
        // The front page says why, and has what was typed.
        let [typed, username] = [typed, username.unwrap_or_default()].map(|text| encode_segment(&text));
        return Redirect::to(&format!("/?username={username}&room_name={typed}")).into_response();
    };
    match shared.chat.open_private_room(&title, &visitor).await {
        Ok(room_name) => enter(&shared, &room_name, username.as_deref(), true),
        Err(AccessDenied::TooManyRooms(too_much)) => too_much.response("Too many new rooms come from this address."),
        Err(denied) => (denied.status(), denied.to_string()).into_response(),
    }
}

/// The way from the front page into a room. The name is remembered if `may_name` says so.
fn enter(shared: &AppState, room_name: &RoomName, username: Option<&str>, may_name: bool) -> Response {
    let mut response = Redirect::to(&with_username(room_name, username)).into_response();
    if let Some(Ok(username)) = username.map(Username::parse).filter(|_| may_name) {
        visitor::set_username_cookie(&mut response, &username, &shared.config);
    }
    response
}

#[derive(Deserialize)]
struct RoomQuery {
    username: Option<String>,
}

/// `GET /{room_name}/` and `GET /{room_name}/{seq}`. A name in the address is remembered by whoever has none.
async fn room(
    State(shared): State<AppState>,
    parts: Result<Path<Vec<String>>, PathRejection>,
    Extension(visitor): Extension<Visitor>,
    query: Result<Query<RoomQuery>, QueryRejection>,
    uri: Uri,
    request: Request,
) -> Response {
    // What is no text in the address names nothing.
    let Ok(Path(parts)) = parts else { return not_found(State(shared), request).await };
    let [raw, rest @ ..] = parts.as_slice() else { return not_found(State(shared), request).await };
    match RoomName::parse(raw) {
        Ok(name) if name.as_str() != raw => {
            let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
            let seq = rest.first().map_or("", String::as_str);
            Redirect::permanent(&format!("{}{}{query}", name.path(), encode_segment(seq))).into_response()
        }
        Ok(name) if rest.iter().all(|seq| parse_seq(seq).is_some()) => {
            // A link names nobody who has a name.
            let known = remembered_username(&request).cloned();
            let asked = query.ok().and_then(|Query(query)| query.username).filter(|_| known.is_none());
            let asked = asked.filter(|name| !name.trim().is_empty());
            let (new, refused) = match asked.as_deref().map(Username::parse) {
                Some(Ok(username)) => (Some(username), None),
                // A name that cannot be is given back with the reason, like a message that was refused.
                Some(Err(reason)) => {
                    (None, Some(RejectedForm { message: String::new(), username: asked, detail: reason.to_string() }))
                }
                None => (None, None),
            };
            let mut response = if visitor.invitation.is_some() && shared.chat.admit(&name, &visitor).await.is_ok() {
                // Whoever was let in needs the invitation no longer; it is not for everybody's eyes.
                Redirect::to(uri.path()).into_response()
            } else {
                let permalink = rest.first().and_then(|seq| parse_seq(seq));
                let visit = RoomRequest { name, permalink, username: known.or_else(|| new.clone()), visitor };
                room_page(&shared, request, visit, refused).await
            };
            if let Some(username) = new {
                visitor::set_username_cookie(&mut response, &username, &shared.config);
            }
            response
        }
        _ => not_found(State(shared), request).await,
    }
}

#[derive(Deserialize)]
struct PostForm {
    message: String,
    username: Option<String>,
    id: Option<String>,
}

/// `POST /{room_name}/`: says something without a socket, then leads back to the room. What is refused comes back in
/// the page, with the reason.
async fn post(
    State(shared): State<AppState>,
    raw: Result<Path<String>, PathRejection>,
    Extension(visitor): Extension<Visitor>,
    Extension(known): Extension<RememberedUsername>,
    headers: HeaderMap,
    uri: Uri,
    Form(form): Form<PostForm>,
) -> Response {
    if !origin::is_same_origin_request(&headers, shared.config.public_url.as_deref()) {
        return (StatusCode::FORBIDDEN, "Pages of other sites cannot post here.").into_response();
    }
    let mut again = Request::new(Body::empty());
    *again.uri_mut() = uri;
    again.extensions_mut().insert(visitor);
    again.extensions_mut().insert(known.clone());
    let Some(name) = raw.ok().and_then(|Path(raw)| RoomName::parse(&raw).ok()) else {
        return not_found(State(shared), again).await;
    };
    let username = form.username.as_deref().filter(|name| !name.trim().is_empty());
    let stored = async {
        let parsed = username.map(Username::parse).transpose()?;
        let wish =
            RoomCommand::Post { username: parsed.clone().unwrap_or_else(Username::anonymous), message: &form.message };
        shared.chat.submit_and_wait(&name, &visitor, form.id.as_deref(), wish).await.map(|_| parsed)
    };
    match stored.await {
        Ok(parsed) => {
            let mut response = Redirect::to(&with_username(&name, username)).into_response();
            parsed.iter().for_each(|username| visitor::set_username_cookie(&mut response, username, &shared.config));
            response
        }
        Err(Rejection { code, detail, .. }) => {
            // Where the name was not refused, it is given again only if it is new.
            let name_refused = matches!(code, RejectionCode::UsernameTaken | RejectionCode::UsernameInvalid);
            let is_new = |name: &str| !name.trim().is_empty() && Username::parse(name).ok() != known.0;
            let username = form.username.filter(|name| name_refused || is_new(name));
            let refused = RejectedForm { message: form.message, username, detail };
            let visit = RoomRequest { name, permalink: None, username: known.0, visitor };
            let mut page = room_page(&shared, again, visit, Some(refused)).await;
            // Whoever may not enter is told that, whatever was wrong with the form.
            if page.status().is_success() {
                *page.status_mut() = status(code);
            }
            page
        }
    }
}

async fn server_function(State(shared): State<AppState>, mut request: Request) -> Response {
    if !origin::is_same_origin_request(request.headers(), shared.config.public_url.as_deref()) {
        return StatusCode::FORBIDDEN.into_response();
    }
    // Leptos would redirect a request that accepts HTML to its `Referer`, whatever that says. No page sends such forms.
    request.headers_mut().remove(header::ACCEPT);
    request.headers_mut().remove(header::REFERER);
    let (chat, config) = (shared.chat.clone(), shared.config.clone());
    let context = move || {
        provide_context(chat.clone());
        provide_context(config.clone());
    };
    leptos_axum::handle_server_fns_with_context(context, request).await.into_response()
}

fn with_username(room: &RoomName, username: Option<&str>) -> String {
    let query = username.map(|name| format!("?username={}", encode_segment(name)));
    format!("{}{}", room.path(), query.unwrap_or_default())
}

fn status(code: RejectionCode) -> StatusCode {
    use RejectionCode::*;
    match code {
        RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Forbidden => StatusCode::FORBIDDEN,
        UsernameTaken | IdConflict => StatusCode::CONFLICT,
        Draining | Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Empty | TooLong | Invalid | UsernameInvalid | NotFound => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_first_segment_of_the_site_map_is_reserved() {
        let source = include_str!("router.rs");
        let routes = source.split(".route(\"/").skip(1).filter_map(|rest| rest.split('"').next());
        let segments: Vec<&str> = routes.map(|route| route.split('/').next().unwrap_or_default()).collect();
        assert!(segments.len() > 8, "{segments:?}");
        for segment in segments.into_iter().filter(|segment| !segment.is_empty() && !segment.starts_with('{')) {
            assert!(crate::domain::room::RESERVED_NAMES.contains(&segment), "{segment}");
        }
    }
}
