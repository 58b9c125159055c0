//! Session of one connection: a welcome, then one loop that reads, delivers, answers and keeps timers.

mod answers;

use super::budget::{BudgetRate, ConnectionBudget};
use super::close_reason::{CloseReason, close_reason};
use super::delivery::Delivery;
use super::pending::PendingPost;
use super::timers::{DrainTimes, HEARTBEAT_INTERVAL, RECEIVE_TIMEOUT, REPLAY_INTERVAL, Timers};
use crate::domain::{Rejection, Seq, Username};
use crate::protocol::{ClientFrame, MAX_REPLAY, ServerFrame, close};
use crate::server::auth::identity::AuthorId;
use crate::server::chat::{self, RoomCommand, reset_frame};
use crate::server::http::state::AppState;
use crate::server::hub::{PullResult, Subscription};
use crate::server::network::Network;
use crate::server::websocket::{Received, SocketWriter, TextFrame, WebSocket, ping};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::coop::consume_budget;
use tokio::time::{Instant, sleep_until};

/// Shortest interval between two typing hints of a connection.
const TYPING_INTERVAL: Duration = Duration::from_secs(1);

/// Interval at which a draining connection checks whether its posts are answered, and the time limit for that. Clients
/// resend posts that are not stored by then to another node.
const DRAIN_POLL: Duration = Duration::from_millis(50);
const DRAIN_TIMEOUT: Duration = Duration::from_secs(8);

pub(crate) struct Session {
    state: AppState,
    /// The author and network of the sender.
    sender: (AuthorId, Network),
    pub(crate) delivery: Delivery,
    /// The name of further posts. The subscription shows it once a message is stored under it.
    username: Username,
    /// The time of the last typing hint of this connection.
    last_typing_at: Option<Instant>,
    pub(crate) pending: FuturesUnordered<PendingPost>,
    /// Read budget of the connection.
    budget: ConnectionBudget,
    /// The newest event that this connection has posted and that is answered by its delivery.
    last_own_seq: Seq,
    pub(crate) timers: Timers,
}

impl Session {
    pub(crate) fn new(
        state: AppState,
        sender: (AuthorId, Network),
        subscription: Subscription,
        writer: Arc<SocketWriter>,
    ) -> Self {
        Self {
            state,
            sender,
            username: subscription.participant().username.clone(),
            delivery: Delivery::new(subscription, writer),
            last_typing_at: None,
            pending: FuturesUnordered::new(),
            budget: ConnectionBudget::new(),
            last_own_seq: 0,
            timers: Timers::new(),
        }
    }

    /// Runs until the connection ends. The caller sends the returned close reason.
    pub(crate) async fn run(&mut self, socket: &mut WebSocket) -> CloseReason {
        let draining = self.state.draining.clone();
        let mut alarm = std::pin::pin!(sleep_until(self.next_deadline()));
        let mut drained = std::pin::pin!(draining.cancelled());
        loop {
            let left = match self.delivery.write() {
                Ok(left) => left,
                Err(reason) => return reason,
            };
            if let Some(unblocked_at) = self.delivery.unblocked_at.take() {
                // A client that accepts bytes is alive, even if it was not read from in the meantime.
                self.timers.last_received = unblocked_at;
            }
            let deadline = self.next_deadline();
            if alarm.is_elapsed() || deadline < alarm.deadline() {
                alarm.as_mut().reset(deadline);
            }
            let stuck = self.delivery.is_blocked();
            let can_receive = self.can_receive();
            // While the socket does not accept bytes, an own event cannot be pulled.
            let own_seq = if stuck { 0 } else { self.last_own_seq };
            let step = tokio::select! {
                biased;
                // Check for frames that no other task writes.
                () = self.delivery.writer.notified() => self.delivery.check_disconnect(),
                _ = self.delivery.writer.writable(), if stuck => Ok(()),
                // Handle timers.
                () = &mut alarm => self.handle_timers(),
                // Drain when the server stops: inform the client at once, and close a little later.
                () = &mut drained, if self.timers.drain.is_none() => {
                    let DrainTimes { closes_at, reconnect_in_ms } = DrainTimes::new();
                    self.timers.drain = Some((closes_at, Instant::now() + DRAIN_TIMEOUT));
                    self.send(ServerFrame::Drain { reconnect_in_ms });
                    Ok(())
                }
                // Answer posts that are not answered by the event itself.
                Some(answered) = self.pending.next() => {
                    self.answer(answered);
                    Ok(())
                }
                // Read events from the log that were evicted from memory, or find that an own event has arrived.
                read = Delivery::read(&self.delivery.subscription, left, own_seq) => self.delivery.take_read(left, read),
                // Receive.
                received = socket.receive(), if can_receive => {
                    let (now, pace) = (Instant::now(), self.pace());
                    self.timers.paused = self.budget.spend(socket.take_usage(), pace, now);
                    if received != Ok(Received::Part) {
                        self.timers.last_received = now;
                    }
                    match received {
                        Ok(Received::Text(text)) => {
                            // Boxed, so that its memory is free between two posts.
                            Box::pin(self.handle_frame(&text, draining.is_cancelled())).await;
                            Ok(())
                        }
                        Ok(Received::Binary(_)) => Err((close::UNSUPPORTED, "frames are text here")),
                        Ok(Received::Control | Received::Part) => Ok(()),
                        Err(end) => Err(close_reason(end)),
                    }
                }
                // Write further frames while the socket accepts them. Yields, so that other connections are served in
                // between.
                () = consume_budget(), if left == PullResult::Queued => Ok(()),
            };
            if let Err(reason) = step {
                return reason;
            }
        }
    }

    fn next_deadline(&self) -> Instant {
        let due = self.timers.next_deadline();
        self.delivery.write_deadline().map_or(due, |deadline| due.min(deadline))
    }

