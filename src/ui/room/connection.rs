//! The connection of the room: connects, reconnects with backoff, resumes. One loop handles the events of the socket,
//! the network and the page in the order in which they happen.

mod backoff;
mod phase;
pub(super) mod socket;

use crate::domain::room::encode_segment;
use crate::domain::{Epoch, RoomName, Seq, Username};
use crate::protocol::{ClientFrame, HEARTBEAT_MS, IDLE_TIMEOUT_MS, ServerFrame};
use crate::ui::browser::clock::now;
use crate::ui::browser::{dom, location};
use backoff::{Backoff, MAX_RECONNECT_DELAY};
use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures_util::StreamExt;
use leptos::prelude::{set_interval_with_handle, set_timeout, window_event_listener_untyped};
use phase::ConnectionPhase;
use socket::{BrowserSocket, SocketEvent};
use std::rc::Rc;
use std::time::Duration;

/// Interval at which the loop checks its timeouts.
const TICK_INTERVAL: Duration = Duration::from_secs(1);

/// Maximum time from dialing to the welcome frame, in milliseconds.
const WELCOME_TIMEOUT_MS: f64 = 9000.0;

/// Maximum time to wait for the answer to a probe.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

/// Close codes with which the server closes a connection permanently.
pub(super) const FINAL_CLOSE_CODES: std::ops::Range<u16> = 4500..5000;

/// Connection state as the page shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ConnectionStatus {
    /// Connecting, or waiting for the welcome frame.
    #[default]
    Connecting,
    /// Frames are delivered.
    Live,
    /// Disconnected; seconds until the next attempt.
    Waiting(u32),
    /// Disconnected; the device reports no network.
    Offline,
    /// Closed permanently by the server, with its close code ([`close`](crate::protocol::close)).
    Closed(u16),
}

/// Receiver of the loop's notifications.
pub(crate) trait ConnectionListener: 'static {
    /// Returns the last applied number of the log, after which a connection resumes.
    fn position(&self) -> Seq;
    /// Called when the connection status changes.
    fn on_status(&self, status: ConnectionStatus);
    /// Called after the welcome frame, with the present epoch of the room: pending commands can be sent.
    fn on_welcome(&self, epoch: Epoch, names: Vec<Username>);
    /// Called when the connection is lost: frames in flight may not have arrived.
    fn on_lost(&self);
    /// Called for every frame except the welcome frame.
    fn on_frame(&self, frame: ServerFrame);
}

/// A cheap-to-clone handle on the loop.
#[derive(Clone)]
pub(crate) struct ConnectionHandle {
    events: UnboundedSender<ConnectionEvent>,
}

/// An input of the loop.
enum ConnectionEvent {
    /// An event of the socket of this attempt.
    Socket(u32, SocketEvent),
    Tick,
    /// The network is back, the page is visible again, or the visitor asks to reconnect.
    Wake,
    /// The network is lost, or the server does not answer.
    Lost,
    /// A frame to send, as text.
    Send(String),
    /// The page leaves the room.
    Close,
}

impl ConnectionHandle {
    /// Connects to a room and stays connected until [`close`](Self::close).
    pub(crate) fn open(
        room: &RoomName,
        epoch: &Epoch,
        username: Option<&str>,
        listener: impl ConnectionListener,
    ) -> Self {
        let (sender, receiver) = unbounded();
        let handle = Self { events: sender };
        let name = username.map(|name| format!("&username={}", encode_segment(name))).unwrap_or_default();
        let url = format!("{}?epoch={epoch}{name}", location::socket_url(room));
        let connection = ConnectionLoop {
            handle: handle.clone(),
            listener,
            url,
            socket: None,
            attempt: 0,
            phase: ConnectionPhase::Idle,
            backoff: Backoff::default(),
        };
        let window_events = [
            ("online", (|| ConnectionEvent::Wake) as fn() -> ConnectionEvent),
            ("offline", || ConnectionEvent::Lost),
            ("visibilitychange", || if dom::is_hidden() { ConnectionEvent::Tick } else { ConnectionEvent::Wake }),
        ];
        let listeners = window_events.map(|(name, event)| {
            let handle = handle.clone();
            window_event_listener_untyped(name, move |_| handle.dispatch(event()))
        });
        let ticker = handle.clone();
        let interval = set_interval_with_handle(move || ticker.dispatch(ConnectionEvent::Tick), TICK_INTERVAL);
        leptos::task::spawn_local(async move {
            connection.run(receiver).await;
            listeners.into_iter().for_each(|listener| listener.remove());
            let _ = interval.map(|interval| interval.clear());
        });
        handle
    }

    /// Closes the connection and ends the loop.
    pub(crate) fn close(&self) {
        self.dispatch(ConnectionEvent::Close);
    }

    /// Sends a frame if there is a connection, and drops it otherwise: commands that must not be lost are in the
    /// outbox.
    pub(crate) fn send(&self, frame: String) {
        self.dispatch(ConnectionEvent::Send(frame));
    }

    /// Dials immediately if there is no connection, and probes the one there is.
    pub(crate) fn reconnect(&self) {
        self.dispatch(ConnectionEvent::Wake);
    }

    /// Gives up the unresponsive connection, and connects again.
    pub(crate) fn give_up(&self) {
        self.dispatch(ConnectionEvent::Lost);
    }

    fn dispatch(&self, event: ConnectionEvent) {
        // After `close` there is no receiver.
        let _ = self.events.unbounded_send(event);
    }
}

