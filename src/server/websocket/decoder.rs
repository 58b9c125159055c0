//! Decoder for client frames: masked, possibly fragmented, and held to every rule of RFC 6455, section 5.

use super::frame::{FIN, opcode};

/// Maximum payload of a control frame, in bytes (RFC 6455, section 5.5).
const MAX_CONTROL_PAYLOAD: usize = 125;

/// A message or control frame of a client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum DecodedMessage {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong,
    /// A close frame, with its code if it has one.
    Close(Option<u16>),
}

/// A violation of the protocol by the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// The bytes violate the protocol.
    #[error("not the WebSocket protocol: {0}")]
    Malformed(&'static str),
    /// A text, or the reason of a close frame, is not UTF-8.
    #[error("the text is not UTF-8")]
    NotUtf8,
    /// A message exceeds the maximum length of this connection.
    #[error("the message is too long")]
    TooLarge,
}

/// Decodes bytes into messages. Holds no memory between complete messages.
#[derive(Debug)]
pub(super) struct Decoder {
    /// Bytes that were read.
    buffer: Vec<u8>,
    /// Number of bytes of `buffer` that are decoded.
    consumed: usize,
    /// The opcode of a fragmented message, and its fragments so far.
    fragments: Option<(u8, Vec<u8>)>,
    /// Number of bytes of a fragmented text that are known to be valid UTF-8.
    validated: usize,
    max_message_size: usize,
    /// Number of frames decoded since it was last taken.
    frames: u32,
}

/// A decoded frame header.
struct Header {
    fin: bool,
    opcode: u8,
    mask: [u8; 4],
    /// Range of the payload, relative to the start of the frame.
    payload: std::ops::Range<usize>,
}

impl Decoder {
    /// Returns a decoder for messages of up to `longest` bytes; `read` holds bytes that were already read.
    pub(super) fn new(longest: usize, read: Vec<u8>) -> Self {
        Self { buffer: read, consumed: 0, fragments: None, validated: 0, max_message_size: longest, frames: 0 }
    }

