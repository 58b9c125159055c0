//! `GET /{room_name}/names`: names held in a room that begin alike, to complete a mention.

use super::messages::json;
use super::origin;
use super::problem::Problem;
use super::room_address::redirect_to_canonical;
use crate::domain::{RoomName, Username};
use crate::server::auth::visitor::Visitor;
use crate::server::chat::access::AccessDenied;
use crate::server::http::state::AppState;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

/// Query parameters of the address.
#[derive(Deserialize)]
pub(crate) struct NamesQuery {
    prefix: Option<String>,
}

/// The names, those used last first.
#[derive(Serialize)]
struct NamesBody {
    names: Vec<Username>,
}

/// Returns up to ten names.
pub(crate) async fn names(
    State(state): State<AppState>,
    raw: Result<Path<String>, PathRejection>,
    query: Result<Query<NamesQuery>, QueryRejection>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let found = async {
        if !origin::is_same_origin_request(&headers, state.config.public_url.as_deref()) {
            return Err(Problem::of_foreign_page());
        }
        let raw = raw.map(|Path(raw)| raw).unwrap_or_default();
        let name = RoomName::parse(&raw).map_err(|reason| Problem::not_found(reason.to_string()))?;
        if let Some(redirect) = redirect_to_canonical(&name, &raw, "names", &uri) {
            return Ok(redirect);
        }
        let Query(query) = query.map_err(|error| Problem::bad_request(error.body_text()))?;
        let room = state.chat.admit(&name, &visitor).await?.room;
        let names = state.chat.store.names_with_prefix(room.id, &query.prefix.unwrap_or_default()).await;
        Ok(json(&NamesBody { names: names.map_err(AccessDenied::from)? }))
    };
    found.await.unwrap_or_else(IntoResponse::into_response)
}
