//! Differential test against another implementation of RFC 6455 (tungstenite): both decode the same messages from the
//! same bytes, and fail at the same position.

use super::*;
use proptest::prelude::*;
use std::io::{ErrorKind, Read, Write};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Error, WebSocket};

const MAX_STREAM_MESSAGE: usize = 300;

/// A byte stream whose bytes have all arrived.
struct Arrived<'a> {
    bytes: &'a [u8],
    at_once: usize,
}

impl Read for Arrived<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.bytes.len().min(self.at_once).min(buffer.len());
        if count == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        let (now, later) = self.bytes.split_at(count);
        buffer[..count].copy_from_slice(now);
        self.bytes = later;
        Ok(count)
    }
}

impl Write for Arrived<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Reason why reading ended before the end of the bytes.
#[derive(Debug, PartialEq, Eq)]
enum Broken {
    Rules,
    NotUtf8,
    /// A control frame whose length exceeds 125 or is encoded like a longer one: tungstenite accepts the latter.
    LongControl,
}

impl From<ProtocolError> for Broken {
    fn from(violation: ProtocolError) -> Self {
        match violation {
            ProtocolError::NotUtf8 => Self::NotUtf8,
            ProtocolError::Malformed("a long control frame") => Self::LongControl,
            ProtocolError::Malformed(_) | ProtocolError::TooLarge => Self::Rules,
        }
    }
}

type Outcome = (Vec<DecodedMessage>, Option<Broken>);

/// Decodes `bytes` with this decoder, up to a close frame.
fn ours(bytes: &[u8], at_once: usize) -> Outcome {
    let mut decoder = Decoder::new(MAX_STREAM_MESSAGE, Vec::new());
    let mut messages = Vec::new();
    for part in bytes.chunks(at_once) {
        decoder.buffer().extend_from_slice(part);
        loop {
            match decoder.next() {
                Ok(Some(message)) => {
                    let is_last = matches!(message, DecodedMessage::Close(_));
                    messages.push(message);
                    if is_last {
                        return (messages, None);
                    }
                }
                Ok(None) => break,
                Err(violation) => return (messages, Some(violation.into())),
            }
        }
    }
    (messages, None)
}

/// Decodes `bytes` with tungstenite, up to a close frame.
fn theirs(bytes: &[u8], at_once: usize) -> Outcome {
    let config =
        WebSocketConfig::default().max_message_size(Some(MAX_STREAM_MESSAGE)).max_frame_size(Some(MAX_STREAM_MESSAGE));
    let mut socket = WebSocket::from_raw_socket(Arrived { bytes, at_once }, Role::Server, Some(config));
    let mut messages = Vec::new();
    loop {
        messages.push(match socket.read() {
            Ok(tungstenite::Message::Text(text)) => DecodedMessage::Text(text.to_string()),
            Ok(tungstenite::Message::Binary(bytes)) => DecodedMessage::Binary(bytes.to_vec()),
            Ok(tungstenite::Message::Ping(payload)) => DecodedMessage::Ping(payload.to_vec()),
            Ok(tungstenite::Message::Pong(_)) => DecodedMessage::Pong,
            // Tungstenite answers an invalid close code itself instead of returning an error.
            Ok(tungstenite::Message::Close(Some(frame))) if frame.reason.as_str() == "Protocol violation" => {
                return (messages, Some(Broken::Rules));
            }
            Ok(tungstenite::Message::Close(frame)) => {
                messages.push(DecodedMessage::Close(frame.map(|frame| frame.code.into())));
                return (messages, None);
            }
            Ok(tungstenite::Message::Frame(_)) => unreachable!("only whole messages are read"),
            Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => return (messages, None),
            Err(Error::Utf8(_)) => return (messages, Some(Broken::NotUtf8)),
            Err(_) => return (messages, Some(Broken::Rules)),
        });
    }
}

/// Generates a frame that is mostly valid.
fn frame() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        20 => proptest::sample::select(vec![0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8a]),
        2 => Just(0x88),
        1 => any::<u8>(),
    ];
    let code = prop_oneof![Just(1000u16), Just(1001), Just(4000), Just(1005), 0..6000u16];
    // Tungstenite does not know 1014, "bad gateway", which IANA has registered.
    let code = code.prop_filter("known to both", |code| *code != 1014);
    let payload = prop_oneof![
        6 => "[a-zé😀]{0,20}".prop_map(String::into_bytes),
        2 => (code, "[a-zé]{0,9}").prop_map(|(code, reason)| [&code.to_be_bytes(), reason.as_bytes()].concat()),
        2 => proptest::collection::vec(any::<u8>(), 0..4),
        1 => (120..310usize).prop_map(|length| vec![b'x'; length]),
        1 => Just("é".as_bytes()[..1].to_vec()),
        1 => Just("é".as_bytes()[1..].to_vec()),
    ];
    let masked = prop_oneof![60 => Just(true), 1 => Just(false)];
    // The encoding of the length: the shortest possible, or a longer one.
    let written = prop_oneof![20 => Just(0), 1 => Just(2), 1 => Just(8)];
    (first, payload, masked, any::<[u8; 4]>(), written).prop_map(|(first, payload, masked, mask, written)| {
        let bit = u8::from(masked) << 7;
        let mut bytes = vec![first];
        match (payload.len(), written) {
            (length @ ..126, 0) => bytes.push(bit | length as u8),
            (length, 0 | 2) => {
                bytes.push(bit | 126);
                bytes.extend((length as u16).to_be_bytes());
            }
            (length, _) => {
                bytes.push(bit | 127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        let mask = if masked { mask } else { [0; 4] };
        bytes.extend(&mask[..if masked { 4 } else { 0 }]);
        bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        bytes
    })
}

/// Generates frames in which a byte may be missing or replaced.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let bent = proptest::option::weighted(0.2, (any::<proptest::sample::Index>(), any::<u8>()));
    (proptest::collection::vec(frame(), 1..12), bent).prop_map(|(frames, bent)| {
        let mut bytes = frames.concat();
        if let Some((at, byte)) = bent {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn another_implementation_reads_the_same(bytes in stream(), at_once in 1..700usize) {
        // This decoder validates a frame by its first bytes, tungstenite waits for all of them, so padding is appended.
        let rest = [bytes.as_slice(), &[0; MAX_STREAM_MESSAGE + 14]].concat();
        let ((messages, broken), other, other_in_the_end) =
            (ours(&bytes, at_once), theirs(&bytes, at_once), theirs(&rest, at_once));
        if broken == Some(Broken::LongControl) {
            prop_assert!(other.0.starts_with(&messages), "{:?}", other);
            return Ok(());
        }
        prop_assert_eq!(&messages, &other.0);
        match broken {
            None => prop_assert_eq!(other.1, None),
            Some(broken) => {
                let other = other.1.or(other_in_the_end.1).expect("broken too");
                // For a close frame with an invalid code and an invalid reason, this decoder reports the code.
                prop_assert!(broken == other || broken == Broken::Rules, "{:?}, {:?}", broken, other);
            }
        }
    }
}
