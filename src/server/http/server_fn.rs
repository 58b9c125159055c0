//! Server functions: the handler of `/api/`, with the context that they run in.

use super::origin;
use crate::server::AppState;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use leptos::prelude::provide_context;

pub(super) async fn server_function(State(shared): State<AppState>, mut request: Request) -> Response {
    if !origin::is_same_origin_request(request.headers(), shared.config.public_url.as_deref()) {
        return StatusCode::FORBIDDEN.into_response();
    }
    // Leptos would redirect a request that accepts HTML to its `Referer`, whatever its value. No page sends such forms.
    request.headers_mut().remove(header::ACCEPT);
    request.headers_mut().remove(header::REFERER);
    let (chat, config) = (shared.chat.clone(), shared.config.clone());
    let context = move || {
        provide_context(chat.clone());
        provide_context(config.clone());
    };
    leptos_axum::handle_server_fns_with_context(context, request).await.into_response()
}
