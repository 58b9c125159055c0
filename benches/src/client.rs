//! A WebSocket client with the minimum that a load generator needs: sends masked text, receives whole frames. It also
//! reads event streams over HTTP, of which each event is one frame.

use std::io::{Error, ErrorKind, Result};
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpSocket, TcpStream};

const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;

/// The reading half of a connection.
pub struct Reader {
    stream: OwnedReadHalf,
    buffer: Vec<u8>,
    used: usize,
    reads: u64,
    /// Whether it reads an event stream.
    is_stream: bool,
}

/// The writing half of a connection.
pub struct Writer {
    stream: OwnedWriteHalf,
}

/// A frame from the server.
pub enum Frame<'a> {
    Text(&'a [u8]),
    Ping,
    Other,
}

/// Returns one of 250 loopback addresses. Each has its own ports.
pub fn loopback(number: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 1, 1 + (number % 250) as u8)
}

/// Connects from this address.
pub async fn dial(addr: SocketAddr, from: Ipv4Addr) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    let stream = socket.connect(addr).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Opens a socket from one of 250 loopback addresses.
pub async fn connect(addr: SocketAddr, path: &str, number: usize) -> Result<(Reader, Writer)> {
    open(addr, path, loopback(number), "").await
}

/// Opens a socket from this address. `headers` are further lines of the handshake, each with its end.
pub async fn open(addr: SocketAddr, path: &str, from: Ipv4Addr, headers: &str) -> Result<(Reader, Writer)> {
    let (mut reader, mut writer) = halves(dial(addr, from).await?);
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{headers}\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    writer.raw(request.as_bytes()).await?;
    reader.head(" 101").await?;
    Ok((reader, writer))
}

/// Opens an event stream from one of 250 loopback addresses.
pub async fn connect_stream(addr: SocketAddr, path: &str, number: usize) -> Result<(Reader, Writer)> {
    let (mut reader, mut writer) = halves(dial(addr, loopback(number)).await?);
    writer.raw(format!("GET {path} HTTP/1.1\r\nHost: {addr}\r\nAccept: text/event-stream\r\n\r\n").as_bytes()).await?;
    reader.head(" 200").await?;
    reader.is_stream = true;
    Ok((reader, writer))
}

/// Returns the halves of a connection on which nothing was sent yet.
pub fn halves(stream: TcpStream) -> (Reader, Writer) {
    let (read, write) = stream.into_split();
    (Reader { stream: read, buffer: Vec::new(), used: 0, reads: 0, is_stream: false }, Writer { stream: write })
}

impl Reader {
    /// Reads the head of the response, which must have this status.
    async fn head(&mut self, expected: &str) -> Result<()> {
        let head = loop {
            if let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            self.fill().await?;
        };
        let status = String::from_utf8_lossy(&self.buffer[..head]).lines().next().unwrap_or_default().to_owned();
        if !status.contains(expected) {
            return Err(Error::other(format!("refused: {status}")));
        }
        self.used = head;
        Ok(())
    }

    /// Reads some bytes. Cancel safe.
    pub async fn fill(&mut self) -> Result<()> {
        self.buffer.drain(..std::mem::take(&mut self.used));
        self.buffer.reserve(16 << 10);
        self.reads += 1;
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// Reads the next frame. Cancel safe.
    pub async fn next(&mut self) -> Result<Frame<'_>> {
        while self.whole().is_none() {
            self.fill().await?;
        }
        self.take().expect("a whole frame was read")
    }

    /// Returns the next frame that was read before, or `None` if more bytes are needed.
    pub fn take(&mut self) -> Option<Result<Frame<'_>>> {
        let (opcode, payload) = self.whole()?;
        self.used = payload.end;
        Some(match opcode {
            TEXT => Ok(Frame::Text(&self.buffer[payload])),
            PING => Ok(Frame::Ping),
            CLOSE => Err(Error::other("closed by the server")),
            _ => Ok(Frame::Other),
        })
    }

    /// Returns the opcode and the payload of the next frame, if all of it was read.
    fn whole(&self) -> Option<(u8, Range<usize>)> {
        if self.is_stream {
            let end = self.buffer[self.used..].windows(2).position(|two| two == b"\n\n")?;
            return Some((TEXT, self.used..self.used + end + 2));
        }
        let (opcode, start, length) = header(&self.buffer[self.used..])?;
        let payload = self.used + start..self.used + start + length;
        (payload.end <= self.buffer.len()).then_some((opcode, payload))
    }

    /// Reads and discards some bytes, and returns their number. For clients that ignore the answers.
    pub async fn discard(&mut self) -> Result<usize> {
        self.fill().await?;
        self.used = self.buffer.len();
        Ok(self.used)
    }

    /// Returns the number of reads so far.
    pub fn reads(&self) -> u64 {
        self.reads
    }

    /// Frees the buffer of an idle connection.
    pub fn rest(&mut self) {
        if self.used == self.buffer.len() {
            (self.buffer, self.used) = (Vec::new(), 0);
        }
    }
}

/// Parses the header of a server's frame. Returns its opcode, and the offset and length of the payload.
fn header(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let opcode = bytes.first()? & 0x0f;
    match bytes.get(1)? & 0x7f {
        126 => Some((opcode, 4, usize::from(u16::from_be_bytes(*bytes[2..].first_chunk()?)))),
        127 => Some((opcode, 10, u64::from_be_bytes(*bytes[2..].first_chunk()?) as usize)),
        length => Some((opcode, 2, usize::from(length))),
    }
}

impl Writer {
    pub async fn text(&mut self, text: &str) -> Result<()> {
        let mut frame = vec![0x80 | TEXT];
        match text.len() {
            length @ ..126 => frame.push(0x80 | length as u8),
            length => {
                frame.push(0x80 | 126);
                frame.extend((length as u16).to_be_bytes());
            }
        }
        // A mask of zeros leaves the payload unchanged.
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        self.stream.write_all(&frame).await
    }

    /// Writes these bytes as they are.
    pub async fn raw(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).await
    }

    pub async fn pong(&mut self) -> Result<()> {
        self.stream.write_all(&[0x8a, 0x80, 0, 0, 0, 0]).await
    }
}
