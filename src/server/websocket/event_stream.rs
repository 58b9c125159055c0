//! The connection of an event stream over HTTP: frames are written to it, and whatever the client sends is ignored.

use super::frame_encoding::FrameEncoding;
use super::takeover::TakenConnection;
use super::writer::SocketWriter;
use crate::server::unread_timeout::set_unread_timeout;
use axum::body::Bytes;
use std::future::poll_fn;
use std::io::ErrorKind;
use std::net::Shutdown;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::time::timeout;

/// Maximum number of bytes that a client may send on the connection of an event stream.
const MAX_IGNORED_BYTES: usize = 64 << 10;

/// Maximum time for the last bytes to be written.
const END_TIMEOUT: Duration = Duration::from_secs(2);

/// An open event stream. Its end is the end of the connection.
#[derive(Debug)]
pub(crate) struct EventStream {
    writer: Arc<SocketWriter>,
    ignored: usize,
}

impl EventStream {
    /// Continues on the connection of a request whose response has the media type of `encoding`.
    pub(crate) fn new(TakenConnection { stream, read }: TakenConnection, encoding: FrameEncoding) -> Self {
        // As for a WebSocket: replaces the waker of the previous reader, and limits blocked writes here.
        let _ = stream.poll_read_ready(&mut Context::from_waker(Waker::noop()));
        set_unread_timeout(&stream, None);
        Self { writer: Arc::new(SocketWriter::new(stream, encoding)), ignored: read.len() }
    }

    /// Returns the writing half.
    pub(crate) fn writer(&self) -> &Arc<SocketWriter> {
        &self.writer
    }

    /// Waits until the client has closed the connection. Cancel safe.
    pub(crate) async fn closed(&mut self) {
        let mut unread = [0; 512];
        while self.ignored < MAX_IGNORED_BYTES {
            if poll_fn(|context| self.writer.stream.poll_read_ready(context)).await.is_err() {
                return;
            }
            tokio::task::coop::consume_budget().await;
            match self.writer.stream.try_read(&mut unread) {
                Ok(0) => return,
                Ok(read) => self.ignored += read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    }

    /// Writes `last`, and closes the connection.
    pub(crate) async fn end(self, last: Bytes) {
        self.writer.enqueue(last);
        let ended = async {
            self.writer.flush_all().await?;
            socket2::SockRef::from(&self.writer.stream).shutdown(Shutdown::Write)
        };
        let _ = timeout(END_TIMEOUT, ended).await;
    }
}
