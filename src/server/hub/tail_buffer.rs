//! The end of a room's log, in memory. This module holds the rules for appending, evicting and reading, without I/O.

use super::EventFrame;
use super::event_frame::FrameEffect;
use crate::domain::Seq;
use crate::server::websocket::TextFrame;
use std::collections::VecDeque;

/// Bounds of the buffer, in frames and in bytes.
const MAX_TAIL_EVENTS: usize = 512;
const MAX_TAIL_BYTES: usize = 1 << 20;

/// Position in a room's stream of events: the newest number, and the number of bytes appended up to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct StreamPosition {
    pub(super) seq: Seq,
    pub(super) bytes: u64,
}

/// The end of the log, in memory. The newest of `frames` has the number `head`.
#[derive(Default)]
pub(super) struct TailBuffer {
    pub(super) open: bool,
    pub(super) head: Seq,
    frames: VecDeque<EventFrame>,
    bytes: usize,
    /// Number of bytes ever appended.
    appended_bytes: u64,
    /// The newest number that this node has heard of.
    pub(super) target_seq: Seq,
    pub(super) catching_up: bool,
}

impl TailBuffer {
    /// Appends the frames that follow and skips those it already has. Returns the newest number, or `None` if there is
    /// a gap, at which it stops.
    pub(super) fn append(&mut self, frames: Vec<EventFrame>) -> Option<Seq> {
        if !self.open {
            return None;
        }
        for frame in frames {
            if frame.seq <= self.head {
                continue;
            }
            if frame.seq > self.head + 1 {
                return None;
            }
            match frame.effect {
                FrameEffect::Redacts(target) => self.redact(|seq| seq == target),
                FrameEffect::Describes(_) => self.blank(|earlier| earlier.effect == frame.effect),
                _ => {}
            }
            self.head += 1;
            self.bytes += frame.len();
            self.appended_bytes += frame.len() as u64;
            self.frames.push_back(frame);
            while self.frames.len() > MAX_TAIL_EVENTS || self.bytes > MAX_TAIL_BYTES {
                let dropped = self.frames.pop_front().map_or(0, |frame| frame.len());
                self.bytes -= dropped;
            }
        }
        Some(self.head)
    }

    /// Returns the position at the end of the log.
    pub(super) fn position(&self) -> StreamPosition {
        StreamPosition { seq: self.head, bytes: self.appended_bytes }
    }

    /// Continues in another history, which is known up to `head`.
    pub(super) fn begin_anew(&mut self, head: Seq) {
        (self.open, self.head, self.target_seq, self.bytes) = (true, head, head, 0);
        self.frames.clear();
    }

    /// Skips to `next`, because the log no longer holds the events before it.
    pub(super) fn skip_to(&mut self, next: Seq) {
        if next > self.head + 1 {
            self.head = next - 1;
            self.frames.clear();
            self.bytes = 0;
        }
    }

    /// Clears the content of removed messages.
    pub(super) fn redact(&mut self, is_gone: impl Fn(Seq) -> bool) {
        self.blank(|frame| frame.shows(&is_gone));
    }

    /// Clears the content of these frames.
    fn blank(&mut self, is_gone: impl Fn(&EventFrame) -> bool) {
        for frame in self.frames.iter_mut().filter(|frame| is_gone(frame)) {
            let blanked = frame.redacted();
            self.bytes = self.bytes - frame.len() + blanked.len();
            *frame = blanked;
        }
    }

    /// Evicts every frame of which the log may hold less by now, and the frames before it.
    pub(super) fn evict_redacted(&mut self) {
        if let Some(index) = self.frames.iter().rposition(EventFrame::is_outdated) {
            self.evict_before(self.head - (self.frames.len() - index) as Seq + 2);
        }
    }

    /// Returns the number of buffered events.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.frames.len()
    }

    /// Evicts the events before `oldest`.
    pub(super) fn evict_before(&mut self, oldest: Seq) {
        while self.head - (self.frames.len() as Seq) + 1 < oldest {
            let Some(frame) = self.frames.pop_front() else { return };
            self.bytes -= frame.len();
        }
    }

    /// Returns up to `max` frames after `after`, and up to `bytes` of them, but at least one if there is one.
    pub(super) fn read_after(&self, after: Seq, max: usize, bytes: usize) -> TailRead {
        if after >= self.head {
            return TailRead::UpToDate;
        }
        let Ok(skip) = usize::try_from(after - (self.head - self.frames.len() as Seq)) else {
            return TailRead::Evicted;
        };
        let mut left = bytes;
        let fits = |frame: &&EventFrame| {
            let fits = left == bytes || frame.len() <= left;
            left = left.saturating_sub(frame.len());
            fits
        };
        let frames = self.frames.iter().skip(skip).take(max).take_while(fits);
        TailRead::Frames(frames.map(|frame| frame.text.clone()).collect())
    }
}

/// Result of reading the tail buffer.
pub(super) enum TailRead {
    /// The reader has every event.
    UpToDate,
    /// The next frames.
    Frames(Vec<TextFrame>),
    /// The next frames were evicted from the tail buffer; the log has them.
    Evicted,
}

#[cfg(test)]
mod tests;
