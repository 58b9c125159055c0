//! Floods of small frames from one address, at full speed and without end. Visitors of other addresses are still
//! served, and the server can be stopped. `make attack` measures the same and more.

use crate::support::{Client, Database, Site, eventually};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::{Builder, Handle};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Maximum time until a visitor's message is acknowledged: far above the documented one, for a busy machine.
const ACKNOWLEDGED: Duration = Duration::from_secs(10);

/// Time from SIGTERM to the end of the process.
const STOPPED: Duration = Duration::from_secs(15);

/// Messages of the visitor during each flood: within the burst that limits allow.
const SAID: usize = 6;

/// Size of a write.
const CHUNK_BYTES: usize = 32 << 10;

/// Connections of a flood.
const SOCKETS: usize = 4;

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A masked frame of at most 125 bytes; `first` is its first byte.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first, 0x80 | payload.len() as u8];
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// A message of white space and `{}`, with a byte in each fragment.
fn fragments() -> Vec<u8> {
    [frame(0x01, b" "), frame(0x00, b" ").repeat(16_000), frame(0x00, b"{"), frame(0x80, b"}")].concat()
}

/// The floods: name, frames sent once, frames sent again and again.
fn floods() -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    let text = |text: &str| frame(0x81, text.as_bytes());
    vec![
        ("pings", Vec::new(), frame(0x89, b"")),
        ("pings with a payload", Vec::new(), frame(0x89, &[b'x'; 125])),
        ("pongs", Vec::new(), frame(0x8a, b"")),
        ("empty messages", Vec::new(), text("")),
        ("empty objects", Vec::new(), text("{}")),
        ("heartbeats", Vec::new(), text(r#"{"type":"heartbeat"}"#)),
        ("typing", Vec::new(), text(r#"{"type":"typing"}"#)),
        ("syncs", Vec::new(), text(r#"{"type":"sync","after":0}"#)),
        ("edits of nothing", Vec::new(), text(r#"{"type":"edit","id":"1","target":9,"text":"x"}"#)),
        ("fragments", Vec::new(), fragments()),
        ("fragments of nothing", frame(0x01, b" "), frame(0x00, b"")),
        ("pings after a close frame", frame(0x88, &[0x03, 0xe8]), frame(0x89, b"")),
    ]
}

#[test]
fn a_flood_of_frames_stalls_nobody_else() {
    // The flood has a thread to itself: the visitor's clock shows the server's delays alone.
    let attacker = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let visitor = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let withstood = floods()
        .into_iter()
        .map(|(name, first, again)| (name, visitor.block_on(withstand(&first, &again, attacker.handle()))));
    let broken: Vec<String> =
        withstood.filter_map(|(name, result)| Some(format!("{name}: {}", result.err()?))).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// A visitor talks, and the server is stopped, while others flood a new server. Returns an error that says which of
/// both did not work.
async fn withstand(first: &[u8], again: &[u8], attacker: &Handle) -> Result<(), String> {
    let mut server = Site::new(Database::Sqlite).await.limited(&[]).start();
    let mut ann = Client::join(&server, "harbour").await;
    ann.say("before", "hello").await;
    let written = Arc::new(AtomicU64::new(0));
    let chunk: Arc<[u8]> = again.repeat(CHUNK_BYTES.div_ceil(again.len())).into();
    let mut flood = JoinSet::new();
    for _ in 0..SOCKETS {
        flood.spawn_on(keep_flooding(server.addr, first.to_vec(), chunk.clone(), written.clone()), attacker);
    }
    eventually("the flood has begun", || async { (written.load(Relaxed) > 0).then_some(()) }).await;

    for number in 0..SAID {
        let said = timeout(ACKNOWLEDGED, ann.say(&number.to_string(), "meanwhile")).await;
        let stored = said.map_err(|_| format!("no answer to message {number}"))?;
        if stored["type"] != "message" {
            return Err(format!("{stored}"));
        }
    }
    server.terminate();
    let ended = server.wait(STOPPED).ok_or("the server does not stop")?;
    if !ended.success() || server.log().contains("panicked at") {
        return Err(format!("{ended}: {}", server.log()));
    }
    Ok(())
}

/// Floods on one connection after the other.
async fn keep_flooding(addr: SocketAddr, first: Vec<u8>, chunk: Arc<[u8]>, written: Arc<AtomicU64>) {
    loop {
        // An error is the end of a connection: the flood goes on with the next.
        let _ = flood(addr, &first, &chunk, &written).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn flood(addr: SocketAddr, first: &[u8], chunk: &[u8], written: &AtomicU64) -> std::io::Result<()> {
    let (mut reader, mut writer) = upgrade(addr).await?.into_split();
    writer.write_all(first).await?;
    let write = async {
        loop {
            writer.write_all(chunk).await?;
            written.fetch_add(chunk.len() as u64, Relaxed);
        }
    };
    // The answers are taken, so that nothing but the server itself holds the flood back.
    let read = async {
        let mut buffer = vec![0; CHUNK_BYTES];
        while reader.read(&mut buffer).await? > 0 {}
        Ok(())
    };
    tokio::select! {
        end = write => end,
        end = read => end,
    }
}

/// A socket of an address that is not the visitor's.
async fn upgrade(addr: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from(([127, 0, 0, 2], 0)))?;
    let mut stream = socket.connect(addr).await?;
    let request = format!(
        "GET /ws/harbour/ HTTP/1.1\r\nHost: {addr}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await?);
    }
    Ok(stream)
}
