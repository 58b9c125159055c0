//! A minimal WebSocket client (RFC 6455): frames are written exactly as a case specifies them, valid or not, and
//! responses are parsed strictly. It uses no WebSocket library, because a library would correct or hide the errors
//! under test.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Maximum time for an expected result.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Opcodes (RFC 6455, section 5.2).
pub const CONTINUATION: u8 = 0;
pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;

/// The key of the handshake and its answer, of RFC 6455, section 1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A frame as a client writes it.
#[derive(Clone, Debug)]
pub struct Frame {
    fin: bool,
    reserved: u8,
    opcode: u8,
    masked: bool,
    payload: Vec<u8>,
}

impl Frame {
    /// A whole message, masked, with no reserved bit set.
    pub fn new(opcode: u8, payload: impl AsRef<[u8]>) -> Self {
        Self { fin: true, reserved: 0, opcode, masked: true, payload: payload.as_ref().to_vec() }
    }

    /// A close frame with a code and a reason.
    pub fn close(code: u16, reason: impl AsRef<[u8]>) -> Self {
        Self::new(CLOSE, [&code.to_be_bytes(), reason.as_ref()].concat())
    }

    /// More of the message follows.
    pub fn unfinished(self) -> Self {
        Self { fin: false, ..self }
    }

    /// With these reserved bits, of three.
    pub fn reserved(self, bits: u8) -> Self {
        Self { reserved: bits, ..self }
    }

    /// As only a server may send it.
    pub fn unmasked(self) -> Self {
        Self { masked: false, ..self }
    }

