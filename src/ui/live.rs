//! The one file that touches the WebSocket: connects, backs off, resumes. One loop takes everything that happens, to
//! the socket, to the network and in the page, in the order in which it happens.

mod backoff;

use super::browser::{self, clock::now};
use crate::domain::room::encode_segment;
use crate::domain::{Epoch, RoomName, Seq};
use crate::protocol::{ClientFrame, HEARTBEAT_MS, SILENCE_MS, ServerFrame};
use backoff::{Backoff, LONGEST_WAIT};
use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures_util::StreamExt;
use leptos::prelude::{set_interval_with_handle, window_event_listener_untyped};
use std::time::Duration;
use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::{CloseEvent, MessageEvent, WebSocket};

/// How often the loop looks at the clock.
const TICK: Duration = Duration::from_secs(1);

/// How the connection is, for the page to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ConnectionStatus {
    /// On the way.
    #[default]
    Connecting,
    /// What is said arrives.
    Live,
    /// Lost; another try in so many seconds.
    Waiting(u32),
    /// The device says that it has no network.
    Offline,
    /// The server does not want this connection back, for this reason ([`close`](crate::protocol::close)).
    Closed(u16),
}

/// What the loop tells the page.
pub(super) trait Listener: 'static {
    /// The last number that the page has: where a connection resumes.
    fn position(&self) -> Seq;
    /// The connection is another.
    fn status(&self, status: ConnectionStatus);
    /// Connected and greeted: what waits can be sent now.
    fn welcome(&self);
    /// The connection is gone: what was on its way may not have arrived.
    fn lost(&self);
    /// A frame has come.
    fn receive(&self, frame: ServerFrame);
}

/// A cheap-to-clone handle on the loop.
#[derive(Clone)]
pub(super) struct Live {
    happenings: UnboundedSender<Happening>,
}

/// Everything that the loop hears of.
enum Happening {
    Opened,
    Received(String),
    Lost {
        code: u16,
    },
    Tick,
    /// The network is there again, the page is seen again, or somebody cannot wait.
    Wake,
    Offline,
    Send(ClientFrame),
    /// The page goes elsewhere.
    Close,
}

impl Live {
    /// Connects to a room, until it is closed.
    pub(super) fn start(room: &RoomName, epoch: &Epoch, username: Option<&str>, listener: impl Listener) -> Self {
        let (happenings, happened) = unbounded();
        let live = Self { happenings };
        let name = username.map(|name| format!("&username={}", encode_segment(name))).unwrap_or_default();
        let url = format!("{}?epoch={epoch}{name}", browser::socket_address(room));
        let connection = Connection {
            live: live.clone(),
            listener,
            url,
            socket: None,
            state: State::Idle,
            backoff: Backoff::default(),
        };
        let of_window = [
            ("online", (|| Happening::Wake) as fn() -> Happening),
            ("offline", || Happening::Offline),
            ("visibilitychange", || Happening::Wake),
        ];
        let listening = of_window.map(|(event, happening)| {
            let tell = live.clone();
            window_event_listener_untyped(event, move |_| tell.tell(happening()))
        });
        let tick = live.clone();
        let ticking = set_interval_with_handle(move || tick.tell(Happening::Tick), TICK);
        leptos::task::spawn_local(async move {
            connection.run(happened).await;
            listening.into_iter().for_each(|handle| handle.remove());
            let _ = ticking.map(|handle| handle.clear());
        });
        live
    }

    /// Leaves the room.
    pub(super) fn close(&self) {
        self.tell(Happening::Close);
    }

    /// Sends a frame, if there is a connection; what must not be lost waits in the outbox.
    pub(super) fn send(&self, frame: ClientFrame) {
        self.tell(Happening::Send(frame));
    }

    /// Tries to connect now rather than later.
    pub(super) fn wake(&self) {
        self.tell(Happening::Wake);
    }

    fn tell(&self, happening: Happening) {
        // Once the room is left, nothing happens any more.
        let _ = self.happenings.unbounded_send(happening);
    }
}

struct Connection<L> {
    live: Live,
    listener: L,
    url: String,
    socket: Option<Socket>,
    state: State,
    backoff: Backoff,
}

/// Where the connection stands; times are in milliseconds of [`now`].
enum State {
    Idle,
    Connecting { since: f64 },
    Live { heard: f64, spoke: f64 },
    Waiting { until: f64 },
    Closed,
}

impl State {
    /// Somebody may have set the clock back: nothing has happened after `now`, and nobody waits longer than the longest.
    fn check(&mut self, now: f64) {
        match self {
            Self::Connecting { since } => *since = since.min(now),
            Self::Live { heard, spoke } => (*heard, *spoke) = (heard.min(now), spoke.min(now)),
            Self::Waiting { until } => *until = until.min(now + LONGEST_WAIT),
            Self::Idle | Self::Closed => {}
        }
    }
}

