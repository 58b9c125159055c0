//! Access to rooms. Page, socket, history and post all check it here.

use super::Chat;
use crate::domain::history::Ownership;
use crate::domain::{Rejection, RejectionCode, RoomName, RoomText, Timestamp};
use crate::server::auth::visitor::Visitor;
use crate::server::limits::rate_limiter::RateLimited;
use crate::server::network::Network;
use crate::server::store::{Membership, NewEvent, RoomRecord, RoomRef, StoreError};
use axum::http::StatusCode;
use std::collections::HashMap;

/// Reason for which a visitor may not enter a room. The sentences are shown to visitors.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccessDenied {
    /// The visitor's network has opened too many rooms.
    #[error("Too many new rooms come from your network. Try again a little later.")]
    TooManyRooms(RateLimited),
    /// The visitor is banned until this time.
    #[error("You can’t come in until {}, {} UTC.", .0.day_utc(), .0.time_utc())]
    Banned(Timestamp),
    /// The room is locked, and the visitor has not been in it.
    #[error("This room is locked. Only people who were here before can come in.")]
    Locked,
    /// No room has this address, or it is private and the visitor was not invited. The answer does not reveal which.
    #[error("There’s no room here. The link may have been replaced.")]
    Missing,
    /// The database does not answer.
    #[error("The room cannot be read right now. Try again in a moment.")]
    Unavailable(#[from] StoreError),
}

impl AccessDenied {
    /// Returns the HTTP status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::TooManyRooms(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Banned(_) | Self::Locked => StatusCode::FORBIDDEN,
            Self::Missing => StatusCode::NOT_FOUND,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl From<AccessDenied> for Rejection {
    fn from(denied: AccessDenied) -> Self {
        match denied {
            AccessDenied::TooManyRooms(limited) => limited.rejection(&denied.to_string()),
            AccessDenied::Banned(_) | AccessDenied::Locked => Self::new(RejectionCode::Forbidden, denied.to_string()),
            AccessDenied::Missing => Self::new(RejectionCode::NotFound, denied.to_string()),
            AccessDenied::Unavailable(_) => Self::unavailable(),
        }
    }
}

impl Chat {
    /// Returns the room of this name if the visitor may enter. Reading creates nothing: a public room gets its row with
    /// its first message, a private one when it is opened.
    ///
    /// # Errors
    ///
    /// Returns why the visitor may not enter.
    pub(crate) async fn admit(&self, name: &RoomName, visitor: &Visitor) -> Result<RoomRecord, AccessDenied> {
        if let Some(found) = self.find(name, visitor).await? {
            return Ok(found);
        }
        if name.is_private() {
            return Err(AccessDenied::Missing);
        }
        Ok(self.store.vacant(name).await?)
    }

    /// Returns the name under which a message begins the room, or `None` if the room has a row already. Only a message
    /// begins a room, and such messages are limited by network.
    ///
    /// # Errors
    ///
    /// Returns a rejection if the message cannot begin a room, or if the network has opened too many.
    pub(crate) async fn begins(
        &self,
        room: &RoomRef,
        network: Network,
        new_event: &NewEvent,
    ) -> Result<Option<RoomName>, Rejection> {
        if !room.is_derived() || self.hub.head(room.id) > 0 {
            return Ok(None);
        }
        // The row may still be in flight, and further messages need not ask for it.
        if matches!(new_event, NewEvent::Message { .. }) && self.hub.is_begun(room.id) {
            return Ok(Some(room.name.clone()));
        }
        match self.store.room(&room.name).await? {
            Some(found) if found.room.id == room.id => Ok(None),
            // The address now leads to another room, and the connection is about to end.
            Some(_) => Err(Rejection::unavailable()),
            None => {
                new_event.may_begin_room()?;
                // Another message may have begun the room in the meantime.
                if !self.hub.is_begun(room.id) {
                    self.limiter.check_room(network).map_err(AccessDenied::TooManyRooms)?;
                    self.hub.begin(room.id);
                }
                Ok(Some(room.name.clone()))
            }
        }
    }

