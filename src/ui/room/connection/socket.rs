//! The browser's WebSocket. The only file that touches its API.

use std::rc::Rc;
use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::{CloseEvent, MessageEvent, WebSocket};

/// An event of the socket.
pub(crate) enum SocketEvent {
    /// A text message has arrived.
    Received(String),
    /// The connection was closed or could not be opened.
    Closed {
        /// The close code, as in RFC 6455, section 7.4.
        code: u16,
    },
}

/// A WebSocket with its event handlers. Dropping it removes the handlers and closes the socket.
pub(crate) struct BrowserSocket {
    socket: WebSocket,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_close: Closure<dyn FnMut(CloseEvent)>,
}

impl BrowserSocket {
    /// Opens a socket that reports its events to `dispatch`. Returns `None` if the browser refuses the URL.
    pub(crate) fn open(url: &str, dispatch: Rc<dyn Fn(SocketEvent)>) -> Option<Self> {
        let socket = WebSocket::new(url).ok()?;
        let to_loop = dispatch.clone();
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(text) = event.data().as_string() {
                to_loop(SocketEvent::Received(text));
            }
        });
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        let on_close = Closure::<dyn FnMut(CloseEvent)>::new(move |event: CloseEvent| {
            dispatch(SocketEvent::Closed { code: event.code() });
        });
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        Some(Self { socket, _on_message: on_message, _on_close: on_close })
    }

    /// Sends a text message.
    pub(crate) fn send(&self, text: &str) {
        // A socket that is closing reports that by its close event.
        let _ = self.socket.send_with_str(text);
    }
}

impl Drop for BrowserSocket {
    fn drop(&mut self) {
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        let _ = self.socket.close();
    }
}
