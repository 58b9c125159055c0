//! The connection to the server: the browser's WebSocket or, where the network lets none through, an exchange of the same
//! frames by HTTP. The only file that touches their APIs.

use crate::api::post_form;
use crate::domain::room::encode_segment;
use leptos::prelude::set_timeout;
use leptos::task::spawn_local;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;
use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::{CloseEvent, MessageEvent, WebSocket};

/// Number of sockets in a row that have failed before anything was received, from which on HTTP is tried as well.
const MAX_FAILED_SOCKETS: u32 = 2;

/// Time after which a socket that neither opens nor fails counts as failed; the second one where others have failed
/// before.
const DIAL_TIMEOUTS: [Duration; 2] = [Duration::from_secs(8), Duration::from_secs(4)];

/// Interval at which new events are requested.
const POLL_INTERVAL: Duration = Duration::from_secs(3);

/// Number of polls after which a socket is tried again: once a minute.
const POLLS_PER_DIAL: u32 = 20;

/// Close codes that the server, and no network in between, gives to a connection that has received nothing.
const SERVER_CLOSE_CODES: [std::ops::Range<u16>; 2] = [1012..1014, 4000..5000];

thread_local! {
    static FAILED_SOCKETS: Cell<u32> = const { Cell::new(0) };
    static IS_LIMITED: Cell<bool> = const { Cell::new(false) };
}

/// Returns whether the last connection exchanges frames by HTTP.
pub(crate) fn is_limited() -> bool {
    IS_LIMITED.get()
}

/// An event of the connection.
pub(super) enum SocketEvent {
    /// The connection is open.
    Opened,
    /// A text message has arrived.
    Received(String),
    /// The connection was closed or could not be opened.
    Closed {
        /// The close code, as in RFC 6455, section 7.4.
        code: u16,
    },
}

/// A connection. Dropping it closes it: nothing is dispatched any more.
pub(super) struct BrowserSocket {
    socket: WebSocket,
    exchange: Rc<Exchange>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_close: Closure<dyn FnMut(CloseEvent)>,
}

impl BrowserSocket {
    /// Opens a connection that reports its events to `dispatch`. Returns `None` if the browser refuses the URL.
    pub(super) fn open(url: &str, dispatch: impl Fn(SocketEvent) + 'static) -> Option<Self> {
        let socket = WebSocket::new(url).ok()?;
        let exchange = Rc::new(Exchange {
            url: url.to_owned(),
            phase: Cell::new(SocketPhase::Dialing),
            after: RefCell::default(),
            dispatch: Box::new(dispatch),
        });
        let link = exchange.clone();
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(text) = event.data().as_string() {
                link.on_socket_message(text);
            }
        });
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        let link = exchange.clone();
        let on_close =
            Closure::<dyn FnMut(CloseEvent)>::new(move |event: CloseEvent| link.on_socket_close(event.code()));
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        let link = exchange.clone();
        let is_late = move || {
            if link.phase.get() == SocketPhase::Dialing {
                link.on_socket_close(0);
            }
        };
        set_timeout(is_late, DIAL_TIMEOUTS[usize::from(FAILED_SOCKETS.get() >= MAX_FAILED_SOCKETS)]);
        Some(Self { socket, exchange, _on_message: on_message, _on_close: on_close })
    }

    /// Sends a text message.
    pub(super) fn send(&self, text: &str) {
        if self.exchange.phase.get() == SocketPhase::Polling {
            self.exchange.clone().request(format!("&frame={}", encode_segment(text)), 0);
        } else {
            // A socket that is closing reports that by its close event.
            let _ = self.socket.send_with_str(text);
        }
    }
}