    /// Like [`Chat::admit`], but only for rooms that have a row. Adds an invited visitor to a private room's members if
    /// the visitor has a persistent identity.
    ///
    /// # Errors
    ///
    /// Returns why the visitor may not enter.
    pub(crate) async fn find(&self, name: &RoomName, visitor: &Visitor) -> Result<Option<RoomRecord>, AccessDenied> {
        let found = self.store.room(name).await?;
        // The response time must not reveal whether a private room exists: a missing room takes the same query.
        let (room_id, moderated) = found.as_ref().map_or((0, false), |found| (found.room.id, found.moderated));
        let membership = if moderated || name.is_private() {
            self.store.memberships(room_id, &[visitor.author]).await?.first().copied().unwrap_or_default()
        } else {
            Membership::default()
        };
        let Some(found) = found else { return Ok(None) };
        let Some((found, joins)) = judge(found, membership, visitor)? else { return Ok(None) };
        if joins {
            self.store.add_members(found.room.id, &[visitor.author]).await?;
        }
        Ok(Some(found))
    }

    /// Returns those of these rooms that have a row and that the visitor may enter, in any order, with the same queries
    /// whether or not a room exists. Unlike [`find`](Self::find), nobody becomes a member by that.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(super) async fn find_all(&self, names: &[RoomName], visitor: &Visitor) -> Result<Vec<RoomRecord>, StoreError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.store.rooms(names).await?;
        let mut moderated: Vec<i64> = found.iter().filter(|it| it.moderated).map(|it| it.room.id).collect();
        if moderated.is_empty() && names.iter().any(RoomName::is_private) {
            moderated.push(0);
        }
        let memberships = match moderated.is_empty() {
            true => HashMap::new(),
            false => self.store.memberships_of(&visitor.author, &moderated).await?,
        };
        let enter = |found: RoomRecord| {
            let membership = memberships.get(&found.room.id).copied().unwrap_or_default();
            judge(found, membership, visitor).ok().flatten().map(|(found, _)| found)
        };
        Ok(found.into_iter().filter_map(enter).collect())
    }

    /// Opens a private room that belongs to the visitor. `typed` is its title as it was typed. Returns its name.
    ///
    /// # Errors
    ///
    /// Returns an error if the network has opened too many rooms, or if the database cannot be written.
    pub(crate) async fn open_private_room(
        &self,
        title: &RoomName,
        typed: Option<&RoomText>,
        visitor: &Visitor,
    ) -> Result<RoomName, AccessDenied> {
        self.limiter.check_room(visitor.network).map_err(AccessDenied::TooManyRooms)?;
        Ok(self.store.create_private_room(title, typed, &visitor.author).await?)
    }
}

/// Returns the room if a visitor with this membership may enter, and whether the visitor becomes a member by that.
///
/// # Errors
///
/// Returns why the visitor may not enter.
fn judge(
    mut found: RoomRecord,
    membership: Membership,
    visitor: &Visitor,
) -> Result<Option<(RoomRecord, bool)>, AccessDenied> {
    if !found.moderated {
        return Ok(Some((found, false)));
    }
    let is_private = found.room.name.is_private();
    let member = membership.member || found.ownership(&visitor.author) == Ownership::Own;
    let invited = member || found.invites(visitor.invitation.or(found.room.name.key()));
    let is_stranger = !member && (!invited || membership.banned_until.is_some());
    if is_private && is_stranger {
        return Ok(None);
    }
    if let Some(until) = membership.banned_until {
        return Err(AccessDenied::Banned(Timestamp(until)));
    }
    if !invited {
        return Err(AccessDenied::Locked);
    }
    if found.ownership(&visitor.author) != Ownership::Own {
        found.muted_until = membership.muted_until;
    }
    Ok(Some((found, is_private && !member && visitor.has_persistent_identity)))
}
