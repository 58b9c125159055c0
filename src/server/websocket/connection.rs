//! One WebSocket: read from by one task, written to by whoever has its [`Wire`], closed with a goodbye.

use super::decoder::{DecodedMessage, Decoder, ProtocolError};
use super::frame;
use super::writer::SocketWriter;
use std::io::ErrorKind;
use std::net::Shutdown;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How much is read at once.
const READ_BUFFER_BYTES: usize = 4 << 10;

/// How long a goodbye may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// How many bytes of a client are read, and thrown away, after the goodbye.
const LEFTOVER: usize = 256 << 10;

/// The share of a task's cooperative budget (128) that one read or message takes: after a few of them the task lets
/// others run, and its timers are looked at.
const SHARE: usize = 16;

/// What a client has sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// A text.
    Text(String),
    /// Something else than a text.
    Binary(Vec<u8>),
    /// A ping, which is answered already, or a pong.
    Control,
    /// A part of a message that does not end it.
    Part,
}

/// The work of reading from a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Reads and frames.
    pub steps: u32,
    /// Bytes.
    pub bytes: u32,
}

/// Why nothing more comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// The client has said goodbye, or has gone without.
    Closed,
    /// It has broken a rule.
    Protocol(ProtocolError),
}

/// An open WebSocket.
#[derive(Debug)]
pub struct WebSocket {
    writer: Arc<SocketWriter>,
    decoder: Decoder,
    usage: Usage,
    /// The client has said goodbye.
    closed: bool,
}

impl WebSocket {
    pub(super) fn new(stream: TcpStream, longest: usize, read: Vec<u8>) -> Self {
        // Whoever read from it before would be woken at the next byte, and is kept in memory until then.
        let _ = stream.poll_read_ready(&mut Context::from_waker(Waker::noop()));
        let (wire, decoder) = (Arc::new(SocketWriter::new(stream)), Decoder::new(longest, read));
        Self { writer: wire, decoder, usage: Usage::default(), closed: false }
    }

    /// The writing half.
    pub fn writer(&self) -> &Arc<SocketWriter> {
        &self.writer
    }

    /// Returns the work of reading since this was last called.
    pub fn take_usage(&mut self) -> Usage {
        let mut usage = std::mem::take(&mut self.usage);
        usage.steps += self.decoder.take_frames();
        usage
    }

    /// The next message, or [`Received::Part`] after a read that brings none. Pings and goodbyes are answered: the answer
    /// waits in the [`Wire`]. Cancelling it loses nothing. Spends the task's budget, so a client that sends without end
    /// does not keep the task from yielding.
    pub async fn receive(&mut self) -> Result<Received, ReadError> {
        for reads in [true, false] {
            if self.decoder.has_bytes() {
                spend_budget().await;
            }
            match self.decoder.next().map_err(ReadError::Protocol)? {
                Some(DecodedMessage::Text(text)) => return Ok(Received::Text(text)),
                Some(DecodedMessage::Binary(bytes)) => return Ok(Received::Binary(bytes)),
                Some(DecodedMessage::Pong) => return Ok(Received::Control),
                Some(DecodedMessage::Ping(payload)) => {
                    // Whoever receives next has flushed this one: no two answers wait.
                    self.writer.enqueue(frame::pong(&payload));
                    return Ok(Received::Control);
                }
                Some(DecodedMessage::Close(code)) => {
                    self.closed = true;
                    self.writer.enqueue_close(frame::close(code, ""));
                    return Err(ReadError::Closed);
                }
                None if reads => self.read().await?,
                None => {}
            }
        }
        Ok(Received::Part)
    }

    async fn read(&mut self) -> Result<(), ReadError> {
        loop {
            self.writer.stream.readable().await.map_err(|_| ReadError::Closed)?;
            // Neither readiness nor a read spends the budget by itself.
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

    /// Waits until the socket has taken what waits to be written.
    pub async fn flush(&mut self) -> std::io::Result<()> {
        flush_all(&self.writer).await
    }

    /// Writes a text, and waits until the socket has taken it.
    pub async fn send(&mut self, message: &str) -> std::io::Result<()> {
        self.writer.enqueue(frame::TextFrame::new(message).bytes().clone());
        flush_all(&self.writer).await
    }

    /// Writes what is not text, and waits until the socket has taken it.
    pub async fn send_binary(&mut self, message: &[u8]) -> std::io::Result<()> {
        self.writer.enqueue(frame::binary(message));
        flush_all(&self.writer).await
    }

    /// Says goodbye, unless that is an answer which waits already, and gives the other side a moment to go.
    pub async fn close(self, code: u16, reason: &str) {
        if !self.closed {
            self.writer.enqueue_close(frame::close(Some(code), reason));
        }
        let goodbye = async {
            flush_all(&self.writer).await?;
            // The end of RFC 6455, section 7.1.1: what still comes is read, or the goodbye may be lost with it.
            socket2::SockRef::from(&self.writer.stream).shutdown(Shutdown::Write)?;
            let (mut unread, mut leftover) = (vec![0; READ_BUFFER_BYTES], 0);
            while leftover < LEFTOVER {
                self.writer.stream.readable().await?;
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
        let _ = timeout(CLOSE_TIMEOUT, goodbye).await;
    }
}

async fn flush_all(wire: &SocketWriter) -> std::io::Result<()> {
    while !wire.flush()? {
        wire.writable().await?;
        spend_budget().await;
    }
    Ok(())
}

/// Spends a share of the task's budget; yields to other tasks once it is used up.
async fn spend_budget() {
    for _ in 0..SHARE {
        tokio::task::coop::consume_budget().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Wake;
    use tokio::net::TcpListener;

    struct Task;

    impl Wake for Task {
        fn wake(self: Arc<Self>) {}
    }

    #[tokio::test]
    async fn whoever_read_before_is_let_go() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let task = Arc::new(Task);
        // It may count as ready until it was tried.
        while stream.poll_read_ready(&mut Context::from_waker(&task.clone().into())).is_ready() {
            assert!(stream.try_read(&mut [0]).is_err());
        }
        assert_eq!(Arc::strong_count(&task), 2);
        let _socket = WebSocket::new(stream, 1, Vec::new());
        assert_eq!(Arc::strong_count(&task), 1);
    }
}
