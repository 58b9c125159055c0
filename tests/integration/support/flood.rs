//! Clients that send without end, in their own threads: raw bytes that no library would send, at full speed.

use super::{DEADLINE, Server};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// The text frame's first byte: final, and text.
const TEXT: u8 = 0x81;

/// A client's frame with this first byte, masked with zeros.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        length @ ..126 => bytes.push(0x80 | length as u8),
        length => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}

/// The whole text frames among the bytes that a server has sent.
pub fn texts(mut bytes: &[u8]) -> Vec<Value> {
    let mut texts = Vec::new();
    while let [first, length, _, _, ..] = *bytes {
        let (start, length) = match length {
            126 => (4, usize::from(u16::from_be_bytes([bytes[2], bytes[3]]))),
            length => (2, usize::from(length)),
        };
        let Some(payload) = bytes.get(start..start + length) else { break };
        if first == TEXT {
            texts.push(serde_json::from_slice(payload).expect("JSON"));
        }
        bytes = &bytes[start + length..];
    }
    texts
}

/// Opens the socket at `path`, by hand.
pub fn open(server: &Server, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.addr).expect("a connection");
    stream.set_nodelay(true).expect("a socket");
    stream.set_read_timeout(Some(DEADLINE)).expect("a socket");
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        server.addr
    );
    stream.write_all(request.as_bytes()).expect("the server listens");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("an answer");
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    stream
}

/// A flooding client. Stops when dropped.
pub struct Flood {
    over: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    stream: TcpStream,
    threads: Vec<JoinHandle<()>>,
}

impl Flood {
    /// Sends `once`, then `again` without end, `at_once` bytes in a write, and reads every answer.
    pub fn begin(stream: TcpStream, once: &[u8], again: &[u8], at_once: usize) -> Self {
        let (over, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (mut writer, mut reader) = (stream.try_clone().expect("a socket"), stream.try_clone().expect("a socket"));
        writer.set_write_timeout(Some(Duration::from_millis(200))).expect("a socket");
        writer.write_all(once).expect("the server listens");
        let (again, writes, ends) = (again.repeat(at_once.div_ceil(again.len())), sent.clone(), over.clone());
        let write = std::thread::spawn(move || {
            let mut rest: &[u8] = &again;
            while !ends.load(Ordering::Relaxed) {
                match writer.write(&rest[..rest.len().min(at_once)]) {
                    Ok(written) => {
                        writes.fetch_add(written as u64, Ordering::Relaxed);
                        rest = if written == rest.len() { &again } else { &rest[written..] };
                    }
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                    Err(_) => return,
                }
            }
        });
        let read = std::thread::spawn(move || {
            let mut answers = [0; 64 << 10];
            while reader.read(&mut answers).is_ok_and(|read| read > 0) {}
        });
        Self { over, sent, stream, threads: vec![write, read] }
    }

    /// Returns the number of bytes that the kernel has accepted for the server.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = self.stream.shutdown(Shutdown::Both);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
