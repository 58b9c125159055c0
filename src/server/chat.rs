//! The use cases: enter a room, read its history, say something in it. Sockets, forms and server functions are doors
//! to this, and bring names and texts as they came.

use super::auth::access::AccessDenied;
use super::auth::identity::AuthorId;
use super::http::middleware::visitor::Visitor;
use super::hub::{Hub, Subscription};
use super::journal::{Journal, SubmitResult};
use super::limits::connection_counter::Network;
use super::limits::rate_limiter::Limiter;
use super::random;
use super::store::{AppendRequest, NewEvent, RoomRecord, RoomRef, Store, Subject};
use super::websocket::{SocketWriter, TextFrame};
use crate::domain::history::MAX_UNREAD_ROOMS;
use crate::domain::moderation::ModerationAction;
use crate::domain::{
    AuthorTag, Epoch, EventId, HistoryCursor, HistoryPage, MessageText, Participant, ReadMarker, Rejection,
    RejectionCode, RoomName, RoomView, Seq, Username,
};
use crate::protocol::{MAX_REPLAY, ServerFrame};
use sea_orm::DbErr;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::oneshot;

/// A cheap-to-clone handle on everything a visitor can do.
#[derive(Clone)]
pub struct Chat {
    pub(super) store: Store,
    pub(super) hub: Hub,
    pub(super) journal: Journal,
    pub(super) limiter: Limiter,
}

/// Where a connection wants to go on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resume {
    pub(crate) after: Option<Seq>,
    pub(crate) epoch: Option<String>,
}

/// Something for a room's log; texts are as they came from outside.
pub(crate) enum RoomCommand<'a> {
    /// To say something.
    Post { username: Username, message: &'a str },
    /// To put another text in place of an own message.
    Edit { target: Seq, text: &'a str },
    /// To remove a message: an own one, or as the owner of the room.
    Delete { target: Seq },
    /// To do something about the room, as its owner.
    Moderate { action: ModerationAction, target: Option<Seq>, tag: Option<AuthorTag>, seconds: Option<u32> },
}

impl RoomCommand<'_> {
    fn parse(self) -> Result<NewEvent, Rejection> {
        Ok(match self {
            Self::Post { username, message } => NewEvent::Message { username, text: MessageText::parse(message)? },
            Self::Edit { target, text } => NewEvent::Edit { target, text: MessageText::parse(text)? },
            Self::Delete { target } => NewEvent::Delete { target },
            Self::Moderate { action, target, seconds, .. } => {
                NewEvent::Moderate { action, subject: target.map(Subject::AuthorOf), seconds }
            }
        })
    }

    /// Bytes of text as they came.
    fn len(&self) -> usize {
        match self {
            Self::Post { message: text, .. } | Self::Edit { text, .. } => text.len(),
            Self::Delete { .. } | Self::Moderate { .. } => 0,
        }
    }

    /// By which tag it names somebody, if no message does.
    fn tag(&self) -> Option<AuthorTag> {
        match self {
            Self::Moderate { action, target: None, tag, .. } if action.has_subject() => tag.clone(),
            _ => None,
        }
    }
}

impl Chat {
    /// The room's page: its newest messages, or those around `permalink`.
    pub(crate) async fn room_page(
        &self,
        name: &RoomName,
        username: Option<Username>,
        visitor: &Visitor,
        permalink: Option<Seq>,
    ) -> Result<RoomView, AccessDenied> {
        let found = self.admit(name, visitor).await?;
        self.room_view(found, username, visitor, permalink).await
    }

    /// The same for somebody who was admitted. The head was read before the messages, so it never claims more than the
    /// page shows.
    pub(crate) async fn room_view(
        &self,
        found: RoomRecord,
        username: Option<Username>,
        visitor: &Visitor,
        permalink: Option<Seq>,
    ) -> Result<RoomView, AccessDenied> {
        let place = permalink.map_or(HistoryCursor::Newest, HistoryCursor::Around);
        Ok(RoomView {
            history: self.store.messages(found.room.id, place).await?,
            ownership: found.ownership(&visitor.author),
            invitation: found.invitation(),
            room: found.room.name,
            epoch: found.room.epoch,
            head: found.head,
            username,
            tag: visitor.author.tag(),
            permalink,
            form_id: random::event_id(),
        })
    }

    /// A page of messages.
    pub(crate) async fn history(
        &self,
        name: &RoomName,
        visitor: &Visitor,
        place: HistoryCursor,
    ) -> Result<HistoryPage, AccessDenied> {
        let RoomRecord { room, .. } = self.admit(name, visitor).await?;
        Ok(self.store.messages(room.id, place).await?)
    }

    /// How many messages of others each of these rooms has for the visitor after what was read; 0 where there is no such
    /// room. One that is named again is not counted again.
    pub(crate) async fn count_unread(&self, rooms: &[ReadMarker], visitor: &Visitor) -> Result<Vec<u64>, DbErr> {
        let mut counted = HashMap::new();
        let mut counts = Vec::new();
        for ReadMarker { room, read } in rooms.iter().take(MAX_UNREAD_ROOMS) {
            let Ok(name) = RoomName::parse(room.as_str()) else {
                counts.push(0);
                continue;
            };
            let count = match counted.get(&name) {
                Some(count) => *count,
                None => self.unread(&name, *read, visitor).await?,
            };
            counted.insert(name, count);
            counts.push(count);
        }
        Ok(counts)
    }

    async fn unread(&self, name: &RoomName, read: Seq, visitor: &Visitor) -> Result<u64, DbErr> {
        match self.find(name, visitor).await {
            Ok(Some(found)) if found.head > read => self.store.count_unread(found.room.id, read, &visitor.author).await,
            Err(AccessDenied::Unavailable(error)) => Err(error),
            _ => Ok(0),
        }
    }

