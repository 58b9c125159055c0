//! Submission of commands to a room's log.

use super::{Chat, RoomCommand, draining_rejection};
use crate::domain::moderation::ModerationAction;
use crate::domain::{AuthorTag, EventId, Rejection, RejectionCode, RoomName, Username};
use crate::server::auth::identity::AuthorId;
use crate::server::auth::visitor::Visitor;
use crate::server::journal::SubmitResult;
use crate::server::network::Network;
use crate::server::random;
use crate::server::store::{AppendRequest, NewEvent, NewReaction, RoomRecord, RoomRef, Subject};
use tokio::sync::oneshot;

impl Chat {
    /// Submits a [`RoomCommand`] of `author`, who is in `network`, to a room's log. Returns a receiver of the outcome.
    ///
    /// # Errors
    ///
    /// Returns a rejection if the command is invalid or exceeds a limit.
    pub(crate) async fn submit(
        &self,
        room: &RoomRef,
        (author, network): (AuthorId, Network),
        id: Option<&str>,
        command: RoomCommand<'_>,
    ) -> Result<oneshot::Receiver<SubmitResult>, Rejection> {
        let (tag, bytes) = (command.tag(), command.len());
        let mut new_event = command.parse()?;
        if let NewEvent::React(_) = &new_event
            && author.is_guest()
        {
            let detail = "Guests cannot react: their browser or program keeps no identity.";
            return Err(Rejection::new(RejectionCode::Forbidden, detail));
        }
        let sent = id.map(EventId::parse).transpose()?;
        if let Err(limited) = self.limiter.check_message(&author, network, bytes) {
            // A command that is already stored is answered regardless, within the rate limit for pages of the network.
            let stored = match &sent {
                Some(id) if self.limiter.request(network).is_ok() => self.store.has(room.id, &author, id).await?,
                _ => false,
            };
            if !stored {
                return Err(limited.rejection("Slow down a little. Your message is not lost."));
            }
        } else {
            new_event.find_mentions();
        }
        if let (Some(tag), NewEvent::Moderate { subject, .. }) = (tag, &mut new_event) {
            // Other authors must not learn whether the target exists; the log rejects their command.
            if self.store.owns(room.id, &author).await? {
                *subject = Some(self.resolve_tag(room, &tag).await?);
            }
        }
        if let NewEvent::Moderate { action: ModerationAction::Retention, seconds, .. } = &new_event
            && self.store.owns(room.id, &author).await?
        {
            self.check_retention(room, *seconds).await?;
        }
        if let NewEvent::React(NewReaction { username, .. }) | NewEvent::Moderate { username, .. } = &mut new_event
            && *username != Username::anonymous()
            && self.store.is_taken(room.id, username, &author).await?
        {
            // Others must not react or moderate under a name that somebody holds.
            *username = Username::anonymous();
        }
        let begins = self.begins(room, network, &new_event).await?;
        let id = sent.unwrap_or_else(random::event_id);
        Ok(self.journal.submit(AppendRequest { room_id: room.id, begins, author, id, new_event }))
    }

    /// Like [`submit`](Self::submit), for a room known only by its name. Waits for the outcome.
    pub(crate) async fn submit_and_wait(
        &self,
        name: &RoomName,
        visitor: &Visitor,
        id: Option<&str>,
        command: RoomCommand<'_>,
    ) -> SubmitResult {
        let RoomRecord { room, .. } = self.admit(name, visitor).await?;
        self.submit(&room, (visitor.author, visitor.network), id, command)
            .await?
            .await
            .unwrap_or_else(|_| Err(draining_rejection()))
    }

    /// Returns the author whom this tag identifies in a room: a participant, or an author in the database.
    async fn resolve_tag(&self, room: &RoomRef, tag: &AuthorTag) -> Result<Subject, Rejection> {
        let mut known = self.hub.tagged(room.id, tag);
        for author in self.store.tagged(room.id, tag).await? {
            known.entry(author.to_bytes()).or_insert(Username::anonymous());
        }
        let mut known = known.into_iter();
        match (known.next(), known.next()) {
            (Some((author, username)), None) => Ok(Subject::Known { author: author.into(), username }),
            (None, _) => Err(Rejection::new(RejectionCode::NotFound, "Nobody here has this tag.")),
            _ => Err(Rejection::new(
                RejectionCode::Invalid,
                "Several people have this tag. Name one of their messages instead.",
            )),
        }
    }
}
