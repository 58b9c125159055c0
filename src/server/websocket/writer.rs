//! The writing half of a connection, shared by the connection itself and by whoever delivers to it.

use super::frame::TextFrame;
use axum::body::Bytes;
use std::collections::VecDeque;
use std::io::{ErrorKind, IoSlice, Result};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// How many pieces go out in one write.
const MAX_WRITE_SLICES: usize = 64;

/// The writing half of a connection. What is written never waits: what the socket does not take now stays here, and the
/// connection writes it later.
#[derive(Debug)]
pub struct SocketWriter {
    pub(super) stream: TcpStream,
    queue: Mutex<WriteQueue>,
    notify: Notify,
}

#[derive(Debug, Default)]
struct WriteQueue {
    frames: VecDeque<Bytes>,
    /// The socket took no more the last time.
    blocked: bool,
    /// Nothing is said after a goodbye.
    closed: bool,
}

impl SocketWriter {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, queue: Mutex::default(), notify: Notify::new() }
    }

    /// Writes `frames` at once, if nothing waits. Returns whether they are on their way: if not, nothing has happened.
    pub(crate) fn try_write(&self, frames: &Bytes) -> bool {
        let mut waiting = self.queue();
        if waiting.closed || waiting.blocked || !waiting.frames.is_empty() {
            return false;
        }
        match self.stream.try_write(frames) {
            Ok(written) if written == frames.len() => true,
            Ok(written) => {
                waiting.blocked = true;
                waiting.frames.push_back(frames.slice(written..));
                self.notify();
                true
            }
            // What is wrong with it, the connection will find.
            Err(_) => false,
        }
    }

    /// Puts `frames` behind what waits; the connection writes them at the end of its turn.
    pub(crate) fn enqueue(&self, frames: Bytes) {
        let mut waiting = self.queue();
        if !waiting.closed {
            waiting.frames.push_back(frames);
        }
    }

    /// Puts `frames` behind what waits. Their bytes are shared, not copied.
    pub(crate) fn queue_all(&self, frames: &[TextFrame]) {
        let mut waiting = self.queue();
        if !waiting.closed {
            waiting.frames.extend(frames.iter().map(|frame| frame.bytes().clone()));
        }
    }

    /// The last that is said.
    pub(super) fn enqueue_close(&self, frame: Bytes) {
        self.enqueue(frame);
        self.queue().closed = true;
    }

    /// Writes as much of what waits as the socket takes. Returns whether that is all.
    pub(crate) fn flush(&self) -> Result<bool> {
        let mut waiting = self.queue();
        waiting.blocked = false;
        while !waiting.frames.is_empty() {
            let pieces: Vec<IoSlice> =
                waiting.frames.iter().take(MAX_WRITE_SLICES).map(|piece| IoSlice::new(piece)).collect();
            match self.stream.try_write_vectored(&pieces) {
                Ok(written) => waiting.advance(written),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    waiting.blocked = true;
                    return Ok(false);
                }
                Err(error) => return Err(error),
            }
        }
        // What was queued once is not kept room for.
        waiting.frames = VecDeque::new();
        Ok(true)
    }

    /// Whether the socket takes no more for now.
    pub(crate) fn is_blocked(&self) -> bool {
        self.queue().blocked
    }

    /// Waits until the socket may take more.
    pub(crate) async fn writable(&self) -> Result<()> {
        self.stream.writable().await
    }

    /// Has the connection look for what is to be done.
    pub(crate) fn notify(&self) {
        self.notify.notify_one();
    }

    /// Waits for [`Self::stir`], also for one that came before.
    pub(crate) async fn notified(&self) {
        self.notify.notified().await;
    }

    fn queue(&self) -> MutexGuard<'_, WriteQueue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WriteQueue {
    /// Lets go of what was written.
    fn advance(&mut self, mut written: usize) {
        while let Some(first) = self.frames.front_mut() {
            if written < first.len() {
                return drop(first.split_to(written));
            }
            written -= first.len();
            self.frames.pop_front();
        }
    }
}
