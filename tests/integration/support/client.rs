//! A client on the live socket, with a small language: join, say, expect. Frames are plain JSON, so that the tests
//! hold the contract itself and not this program's idea of it.

use super::{DEADLINE, Server};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};

/// One JSON object.
pub type Frame = Value;

/// How a room is entered.
#[derive(Clone, Debug, Default)]
pub struct Door {
    path: String,
    query: Vec<String>,
    headers: Vec<(&'static str, String)>,
    receive_buffer: Option<u32>,
}

impl Door {
    /// The socket of this room.
    pub fn of(room: &str) -> Self {
        Self { path: format!("/ws/{room}/"), ..Self::default() }
    }

    /// Any path.
    pub fn at(path: &str) -> Self {
        Self { path: path.to_owned(), ..Self::default() }
    }

    /// Resume after this number.
    pub fn after(self, seq: i64) -> Self {
        self.asking("after", &seq.to_string())
    }

    /// … in this history.
    pub fn epoch(self, epoch: &str) -> Self {
        self.asking("epoch", epoch)
    }

    /// The name to appear under.
    pub fn username(self, name: &str) -> Self {
        self.asking("username", name)
    }

    /// Anything in the query; `value` is already encoded.
    pub fn asking(mut self, name: &str, value: &str) -> Self {
        self.query.push(format!("{name}={value}"));
        self
    }

    /// A header of the handshake.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// An identity, as the pages of `server` would bring it.
    pub fn identity(self, cookie: &str, server: &Server) -> Self {
        self.header("cookie", cookie).header("origin", server.origin())
    }

    /// Limits the kernel's receive buffer of a client that does not read.
    pub fn receive_buffer(mut self, bytes: u32) -> Self {
        self.receive_buffer = Some(bytes);
        self
    }

    /// Opens the socket; the status of the answer, if it is not opened.
    pub async fn knock(&self, addr: SocketAddr) -> Result<WebSocketStream<TcpStream>, Refusal> {
        let query = if self.query.is_empty() { String::new() } else { format!("?{}", self.query.join("&")) };
        let mut request = format!("ws://{addr}{}{query}", self.path).into_client_request().expect("an address");
        for (name, value) in &self.headers {
            request.headers_mut().append(*name, value.parse().expect("a header"));
        }
        let socket = TcpSocket::new_v4().map_err(|_| Refusal::Gone)?;
        if let Some(bytes) = self.receive_buffer {
            socket.set_recv_buffer_size(bytes).expect("a buffer");
        }
        let stream = socket.connect(addr).await.map_err(|_| Refusal::Gone)?;
        let _ = stream.set_nodelay(true);
        match timeout(DEADLINE, tokio_tungstenite::client_async(request, stream)).await.expect("an answer in time") {
            Ok((socket, _)) => Ok(socket),
            Err(Error::Http(answer)) => Err(Refusal::Status(answer.status().as_u16())),
            Err(_) => Err(Refusal::Gone),
        }
    }

    /// The status with which the handshake is refused.
    pub async fn refusal(&self, server: &Server) -> u16 {
        match self.knock(server.addr).await {
            Err(Refusal::Status(status)) => status,
            Ok(_) => 101,
            Err(Refusal::Gone) => panic!("no answer to {self:?}"),
        }
    }

    /// The close code and the words with which the server ends the connection before it says anything else.
    pub async fn turned_away(&self, server: &Server) -> (u16, String) {
        let mut socket = self.knock(server.addr).await.unwrap_or_else(|refusal| panic!("{self:?}: {refusal:?}"));
        match timeout(DEADLINE, socket.next()).await {
            Ok(Some(Ok(Message::Close(Some(CloseFrame { code, reason }))))) => (code.into(), reason.to_string()),
            other => panic!("{self:?}: {other:?}"),
        }
    }

    /// Enters: the first frame is the welcome.
    pub async fn join(&self, server: &Server) -> Client {
        let socket = self.knock(server.addr).await.unwrap_or_else(|refusal| panic!("{self:?}: {refusal:?}"));
        self.enter(socket).await.unwrap_or_else(|()| panic!("{self:?}: closed before the welcome"))
    }

    /// Like [`join`](Self::join), but returns `None` if the server is not reachable or closes the connection.
    pub async fn try_join(&self, addr: SocketAddr) -> Option<Client> {
        self.enter(self.knock(addr).await.ok()?).await.ok()
    }