impl Drop for BrowserSocket {
    fn drop(&mut self) {
        if self.exchange.phase.replace(SocketPhase::Closed) == SocketPhase::Dialing {
            FAILED_SOCKETS.set(FAILED_SOCKETS.get() + 1);
        }
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        let _ = self.socket.close();
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SocketPhase {
    /// The socket has received nothing yet.
    Dialing,
    /// The socket has received something.
    Open,
    /// Frames are exchanged by HTTP, or that is tried.
    Polling,
    Closed,
}

/// The shared part of a connection, and its exchange by HTTP.
struct Exchange {
    /// The URL of the socket. Its path and query name the room and the client's position.
    url: String,
    phase: Cell<SocketPhase>,
    /// The position after the last response; empty before the first one.
    after: RefCell<String>,
    dispatch: Box<dyn Fn(SocketEvent)>,
}

impl Exchange {
    fn on_socket_message(&self, text: String) {
        if self.phase.replace(SocketPhase::Open) != SocketPhase::Open {
            FAILED_SOCKETS.set(0);
            IS_LIMITED.set(false);
            (self.dispatch)(SocketEvent::Opened);
        }
        (self.dispatch)(SocketEvent::Received(text));
    }

    fn on_socket_close(self: &Rc<Self>, code: u16) {
        match self.phase.get() {
            SocketPhase::Dialing if !SERVER_CLOSE_CODES.iter().any(|codes| codes.contains(&code)) => {
                FAILED_SOCKETS.set(FAILED_SOCKETS.get() + 1);
                if FAILED_SOCKETS.get() > MAX_FAILED_SOCKETS { self.start_polling(code) } else { self.close(code) }
            }
            SocketPhase::Dialing | SocketPhase::Open => self.close(code),
            SocketPhase::Polling | SocketPhase::Closed => {}
        }
    }

    fn close(&self, code: u16) {
        if self.phase.replace(SocketPhase::Closed) != SocketPhase::Closed {
            (self.dispatch)(SocketEvent::Closed { code });
        }
    }

    /// Exchanges frames by HTTP if the socket has received nothing. If that fails too, closes with this code.
    fn start_polling(self: &Rc<Self>, code: u16) {
        if self.phase.get() == SocketPhase::Dialing {
            self.phase.set(SocketPhase::Polling);
            self.clone().request("&welcome=".to_owned(), code);
            self.clone().poll_later(1);
        }
    }

    fn poll_later(self: Rc<Self>, polls: u32) {
        let poll = move || {
            if self.phase.get() == SocketPhase::Polling {
                self.clone().request(String::new(), 0);
                if polls.is_multiple_of(POLLS_PER_DIAL) {
                    self.dial_again();
                }
                self.poll_later(polls + 1);
            }
        };
        set_timeout(poll, POLL_INTERVAL);
    }

    /// Ends the exchange if a socket opens.
    fn dial_again(self: &Rc<Self>) {
        if let Ok(socket) = WebSocket::new(&self.url) {
            let (link, dialed) = (self.clone(), socket.clone());
            let on_message = Closure::once_into_js(move || {
                let _ = dialed.close();
                link.close(0);
            });
            socket.set_onmessage(Some(on_message.unchecked_ref()));
        }
    }

    /// Sends a request with these further arguments, and dispatches the frames of the response.
    fn request(self: Rc<Self>, more: String, code: u16) {
        spawn_local(async move {
            let (_, path) = self.url.split_once("/ws/").unwrap_or_default();
            let (room, query) = path.split_once("/?").unwrap_or((path.trim_end_matches('/'), ""));
            let after = self.after.borrow().clone();
            let query = if after.is_empty() { query } else { query.split("&after=").next().unwrap_or_default() };
            let after = if after.is_empty() { after } else { format!("&after={after}") };
            let response = post_form("/api/exchange", format!("room_name={room}&{query}{after}{more}")).await;
            if self.phase.get() != SocketPhase::Polling {
                return;
            }
            let Some((position, frames)) = response.as_deref().and_then(|text| text.split_once('\n')) else {
                return self.close(code);
            };
            if let Some(code) = position.strip_prefix('-').and_then(|code| code.parse().ok()) {
                return self.close(code);
            }
            if self.after.replace(position.to_owned()).is_empty() {
                IS_LIMITED.set(true);
                (self.dispatch)(SocketEvent::Opened);
            }
            for frame in frames.lines() {
                (self.dispatch)(SocketEvent::Received(frame.to_owned()));
            }
        });
    }
}