    /// Why the visitor cannot use this name in the room, if somebody else holds it there.
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

    /// Enters a room: `wire` carries the welcome and, if the log cannot be continued, the reset; then whatever follows,
    /// so that nothing is missed from here on. Whoever asks for a name that somebody else holds is nobody, until a post
    /// brings another.
    pub(crate) async fn join(
        &self,
        RoomRecord { room, head, muted_until, .. }: RoomRecord,
        username: Username,
        author: AuthorId,
        resume: Resume,
        wire: &Arc<SocketWriter>,
    ) -> Result<Subscription, DbErr> {
        let taken = self.store.is_taken(room.id, &username, &author).await?;
        let username = if taken { Username::anonymous() } else { username };
        let live = self.hub.enter(&room).await?;
        let epoch = live.epoch();
        let admitted = head;
        // In another history, what was found is outdated.
        let head = if epoch == room.epoch {
            live.catch_up_to(head);
            head.max(live.head())
        } else {
            live.head()
        };
        let after = resume.after.unwrap_or(head);
        let same_history = match &resume.epoch {
            Some(resumed) => *resumed == epoch.0,
            // A number alone says where a client stands only if it can be in no other history.
            None => resume.after.is_none() || self.store.is_only_history(&room.name).await?,
        };
        let continued = same_history && (head - MAX_REPLAY..=head).contains(&after);
        // What came next may be older than the room keeps.
        let continued = continued && (after == head || self.store.holds(room.id, after + 1).await?);
        let say = |frame: ServerFrame| wire.enqueue(TextFrame::new(&frame.encode()).bytes().clone());
        say(ServerFrame::Welcome {
            room_name: room.name.clone(),
            epoch: epoch.clone(),
            head,
            username: username.clone(),
            tag: author.tag(),
        });
        if !continued {
            say(reset_frame(&epoch, head));
        }
        let participant = Participant { username, tag: author.tag() };
        let seat = Subscription::new(&live, author, participant, wire, if continued { after } else { head });
        seat.keep_to(&epoch);
        seat.mute(muted_until);
        if seat.head() > admitted {
            seat.enforce().await?;
        }
        Ok(seat)
    }

    /// Puts something of `author`, who is in `network`, into a room's log. What comes back tells, once it is known, whether
    /// it is stored.
    pub(crate) async fn submit(
        &self,
        room: &RoomRef,
        (author, network): (AuthorId, Network),
        id: Option<&str>,
        wish: RoomCommand<'_>,
    ) -> Result<oneshot::Receiver<SubmitResult>, Rejection> {
        let (tag, bytes) = (wish.tag(), wish.len());
        let mut draft = wish.parse()?;
        let sent = id.map(EventId::parse).transpose()?;
        if let Err(too_much) = self.limiter.check_message(&author, network, bytes) {
            // What is stored already is answered all the same, as often as the network may ask for pages.
            let stored = match &sent {
                Some(id) if self.limiter.request(network).is_ok() => {
                    self.store.has(room.id, &author, id).await.map_err(|_| Rejection::unavailable())?
                }
                _ => false,
            };
            if !stored {
                return Err(too_much.rejection("Slow down a little. Your message is not lost."));
            }
        }
        if let (Some(tag), NewEvent::Moderate { subject, .. }) = (tag, &mut draft) {
            // Nobody else learns whether there is such a one; the log refuses them.
            if self.store.owns(room.id, &author).await.map_err(|_| Rejection::unavailable())? {
                *subject = Some(self.resolve_tag(room, &tag).await?);
            }
        }
        let begins = self.begins(room, network, &draft).await?;
        let id = sent.unwrap_or_else(random::event_id);
        Ok(self.journal.submit(AppendRequest { room_id: room.id, begins, author, id, draft }))
    }

    /// The same for a room that is known by its name alone, and waits until it is stored.
    pub(crate) async fn submit_and_wait(
        &self,
        name: &RoomName,
        visitor: &Visitor,
        id: Option<&str>,
        wish: RoomCommand<'_>,
    ) -> SubmitResult {
        let RoomRecord { room, .. } = self.admit(name, visitor).await?;
        self.submit(&room, (visitor.author, visitor.network), id, wish)
            .await?
            .await
            .unwrap_or_else(|_| Err(draining_rejection()))
    }

    /// Whom the owner of a room means by this tag: somebody who is here, or has been and is known.
    async fn resolve_tag(&self, room: &RoomRef, tag: &AuthorTag) -> Result<Subject, Rejection> {
        let mut known = self.hub.tagged(room.id, tag);
        for author in self.store.tagged(room.id, tag).await.map_err(|_| Rejection::unavailable())? {
            known.entry(author.to_bytes()).or_insert(Username::anonymous());
        }
        let mut known = known.into_iter();
        match (known.next(), known.next()) {
            (Some((author, username)), None) => Ok(Subject::Known { author: author.into(), username }),
            (None, _) => Err(Rejection::new(RejectionCode::NotFound, "Nobody here has this tag.")),
            _ => Err(Rejection::new(
                RejectionCode::Invalid,
                "More than one has this tag: say it of a message of theirs.",
            )),
        }
    }
}

/// The log cannot be continued from where the client stands.
pub(crate) fn reset_frame(epoch: &Epoch, head: Seq) -> ServerFrame {
    ServerFrame::Reset { epoch: epoch.clone(), head }
}

/// This server is about to stop.
pub(crate) fn draining_rejection() -> Rejection {
    let detail = "The server is restarting. Your message is not lost: it can be sent again in a moment.";
    Rejection { retry_after_ms: Some(2000), ..Rejection::new(RejectionCode::Draining, detail) }
}