/// The loop and its connection.
struct ConnectionLoop<L> {
    handle: ConnectionHandle,
    listener: L,
    url: String,
    socket: Option<BrowserSocket>,
    /// Number of the present attempt: events of earlier sockets may still be queued.
    attempt: u32,
    phase: ConnectionPhase,
    backoff: Backoff,
}

impl<L: ConnectionListener> ConnectionLoop<L> {
    async fn run(mut self, mut events: UnboundedReceiver<ConnectionEvent>) {
        self.connect();
        while let Some(event) = events.next().await {
            match event {
                ConnectionEvent::Socket(attempt, _) if attempt != self.attempt => {}
                ConnectionEvent::Socket(_, SocketEvent::Received(text)) => self.receive(&text),
                ConnectionEvent::Socket(_, SocketEvent::Closed { code }) => self.on_lost(code),
                ConnectionEvent::Tick => self.tick(),
                ConnectionEvent::Wake => self.wake(),
                ConnectionEvent::Lost => self.on_lost(0),
                ConnectionEvent::Send(frame) => self.send(&frame),
                ConnectionEvent::Close => break,
            }
        }
    }

    fn connect(&mut self) {
        self.listener.on_status(ConnectionStatus::Connecting);
        self.phase = ConnectionPhase::Connecting { since: now() };
        let url = format!("{}&after={}", self.url, self.listener.position());
        self.attempt += 1;
        let (handle, attempt) = (self.handle.clone(), self.attempt);
        let dispatch = Rc::new(move |event| handle.dispatch(ConnectionEvent::Socket(attempt, event)));
        // The previous attempt must end first, because a browser opens one connection to a host at a time (RFC 6455,
        // section 4.1).
        self.socket = None;
        self.socket = BrowserSocket::open(&url, dispatch);
        if self.socket.is_none() {
            self.on_lost(0);
        }
    }

    fn receive(&mut self, text: &str) {
        if let ConnectionPhase::Live { last_received, probed, .. } = &mut self.phase {
            (*last_received, *probed) = (now(), None);
        }
        match ServerFrame::parse(text) {
            Some(ServerFrame::Welcome { epoch, names, .. }) => {
                self.phase = ConnectionPhase::live();
                self.backoff.on_welcome(now());
                self.listener.on_status(ConnectionStatus::Live);
                self.listener.on_welcome(epoch, names);
            }
            Some(frame) => self.listener.on_frame(frame),
            None => {}
        }
    }

    fn on_lost(&mut self, code: u16) {
        self.socket = None;
        self.attempt += 1;
        self.listener.on_lost();
        match self.phase {
            ConnectionPhase::Closed => return,
            _ if FINAL_CLOSE_CODES.contains(&code) => {
                self.phase = ConnectionPhase::Closed;
                return self.listener.on_status(ConnectionStatus::Closed(code));
            }
            _ => {}
        }
        let delay = self.backoff.on_lost(now(), js_sys::Math::random());
        // The device may be wrong about the network: the server may run on this very machine.
        let delay = if dom::is_online() { delay } else { MAX_RECONNECT_DELAY };
        self.phase = ConnectionPhase::Waiting { until: now() + delay };
        self.show_waiting();
    }

    fn tick(&mut self) {
        let (now, idle_timeout) = (now(), f64::from(IDLE_TIMEOUT_MS));
        self.phase.clamp(now);
        match &mut self.phase {
            ConnectionPhase::Connecting { since } if now - *since >= WELCOME_TIMEOUT_MS => self.on_lost(0),
            ConnectionPhase::Live { probed: Some(probed), .. } if now - *probed >= PROBE_TIMEOUT.as_millis() as f64 => {
                self.listener.on_lost();
                self.connect();
            }
            ConnectionPhase::Live { last_received, .. } if now - *last_received > idle_timeout => self.on_lost(0),
            ConnectionPhase::Live { last_sent, .. } if now - *last_sent >= f64::from(HEARTBEAT_MS) => {
                *last_sent = now;
                self.send(&ClientFrame::Heartbeat.encode());
            }
            ConnectionPhase::Waiting { until } if now >= *until => self.connect(),
            ConnectionPhase::Waiting { .. } => self.show_waiting(),
            _ => {}
        }
    }

    fn wake(&mut self) {
        match &mut self.phase {
            ConnectionPhase::Connecting { .. } | ConnectionPhase::Waiting { .. } => self.connect(),
            ConnectionPhase::Live { probed, .. } => {
                probed.get_or_insert_with(now);
                self.probe();
            }
            ConnectionPhase::Idle | ConnectionPhase::Closed => {}
        }
    }

    /// Sends a request that the server always answers: for the last event again, or in an empty room for the events
    /// before the first, which is refused.
    fn probe(&self) {
        self.send(&ClientFrame::Sync { after: self.listener.position() - 1 }.encode());
        let handle = self.handle.clone();
        set_timeout(move || handle.dispatch(ConnectionEvent::Tick), PROBE_TIMEOUT);
    }

    fn show_waiting(&self) {
        let ConnectionPhase::Waiting { until } = self.phase else { return };
        let seconds = ((until - now()) / 1000.0).ceil().max(1.0) as u32;
        let online = dom::is_online();
        self.listener.on_status(if online { ConnectionStatus::Waiting(seconds) } else { ConnectionStatus::Offline });
    }

    fn send(&self, frame: &str) {
        if let (ConnectionPhase::Live { .. }, Some(socket)) = (&self.phase, &self.socket) {
            socket.send(frame);
        }
    }
}
