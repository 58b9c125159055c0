//! Tokens of the API: the identity that a token proves in a room, and the tokens that a room's owner manages.

use super::Chat;
use crate::domain::history::Ownership;
use crate::domain::{Rejection, RejectionCode, RoomName, Username};
use crate::server::auth::identity::AuthorId;
use crate::server::auth::visitor::Visitor;
use crate::server::store::{MAX_ROOM_TOKENS, NewToken, RoomRecord, StoreError, TokenRecord};

/// The identity of a request with a token.
#[derive(Clone, Debug)]
pub(crate) enum TokenIdentity {
    /// The token is valid, and proves this author. Its label is the default name.
    Known(AuthorId, Username),
    /// The token is valid in another room only: the sender is a guest.
    Elsewhere,
    /// The token was made up or revoked.
    Invalid,
}

impl Chat {
    /// Returns the identity that a token proves at the address of a room, or at another address.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn identify_token(
        &self,
        token: &str,
        room: Option<&RoomName>,
    ) -> Result<TokenIdentity, StoreError> {
        let Some(token) = self.store.token(token).await? else { return Ok(TokenIdentity::Invalid) };
        if let Some(only_in) = token.room_id {
            let here = match room {
                Some(name) => self.store.room(name).await?,
                None => None,
            };
            if here.is_none_or(|found| found.room.id != only_in) {
                return Ok(TokenIdentity::Elsewhere);
            }
        }
        Ok(TokenIdentity::Known(token.author, token.label))
    }
}

/// The functions of a room's settings.
impl Chat {
    /// Creates a token for a room, as its owner.
    ///
    /// # Errors
    ///
    /// Returns a rejection if the visitor is not the owner, if the label is no name, or if the room has too many tokens.
    pub(crate) async fn create_room_token(
        &self,
        name: &RoomName,
        visitor: &Visitor,
        label: &str,
    ) -> Result<NewToken, Rejection> {
        let room = self.owned(name, visitor).await?.room;
        let label = Username::parse(label)?;
        self.limiter
            .check_message(&visitor.author, visitor.network, label.as_str().len())
            .map_err(|limited| limited.rejection("Slow down a little."))?;
        let created = self.store.create_token(&label, Some(room.id)).await?;
        created.ok_or_else(|| {
            let detail = format!("A room has at most {MAX_ROOM_TOKENS} tokens. Revoke one first.");
            Rejection::new(RejectionCode::Invalid, detail)
        })
    }

    /// Returns the tokens of a room, as its owner.
    ///
    /// # Errors
    ///
    /// Returns a rejection if the visitor is not the owner.
    pub(crate) async fn room_tokens(&self, name: &RoomName, visitor: &Visitor) -> Result<Vec<TokenRecord>, Rejection> {
        let room = self.owned(name, visitor).await?.room;
        Ok(self.store.tokens(Some(room.id)).await?)
    }

    /// Revokes a token of a room, as its owner. Its connections end within a second.
    ///
    /// # Errors
    ///
    /// Returns a rejection if the visitor is not the owner, or if the room has no valid token with this id.
    pub(crate) async fn revoke_room_token(
        &self,
        name: &RoomName,
        visitor: &Visitor,
        id: &str,
    ) -> Result<(), Rejection> {
        let room = self.owned(name, visitor).await?.room;
        if !self.store.revoke_token(id, Some(room.id)).await? {
            return Err(Rejection::new(RejectionCode::NotFound, "This room has no such token."));
        }
        self.hub.request_revocation();
        Ok(())
    }

    /// Returns the room if the visitor owns it.
    async fn owned(&self, name: &RoomName, visitor: &Visitor) -> Result<RoomRecord, Rejection> {
        let found = self.admit(name, visitor).await?;
        match found.ownership(&visitor.author) {
            Ownership::Own => Ok(found),
            _ => Err(Rejection::new(RejectionCode::Forbidden, "Only the owner of the room can do this.")),
        }
    }
}
