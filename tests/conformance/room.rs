//! Conformance of the real route, `/ws/{room}/` of the executable. Rooms add rules: frames must be UTF-8 text of at
//! most 16 KiB, and invalid contents are rejected with a sentence.

use super::case::Case;
use super::wire::{BINARY, CLOSE, CONTINUATION, Frame, PING, Peer, Seen, TEXT};
use libtest_mimic::{Failed, Trial};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::runtime::Runtime;

const PATH: &str = "/ws/harbour/";

/// Returns the frames that end a connection to a room, with the close codes.
fn cases() -> Vec<Case> {
    let text = |payload: &[u8]| Frame::new(TEXT, payload);
    let case = |name: &str, frames: &[Frame], codes| Case::new(format!("room: {name}")).send_all(frames).closed(codes);
    let hello = br#"{"message": "hello"}"#;
    vec![
        case("binary", &[Frame::new(BINARY, hello)], &[1003]),
        case("binary, in fragments", &[Frame::new(BINARY, "{").unfinished(), Frame::new(CONTINUATION, "}")], &[1003]),
        case("not UTF-8", &[text(b"\"\xff\xfe\"")], &[1007]),
        case(
            "not UTF-8 in its second fragment",
            &[
                text(b"{\"message\": \"").unfinished(),
                Frame::new(CONTINUATION, b"\xff").unfinished(),
                Frame::new(CONTINUATION, b"\"}"),
            ],
            &[1007],
        ),
        case(
            "a character that is never finished",
            &[text(b"\"\xe2\x82").unfinished(), Frame::new(CONTINUATION, b"\"")],
            &[1007],
        ),
        case("17 KiB", &[text(&[b' '; 17 << 10])], &[1009]),
        case(
            "17 KiB in fragments",
            &[text(&[b' '; 9 << 10]).unfinished(), Frame::new(CONTINUATION, [b' '; 8 << 10])],
            &[1009],
        ),
        case("unmasked", &[text(hello).unmasked()], &[1002]),
        case("reserved bit 1", &[text(hello).reserved(4)], &[1002]),
        case("reserved bit 2", &[text(hello).reserved(2)], &[1002]),
        case("reserved bit 3", &[text(hello).reserved(1)], &[1002]),
        case("reserved opcode 3", &[Frame::new(3, hello)], &[1002]),
        case("reserved opcode 11", &[Frame::new(11, "")], &[1002]),
        case("a ping in fragments", &[Frame::new(PING, "").unfinished()], &[1002]),
        case("a ping of 126 bytes", &[Frame::new(PING, [0; 126])], &[1002]),
        case("nothing to continue", &[Frame::new(CONTINUATION, hello)], &[1002]),
        case("a text within a text", &[text(b"{").unfinished(), text(b"}")], &[1002]),
        case("close code 1005", &[Frame::close(1005, "")], &[1002]),
        case("close code 999", &[Frame::close(999, "")], &[1002]),
        case("half a close code", &[Frame::new(CLOSE, "a")], &[1002]),
        case("a close reason that is not UTF-8", &[Frame::close(1000, b"\xff")], &[1002, 1007]),
        case("a goodbye", &[Frame::close(1001, "")], &[1000, 1001]),
    ]
}

/// All of them, and two about frames that are answered.
pub fn trials(runtime: &Arc<Runtime>, addr: SocketAddr) -> Vec<Trial> {
    let mut trials: Vec<Trial> = Vec::new();
    for case in cases() {
        let runtime = runtime.clone();
        let name = case.number.clone();
        let run = move || runtime.block_on(case.passing_over_texts().run(addr, PATH)).map_err(Failed::from);
        trials.push(Trial::test(name, run));
    }
    let (first, second) = (runtime.clone(), runtime.clone());
    trials.push(Trial::test("room: what is no frame of the protocol is rejected", move || {
        first.block_on(rejected(addr)).map_err(Failed::from)
    }));
    trials.push(Trial::test("room: a frame is read whichever way it is cut", move || {
        second.block_on(cut(addr)).map_err(Failed::from)
    }));
    trials
}

async fn rejected(addr: SocketAddr) -> Result<(), String> {
    let mut peer = Peer::open(addr, PATH).await?;
    for frame in ["", "hello", "{}", "[]", "\u{feff}{}", "{\"message\": 5}"] {
        peer.send(&Frame::new(TEXT, frame).bytes()).await;
        let answer = until(&mut peer, "rejected").await?;
        if !answer.contains(r#""code":"invalid""#) {
            return Err(format!("{frame:?} is answered by {answer}"));
        }
    }
    Ok(())
}

async fn cut(addr: SocketAddr) -> Result<(), String> {
    let frame = |id: &str| format!(r#"{{"id": "{id}", "message": "hélló"}}"#).into_bytes();
    let mut peer = Peer::open(addr, PATH).await?;
    peer.send_chopped(&Frame::new(TEXT, frame("bytes")).bytes(), 1).await;
    let said = until(&mut peer, "message").await?;
    for (at, byte) in frame("fragments").iter().enumerate() {
        let fragment = Frame::new(if at == 0 { TEXT } else { CONTINUATION }, [*byte]).unfinished();
        peer.send(&fragment.bytes()).await;
        peer.send(&Frame::new(PING, "between").bytes()).await;
    }
    peer.send(&Frame::new(CONTINUATION, "").bytes()).await;
    let again = until(&mut peer, "message").await?;
    let whole = said.contains(r#""id":"bytes""#) && again.contains(r#""id":"fragments""#) && again.contains("hélló");
    if whole { Ok(()) } else { Err(format!("{said} and {again}")) }
}

/// The next frame of this type.
async fn until(peer: &mut Peer, kind: &str) -> Result<String, String> {
    loop {
        match peer.next().await? {
            Seen::Text(text) => {
                let text = String::from_utf8(text).expect("checked when it was read");
                if text.contains(&format!(r#""type":"{kind}""#)) {
                    return Ok(text);
                }
            }
            Seen::Close(code) => return Err(format!("closed with {code:?} instead of a frame {kind}")),
            Seen::End => return Err(format!("the stream ends instead of a frame {kind}")),
            Seen::Binary(_) | Seen::Ping(_) | Seen::Pong(_) => {}
        }
    }
}

/// The executable, with a site of its own. It goes with this value, and with this process.
pub struct Server {
    /// Waits for the end of its input, which comes with the end of this process at the latest.
    shell: Child,
    /// Where it listens.
    pub addr: SocketAddr,
    _directory: TempDir,
}

impl Server {
    /// Starts one.
    pub fn start() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut shell = Command::new("sh")
            .args(["-c", r#""$@" & read -r _; kill "$!"; wait "$!""#, "sh", env!("CARGO_BIN_EXE_parlour")])
            .args(["--addr", "127.0.0.1:0", "--limits", "off", "--data", "."])
            .current_dir(directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let mut line = String::new();
        BufReader::new(shell.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        let addr = line.split_once("http://").and_then(|(_, rest)| rest.split(',').next()?.parse().ok());
        Self { shell, addr: addr.unwrap_or_else(|| panic!("the server does not start: {line}")), _directory: directory }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}
