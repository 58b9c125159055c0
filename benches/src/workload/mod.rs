//! Workloads for a server.

pub mod attack;
pub mod crowd;
pub mod fanout;
pub mod floor;
pub mod idle;
pub mod page;
pub mod previews;

use std::sync::atomic::{AtomicU32, Ordering};

/// Returns a number that distinguishes this run's messages from those of other runs in the same room.
fn run_number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    (now.as_millis() as u32).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Returns a post frame, in the format of the original client.
fn post(room: &str, text: &str) -> String {
    format!(r#"{{"username":"bench","room_name":"{room}","message":"{text}"}}"#)
}