    async fn enter(&self, socket: WebSocketStream<TcpStream>) -> Result<Client, ()> {
        let mut client = Client { socket, welcome: Value::Null, closed: None };
        client.welcome = client.next_frame().await.ok_or(())?;
        assert_eq!(client.welcome["type"], "welcome", "the first frame is the welcome");
        Ok(client)
    }
}

/// Why a socket is not opened.
#[derive(Debug)]
pub enum Refusal {
    /// The server said no.
    Status(u16),
    /// There is no server.
    Gone,
}

/// A connection in a room.
pub struct Client {
    pub(super) socket: WebSocketStream<TcpStream>,
    /// The first frame.
    pub welcome: Frame,
    /// Close code from the server, once it has closed.
    pub closed: Option<u16>,
}

impl Client {
    /// Enters `room` with a new identity.
    pub async fn join(server: &Server, room: &str) -> Self {
        Door::of(room).join(server).await
    }

    /// Joins the room `harbour` as Ann, and posts the messages `1 ..= count` with their numbers as ids.
    pub async fn with_messages(server: &Server, count: i64) -> Self {
        let mut client = Door::of("harbour").username("Ann").join(server).await;
        for n in 1..=count {
            client.post(&n.to_string(), &n.to_string()).await;
            if n % 100 == 0 || n == count {
                client.answer_to(&n.to_string()).await;
            }
        }
        client
    }

    /// Sends one frame.
    pub async fn send(&mut self, frame: Frame) {
        self.send_text(frame.to_string()).await;
    }

    /// Sends one text frame, whatever is in it.
    pub async fn send_text(&mut self, text: impl Into<String>) {
        self.send_message(Message::text(text.into())).await.expect("the socket takes a frame");
    }

    /// Sends anything; an error if the connection is gone.
    pub async fn send_message(&mut self, message: Message) -> Result<(), Error> {
        timeout(DEADLINE, self.socket.send(message)).await.expect("the server reads")
    }

    /// Sends a post.
    pub async fn post(&mut self, id: &str, text: &str) {
        self.send(json!({"type": "post", "id": id, "message": text})).await;
    }

    /// Sends a post and waits until it is acknowledged.
    pub async fn say(&mut self, id: &str, text: &str) -> Frame {
        self.post(id, text).await;
        self.answer_to(id).await
    }

    /// The next frame; `None` at the end of the connection.
    pub async fn next_frame(&mut self) -> Option<Frame> {
        loop {
            let message = timeout(DEADLINE, self.socket.next()).await.expect("a frame in time");
            match message {
                Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).expect("frames are JSON")),
                Some(Ok(Message::Close(frame))) => self.closed = frame.map(|CloseFrame { code, .. }| code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// The next frame that is not a hint (presence, typing, a heartbeat).
    pub async fn next(&mut self) -> Frame {
        let next = async {
            loop {
                let frame = self.next_frame().await;
                let frame = frame.unwrap_or_else(|| panic!("the connection ended with {:?}", self.closed));
                let kind = frame["type"].as_str().expect("frames have a type");
                if !["presence", "typing", "heartbeat"].contains(&kind) {
                    return frame;
                }
            }
        };
        timeout(DEADLINE, next).await.expect("something happens in time")
    }

    /// The next frame, which is of this type.
    pub async fn expect(&mut self, kind: &str) -> Frame {
        let frame = self.next().await;
        assert_eq!(frame["type"], kind, "{frame}");
        frame
    }

    /// The next frame, which is a message of this text.
    pub async fn expect_message(&mut self, text: &str) -> Frame {
        let frame = self.expect("message").await;
        assert_eq!(frame["message"], text, "{frame}");
        frame
    }

    /// Every frame up to the first that will do, hints left out.
    pub async fn until(&mut self, will_do: impl Fn(&Frame) -> bool) -> Vec<Frame> {
        let mut frames = Vec::new();
        while !frames.last().is_some_and(&will_do) {
            frames.push(self.next().await);
        }
        frames
    }

    /// Returns the answer to the frame with this id. Other frames are skipped.
    pub async fn answer_to(&mut self, id: &str) -> Frame {
        self.until(|frame| frame["id"] == id).await.pop().expect("at least one")
    }

    /// Returns all frames until the server closes the connection.
    pub async fn rest(&mut self) -> Vec<Frame> {
        let mut frames = Vec::new();
        let end = async {
            while let Some(frame) = self.next_frame().await {
                frames.push(frame);
            }
        };
        timeout(DEADLINE, end).await.expect("the server closes in time");
        frames
    }

    /// Returns the close code from the server. Frames before it are skipped.
    pub async fn close_code(&mut self) -> Option<u16> {
        let end = async { while self.next_frame().await.is_some() {} };
        timeout(DEADLINE, end).await.expect("the server closes in time");
        self.closed
    }
}