    /// Returns the buffer to append read bytes to.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        self.buffer.drain(..std::mem::take(&mut self.consumed));
        &mut self.buffer
    }

    /// Returns whether there are bytes that are not decoded yet.
    pub(super) fn has_bytes(&self) -> bool {
        self.consumed < self.buffer.len()
    }

    /// Returns the number of frames decoded since the last call.
    pub(super) fn take_frames(&mut self) -> u32 {
        std::mem::take(&mut self.frames)
    }

    /// Releases the memory of decoded bytes.
    pub(super) fn release_buffer(&mut self) {
        if self.consumed == self.buffer.len() {
            (self.buffer, self.consumed) = (Vec::new(), 0);
        }
    }

    /// Returns the next message, or `None` if it is not complete yet.
    ///
    /// # Errors
    ///
    /// Returns an error if the bytes violate the protocol or exceed the maximum message size.
    pub(super) fn next(&mut self) -> Result<Option<DecodedMessage>, ProtocolError> {
        loop {
            let Some(header) = self.header()? else {
                self.release_buffer();
                return Ok(None);
            };
            let frame = &mut self.buffer[self.consumed..];
            let Some(payload) = frame.get_mut(header.payload.clone()) else { return Ok(None) };
            unmask(payload, header.mask);
            self.consumed += header.payload.end;
            self.frames += 1;
            let payload = self.consumed - header.payload.len()..self.consumed;
            if let Some(message) = self.take_frame(header.fin, header.opcode, payload)? {
                return Ok(Some(message));
            }
        }
    }

    /// Decodes and validates a header before its payload has arrived. Returns `None` if it is not complete yet.
    fn header(&self) -> Result<Option<Header>, ProtocolError> {
        let bytes = &self.buffer[self.consumed..];
        let [first, second, rest @ ..] = bytes else { return Ok(None) };
        let (fin, opcode, short) = (first & FIN != 0, first & 0x0f, usize::from(second & 0x7f));
        if first & 0x70 != 0 {
            return Err(ProtocolError::Malformed("a reserved bit is set"));
        }
        match opcode {
            opcode::CLOSE | opcode::PING | opcode::PONG if !fin => {
                return Err(ProtocolError::Malformed("a control frame in pieces"));
            }
            opcode::CLOSE | opcode::PING | opcode::PONG if short > MAX_CONTROL_PAYLOAD => {
                return Err(ProtocolError::Malformed("a long control frame"));
            }
            opcode::CLOSE | opcode::PING | opcode::PONG => {}
            opcode::CONTINUATION if self.fragments.is_none() => {
                return Err(ProtocolError::Malformed("a continuation of nothing"));
            }
            opcode::TEXT | opcode::BINARY if self.fragments.is_some() => {
                return Err(ProtocolError::Malformed("a message inside another"));
            }
            opcode::CONTINUATION | opcode::TEXT | opcode::BINARY => {}
            _ => return Err(ProtocolError::Malformed("a frame of no known kind")),
        }
        if second & 0x80 == 0 {
            return Err(ProtocolError::Malformed("a frame without a mask"));
        }
        let (length, extended) = match short {
            126 => match rest.first_chunk() {
                Some(length) => (u64::from(u16::from_be_bytes(*length)), 2),
                None => return Ok(None),
            },
            127 => match rest.first_chunk() {
                Some(length) => (u64::from_be_bytes(*length), 8),
                None => return Ok(None),
            },
            short => (short as u64, 0),
        };
        let before = self
            .fragments
            .as_ref()
            .filter(|_| opcode == opcode::CONTINUATION)
            .map_or(0, |(_, fragments)| fragments.len());
        if length > (self.max_message_size - before) as u64 && opcode < opcode::CLOSE {
            return Err(ProtocolError::TooLarge);
        }
        let Some(&mask) = rest[extended..].first_chunk() else { return Ok(None) };
        let start = 2 + extended + mask.len();
        Ok(Some(Header { fin, opcode, mask, payload: start..start + length as usize }))
    }

    /// Consumes a complete frame. Returns a message if the frame completes one.
    fn take_frame(
        &mut self,
        fin: bool,
        opcode: u8,
        payload: std::ops::Range<usize>,
    ) -> Result<Option<DecodedMessage>, ProtocolError> {
        let payload = &self.buffer[payload];
        Ok(Some(match opcode {
            opcode::PING => DecodedMessage::Ping(payload.to_vec()),
            opcode::PONG => DecodedMessage::Pong,
            opcode::CLOSE => DecodedMessage::Close(close_code(payload)?),
            _ => {
                let (kind, mut message) = self.fragments.take().unwrap_or((opcode, Vec::new()));
                message.extend_from_slice(payload);
                if !fin {
                    if kind == opcode::TEXT {
                        self.validated += valid_utf8_prefix(&message[self.validated..])?;
                    }
                    self.fragments = Some((kind, message));
                    return Ok(None);
                }
                self.validated = 0;
                match kind {
                    opcode::TEXT => {
                        DecodedMessage::Text(String::from_utf8(message).map_err(|_| ProtocolError::NotUtf8)?)
                    }
                    _ => DecodedMessage::Binary(message),
                }
            }
        }))
    }
}

/// Returns the length of the valid UTF-8 prefix of `bytes`; later bytes may complete its last character.
fn valid_utf8_prefix(bytes: &[u8]) -> Result<usize, ProtocolError> {
    match std::str::from_utf8(bytes) {
        Ok(_) => Ok(bytes.len()),
        Err(cut) if cut.error_len().is_none() => Ok(cut.valid_up_to()),
        Err(_) => Err(ProtocolError::NotUtf8),
    }
}

/// Returns the code of a close frame (RFC 6455, section 7.4, and its IANA registry).
fn close_code(payload: &[u8]) -> Result<Option<u16>, ProtocolError> {
    let (code, reason) = match payload {
        [] => return Ok(None),
        [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
        [_] => return Err(ProtocolError::Malformed("half a close code")),
    };
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(ProtocolError::Malformed("a close code that nobody may send"));
    }
    std::str::from_utf8(reason).map_err(|_| ProtocolError::NotUtf8)?;
    Ok(Some(code))
}

fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let mut chunks = payload.chunks_exact_mut(8);
    let twice = u64::from_ne_bytes(std::array::from_fn(|at| mask[at % 4]));
    for chunk in &mut chunks {
        let eight = u64::from_ne_bytes(chunk.try_into().expect("eight bytes")) ^ twice;
        chunk.copy_from_slice(&eight.to_ne_bytes());
    }
    for (byte, mask) in chunks.into_remainder().iter_mut().zip(mask.into_iter().cycle()) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod differential;
#[cfg(test)]
mod tests;
