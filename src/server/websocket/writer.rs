//! The writing half of a connection, shared by the connection and by the fan-out task that delivers to it.

use super::frame::TextFrame;
use super::frame_encoding::FrameEncoding;
use crate::server::sync::lock;
use axum::body::Bytes;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{ErrorKind, IoSlice, Result};
use std::sync::{Mutex, MutexGuard};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::coop::consume_budget;

/// Maximum number of slices per vectored write.
const MAX_WRITE_SLICES: usize = 64;

/// The writing half of a connection. Writes never wait: bytes that the socket does not accept are queued, and the
/// connection writes them later.
#[derive(Debug)]
pub struct SocketWriter {
    pub(super) stream: TcpStream,
    encoding: FrameEncoding,
    queue: Mutex<WriteQueue>,
    notify: Notify,
}

/// Result of writing the queued frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FlushResult {
    /// All are written.
    Written,
    /// All are written, after a time in which [`SocketWriter::try_write`] may have refused further frames.
    Unblocked,
    /// The socket does not accept the rest for now.
    Blocked,
}

#[derive(Debug, Default)]
struct WriteQueue {
    frames: VecDeque<Bytes>,
    /// Size of the queued frames, in bytes.
    bytes: usize,
    /// Whether the socket was not writable at the last write.
    blocked: bool,
    /// Whether a close frame was queued. Nothing is sent after it.
    closed: bool,
}

impl SocketWriter {
    pub(super) fn new(stream: TcpStream, encoding: FrameEncoding) -> Self {
        Self { stream, encoding, queue: Mutex::default(), notify: Notify::new() }
    }

    /// Returns the encoding of the frames on this connection.
    pub(crate) fn encoding(&self) -> FrameEncoding {
        self.encoding
    }

    /// Tries to write `frames` immediately. Returns `false`, without side effects, if other frames are queued or the
    /// socket is not writable. A partial write queues the rest and returns `true`.
    pub(crate) fn try_write(&self, frames: &Bytes) -> bool {
        let mut waiting = self.queue();
        if waiting.closed || waiting.blocked || !waiting.frames.is_empty() {
            return false;
        }
        if frames.is_empty() {
            return true;
        }
        match self.stream.try_write(frames) {
            Ok(written) if written == frames.len() => true,
            Ok(written) => {
                waiting.blocked = true;
                waiting.push(frames.slice(written..));
                self.notify();
                true
            }
            // The connection finds the error at its next read or write.
            Err(_) => false,
        }
    }

    /// Queues a frame, in the encoding of the connection, to be written at the end of its loop iteration.
    pub(crate) fn send(&self, frame: &TextFrame) {
        self.enqueue(self.encoding.encode(frame));
    }

    /// Queues encoded `frames`; the connection writes them at the end of its loop iteration.
    pub(crate) fn enqueue(&self, frames: Bytes) {
        let mut waiting = self.queue();
        if !waiting.closed {
            waiting.push(frames);
        }
    }

    /// Queues `frames`, in the encoding of the connection. The bytes of WebSocket frames are shared, not copied.
    pub(crate) fn queue_all(&self, frames: &[TextFrame]) {
        let mut waiting = self.queue();
        if !waiting.closed {
            frames.iter().for_each(|frame| waiting.push(self.encoding.encode(frame)));
        }
    }

    /// Queues a close frame, which is the last frame.
    pub(super) fn enqueue_close(&self, frame: Bytes) {
        self.enqueue(frame);
        self.queue().closed = true;
    }

    /// Writes as many queued bytes as the socket accepts.
    ///
    /// # Errors
    ///
    /// Returns an error if the connection is lost.
    pub(crate) fn flush(&self) -> Result<FlushResult> {
        let mut waiting = self.queue();
        let was_blocked = std::mem::replace(&mut waiting.blocked, false);
        while !waiting.frames.is_empty() {
            let pieces: Vec<IoSlice> =
                waiting.frames.iter().take(MAX_WRITE_SLICES).map(|piece| IoSlice::new(piece)).collect();
            match self.stream.try_write_vectored(&pieces) {
                Ok(written) => waiting.advance(written),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    waiting.blocked = true;
                    return Ok(FlushResult::Blocked);
                }
                Err(error) => return Err(error),
            }
        }
        // Releases the memory of the queue.
        waiting.frames = VecDeque::new();
        Ok(if was_blocked { FlushResult::Unblocked } else { FlushResult::Written })
    }

    /// Waits until the socket has accepted all queued bytes.
    ///
    /// # Errors
    ///
    /// Returns an error if the connection is lost.
    pub(super) async fn flush_all(&self) -> Result<()> {
        while self.flush()? == FlushResult::Blocked {
            self.writable().await?;
            consume_budget().await;
        }
        Ok(())
    }

    /// Returns whether the socket is not writable for now.
    pub(crate) fn is_blocked(&self) -> bool {
        self.queue().blocked
    }

    /// Returns the size of the queued frames, in bytes.
    pub(crate) fn queued_bytes(&self) -> usize {
        self.queue().bytes
    }

    /// Waits until the socket may be writable. Only one task may wait: the future is small, because the socket itself
    /// holds its waker.
    ///
    /// # Errors
    ///
    /// Returns an error if the connection is lost.
    pub(crate) async fn writable(&self) -> Result<()> {
        poll_fn(|context| self.stream.poll_write_ready(context)).await
    }

    /// Wakes the connection, which checks for pending work.
    pub(crate) fn notify(&self) {
        self.notify.notify_one();
    }

    /// Waits for [`Self::notify`], including a call that preceded this one.
    pub(crate) async fn notified(&self) {
        self.notify.notified().await;
    }

    fn queue(&self) -> MutexGuard<'_, WriteQueue> {
        lock(&self.queue)
    }
}

impl WriteQueue {
    fn push(&mut self, frames: Bytes) {
        if frames.is_empty() {
            return;
        }
        self.bytes += frames.len();
        self.frames.push_back(frames);
    }

    /// Removes written bytes from the queue.
    fn advance(&mut self, mut written: usize) {
        self.bytes -= written;
        while let Some(first) = self.frames.front_mut() {
            if written < first.len() {
                return drop(first.split_to(written));
            }
            written -= first.len();
            self.frames.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    /// Lets the client read everything that has arrived, and flushes.
    fn drain(writer: &SocketWriter, client: &mut std::net::TcpStream) -> FlushResult {
        let mut buffer = vec![0; 1 << 20];
        while client.read(&mut buffer).is_ok_and(|read| read > 0) {}
        writer.flush().unwrap()
    }

    #[tokio::test]
    async fn a_flush_tells_of_frames_that_were_refused_before_it() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.set_read_timeout(Some(std::time::Duration::from_millis(50))).unwrap();
        let writer = SocketWriter::new(listener.accept().await.unwrap().0, FrameEncoding::WebSocket);
        writer.writable().await.unwrap();
        let (large, next) = (Bytes::from(vec![0; 64 << 20]), Bytes::from_static(b"next"));
        assert_eq!(writer.flush().unwrap(), FlushResult::Written);
        assert!(writer.try_write(&large), "a part is written, the rest is queued");
        assert!(!writer.try_write(&next));
        let mut flushed = drain(&writer, &mut client);
        while flushed == FlushResult::Blocked {
            writer.writable().await.unwrap();
            flushed = drain(&writer, &mut client);
        }
        assert_eq!(flushed, FlushResult::Unblocked);
        assert_eq!(writer.flush().unwrap(), FlushResult::Written);
        assert!(writer.try_write(&next));
    }
}
