//! A conformance case: the client's steps, and the required result.

use super::wire::{CONTINUATION, Frame, Peer, Seen, TEXT};
use std::net::SocketAddr;
use std::time::Duration;

/// Pause in which a server may detect an error that it need not detect yet.
const PAUSE: Duration = Duration::from_millis(200);

/// One step of the client.
#[derive(Clone, Debug)]
pub enum Step {
    /// Sends these bytes in one piece.
    Send(Vec<u8>),
    /// Sends these bytes in pieces of this size.
    Chopped(Vec<u8>, usize),
    /// Waits until the server has sent this number of frames.
    Await(usize),
    /// Waits for a moment.
    Pause,
}

/// How the connection ends.
#[derive(Clone, Copy, Debug)]
pub enum Ending {
    /// The client closes with 1000 when it has seen everything, is answered with 1000, and sees the stream end.
    Clean,
    /// The server closes, in answer to a close frame or because it must, with one of these codes.
    Closed(&'static [u16]),
    /// Like `Closed`, or without a code.
    ClosedOrMute(&'static [u16]),
    /// The stream ends; RFC 6455 leaves open how.
    Ended,
}

/// A case of the suite.
#[derive(Clone, Debug)]
pub struct Case {
    /// As the Autobahn test suite numbers it.
    pub number: String,
    steps: Vec<Step>,
    expected: Vec<Seen>,
    ending: Ending,
    texts_count: bool,
}

impl Case {
    /// A case that ends cleanly, and in which nothing is sent yet.
    pub fn new(number: impl Into<String>) -> Self {
        Self {
            number: number.into(),
            steps: Vec::new(),
            expected: Vec::new(),
            ending: Ending::Clean,
            texts_count: true,
        }
    }

    /// Sends a frame in one piece.
    pub fn send(self, frame: Frame) -> Self {
        self.step(Step::Send(frame.bytes()))
    }

    /// Sends several frames in one piece.
    pub fn send_all(self, frames: &[Frame]) -> Self {
        self.step(Step::Send(frames.iter().flat_map(Frame::bytes).collect()))
    }

    /// Sends a frame in pieces of `size` bytes.
    pub fn chopped(self, size: usize, frame: Frame) -> Self {
        self.step(Step::Chopped(frame.bytes(), size))
    }

    /// Sends a text in fragments of `size` bytes, in one piece.
    pub fn fragmented(self, size: usize, payload: &[u8]) -> Self {
        let last = payload.len().div_ceil(size) - 1;
        let frames: Vec<Frame> = payload
            .chunks(size)
            .enumerate()
            .map(|(at, fragment)| {
                let frame = Frame::new(if at == 0 { TEXT } else { CONTINUATION }, fragment);
                if at == last { frame } else { frame.unfinished() }
            })
            .collect();
        self.send_all(&frames)
    }

    /// Does anything.
    pub fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Expects this from the server, after the previous expectation.
    pub fn expect(mut self, seen: Seen) -> Self {
        self.expected.push(seen);
        self
    }

    /// The server says this before the client goes on.
    pub fn awaiting(self, seen: Seen) -> Self {
        let case = self.expect(seen);
        let so_far = case.expected.len();
        case.step(Step::Await(so_far))
    }

    /// The server closes with one of these codes.
    pub fn closed(self, codes: &'static [u16]) -> Self {
        Self { ending: Ending::Closed(codes), ..self }
    }

    /// The server's close frame may have no code.
    pub fn without_code(self) -> Self {
        let ending = if let Ending::Closed(codes) = self.ending { Ending::ClosedOrMute(codes) } else { self.ending };
        Self { ending, ..self }
    }

    /// The stream ends.
    pub fn ended(self) -> Self {
        Self { ending: Ending::Ended, ..self }
    }

    /// A room says things of its own accord, which have nothing to do with the case.
    pub fn passing_over_texts(self) -> Self {
        Self { texts_count: false, ..self }
    }

    /// Whether a message in it has more bytes.
    pub fn is_longer_than(&self, bytes: usize) -> bool {
        self.expected.iter().any(|seen| matches!(seen, Seen::Text(it) | Seen::Binary(it) if it.len() > bytes))
    }

    /// Returns this case with the result that it must have if its messages exceed the server's limit.
    pub fn too_large(self) -> Self {
        let number = format!("{} beyond the limit of frames", self.number);
        Self { number, expected: Vec::new(), ending: Ending::Closed(&[1009]), ..self }
    }

    /// Runs against `path` of the server at `addr`; why it has failed, if it has.
    pub async fn run(self, addr: SocketAddr, path: &str) -> Result<(), String> {
        let mut peer = Peer::open(addr, path).await?;
        let mut seen = Vec::new();
        for step in &self.steps {
            match step {
                Step::Send(bytes) => peer.send(bytes).await,
                Step::Chopped(bytes, size) => peer.send_chopped(bytes, *size).await,
                Step::Pause => tokio::time::sleep(PAUSE).await,
                Step::Await(count) => {
                    while seen.len() < *count {
                        seen.push(peer.next().await?);
                    }
                }
            }
        }
        if let Ending::Clean = self.ending {
            while seen.len() < self.expected.len() && seen.last() != Some(&Seen::End) {
                seen.push(peer.next().await?);
            }
            peer.send(&Frame::close(1000, "").bytes()).await;
        }
        while seen.last() != Some(&Seen::End) {
            seen.push(peer.next().await?);
        }
        self.judge(seen)
    }

    fn judge(&self, mut seen: Vec<Seen>) -> Result<(), String> {
        seen.pop();
        seen.retain(|seen| self.texts_count || !matches!(seen, Seen::Text(_)));
        if let Ending::Ended = self.ending {
            return Ok(());
        }
        let (codes, mute): (&[u16], bool) = match self.ending {
            Ending::Closed(codes) => (codes, false),
            Ending::ClosedOrMute(codes) => (codes, true),
            Ending::Clean | Ending::Ended => (&[1000], false),
        };
        let closed = seen.pop();
        let said = match &closed {
            Some(Seen::Close(Some(code))) => codes.contains(code),
            Some(Seen::Close(None)) => mute,
            _ => false,
        };
        if !said {
            return Err(format!(
                "the last frame is {}, not a close with one of {codes:?}, after {}",
                brief(closed.as_slice()),
                brief(&seen)
            ));
        }
        if seen != self.expected {
            return Err(format!("the server said {} instead of {}", brief(&seen), brief(&self.expected)));
        }
        Ok(())
    }
}

/// Frames, without the bulk of long ones.
fn brief(seen: &[Seen]) -> String {
    let one = |seen: &Seen| format!("{seen:?}").chars().take(120).collect::<String>();
    format!("[{}]", seen.iter().map(one).collect::<Vec<_>>().join(", "))
}
