//! The queue between the server and its log. Writing an entry never waits: a separate thread passes entries on, and
//! entries that do not fit into the queue are lost and counted.

use crate::server::sync::lock;
use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Maximum size of the entries that wait to be written, in bytes. The thread may hold the same amount again.
const MAX_PENDING_BYTES: usize = 1 << 20;

/// Interval between two attempts to write to a full, non-blocking pipe.
const RETRY_INTERVAL: Duration = Duration::from_millis(20);

/// A cheap-to-clone handle to the queue. Each write is one whole entry.
#[derive(Clone, Default)]
pub(super) struct LogQueue(Arc<LogQueueState>);

#[derive(Default)]
struct LogQueueState {
    state: Mutex<LogQueueBuffer>,
    changed: Condvar,
}

#[derive(Default)]
struct LogQueueBuffer {
    pending: Vec<u8>,
    /// Number of entries lost since the thread last checked.
    lost: u64,
    /// Whether the thread is writing.
    writing: bool,
}

impl LogQueue {
    /// Starts the thread that writes to `sink`. Calls `report` with the number of entries that were lost, once entries
    /// can be written again.
    pub(super) fn start(sink: impl Write + Send + 'static, report: impl Fn(u64) + Send + 'static) -> Self {
        let queue = Self::default();
        let shared = queue.0.clone();
        // Without the thread, entries are lost and counted.
        let _ = thread::Builder::new().name("log".to_owned()).spawn(move || shared.pass_on(sink, report));
        queue
    }

    /// Appends an entry, or loses it if the queue is full.
    pub(super) fn push(&self, entry: &[u8]) {
        let mut state = self.0.lock();
        if state.pending.len() + entry.len() > MAX_PENDING_BYTES {
            state.lost += 1;
            metrics::counter!("parlour_log_entries_lost_total").increment(1);
        } else {
            state.pending.extend_from_slice(entry);
        }
        drop(state);
        self.0.changed.notify_all();
    }

    /// Waits until every entry is written, for at most `timeout`.
    pub(super) fn flush(&self, timeout: Duration) {
        let busy = |state: &mut LogQueueBuffer| state.writing || !state.pending.is_empty();
        drop(self.0.changed.wait_timeout_while(self.0.lock(), timeout, busy));
    }
}

impl Write for LogQueue {
    fn write(&mut self, entry: &[u8]) -> io::Result<usize> {
        self.push(entry);
        Ok(entry.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl LogQueueState {
    fn lock(&self) -> MutexGuard<'_, LogQueueBuffer> {
        lock(&self.state)
    }

    fn pass_on(&self, mut sink: impl Write, report: impl Fn(u64)) {
        let mut batch = Vec::new();
        let mut lost = 0;
        loop {
            let mut state = self.lock();
            state.writing = false;
            self.changed.notify_all();
            let idle = |state: &mut LogQueueBuffer| state.pending.is_empty() && state.lost == 0;
            state = self.changed.wait_while(state, idle).unwrap_or_else(PoisonError::into_inner);
            batch.clear();
            std::mem::swap(&mut batch, &mut state.pending);
            lost += std::mem::take(&mut state.lost);
            state.writing = true;
            drop(state);
            let unwritten = write_all(&mut sink, &batch);
            let failed = unwritten.iter().filter(|byte| **byte == b'\n').count() as u64;
            if failed > 0 {
                metrics::counter!("parlour_log_entries_lost_total").increment(failed);
                lost += failed;
            } else if lost > 0 && !batch.is_empty() {
                report(std::mem::take(&mut lost));
            }
        }
    }
}

/// Writes `bytes`, and waits as long as necessary. Returns the bytes that the sink refuses.
fn write_all<'a>(sink: &mut impl Write, mut bytes: &'a [u8]) -> &'a [u8] {
    while !bytes.is_empty() {
        match sink.write(bytes) {
            Ok(0) => break,
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(RETRY_INTERVAL),
            Err(_) => break,
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};

    const LONG: Duration = Duration::from_secs(30);

    /// A sink that accepts or refuses bytes once it is told to.
    struct Gate {
        opens: Receiver<bool>,
        written: Sender<Vec<u8>>,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if !self.opens.recv().unwrap_or(true) {
                return Err(ErrorKind::BrokenPipe.into());
            }
            let _ = self.written.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn entries_that_do_not_fit_are_lost_and_reported() {
        let (open, opens) = channel();
        let (written, writes) = channel();
        let (reported, reports) = channel();
        let queue = LogQueue::start(Gate { opens, written }, move |lost| reported.send(lost).unwrap());
        queue.push(b"first\n");
        // The thread may hold one batch more than the queue.
        for _ in 0..3 {
            queue.push(&[b'x'; MAX_PENDING_BYTES]);
        }
        queue.flush(Duration::from_millis(1));
        open.send(true).unwrap();
        assert_eq!(writes.recv_timeout(LONG).unwrap(), b"first\n");
        drop(open);
        let lost = reports.recv_timeout(LONG).unwrap();
        assert!((1..=3).contains(&lost), "{lost}");
        queue.flush(LONG);
        queue.push(b"last\n");
        queue.flush(LONG);
        assert_eq!(writes.try_iter().last().unwrap(), b"last\n");
    }

    #[test]
    fn a_sink_that_refuses_loses_entries_and_nothing_else() {
        let (open, opens) = channel();
        let (written, writes) = channel();
        let (reported, reports) = channel();
        let queue = LogQueue::start(Gate { opens, written }, move |lost| reported.send(lost).unwrap());
        open.send(false).unwrap();
        queue.push(b"refused\n");
        queue.flush(LONG);
        open.send(true).unwrap();
        queue.push(b"taken\n");
        assert_eq!(writes.recv_timeout(LONG).unwrap(), b"taken\n");
        assert_eq!(reports.recv_timeout(LONG).unwrap(), 1);
    }
}
