//! The exchange of a room's frames by HTTP, for browsers whose network blocks WebSockets. Each request carries at most
//! one frame, and returns the events after a position. The server keeps no state between requests.

use super::access::AccessDenied;
use super::{Chat, RoomCommand, draining_rejection, reset_frame};
use crate::domain::{Event, Rejection, RoomName, Seq, Username};
use crate::protocol::{ClientFrame, MAX_REPLAY, ServerFrame};
use crate::server::auth::visitor::Visitor;
use crate::server::store::{RoomRecord, StoreError};
use crate::server::telemetry::metrics;

/// Maximum number of events per response.
const MAX_EXCHANGED_EVENTS: u64 = 100;

/// The position of a client, and the frame that it sends.
pub(crate) struct ExchangeRequest {
    /// The epoch of the client's page, if it has one.
    pub(crate) epoch: Option<String>,
    /// The last number that the client has; `None` begins at the head.
    pub(crate) after: Option<Seq>,
    /// The name for posts without one.
    pub(crate) username: Option<String>,
    /// The frame, as text.
    pub(crate) frame: Option<String>,
    /// Whether the client needs a welcome frame, because it begins.
    pub(crate) welcome: bool,
}

/// The frames for a client, and its position after them.
pub(crate) struct Exchanged {
    pub(crate) after: Seq,
    pub(crate) frames: Vec<ServerFrame>,
}

impl Chat {
    /// Handles a client's frame, and returns the events after its position, or a reset if the log cannot be continued
    /// there. An answer to the frame follows them, if it is not among them.
    ///
    /// # Errors
    ///
    /// Returns the reason why the visitor may not enter the room, or why it cannot be read.
    pub(crate) async fn exchange(
        &self,
        name: &RoomName,
        visitor: &Visitor,
        request: ExchangeRequest,
    ) -> Result<Exchanged, AccessDenied> {
        let found = self.admit(name, visitor).await?;
        let (mut head, mut after) = (found.head, request.after.unwrap_or(found.head));
        let username = request.username.as_deref().and_then(|name| Username::parse(name).ok());
        let username = username.unwrap_or_else(Username::anonymous);
        let mut frames = Vec::new();
        if request.welcome {
            let (_, names) = self.store.names_of(found.room.id, &username, &visitor.author).await?;
            frames.push(ServerFrame::Welcome {
                room_name: found.room.name.clone(),
                epoch: found.room.epoch.clone(),
                head,
                username: username.clone(),
                tag: visitor.author.tag(),
                title: Some(found.title().to_owned()),
                topic: Some(found.topic.clone().unwrap_or_default()),
                names,
            });
        }
        let mut answer = None;
        match request.frame.as_deref().map(ClientFrame::parse) {
            Some(Ok(ClientFrame::Sync { after: wanted })) => after = after.min(wanted),
            Some(Ok(frame)) => {
                answer = self.handle_exchanged(&found, visitor, &username, frame, after, &mut head).await
            }
            Some(Err(bad)) => answer = Some(rejected(bad.id, bad.rejection)),
            None => {}
        }
        let is_continued = request.epoch.is_none_or(|epoch| epoch == found.room.epoch.0);
        let events = match is_continued && (head - MAX_REPLAY..=head).contains(&after) {
            true => self.store.events_after(found.room.id, after, MAX_EXCHANGED_EVENTS).await,
            false => Err(StoreError::Gap { room_id: found.room.id, seq: after + 1 }),
        };
        match events {
            Ok(events) => {
                after = events.last().map_or(after, |event| event.seq);
                frames.extend(events.into_iter().map(ServerFrame::from));
            }
            Err(StoreError::Gap { .. }) => {
                after = head;
                frames.push(reset_frame(&found.room.epoch, head));
            }
            Err(error) => return Err(error.into()),
        }
        frames.extend(answer);
        // Proves that the server answers, and shows whether there are further events.
        frames.push(ServerFrame::Heartbeat { head });
        Ok(Exchanged { after, frames })
    }

    /// Submits the command in a frame, and raises `head` to its event. Returns the answer, or `None` if the event is
    /// the answer and comes after `after`.
    async fn handle_exchanged(
        &self,
        RoomRecord { room, .. }: &RoomRecord,
        visitor: &Visitor,
        username: &Username,
        frame: ClientFrame,
        after: Seq,
        head: &mut Seq,
    ) -> Option<ServerFrame> {
        let named = |given: Option<String>| match given.filter(|name| !name.trim().is_empty()) {
            Some(name) => Username::parse(&name).map_err(Rejection::from),
            None => Ok(username.clone()),
        };
        let submit = async |id: Option<&str>, command: RoomCommand<'_>| {
            let outcome = self.submit(room, (visitor.author, visitor.network), id, command).await?;
            outcome.await.unwrap_or_else(|_| Err(draining_rejection()))
        };
        let (id, outcome) = match frame {
            ClientFrame::Post { id, message, username, reply_to } => {
                let outcome = match named(username) {
                    Ok(username) => {
                        let command = RoomCommand::Post { username, message: &message, reply_to };
                        submit(id.as_deref(), command).await
                    }
                    Err(rejection) => Err(rejection),
                };
                (id, outcome)
            }
            ClientFrame::Edit { id, target, text } => {
                let outcome = submit(id.as_deref(), RoomCommand::Edit { target, text: &text }).await;
                (id, outcome)
            }
            ClientFrame::Delete { id, target } => {
                let outcome = submit(id.as_deref(), RoomCommand::Delete { target }).await;
                (id, outcome)
            }
            ClientFrame::Moderate { id, action, target, tag, seconds, text } => {
                let (text, username) = (text.as_deref(), username.clone());
                let command = RoomCommand::Moderate { action, target, tag, seconds, text, username };
                let outcome = submit(id.as_deref(), command).await;
                (id, outcome)
            }
            ClientFrame::React { id, target, emoji, on } => {
                let command = RoomCommand::React { target, emoji: &emoji, on, username: username.clone() };
                let outcome = submit(id.as_deref(), command).await;
                (id, outcome)
            }
            ClientFrame::Sync { .. } | ClientFrame::Typing | ClientFrame::Heartbeat => return None,
        };
        match outcome {
            Ok(stored) => {
                *head = stored.event.seq.max(*head);
                if let Some(repeated) = stored.repeated() {
                    return Some(ServerFrame::Repeated(repeated));
                }
                let repeated: Option<Event> = Some(stored.event).filter(|event| event.seq <= after);
                repeated.map(ServerFrame::from)
            }
            Err(rejection) => Some(rejected(id, rejection)),
        }
    }
}

fn rejected(id: Option<String>, rejection: Rejection) -> ServerFrame {
    metrics::record_rejection(rejection.code);
    ServerFrame::Rejected { id, rejection }
}
