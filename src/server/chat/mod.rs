//! The use cases: enter a room, read its history, post in it. Sockets, forms and server functions are adapters that
//! pass names and texts unchanged.

pub(crate) mod access;
mod annotations;
pub(crate) mod exchange;
pub(crate) mod hooks;
mod quotes;
mod room_command;
mod room_previews;
pub(crate) mod room_settings;
mod submission;
pub(crate) mod tokens;
mod unread;

use super::auth::identity::AuthorId;
use super::auth::visitor::Visitor;
use super::hub::{Hub, Subscription};
use super::journal::Journal;
use super::limits::rate_limiter::Limiter;
use super::random;
use super::store::{RoomRecord, Store, StoreError};
use super::websocket::{SocketWriter, TextFrame};
use crate::domain::{
    Epoch, HistoryCursor, HistoryPage, Participant, Rejection, RejectionCode, RoomName, RoomView, Seq, Timestamp,
    Username,
};
use crate::protocol::ServerFrame;
use access::AccessDenied;
pub(crate) use room_command::RoomCommand;
use std::num::NonZeroU32;
use std::sync::Arc;
use tokio::sync::watch;

/// Cheap-to-clone handle to everything a visitor can do.
#[derive(Clone)]
pub struct Chat {
    pub(super) store: Store,
    pub(super) hub: Hub,
    pub(super) journal: Journal,
    pub(super) limiter: Limiter,
    /// The site's retention in days, for rooms without their own.
    pub(super) retention_days: watch::Receiver<Option<NonZeroU32>>,
}

/// Position at which a connection wants to resume.
#[derive(Clone, Debug)]
pub(crate) struct Resume {
    pub(crate) after: Option<Seq>,
    pub(crate) epoch: Option<String>,
    /// Maximum number of events to replay.
    pub(crate) max_replay: Seq,
    /// Whether the visitor is shown among the participants.
    pub(crate) is_shown: bool,
}

impl Chat {
    /// Returns the room's page: its newest messages, or those around `permalink`.
    ///
    /// # Errors
    ///
    /// Returns why the visitor may not enter.
    pub(crate) async fn room_page(
        &self,
        name: &RoomName,
        username: Option<Username>,
        visitor: &Visitor,
        permalink: Option<Seq>,
    ) -> Result<RoomView, AccessDenied> {
        let found = self.admit(name, visitor).await?;
        self.room_view(found, username, visitor, permalink, None).await
    }

    /// Like [`room_page`](Self::room_page), for a visitor who was already admitted. The head was read before the
    /// messages, so it never claims more than the page shows. The page's form replies to the message `reply_to`, if there
    /// is one.
    ///
    /// # Errors
    ///
    /// Returns [`AccessDenied::Unavailable`] if the database cannot be read.
    pub(crate) async fn room_view(
        &self,
        found: RoomRecord,
        username: Option<Username>,
        visitor: &Visitor,
        permalink: Option<Seq>,
        reply_to: Option<Seq>,
    ) -> Result<RoomView, AccessDenied> {
        // A deleted message cannot be replied to.
        let replying = self.store.quotes(found.room.id, reply_to.into_iter().collect()).await?;
        let replying = replying.into_iter().next().filter(|quote| !quote.excerpt.is_empty());
        let cursor = permalink.map_or(HistoryCursor::Newest, HistoryCursor::Around);
        let mut history = self.store.messages(&found, cursor).await?;
        self.store.annotate(&found, &mut history.messages).await?;
        Ok(RoomView {
            history,
            pin: self.store.latest_pin(&found).await?,
            title: found.own_title().map(str::to_owned),
            ownership: found.ownership(&visitor.author),
            owner: found.owner_tag(),
            invitation: found.invitation(),
            room: found.room.name,
            epoch: found.room.epoch,
            head: found.head,
            username,
            tag: visitor.author.tag(),
            permalink,
            replying,
            form_id: random::event_id(),
            topic: found.topic,
            locked: found.locked,
            slow_mode: Some(found.slow_mode).filter(|seconds| *seconds > 0),
            muted_until: Some(Timestamp(found.muted_until)).filter(|until| until.0 > 0),
        })
    }