    fn handle_timers(&mut self) -> Result<(), CloseReason> {
        let now = Instant::now();
        if !self.can_receive() {
            // The connection was not read from, so the client may well be alive.
            self.timers.last_received = now;
        }
        self.timers.paused = self.timers.paused.filter(|until| *until > now);
        if self.timers.last_received + RECEIVE_TIMEOUT <= now {
            return Err((close::IDLE_TIMEOUT, "nothing was heard"));
        }
        if self.delivery.write_deadline().is_some_and(|deadline| deadline <= now) {
            return Err((close::TOO_SLOW, "nothing was read"));
        }
        if let Some((closes_at, latest)) = self.timers.drain.filter(|(closes_at, _)| *closes_at <= now) {
            let has_pending = !self.pending.is_empty() || self.last_own_seq > self.delivery.subscription.position();
            if !has_pending || latest <= closes_at {
                return Err((close::RESTARTING, "the server is restarting"));
            }
            self.timers.drain = Some((now + DRAIN_POLL, latest));
        }
        self.replay();
        if self.timers.next_heartbeat <= now {
            self.timers.next_heartbeat = now + HEARTBEAT_INTERVAL;
            self.send_heartbeat();
        }
        Ok(())
    }

    /// Queues the next events, unless the socket does not accept them, and then a heartbeat with the number of the last
    /// event before it. So the client does not miss the events that a fan-out task still gathers for a crowd, and one
    /// that is behind does not ask for events that are on their way.
    fn send_heartbeat(&mut self) {
        if !self.delivery.writer.is_blocked() {
            self.delivery.pull();
        }
        self.send(ServerFrame::Heartbeat { head: self.delivery.subscription.position() });
        self.delivery.writer.enqueue(ping());
    }

    /// Starts a requested replay, once it is due.
    fn replay(&mut self) {
        let now = Instant::now();
        if self.timers.replay_allowed_at <= now
            && let Some(after) = self.timers.pending_replay.take()
        {
            self.timers.replay_allowed_at = now + REPLAY_INTERVAL;
            self.delivery.subscription.rewind(after);
        }
    }

    fn pace(&self) -> BudgetRate {
        BudgetRate::new(self.state.limiter.rates().as_ref())
    }

    pub(crate) fn send(&self, frame: ServerFrame) {
        self.delivery.writer.send(&TextFrame::new(&frame.encode()));
    }

    /// Handles one frame, and answers immediately if possible.
    async fn handle_frame(&mut self, text: &str, draining: bool) {
        match ClientFrame::parse(text) {
            Ok(ClientFrame::Post { id, message, username, reply_to }) => {
                match self.resolve_username(username.as_deref()) {
                    Ok(username) => {
                        let command = RoomCommand::Post { username, message: &message, reply_to };
                        self.submit(id, command, draining).await
                    }
                    Err(rejection) => self.reject(id, rejection),
                }
            }
            Ok(ClientFrame::Edit { id, target, text }) => {
                self.submit(id, RoomCommand::Edit { target, text: &text }, draining).await
            }
            Ok(ClientFrame::Delete { id, target }) => self.submit(id, RoomCommand::Delete { target }, draining).await,
            Ok(ClientFrame::Moderate { id, action, target, tag, seconds, text }) => {
                let (text, username) = (text.as_deref(), self.delivery.subscription.participant().username.clone());
                let command = RoomCommand::Moderate { action, target, tag, seconds, text, username };
                self.submit(id, command, draining).await
            }
            Ok(ClientFrame::React { id, target, emoji, on }) => {
                let username = self.delivery.subscription.participant().username.clone();
                self.submit(id, RoomCommand::React { target, emoji: &emoji, on, username }, draining).await
            }
            Ok(ClientFrame::Sync { after }) => {
                let head = self.delivery.subscription.head();
                if after > head || head - after > MAX_REPLAY {
                    return self.send(reset_frame(&self.delivery.subscription.epoch(), head));
                }
                // A short request causes a large response, so requests that come too fast are answered together.
                let position = self.delivery.subscription.position();
                if after < position {
                    let events = (position - after).unsigned_abs();
                    let paused = self.budget.spend_replay(events, self.pace(), Instant::now());
                    self.timers.paused = self.timers.paused.max(paused);
                    self.timers.pending_replay =
                        Some(self.timers.pending_replay.map_or(after, |other| other.min(after)));
                    self.replay();
                }
            }
            Ok(ClientFrame::Typing) => {
                if self.last_typing_at.is_none_or(|last_typing_at| last_typing_at.elapsed() >= TYPING_INTERVAL) {
                    self.last_typing_at = Some(Instant::now());
                    self.delivery.subscription.send_typing();
                }
            }
            Ok(ClientFrame::Heartbeat) => {}
            Err(bad) => self.reject(bad.id, bad.rejection),
        }
    }

    /// Returns the name of a post, which replaces the current one if given. A blank name counts as absent, as in the
    /// forms.
    fn resolve_username(&mut self, username: Option<&str>) -> Result<Username, Rejection> {
        if let Some(username) = username.filter(|name| !Username::is_blank(name)) {
            self.username = Username::parse(username)?;
        }
        Ok(self.username.clone())
    }

    async fn submit(&mut self, id: Option<String>, command: RoomCommand<'_>, draining: bool) {
        if draining {
            return self.reject(id, chat::draining_rejection());
        }
        let username = match &command {
            RoomCommand::Post { username, .. } => Some(username.clone()),
            _ => None,
        };
        match self.state.chat.submit(self.delivery.subscription.room(), self.sender, id.as_deref(), command).await {
            Ok(outcome) => self.pending.push(PendingPost { id, username, outcome }),
            Err(rejection) => self.reject(id, rejection),
        }
    }
}
