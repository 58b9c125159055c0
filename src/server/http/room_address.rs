//! Room names in addresses. Each room has one spelling, to which the others are redirected.

use crate::domain::RoomName;
use axum::http::Uri;
use axum::response::{IntoResponse, Redirect, Response};

/// Returns the redirect to `rest` below the room's path, with the query of the request; `None` if the address spells the
/// name (`raw`) as the path does.
pub(crate) fn redirect_to_canonical(name: &RoomName, raw: &str, rest: &str, uri: &Uri) -> Option<Response> {
    if name.as_str() == raw {
        return None;
    }
    let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
    Some(Redirect::permanent(&format!("{}{rest}{query}", name.path())).into_response())
}
