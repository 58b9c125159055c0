//! Who may enter a room. Page, socket, history and post all ask here.

use super::chat::Chat;
use super::limits::TooMuch;
use super::store::Found;
use super::visitor::Visitor;
use crate::domain::page::Ownership;
use crate::domain::{Rejection, RejectionCode, RoomName};
use axum::http::StatusCode;
use sea_orm::DbErr;

/// Why a visitor may not enter a room. The sentences are shown to visitors.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Denied {
    /// The visitor's address has opened too many rooms.
    #[error("Too many new rooms come from this address. Try again a little later.")]
    TooManyRooms(TooMuch),
    /// The visitor was banned.
    #[error("You are banned from this room for a while.")]
    Banned,
    /// The room is locked, and the visitor has not been in it.
    #[error("This room is locked: only those who were in it come in.")]
    Locked,
    /// No room has this address, or it is private and the visitor was not invited: which of them, nobody is told.
    #[error("No room is here. Whoever was invited needs the newest link: an older one leads nowhere.")]
    Missing,
    /// The database does not answer.
    #[error("The room cannot be read just now. Try again in a moment.")]
    Unavailable(#[from] DbErr),
}

impl Denied {
    /// The status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::TooManyRooms(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Banned | Self::Locked => StatusCode::FORBIDDEN,
            Self::Missing => StatusCode::NOT_FOUND,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl From<Denied> for Rejection {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::TooManyRooms(too_much) => too_much.rejection(&denied.to_string()),
            Denied::Banned | Denied::Locked => Self::new(RejectionCode::Forbidden, denied.to_string()),
            Denied::Missing => Self::new(RejectionCode::NotFound, denied.to_string()),
            Denied::Unavailable(_) => Self::unavailable(),
        }
    }
}

impl Chat {
    /// The room of this name, if the visitor may enter. A room exists as soon as its address is visited; a private one
    /// does not.
    pub(crate) async fn admit(&self, name: &RoomName, visitor: &Visitor) -> Result<Found, Denied> {
        if let Some(found) = self.find(name, visitor).await? {
            return Ok(found);
        }
        if name.is_private() {
            return Err(Denied::Missing);
        }
        self.limiter.room(visitor.network).map_err(Denied::TooManyRooms)?;
        Ok(self.store.create_room(name).await?)
    }

    /// The same, and makes no room. Whoever is invited into a private room is a member from then on, if they come back.
    pub(crate) async fn find(&self, name: &RoomName, visitor: &Visitor) -> Result<Option<Found>, Denied> {
        let Some(found) = self.store.room(name).await? else { return Ok(None) };
        if !found.moderated {
            return Ok(Some(found));
        }
        let standings = self.store.standings(found.room.id, &[visitor.author]).await?;
        let standing = standings.first().copied().unwrap_or_default();
        let member = standing.member || found.ownership(&visitor.author) == Ownership::Yours;
        let invited = member || found.invites(visitor.invitation.or(name.key()));
        let is_stranger = !member && (!invited || standing.banned_until.is_some());
        if name.is_private() && is_stranger {
            return Ok(None);
        }
        if standing.banned_until.is_some() {
            return Err(Denied::Banned);
        }
        if !invited {
            return Err(Denied::Locked);
        }
        if name.is_private() && !member && visitor.comes_back {
            self.store.let_in(found.room.id, &[visitor.author]).await?;
        }
        Ok(Some(found))
    }

    /// Opens a private room, which belongs to the visitor; its name.
    pub(crate) async fn open_private_room(&self, title: &RoomName, visitor: &Visitor) -> Result<RoomName, Denied> {
        self.limiter.room(visitor.network).map_err(Denied::TooManyRooms)?;
        Ok(self.store.create_private_room(title, &visitor.author).await?)
    }
}
