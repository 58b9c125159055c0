//! Presence, as clients receive it.

use super::client::Frame;
use super::{Client, DEADLINE};
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// Waits until the client's presence lists exactly these names, in any order. Returns the names in each presence frame
/// until then.
pub async fn told(client: &mut Client, names: &[&str]) -> Vec<Vec<String>> {
    let mut names: Vec<&str> = names.to_vec();
    names.sort_unstable();
    let waiting = async {
        let mut seen: Vec<Vec<String>> = Vec::new();
        while seen.last().is_none_or(|here| *here != names) {
            let frame = client.next_frame().await.expect("the connection stays");
            if frame["type"] != "presence" {
                continue;
            }
            assert_eq!(frame.get("message"), None, "the original client would show it");
            let participants = frame["participants"].as_array().expect("a list");
            assert_eq!(frame["count"].as_u64(), Some(participants.len() as u64), "{frame}");
            assert!(participants.iter().all(|one| one["tag"].as_str().map(str::len) == Some(4)), "{frame}");
            let here = participants.iter().map(|one| one["username"].as_str().expect("a name").to_owned());
            let mut here: Vec<String> = here.collect();
            here.sort_unstable();
            seen.push(here);
        }
        seen
    };
    timeout(DEADLINE, waiting).await.unwrap_or_else(|_| panic!("never told of {names:?}"))
}

/// Has `writer` type until `reader` is shown it: a hint may be lost. The hint.
pub async fn shown_typing(reader: &mut Client, writer: &mut Client) -> Frame {
    let shown = async {
        loop {
            writer.send(json!({"type": "typing"})).await;
            // More often than once a second is not passed on.
            let again = Instant::now() + Duration::from_millis(1100);
            while let Ok(frame) = timeout_at(again, reader.next_frame()).await {
                let frame = frame.expect("the connection stays");
                if frame["type"] == "typing" {
                    return frame;
                }
            }
        }
    };
    timeout(DEADLINE, shown).await.expect("the reader is shown it")
}
