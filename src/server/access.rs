//! Who may enter a room. Page, socket, history and post all ask here.

use super::chat::Chat;
use super::limits::TooMuch;
use super::store::Room;
use super::visitor::Visitor;
use crate::domain::{Rejection, RoomName, Seq};
use axum::http::StatusCode;
use sea_orm::DbErr;

/// Why a visitor may not enter a room. The sentences are shown to visitors.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Denied {
    /// The visitor's address has opened too many rooms.
    #[error("Too many new rooms come from this address. Try again a little later.")]
    TooManyRooms(TooMuch),
    /// The database does not answer.
    #[error("The room cannot be read just now. Try again in a moment.")]
    Unavailable(#[from] DbErr),
}

impl Denied {
    /// The status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::TooManyRooms(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl From<Denied> for Rejection {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::TooManyRooms(too_much) => too_much.rejection(&denied.to_string()),
            Denied::Unavailable(_) => Self::unavailable(),
        }
    }
}

impl Chat {
    /// The room of this name and the head of its log, if the visitor may enter. A room exists as soon as its address is
    /// visited.
    pub(crate) async fn admit(&self, name: &RoomName, visitor: &Visitor) -> Result<(Room, Seq), Denied> {
        if let Some(found) = self.store.room(name).await? {
            return Ok(found);
        }
        self.limiter.room(visitor.network).map_err(Denied::TooManyRooms)?;
        Ok(self.store.create_room(name).await?)
    }
}
