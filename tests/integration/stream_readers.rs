//! Readers of a room's log over HTTP while faults are injected: by server-sent events as a browser's `EventSource`
//! reads them, and by lines of JSON. They are cut off or leave at random moments, resume, and record what they see.

use crate::checker::{Entry, View};
use crate::fan_out_load::{Addresses, ROOM, any, entry, random};
use crate::support::{DEADLINE, http};
use reqwest::{RequestBuilder, Response};
use serde_json::Value;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::timeout;

/// The format that a reader asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamFormat {
    /// It resumes by `Last-Event-ID`, at the address of its first request.
    EventStream,
    /// It resumes by `after` and `epoch`.
    JsonLines,
}

/// Reads from `after` on, or from now on if that is `None`; once the end of the log is known, to there, unless it does
/// not come.
pub async fn read(
    format: StreamFormat,
    after: Option<i64>,
    addresses: Addresses,
    mut settled: watch::Receiver<Option<i64>>,
) -> View {
    let (epoch, head) = start(&addresses).await;
    let mut view = View { after: after.unwrap_or(head), seen: Vec::new() };
    let mut ending: Option<Instant> = None;
    loop {
        let request = request(any(&addresses), format, &epoch, &view);
        let Ok(Ok(response)) = timeout(DEADLINE, request.send()).await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        if !response.status().is_success() {
            // Neither the room nor the position is ever lost.
            assert!(response.status().is_server_error(), "{response:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        }
        let mut stream = Stream { format, response, unread: Vec::new(), id: None };
        let patience = tokio::time::sleep(Duration::from_millis(100 + random(1500)));
        tokio::pin!(patience);
        loop {
            if let Some(end) = *settled.borrow_and_update()
                && (last(&view) >= end || ending.get_or_insert_with(Instant::now).elapsed() > DEADLINE)
            {
                return view;
            }
            tokio::select! {
                read = stream.read() => match read {
                    Some(entries) => view.seen.extend(entries),
                    None => break,
                },
                _ = settled.changed() => {}
                () = tokio::time::sleep(DEADLINE), if ending.is_some() => {}
                // Once all is written, there is nothing to leave for.
                () = &mut patience, if settled.borrow().is_none() => break,
            }
        }
    }
}

fn last(view: &View) -> i64 {
    view.after + view.seen.len() as i64
}

/// The room's epoch and head, from its page.
async fn start(addresses: &Addresses) -> (String, i64) {
    let since = Instant::now();
    loop {
        let page = http::browser().get(format!("http://{}/{ROOM}/?limit=1", any(addresses)));
        let page = page.header("accept", "application/json").timeout(DEADLINE).send().await;
        if let Ok(page) = page
            && page.status().is_success()
            && let Ok(text) = page.text().await
        {
            let page: Value = serde_json::from_str(&text).expect("JSON");
            let epoch = page["epoch"].as_str().expect("an epoch").to_owned();
            return (epoch, page["head"].as_i64().expect("a number"));
        }
        assert!(since.elapsed() < DEADLINE, "the page is never answered");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn request(addr: SocketAddr, format: StreamFormat, epoch: &str, view: &View) -> RequestBuilder {
    let url = |after: i64| format!("http://{addr}/{ROOM}/events?after={after}&epoch={epoch}");
    match format {
        StreamFormat::EventStream => {
            let request = http::browser().get(url(view.after)).header("accept", "text/event-stream");
            if view.seen.is_empty() { request } else { request.header("last-event-id", last(view).to_string()) }
        }
        StreamFormat::JsonLines => http::browser().get(url(last(view))).header("accept", "application/x-ndjson"),
    }
}

struct Stream {
    format: StreamFormat,
    response: Response,
    /// The beginning of a line.
    unread: Vec<u8>,
    /// The id of the event whose lines are being read.
    id: Option<String>,
}

impl Stream {
    /// Reads some more events; `None` at the end. Cancel safe.
    async fn read(&mut self) -> Option<Vec<Entry>> {
        let chunk = timeout(2 * DEADLINE, self.response.chunk()).await.expect("a heartbeat in time");
        self.unread.extend_from_slice(&chunk.ok()??);
        let mut entries = Vec::new();
        while let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.unread.drain(..=end).collect();
            entries.extend(self.line(str::from_utf8(&line).expect("UTF-8").trim_end_matches('\n')));
        }
        Some(entries)
    }

    /// Reads a line, and returns the event that it completes.
    fn line(&mut self, line: &str) -> Option<Entry> {
        if self.format == StreamFormat::JsonLines {
            return (!line.is_empty()).then(|| event(line)).flatten();
        }
        if let Some(id) = line.strip_prefix("id: ") {
            self.id = Some(id.to_owned());
        }
        let event = event(line.strip_prefix("data: ")?)?;
        assert_eq!(self.id.take(), Some(event.seq.to_string()), "the id of an event is its number");
        Some(event)
    }
}

/// The event in a frame, if it is one.
fn event(text: &str) -> Option<Entry> {
    let frame: Value = serde_json::from_str(text).expect("frames are JSON");
    assert_ne!(frame["type"], "reset", "the log goes on: {frame}");
    (!frame["seq"].is_null()).then(|| entry(&frame))
}
