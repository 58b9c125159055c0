//! Takeover of a TCP connection: once the response to a request is sent, its handler continues on the connection
//! without HTTP. WebSockets and event streams begin this way.

use crate::server::sync::lock;
use axum::body::Bytes;
use std::sync::{Arc, Mutex};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// A TCP connection that was taken over, and the bytes that were read from it beyond the request.
#[derive(Debug)]
pub struct TakenConnection {
    /// The connection.
    pub stream: TcpStream,
    /// The bytes after the request.
    pub read: Bytes,
}

/// Handle in a request's extensions by which its handler can take over the connection.
#[derive(Clone, Debug, Default)]
pub struct Takeover(Arc<Mutex<Option<oneshot::Sender<TakenConnection>>>>);

/// Marker in a response's extensions: the response is only a head, and whatever follows is written by its handler. The
/// body of such a response must not be buffered.
#[derive(Clone, Copy, Debug)]
pub struct HeadOnly;

impl Takeover {
    /// Requests the connection. The receiver gets it once the response is sent, or an error if the client is gone by
    /// then.
    pub fn claim(&self) -> oneshot::Receiver<TakenConnection> {
        let (sender, receiver) = oneshot::channel();
        *lock(&self.0) = Some(sender);
        receiver
    }

    /// Returns the sender for the handler that has claimed the connection, if any.
    pub(crate) fn take(&self) -> Option<oneshot::Sender<TakenConnection>> {
        lock(&self.0).take()
    }
}
