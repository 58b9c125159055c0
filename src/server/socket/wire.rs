//! Frames in and out of one WebSocket, in bounded time; and what a connection is told at its end.

use crate::protocol::{ServerFrame, close};
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::SinkExt;
use std::time::Duration;
use tokio::time::timeout;

/// A reader that takes nothing for so long is disconnected.
const STUCK: Duration = Duration::from_secs(30);

/// What a connection is at its end told: a close code and the reason in words.
pub type Goodbye = (u16, &'static str);

/// The text of a frame, if it has one.
pub(super) fn received(frame: Option<Result<Message, axum::Error>>) -> Result<Option<Utf8Bytes>, Goodbye> {
    match frame {
        Some(Ok(Message::Text(text))) => Ok(Some(text)),
        Some(Ok(Message::Binary(_))) => Err((close::UNSUPPORTED, "frames are text here")),
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
        Some(Ok(Message::Close(_))) | None => Err((close::NORMAL, "")),
        Some(Err(error)) => Err(goodbye(error)),
    }
}

/// What a connection is told that has broken a rule of the WebSocket protocol, or one of ours about frames.
pub fn goodbye(error: axum::Error) -> Goodbye {
    use tungstenite::Error;
    match error.into_inner().downcast_ref::<Error>() {
        Some(Error::Capacity(_)) => (close::TOO_LARGE, "frames have at most 16 KiB here"),
        Some(Error::Utf8(_)) => (close::NOT_UTF8, "text is UTF-8 here"),
        Some(Error::Protocol(_)) => (close::PROTOCOL, "this is not the WebSocket protocol"),
        _ => (close::NORMAL, ""),
    }
}

/// Writes all of `texts`, then flushes once.
pub(super) async fn send(socket: &mut WebSocket, texts: Vec<Utf8Bytes>) -> Result<(), Goodbye> {
    let write = async {
        for text in texts {
            socket.feed(Message::Text(text)).await?;
        }
        socket.flush().await
    };
    in_time(write).await
}

pub(super) async fn say(socket: &mut WebSocket, frame: ServerFrame) -> Result<(), Goodbye> {
    send(socket, vec![frame.encode().into()]).await
}

pub(super) async fn ping(socket: &mut WebSocket) -> Result<(), Goodbye> {
    in_time(socket.send(Message::Ping(Default::default()))).await
}

async fn in_time(write: impl Future<Output = Result<(), axum::Error>>) -> Result<(), Goodbye> {
    match timeout(STUCK, write).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(goodbye(error)),
        Err(_) => Err((close::TOO_SLOW, "nothing was read")),
    }
}

/// Says goodbye, and gives the other side a moment to say it too.
pub async fn end(socket: &mut WebSocket, code: u16, reason: &'static str) {
    let goodbye = async {
        let frame = CloseFrame { code, reason: reason.into() };
        // Where the other side has said goodbye first, nothing is sent here, and the answer to it still waits.
        let _ = socket.send(Message::Close(Some(frame))).await;
        if socket.flush().await.is_ok() {
            while let Some(Ok(_)) = socket.recv().await {}
        }
    };
    let _ = timeout(Duration::from_secs(2), goodbye).await;
}