    /// Returns a page of messages.
    ///
    /// # Errors
    ///
    /// Returns why the visitor may not enter.
    pub(crate) async fn history(
        &self,
        name: &RoomName,
        visitor: &Visitor,
        cursor: HistoryCursor,
    ) -> Result<HistoryPage, AccessDenied> {
        let found = self.admit(name, visitor).await?;
        let mut history = self.store.messages(&found, cursor).await?;
        self.store.annotate(&found, &mut history.messages).await?;
        Ok(history)
    }

    /// Returns why the visitor cannot use this name in the room, or `None` if no other author holds it.
    ///
    /// # Errors
    ///
    /// Returns why the visitor may not enter.
    pub(crate) async fn taken(
        &self,
        name: &RoomName,
        username: &Username,
        visitor: &Visitor,
    ) -> Result<Option<Rejection>, AccessDenied> {
        let RoomRecord { room, .. } = self.admit(name, visitor).await?;
        if !self.store.is_taken(room.id, username, &visitor.author).await? {
            return Ok(None);
        }
        Ok(self.store.taken(room.id, username, &visitor.author).await)
    }

    /// Subscribes a connection to a room. Queues the welcome and, if the log cannot be continued, the reset; every
    /// later event follows. A visitor who requests a name that another author holds is anonymous until a post brings
    /// another name.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read, or if the log of the room is lost.
    pub(crate) async fn join(
        &self,
        found: RoomRecord,
        username: Username,
        author: AuthorId,
        resume: Resume,
        writer: &Arc<SocketWriter>,
    ) -> Result<Subscription, StoreError> {
        let title = Some(found.title().to_owned());
        let RoomRecord { room, head, muted_until, topic, .. } = found;
        let (taken, names) = self.store.names_of(room.id, &username, &author).await?;
        let username = if taken { Username::anonymous() } else { username };
        let live = self.hub.enter(&room).await?;
        let epoch = live.epoch();
        let admitted = head;
        // In another history, the head that was found at admission is outdated.
        let head = if epoch == room.epoch {
            live.catch_up_to(head);
            head.max(live.head())
        } else {
            live.head()
        };
        let after = resume.after.unwrap_or(head);
        let same_history = match &resume.epoch {
            Some(resumed) => *resumed == epoch.0,
            // A number without an epoch is a valid position only if the room has had no other history.
            None => resume.after.is_none() || self.store.is_only_history(&room.name).await?,
        };
        let continued = same_history && (head.saturating_sub(resume.max_replay)..=head).contains(&after);
        // The next events may have been purged.
        let continued = continued && (after == head || self.store.holds(room.id, after + 1).await?);
        let say = |frame: ServerFrame| writer.send(&TextFrame::new(&frame.encode()));
        say(ServerFrame::Welcome {
            room_name: room.name.clone(),
            epoch: epoch.clone(),
            head,
            username: username.clone(),
            tag: author.tag(),
            title,
            topic: Some(topic.unwrap_or_default()),
            names,
        });
        if !continued {
            say(reset_frame(&epoch, head));
        }
        let participant = Participant { username, tag: author.tag() };
        let position = if continued { after } else { head };
        writer.enqueue(writer.encoding().position(position));
        let subscription = Subscription::new(&live, author, (participant, resume.is_shown), writer, position);
        subscription.keep_to(&epoch);
        subscription.mute(muted_until);
        if subscription.head() > admitted {
            subscription.enforce().await?;
        }
        Ok(subscription)
    }
}

/// Returns the reset frame for a client whose position cannot be continued.
pub(crate) fn reset_frame(epoch: &Epoch, head: Seq) -> ServerFrame {
    ServerFrame::Reset { epoch: epoch.clone(), head }
}

/// Returns the rejection of a server that is shutting down.
pub(crate) fn draining_rejection() -> Rejection {
    let detail = "The server is restarting. Your message is not lost: it can be sent again in a moment.";
    Rejection { retry_after_ms: Some(2000), ..Rejection::new(RejectionCode::Draining, detail) }
}