impl<L: Listener> Connection<L> {
    async fn run(mut self, mut happened: UnboundedReceiver<Happening>) {
        self.connect();
        while let Some(happening) = happened.next().await {
            match happening {
                Happening::Opened => self.state = State::Live { heard: now(), spoke: now() },
                Happening::Received(text) => self.receive(&text),
                Happening::Lost { code } => self.lost(code),
                Happening::Tick => self.tick(),
                Happening::Wake => self.wake(),
                Happening::Offline => self.lost(0),
                Happening::Send(frame) => self.send(&frame),
                Happening::Close => break,
            }
        }
    }

    fn connect(&mut self) {
        self.listener.status(ConnectionStatus::Connecting);
        self.state = State::Connecting { since: now() };
        let url = format!("{}&after={}", self.url, self.listener.position());
        self.socket = Socket::open(&url, &self.live);
        if self.socket.is_none() {
            self.lost(0);
        }
    }

    fn receive(&mut self, text: &str) {
        if let State::Live { heard, .. } = &mut self.state {
            *heard = now();
        }
        match ServerFrame::parse(text) {
            Some(ServerFrame::Welcome { .. }) => {
                self.backoff.welcome(now());
                self.listener.status(ConnectionStatus::Live);
                self.listener.welcome();
            }
            Some(frame) => self.listener.receive(frame),
            None => {}
        }
    }

    fn lost(&mut self, code: u16) {
        self.socket = None;
        self.listener.lost();
        match self.state {
            State::Closed => return,
            _ if (4500..5000).contains(&code) => {
                self.state = State::Closed;
                return self.listener.status(ConnectionStatus::Closed(code));
            }
            _ => {}
        }
        let wait = self.backoff.lose(now(), js_sys::Math::random());
        // What the device says may be wrong: the server may be on this very machine.
        let wait = if browser::is_online() { wait } else { LONGEST_WAIT };
        self.state = State::Waiting { until: now() + wait };
        self.show_waiting();
    }

    fn tick(&mut self) {
        let (now, silence) = (now(), f64::from(SILENCE_MS));
        self.state.check(now);
        match &mut self.state {
            State::Connecting { since } if now - *since > silence => self.lost(0),
            State::Live { heard, .. } if now - *heard > silence => self.lost(0),
            State::Live { spoke, .. } if now - *spoke >= f64::from(HEARTBEAT_MS) => {
                *spoke = now;
                self.send(&ClientFrame::Heartbeat);
            }
            State::Waiting { until } if now >= *until => self.connect(),
            State::Waiting { .. } => self.show_waiting(),
            _ => {}
        }
    }

    fn wake(&mut self) {
        if matches!(self.state, State::Waiting { .. }) {
            self.connect();
        }
    }

    fn show_waiting(&self) {
        let State::Waiting { until } = self.state else { return };
        let seconds = ((until - now()) / 1000.0).ceil().max(1.0) as u32;
        let online = browser::is_online();
        self.listener.status(if online { ConnectionStatus::Waiting(seconds) } else { ConnectionStatus::Offline });
    }

    fn send(&self, frame: &ClientFrame) {
        if let (State::Live { .. }, Some(socket)) = (&self.state, &self.socket) {
            socket.send(&frame.encode());
        }
    }
}

/// A WebSocket with its listeners; closed and deaf once it is dropped.
struct Socket {
    socket: WebSocket,
    _opened: Closure<dyn FnMut()>,
    _received: Closure<dyn FnMut(MessageEvent)>,
    _closed: Closure<dyn FnMut(CloseEvent)>,
}

impl Socket {
    fn open(url: &str, live: &Live) -> Option<Self> {
        let socket = WebSocket::new(url).ok()?;
        let tell = live.clone();
        let opened = Closure::<dyn FnMut()>::new(move || tell.tell(Happening::Opened));
        socket.set_onopen(Some(opened.as_ref().unchecked_ref()));
        let tell = live.clone();
        let received = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(text) = event.data().as_string() {
                tell.tell(Happening::Received(text));
            }
        });
        socket.set_onmessage(Some(received.as_ref().unchecked_ref()));
        let tell = live.clone();
        let closed = Closure::<dyn FnMut(CloseEvent)>::new(move |event: CloseEvent| {
            tell.tell(Happening::Lost { code: event.code() });
        });
        socket.set_onclose(Some(closed.as_ref().unchecked_ref()));
        Some(Self { socket, _opened: opened, _received: received, _closed: closed })
    }

    fn send(&self, text: &str) {
        // A socket that is closing says so by itself.
        let _ = self.socket.send_with_str(text);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        let _ = self.socket.close();
    }
}
