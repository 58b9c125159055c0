//! Server functions of reactions and pins. Browsers call them by `client`.

use super::ApiError;
use crate::domain::{Quote, ReactionsPage, Seq};
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

/// Returns the reactions to the messages from `first` to `last`, as the visitor sees them. Messages without reactions are
/// left out.
///
/// # Errors
///
/// Returns [`ApiError::Refused`] if the name is invalid or the visitor may not enter the room.
#[server(endpoint = "load_reactions", input = GetUrl)]
pub async fn load_reactions(room_name: String, first: Seq, last: Seq) -> Result<ReactionsPage, ApiError> {
    use crate::server::chat::Chat;
    use crate::server::http::server_fn;
    let name = server_fn::parse_room(&room_name)?;
    expect_context::<Chat>()
        .reactions(&name, &server_fn::current_visitor(), (first, last))
        .await
        .map_err(|denied| server_fn::access_denied(&denied))
}

/// Returns the message that was pinned last, or `None` if none is pinned.
///
/// # Errors
///
/// Returns [`ApiError::Refused`] if the name is invalid or the visitor may not enter the room.
#[server(endpoint = "load_pin", input = GetUrl)]
pub async fn load_pin(room_name: String) -> Result<Option<Quote>, ApiError> {
    use crate::server::chat::Chat;
    use crate::server::http::server_fn;
    let name = server_fn::parse_room(&room_name)?;
    expect_context::<Chat>()
        .latest_pin(&name, &server_fn::current_visitor())
        .await
        .map_err(|denied| server_fn::access_denied(&denied))
}
