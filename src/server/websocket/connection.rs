//! A WebSocket connection. One task reads from it, every holder of its [`SocketWriter`] can write to it, and it ends
//! with a close frame.

use super::decoder::{DecodedMessage, Decoder, ProtocolError};
use super::frame;
use super::frame_encoding::FrameEncoding;
use super::writer::SocketWriter;
use crate::server::unread_timeout::{UNREAD_TIMEOUT, set_unread_timeout};
use std::future::poll_fn;
use std::io::ErrorKind;
use std::net::Shutdown;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Size of one read, in bytes.
const READ_BUFFER_BYTES: usize = 4 << 10;

/// Maximum time for the closing handshake.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Maximum number of bytes that are read and discarded after the close frame.
const MAX_DISCARDED_BYTES: usize = 256 << 10;

/// Share of a task's cooperative budget (128) that one read or message costs. After a few of them the task yields to
/// others and checks its timers.
const READ_COST: usize = 16;

/// A message from a client.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// A ping, which is already answered, or a pong.
    Control,
    /// A fragment that does not complete a message.
    Part,
}

/// Cost of reading from a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Number of reads and frames.
    pub steps: u32,
    /// Number of bytes.
    pub bytes: u32,
}

/// Reason why no further message can be received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// The client has closed the connection, with or without a close frame.
    Closed,
    /// The client has violated the protocol.
    Protocol(ProtocolError),
}

/// An open WebSocket.
#[derive(Debug)]
pub struct WebSocket {
    writer: Arc<SocketWriter>,
    decoder: Decoder,
    usage: Usage,
    /// Whether the client has sent a close frame.
    closed: bool,
}

impl WebSocket {
    pub(super) fn new(stream: TcpStream, longest: usize, read: Vec<u8>) -> Self {
        // Replaces the waker of the previous reader, which would otherwise be woken at the next byte and kept in memory
        // until then.
        let _ = stream.poll_read_ready(&mut Context::from_waker(Waker::noop()));
        // Whoever holds the socket limits how long it may be blocked, and closes it with a reason. Linux may count its
        // own limit from an earlier time without room, and then drops a client at once that reads on.
        set_unread_timeout(&stream, None);
        let (writer, decoder) =
            (Arc::new(SocketWriter::new(stream, FrameEncoding::WebSocket)), Decoder::new(longest, read));
        Self { writer, decoder, usage: Usage::default(), closed: false }
    }

    /// Returns the writing half.
    pub fn writer(&self) -> &Arc<SocketWriter> {
        &self.writer
    }

    /// Returns the cost of reading since the last call.
    pub fn take_usage(&mut self) -> Usage {
        let mut usage = std::mem::take(&mut self.usage);
        usage.steps += self.decoder.take_frames();
        usage
    }

    /// Returns the next message, or [`Received::Part`] after a read that completes none. Queues answers to pings and
    /// close frames in the [`SocketWriter`]. Cancel safe. Spends the task's budget, so that the task yields even if a
    /// client sends without pause.
    ///
    /// # Errors
    ///
    /// Returns the reason why no further message comes: the peer has closed, the connection is lost, or the peer
    /// violates the protocol.
    pub async fn receive(&mut self) -> Result<Received, ReadError> {
        if let Some(message) = self.decode().await? {
            return self.take(message);
        }
        self.read().await?;
        match self.decode().await? {
            Some(message) => self.take(message),
            None => Ok(Received::Part),
        }
    }

    /// Decodes the next message of the bytes that were read, or returns `None` if they complete none.
    async fn decode(&mut self) -> Result<Option<DecodedMessage>, ReadError> {
        if self.decoder.has_bytes() {
            spend_budget().await;
        }
        self.decoder.next().map_err(ReadError::Protocol)
    }

    fn take(&mut self, message: DecodedMessage) -> Result<Received, ReadError> {
        match message {
            DecodedMessage::Text(text) => Ok(Received::Text(text)),
            DecodedMessage::Binary(bytes) => Ok(Received::Binary(bytes)),
            DecodedMessage::Pong => Ok(Received::Control),
            DecodedMessage::Ping(payload) => {
                self.writer.enqueue(frame::pong(&payload));
                Ok(Received::Control)
            }
            DecodedMessage::Close(code) => {
                self.closed = true;
                self.writer.enqueue_close(frame::close(code, ""));
                Err(ReadError::Closed)
            }
        }
    }

