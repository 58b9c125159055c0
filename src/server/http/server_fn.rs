//! Server functions: the handler of `/api/`, with the context that they run in, and access to their request and
//! response.

use super::state::AppState;
use super::{cookies, origin};
use crate::api::ApiError;
use crate::domain::{RememberedUsername, RoomName, Username};
use crate::server::auth::identity::IdentitySigner;
use crate::server::auth::visitor::Visitor;
use crate::server::chat::Chat;
use crate::server::chat::access::AccessDenied;
use crate::server::config::Config;
use crate::server::http::middleware::request_limit::TOO_MANY_REQUESTS;
use crate::server::network::client_ip::ClientIp;
use crate::server::store::StoreError;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use leptos::prelude::{expect_context, provide_context, use_context};
use std::sync::Arc;

pub(crate) async fn server_function(State(state): State<AppState>, mut request: Request) -> Response {
    if !origin::is_same_origin_request(request.headers(), state.config.public_url.as_deref()) {
        return StatusCode::FORBIDDEN.into_response();
    }
    // Leptos would redirect a request that accepts HTML to its `Referer`, which may be any address. No page sends such
    // forms.
    request.headers_mut().remove(header::ACCEPT);
    request.headers_mut().remove(header::REFERER);
    let (chat, config) = (state.chat.clone(), state.config.clone());
    let context = move || {
        provide_context(chat.clone());
        provide_context(config.clone());
    };
    let mut response = leptos_axum::handle_server_fns_with_context(context, request).await.into_response();
    // Functions set the status of their own errors. What is left is a call whose arguments do not parse.
    if response.status() == StatusCode::INTERNAL_SERVER_ERROR {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    response
}

/// Sets a cookie with the visitor's name.
pub(crate) fn set_username_cookie(username: &Username) {
    let https = expect_context::<Arc<Config>>().is_https();
    let cookie = cookies::username_cookie(username, current_visitor().cookie_suffix, https);
    expect_context::<leptos_axum::ResponseOptions>().append_header(header::SET_COOKIE, cookie);
}

/// Sets the status of the response, inside a server function.
fn set_status(status: StatusCode) {
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(status);
    }
}

/// Returns the error of a server function for a refused request, and sets the status of the response.
pub(crate) fn refused(status: StatusCode, reason: impl ToString) -> ApiError {
    set_status(status);
    ApiError::Refused(reason.to_string())
}

/// Parses the name of a room that a server function is called for.
///
/// # Errors
///
/// Returns the reason, and sets the status to 404, if the name is invalid.
pub(crate) fn parse_room(name: &str) -> Result<RoomName, ApiError> {
    RoomName::parse(name).map_err(|reason| refused(StatusCode::NOT_FOUND, reason))
}

/// Returns the error of a server function for a visitor who may not enter a room, and sets the status of the response.
pub(crate) fn access_denied(denied: &AccessDenied) -> ApiError {
    refused(denied.status(), denied)
}

/// Counts a request for previews of this number of rooms, inside a server function.
///
/// # Errors
///
/// Returns an error, and sets the status of the response, if the visitor or the network has requested too many.
pub(crate) fn check_previews(rooms: usize) -> Result<(), ApiError> {
    let visitor = current_visitor();
    let counted = expect_context::<Chat>().limiter.previews(&visitor.author, visitor.network, rooms);
    counted.map_err(|_| refused(StatusCode::TOO_MANY_REQUESTS, TOO_MANY_REQUESTS))
}

/// Returns the error of a server function that could not read the database, and sets the status of the response.
pub(crate) fn unavailable(_: StoreError) -> ApiError {
    set_status(StatusCode::SERVICE_UNAVAILABLE);
    ApiError::Unavailable
}

/// Returns the visitor, inside a server function or a page.
pub(crate) fn current_visitor() -> Visitor {
    let nobody = || Visitor {
        author: IdentitySigner::guest(),
        network: ClientIp::UNKNOWN.0.into(),
        invitation: None,
        cookie_suffix: None,
        has_persistent_identity: false,
    };
    extension_of_request().unwrap_or_else(nobody)
}

/// Returns the visitor's name, inside a server function or a page.
pub(crate) fn current_username() -> Option<Username> {
    extension_of_request::<RememberedUsername>().and_then(|known| known.0)
}

fn extension_of_request<T: Clone + Send + Sync + 'static>() -> Option<T> {
    use_context::<Parts>()?.extensions.get::<T>().cloned()
}