    /// The bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![u8::from(self.fin) << 7 | self.reserved << 4 | self.opcode];
        let mask = u8::from(self.masked) << 7;
        match self.payload.len() {
            length @ 0..126 => bytes.push(mask | length as u8),
            length @ 126..0x1_0000 => {
                bytes.push(mask | 126);
                bytes.extend((length as u16).to_be_bytes());
            }
            length => {
                bytes.push(mask | 127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        if self.masked {
            bytes.extend(MASK);
            bytes.extend(self.payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        } else {
            bytes.extend(&self.payload);
        }
        bytes
    }
}

/// A frame from the server, or the end of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A whole message.
    Text(Vec<u8>),
    /// A whole message.
    Binary(Vec<u8>),
    /// A control frame.
    Ping(Vec<u8>),
    /// A control frame.
    Pong(Vec<u8>),
    /// A close frame, with its code if it has one.
    Close(Option<u16>),
    /// The end of the stream.
    End,
}

/// A connection whose handshake has succeeded.
pub struct Peer {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Peer {
    /// Opens a socket at `path`. Returns the server's response as an error if the handshake fails.
    pub async fn open(addr: SocketAddr, path: &str) -> Result<Self, String> {
        let connect = async {
            let mut stream = TcpStream::connect(addr).await?;
            stream.set_nodelay(true)?;
            let request = format!(
                "GET {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
            );
            stream.write_all(request.as_bytes()).await?;
            let mut head = Vec::new();
            // Byte by byte, because the bytes after the head belong to the socket.
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await?);
            }
            std::io::Result::Ok((stream, String::from_utf8_lossy(&head).into_owned()))
        };
        let (stream, head) =
            timeout(DEADLINE, connect).await.map_err(|_| "no handshake in time")?.map_err(|error| error.to_string())?;
        let accepted = head.lines().any(|line| {
            line.split_once(": ")
                .is_some_and(|(name, value)| name.eq_ignore_ascii_case("sec-websocket-accept") && value == ACCEPT)
        });
        if head.starts_with("HTTP/1.1 101 ") && accepted { Ok(Self { stream, read: Vec::new() }) } else { Err(head) }
    }

    /// Sends bytes in one piece. A server that has hung up need not take them.
    pub async fn send(&mut self, bytes: &[u8]) {
        let _ = timeout(DEADLINE, self.stream.write_all(bytes)).await;
    }

    /// Sends bytes in pieces of `size`, each on its own.
    pub async fn send_chopped(&mut self, bytes: &[u8], size: usize) {
        for piece in bytes.chunks(size) {
            self.send(piece).await;
            // Lets the other side take it before the next comes.
            tokio::task::yield_now().await;
        }
    }

    /// The next thing the server says; an error where it breaks a rule itself.
    pub async fn next(&mut self) -> Result<Seen, String> {
        let (mut kind, mut message) = (None, Vec::new());
        loop {
            let Some((fin, opcode, payload)) =
                timeout(DEADLINE, self.frame()).await.map_err(|_| "nothing in time")??
            else {
                return if kind.is_some() { Err("the stream ends within a message".into()) } else { Ok(Seen::End) };
            };
            if opcode >= CLOSE && (!fin || payload.len() > 125) {
                return Err(format!("a control frame of {} bytes, fin {fin}", payload.len()));
            }
            match (opcode, kind) {
                (PING, _) => return Ok(Seen::Ping(payload)),
                (PONG, _) => return Ok(Seen::Pong(payload)),
                (CLOSE, _) if payload.is_empty() => return Ok(Seen::Close(None)),
                (CLOSE, _) => match payload.split_first_chunk::<2>() {
                    Some((code, reason)) if std::str::from_utf8(reason).is_ok() => {
                        return Ok(Seen::Close(Some(u16::from_be_bytes(*code))));
                    }
                    _ => return Err(format!("a close frame of {payload:?}")),
                },
                (TEXT | BINARY, None) => kind = Some(opcode),
                (CONTINUATION, Some(_)) => {}
                _ => return Err(format!("opcode {opcode}, within {kind:?}")),
            }
            message.extend(payload);
            match kind {
                Some(TEXT) if fin && std::str::from_utf8(&message).is_err() => return Err("text is not UTF-8".into()),
                Some(TEXT) if fin => return Ok(Seen::Text(message)),
                Some(_) if fin => return Ok(Seen::Binary(message)),
                _ => {}
            }
        }
    }

    /// One frame: its end mark, opcode and payload; `None` at the end of the stream.
    async fn frame(&mut self) -> Result<Option<(bool, u8, Vec<u8>)>, String> {
        if !self.fill(2).await {
            return if self.read.is_empty() { Ok(None) } else { Err("the stream ends within a frame".into()) };
        }
        let (first, second) = (self.read[0], self.read[1]);
        if first & 0x70 != 0 || second & 0x80 != 0 {
            return Err(format!("a head of {first:#x} {second:#x}: reserved bits, or a mask"));
        }
        let (head, length) = match second {
            126 if self.fill(4).await => (4, usize::from(u16::from_be_bytes([self.read[2], self.read[3]]))),
            127 if self.fill(10).await => {
                let length = u64::from_be_bytes(self.read[2..10].try_into().expect("eight bytes"));
                (10, usize::try_from(length).map_err(|_| "a length beyond all bounds")?)
            }
            126 | 127 => return Err("the stream ends within a head".into()),
            length => (2, usize::from(length)),
        };
        if head == 4 && length < 126 || head == 10 && length < 0x1_0000 {
            return Err(format!("a length of {length} in {head} bytes"));
        }
        if !self.fill(head + length).await {
            return Err("the stream ends within a frame".into());
        }
        let rest = self.read.split_off(head + length);
        let frame = std::mem::replace(&mut self.read, rest);
        Ok(Some((first & 0x80 != 0, first & 0x0f, frame[head..].to_vec())))
    }

    /// Reads until `bytes` bytes are buffered. Returns `false` at the end of the stream. A reset is an end too.
    async fn fill(&mut self, bytes: usize) -> bool {
        while self.read.len() < bytes {
            if !matches!(self.stream.read_buf(&mut self.read).await, Ok(1..)) {
                return false;
            }
        }
        true
    }
}