    async fn read(&mut self) -> Result<(), ReadError> {
        loop {
            self.readable().await.map_err(|_| ReadError::Closed)?;
            // Neither readiness nor a read spends the budget.
            spend_budget().await;
            let buffer = self.decoder.buffer();
            buffer.reserve(READ_BUFFER_BYTES);
            match self.writer.stream.try_read_buf(buffer) {
                Ok(0) => return Err(ReadError::Closed),
                Ok(read) => {
                    self.usage.steps += 1;
                    self.usage.bytes += read as u32;
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.decoder.release_buffer(),
                Err(_) => return Err(ReadError::Closed),
            }
        }
    }

    /// Waits until the socket may be readable. The socket itself holds the waker, which makes the future small.
    async fn readable(&self) -> std::io::Result<()> {
        poll_fn(|context| self.writer.stream.poll_read_ready(context)).await
    }

    /// Waits until the socket has accepted all queued bytes.
    ///
    /// # Errors
    ///
    /// Returns an error if the connection is lost.
    pub async fn flush(&mut self) -> std::io::Result<()> {
        self.writer.flush_all().await
    }

    /// Writes a text message, and waits until the socket has accepted it.
    ///
    /// # Errors
    ///
    /// Returns an error if the connection is lost.
    pub async fn send(&mut self, message: &str) -> std::io::Result<()> {
        self.writer.enqueue(frame::TextFrame::new(message).bytes().clone());
        self.writer.flush_all().await
    }

    /// Writes a binary message, and waits until the socket has accepted it.
    ///
    /// # Errors
    ///
    /// Returns an error if the connection is lost.
    pub async fn send_binary(&mut self, message: &[u8]) -> std::io::Result<()> {
        self.writer.enqueue(frame::binary(message));
        self.writer.flush_all().await
    }

    /// Sends a close frame, unless the answer to the client's is already queued, and waits briefly for the client to
    /// close.
    pub async fn close(self, code: u16, reason: &str) {
        if !self.closed {
            self.writer.enqueue_close(frame::close(Some(code), reason));
        }
        let close_frame = async {
            self.writer.flush_all().await?;
            // RFC 6455, section 7.1.1: remaining bytes are read, or else the close frame may be lost with them.
            socket2::SockRef::from(&self.writer.stream).shutdown(Shutdown::Write)?;
            let (mut unread, mut leftover) = (vec![0; READ_BUFFER_BYTES], 0);
            while leftover < MAX_DISCARDED_BYTES {
                self.readable().await?;
                spend_budget().await;
                match self.writer.stream.try_read(&mut unread) {
                    Ok(0) => break,
                    Ok(read) => leftover += read,
                    Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
                    Err(_) => {}
                }
            }
            Ok(())
        };
        let _ = timeout(CLOSE_TIMEOUT, close_frame).await;
        set_unread_timeout(&self.writer.stream, Some(UNREAD_TIMEOUT));
    }
}

/// Spends a share of the task's budget, and yields to other tasks once it is used up.
async fn spend_budget() {
    for _ in 0..READ_COST {
        tokio::task::coop::consume_budget().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Wake;
    use tokio::net::TcpListener;

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn an_open_socket_is_not_dropped_by_the_kernel() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        set_unread_timeout(&stream, Some(Duration::from_secs(1)));
        let socket = WebSocket::new(stream, 1, Vec::new());
        assert_eq!(socket2::SockRef::from(&socket.writer.stream).tcp_user_timeout().unwrap(), None);
    }

    struct Task;

    impl Wake for Task {
        fn wake(self: Arc<Self>) {}
    }

    #[tokio::test]
    async fn a_new_reader_releases_the_previous_waker() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let task = Arc::new(Task);
        // The stream may be marked as ready until a read was tried.
        while stream.poll_read_ready(&mut Context::from_waker(&task.clone().into())).is_ready() {
            assert!(stream.try_read(&mut [0]).is_err());
        }
        assert_eq!(Arc::strong_count(&task), 2);
        let _socket = WebSocket::new(stream, 1, Vec::new());
        assert_eq!(Arc::strong_count(&task), 1);
    }
}
