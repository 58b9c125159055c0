//! Encoder for server frames: unmasked and unfragmented (RFC 6455, section 5.2).

use axum::body::Bytes;

/// Opcodes: the low half of the first byte of a frame (RFC 6455, section 5.2).
pub(super) mod opcode {
    pub(crate) const CONTINUATION: u8 = 0;
    pub(crate) const TEXT: u8 = 1;
    pub(crate) const BINARY: u8 = 2;
    pub(crate) const CLOSE: u8 = 8;
    pub(crate) const PING: u8 = 9;
    pub(crate) const PONG: u8 = 10;
}

/// The FIN bit, which marks the last frame of a message.
pub(super) const FIN: u8 = 0x80;

/// Maximum length of a close reason in bytes: the 125 of a control frame, without the code.
const MAX_CLOSE_REASON: usize = 123;

/// A text frame including its header: encoded once, and shared by every connection it is sent to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextFrame(Bytes);

impl TextFrame {
    /// Encodes `text`.
    pub fn new(text: &str) -> Self {
        Self(encode(opcode::TEXT, text.as_bytes()))
    }

    /// Returns the encoded frame.
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// Returns the text without the header.
    pub fn text(&self) -> &str {
        let header = match self.0.get(1) {
            None => 0,
            Some(126) => 4,
            Some(127) => 10,
            Some(_) => 2,
        };
        std::str::from_utf8(&self.0[header..]).expect("it was text")
    }

    /// Returns the length of the frame, in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there is no frame.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Concatenates `frames`. A single frame is not copied.
pub(super) fn concat_frames(frames: &[TextFrame]) -> Bytes {
    match frames {
        [one] => one.0.clone(),
        _ => frames.iter().map(|frame| &*frame.0).collect::<Vec<_>>().concat().into(),
    }
}

pub(super) fn binary(payload: &[u8]) -> Bytes {
    encode(opcode::BINARY, payload)
}

/// Returns a ping without payload.
pub(crate) fn ping() -> Bytes {
    Bytes::from_static(&[FIN | opcode::PING, 0])
}

/// Returns a pong with the payload of its ping.
pub(super) fn pong(payload: &[u8]) -> Bytes {
    encode(opcode::PONG, payload)
}

/// Returns a close frame; without a code it carries no reason.
pub(super) fn close(code: Option<u16>, reason: &str) -> Bytes {
    let reason = &reason[..reason.floor_char_boundary(MAX_CLOSE_REASON)];
    let payload = code.map_or_else(Vec::new, |code| [&code.to_be_bytes(), reason.as_bytes()].concat());
    encode(opcode::CLOSE, &payload)
}

fn encode(opcode: u8, payload: &[u8]) -> Bytes {
    let mut frame = Vec::with_capacity(payload.len() + 10);
    frame.push(FIN | opcode);
    match payload.len() {
        length @ ..126 => frame.push(length as u8),
        length @ 126..=0xffff => {
            frame.push(126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(payload);
    frame.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_framed_by_its_length() {
        for (length, header) in [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            let text = "x".repeat(length);
            let frame = TextFrame::new(&text);
            assert_eq!(frame.len(), header + length);
            assert_eq!(frame.text(), text);
        }
        assert_eq!(TextFrame::new("hi").bytes()[..], [0x81, 2, b'h', b'i']);
        assert_eq!(TextFrame::default().text(), "");
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let frame = close(Some(1000), &"é".repeat(100));
        assert_eq!(frame.len(), 2 + 2 + 122);
        assert_eq!(close(None, "unsaid")[..], [0x88, 0]);
    }
}
