//! The use cases: enter a room, read its history, say something in it. Sockets, forms and server functions are doors
//! to this, and bring names and texts as they came.

use super::access::Denied;
use super::hub::{Hub, Seat};
use super::identity::Author;
use super::journal::{Journal, Outcome};
use super::limits::Limiter;
use super::network::Network;
use super::random;
use super::store::{Draft, Entry, Found, Room, Store, Subject};
use super::visitor::Visitor;
use super::websocket::{TextFrame, Wire};
use crate::domain::moderation::Action;
use crate::domain::{
    Epoch, EventId, HistoryPage, HistoryPlace, MessageText, Participant, ReadRoom, Rejection, RejectionCode, RoomName,
    RoomPage, Seq, Tag, Username, page::MAX_COUNTED_ROOMS,
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
pub(crate) enum Wish<'a> {
    /// To say something.
    Post { username: Username, message: &'a str },
    /// To put another text in place of an own message.
    Edit { target: Seq, text: &'a str },
    /// To remove a message: an own one, or as the owner of the room.
    Delete { target: Seq },
    /// To do something about the room, as its owner.
    Moderate { action: Action, target: Option<Seq>, tag: Option<Tag>, seconds: Option<u32> },
}

impl Wish<'_> {
    fn parse(self) -> Result<Draft, Rejection> {
        Ok(match self {
            Self::Post { username, message } => Draft::Message { username, text: MessageText::parse(message)? },
            Self::Edit { target, text } => Draft::Edit { target, text: MessageText::parse(text)? },
            Self::Delete { target } => Draft::Delete { target },
            Self::Moderate { action, target, seconds, .. } => {
                Draft::Moderate { action, subject: target.map(Subject::AuthorOf), seconds }
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
    fn tag(&self) -> Option<Tag> {
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
    ) -> Result<RoomPage, Denied> {
        let found = self.admit(name, visitor).await?;
        self.show(found, username, visitor, permalink).await
    }

    /// The same for somebody who was admitted. The head was read before the messages, so it never claims more than the
    /// page shows.
    pub(crate) async fn show(
        &self,
        found: Found,
        username: Option<Username>,
        visitor: &Visitor,
        permalink: Option<Seq>,
    ) -> Result<RoomPage, Denied> {
        let place = permalink.map_or(HistoryPlace::Newest, HistoryPlace::Around);
        Ok(RoomPage {
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
        place: HistoryPlace,
    ) -> Result<HistoryPage, Denied> {
        let Found { room, .. } = self.admit(name, visitor).await?;
        Ok(self.store.messages(room.id, place).await?)
    }

    /// How many messages of others each of these rooms has for the visitor after what was read; 0 where there is no such
    /// room. One that is named again is not counted again.
    pub(crate) async fn count_unread(&self, rooms: &[ReadRoom], visitor: &Visitor) -> Result<Vec<u64>, DbErr> {
        let mut counted = HashMap::new();
        let mut counts = Vec::new();
        for ReadRoom { room, read } in rooms.iter().take(MAX_COUNTED_ROOMS) {
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
            Err(Denied::Unavailable(error)) => Err(error),
            _ => Ok(0),
        }
    }

    /// Why the visitor cannot use this name in the room, if somebody else holds it there.
    pub(crate) async fn taken(
        &self,
        name: &RoomName,
        username: &Username,
        visitor: &Visitor,
    ) -> Result<Option<Rejection>, Denied> {
        let Found { room, .. } = self.admit(name, visitor).await?;
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
        Found { room, head, muted_until, .. }: Found,
        username: Username,
        author: Author,
        resume: Resume,
        wire: &Arc<Wire>,
    ) -> Result<Seat, DbErr> {
        let taken = self.store.is_taken(room.id, &username, &author).await?;
        let username = if taken { Username::anonymous() } else { username };
        let live = self.hub.enter(&room).await?;
        let epoch = live.epoch();
        let admitted = head;
        // In another history, what was found is outdated.
        let head = if epoch == room.epoch {
            live.want(head);
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
        let say = |frame: ServerFrame| wire.queue(TextFrame::new(&frame.encode()).bytes().clone());
        say(ServerFrame::Welcome {
            room_name: room.name.clone(),
            epoch: epoch.clone(),
            head,
            username: username.clone(),
            tag: author.tag(),
        });
        if !continued {
            say(reset(&epoch, head));
        }
        let participant = Participant { username, tag: author.tag() };
        let seat = Seat::take(&live, author, participant, wire, if continued { after } else { head });
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
        room: &Room,
        (author, network): (Author, Network),
        id: Option<&str>,
        wish: Wish<'_>,
    ) -> Result<oneshot::Receiver<Outcome>, Rejection> {
        let (tag, bytes) = (wish.tag(), wish.len());
        let mut draft = wish.parse()?;
        let sent = id.map(EventId::parse).transpose()?;
        if let Err(too_much) = self.limiter.message(&author, network, bytes) {
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
        if let (Some(tag), Draft::Moderate { subject, .. }) = (tag, &mut draft) {
            // Nobody else learns whether there is such a one; the log refuses them.
            if self.store.owns(room.id, &author).await.map_err(|_| Rejection::unavailable())? {
                *subject = Some(self.tagged(room, &tag).await?);
            }
        }
        let begins = self.begins(room, network, &draft).await?;
        let id = sent.unwrap_or_else(random::event_id);
        Ok(self.journal.submit(Entry { room_id: room.id, begins, author, id, draft }))
    }

    /// The same for a room that is known by its name alone, and waits until it is stored.
    pub(crate) async fn submit_and_wait(
        &self,
        name: &RoomName,
        visitor: &Visitor,
        id: Option<&str>,
        wish: Wish<'_>,
    ) -> Outcome {
        let Found { room, .. } = self.admit(name, visitor).await?;
        self.submit(&room, (visitor.author, visitor.network), id, wish).await?.await.unwrap_or_else(|_| Err(draining()))
    }

    /// Whom the owner of a room means by this tag: somebody who is here, or has been and is known.
    async fn tagged(&self, room: &Room, tag: &Tag) -> Result<Subject, Rejection> {
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
pub(crate) fn reset(epoch: &Epoch, head: Seq) -> ServerFrame {
    ServerFrame::Reset { epoch: epoch.clone(), head }
}

/// This server is about to stop.
pub(crate) fn draining() -> Rejection {
    let detail = "The server is restarting. Your message is not lost: it can be sent again in a moment.";
    Rejection { retry_after_ms: Some(2000), ..Rejection::new(RejectionCode::Draining, detail) }
}
