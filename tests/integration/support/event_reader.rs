//! A reader of event streams over HTTP, in each format, that can resume where it stopped.

use super::http::browser;
use super::{DEADLINE, Server};
use reqwest::Response;
use reqwest::header::ACCEPT;
use serde_json::Value;
use tokio::time::timeout;

/// Format of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    EventStream,
    JsonLines,
    PlainText,
}

impl Format {
    fn media_type(self) -> &'static str {
        match self {
            Self::EventStream => "text/event-stream",
            Self::JsonLines => "application/x-ndjson",
            Self::PlainText => "text/plain",
        }
    }
}

/// An item of a stream: an event, or a line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Item {
    /// The id of a server-sent event.
    pub id: Option<i64>,
    /// The name of a server-sent event.
    pub event: String,
    /// The frame, or the line as a string in plain text.
    pub data: Value,
}

/// An open stream.
#[derive(Debug)]
pub struct EventReader {
    format: Format,
    response: Response,
    buffer: Vec<u8>,
}

impl EventReader {
    /// Opens `path` (with its query) on the server.
    pub async fn open(server: &Server, path: &str, format: Format, headers: &[(&str, &str)]) -> Self {
        let opened = Self::try_open(&server.url(path), format, headers).await.expect("an answer");
        opened.expect("a stream")
    }

    /// Opens a URL. Returns the response instead if it is no stream.
    pub async fn try_open(
        url: &str,
        format: Format,
        headers: &[(&str, &str)],
    ) -> Result<Result<Self, Response>, reqwest::Error> {
        let request = browser().get(url).header(ACCEPT, format.media_type());
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let response = timeout(DEADLINE, request.send()).await.expect("in time")?;
        if response.status() != 200 {
            return Ok(Err(response));
        }
        let media_type = response.headers()["content-type"].to_str().expect("text");
        assert!(media_type.starts_with(format.media_type()), "{media_type}");
        Ok(Ok(Self { format, response, buffer: Vec::new() }))
    }

    /// The response's header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name).map(|value| value.to_str().expect("text"))
    }

    /// The next item, or `None` at the end of the stream. Heartbeats are passed over.
    pub async fn next(&mut self) -> Option<Item> {
        loop {
            let end: &[u8] = if self.format == Format::EventStream { b"\n\n" } else { b"\n" };
            if let Some(at) = self.buffer.windows(end.len()).position(|window| window == end) {
                let raw: Vec<u8> = self.buffer.drain(..at + end.len()).collect();
                let text = String::from_utf8(raw).expect("UTF-8");
                match self.parse(text.trim_end_matches('\n')) {
                    Some(item) => return Some(item),
                    None => continue,
                }
            }
            match timeout(DEADLINE, self.response.chunk()).await.expect("something in time") {
                Ok(Some(chunk)) => self.buffer.extend_from_slice(&chunk),
                Ok(None) | Err(_) => return None,
            }
        }
    }

    fn parse(&self, text: &str) -> Option<Item> {
        match self.format {
            Format::EventStream => {
                let mut item = Item::default();
                for line in text.lines() {
                    match line.split_once(": ") {
                        Some(("id", id)) => item.id = Some(id.parse().expect("a number")),
                        Some(("event", event)) => item.event = event.to_owned(),
                        Some(("data", data)) => item.data = serde_json::from_str(data).expect("JSON"),
                        _ => assert!(line.starts_with(':'), "{line:?}"),
                    }
                }
                (!item.event.is_empty()).then_some(item)
            }
            Format::JsonLines => {
                let data: Value = (!text.is_empty()).then(|| serde_json::from_str(text).expect("JSON"))?;
                Some(Item { id: None, event: data["type"].as_str().expect("a type").to_owned(), data })
            }
            Format::PlainText => (!text.is_empty()).then(|| Item { data: text.into(), ..Item::default() }),
        }
    }

    /// The next item, which must be of this type.
    pub async fn expect(&mut self, event: &str) -> Item {
        let item = self.next().await.unwrap_or_else(|| panic!("the stream ends before {event}"));
        assert_eq!(item.event, event, "{item:?}");
        item
    }
}
