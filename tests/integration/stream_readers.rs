//! Readers of a room's log over HTTP while faults are injected: by server-sent events as a browser's `EventSource`
//! reads them, and by lines of JSON. They are cut off or leave at random moments, resume, and record what they see.

use crate::checker::View;
use crate::fan_out_load::{Addresses, ROOM, any, entry, random};
use crate::support::event_reader::{EventReader, Format, Item};
use crate::support::{DEADLINE, http};
use serde_json::Value;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Reads from `after` on, or from now on if that is `None`; once the end of the log is known, to there, unless it does
/// not come.
pub async fn read(
    format: Format,
    after: Option<i64>,
    addresses: Addresses,
    mut settled: watch::Receiver<Option<i64>>,
) -> View {
    let (epoch, head) = start(&addresses).await;
    let mut view = View { after: after.unwrap_or(head), seen: Vec::new() };
    let mut ending: Option<Instant> = None;
    loop {
        let Some(mut reader) = resume(format, &epoch, &view, &addresses).await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let patience = tokio::time::sleep(Duration::from_millis(100 + random(1500)));
        tokio::pin!(patience);
        loop {
            if let Some(end) = *settled.borrow_and_update()
                && (last(&view) >= end || ending.get_or_insert_with(Instant::now).elapsed() > DEADLINE)
            {
                return view;
            }
            tokio::select! {
                item = reader.next() => match item {
                    Some(item) => see(&mut view, format, &item),
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

/// Notes an item of the stream, if it is an event.
fn see(view: &mut View, format: Format, Item { id, event, data }: &Item) {
    assert_ne!(event, "reset", "the log goes on: {data}");
    let seq = data["seq"].as_i64();
    if format == Format::EventStream {
        assert_eq!(*id, seq, "the id of an event is its number");
    }
    if seq.is_some() {
        view.seen.push(entry(data));
    }
}

/// Opens the stream after what was seen: server-sent events as `EventSource` does, by `Last-Event-ID` at the address of
/// the first request, and lines by `after`. Returns `None` if the server does not answer, or not now.
async fn resume(format: Format, epoch: &str, view: &View, addresses: &Addresses) -> Option<EventReader> {
    let last = last(view).to_string();
    let url = |after: &str| format!("http://{}/{ROOM}/events?after={after}&epoch={epoch}", any(addresses));
    let opened = match format {
        Format::EventStream => {
            let headers = [("last-event-id", last.as_str())];
            let headers = if view.seen.is_empty() { &[] } else { &headers[..] };
            EventReader::try_open(&url(&view.after.to_string()), format, headers).await
        }
        _ => EventReader::try_open(&url(&last), format, &[]).await,
    };
    match opened.ok()? {
        Ok(reader) => Some(reader),
        Err(refused) => {
            // Neither the room nor the position is ever lost.
            assert!(refused.status().is_server_error(), "{refused:?}");
            None
        }
    }
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
