//! What this browser keeps between visits, in its local storage: drafts, edits, what waits to be sent, and how far each room
//! was read. What waits has a key for each message, so that two tabs never overwrite each other; an edit has one for each
//! message, and a draft one for each room, which the tabs share. Where there is no storage, or it is full, the page itself
//! keeps it for as long as it is there.

use super::clock;
use crate::domain::json::{FromJson, Json};
use crate::domain::{EventId, ReadRoom, RoomName, Seq, page::MAX_COUNTED_ROOMS};
use crate::ui::outbox::Pending;
use std::cell::RefCell;
use web_sys::Storage;

const READ: &str = "parlour:read:";

thread_local! {
    /// What the storage did not take: keys and texts.
    static PAGE: RefCell<Vec<(String, String)>> = const { RefCell::new(Vec::new()) };
}

/// What was typed into the room, in any tab of this browser, and is not known to be stored.
pub(crate) fn outbox(room: &RoomName) -> Vec<Pending> {
    let parse = |key: String| Pending::from_json(Json::parse(&text(&key)?)?);
    keys(&outbox_key(room, "")).into_iter().filter_map(parse).collect()
}

/// Whether a key of the storage belongs to this room's outbox.
pub(crate) fn is_of_outbox(key: &str, room: &RoomName) -> bool {
    key.starts_with(&outbox_key(room, ""))
}

/// Keeps one thing that waits.
pub(crate) fn keep_pending(room: &RoomName, pending: &Pending) {
    let text = serde_json::to_string(pending).expect("what waits is plain data");
    keep(&outbox_key(room, pending.id.as_str()), &text);
}

/// Lets go of it.
pub(crate) fn forget_pending(room: &RoomName, id: &EventId) {
    keep(&outbox_key(room, id.as_str()), "");
}

/// What was written into the room's composer and not sent.
pub(crate) fn draft(room: &RoomName) -> Option<String> {
    text(&draft_key(room))
}

/// Keeps it.
pub(crate) fn keep_draft(room: &RoomName, text: &str) {
    keep(&draft_key(room), text);
}

/// This was sent: lets go of the draft, unless it is another one, of another tab.
pub(crate) fn forget_draft(room: &RoomName, sent: &str) {
    if draft(room).is_some_and(|draft| sent.contains(draft.trim())) {
        keep_draft(room, "");
    }
}

/// The messages of the room whose edits were begun, and neither saved nor cancelled.
pub(crate) fn edited(room: &RoomName) -> Vec<Seq> {
    let prefix = edit_key(room, "");
    keys(&prefix).into_iter().filter_map(|key| key.strip_prefix(&prefix)?.parse().ok()).collect()
}

/// The text so far of the edit of a message.
pub(crate) fn edit(room: &RoomName, seq: Seq) -> Option<String> {
    text(&edit_key(room, &seq.to_string()))
}

/// Keeps it.
pub(crate) fn keep_edit(room: &RoomName, seq: Seq, text: &str) {
    keep(&edit_key(room, &seq.to_string()), text);
}

/// Up to which number the room was read; `None` at the first visit.
pub(crate) fn read(room: &RoomName) -> Option<Seq> {
    text(&format!("{READ}{room}"))?.split(' ').next()?.parse().ok()
}

/// Keeps it, with the time, by which rooms are recent.
pub(crate) fn keep_read(room: &RoomName, read: Seq) {
    keep(&format!("{READ}{room}"), &format!("{read} {}", clock::now() as i64));
}

/// The rooms that were visited, the last one first; those that too many came after are forgotten.
pub(crate) fn recent() -> Vec<ReadRoom> {
    let mut rooms: Vec<(i64, ReadRoom)> = Vec::new();
    for key in keys(READ) {
        let parse = || {
            let kept = text(&key)?;
            let (read, at) = kept.split_once(' ')?;
            let room = RoomName::from_stored(key.strip_prefix(READ)?.to_owned());
            Some((at.parse::<i64>().ok()?, ReadRoom { room, read: read.parse().ok()? }))
        };
        if let Some((at, room)) = parse() {
            let later = rooms.iter().take_while(|(other, _)| *other > at).count();
            rooms.insert(later, (at, room));
        }
    }
    let surplus = rooms.split_off(rooms.len().min(MAX_COUNTED_ROOMS));
    for (_, surplus) in surplus {
        keep(&format!("{READ}{}", surplus.room), "");
    }
    rooms.into_iter().map(|(_, it)| it).collect()
}

/// Keeps a text under a key, or nothing. A storage that is full keeps what it has.
fn keep(key: &str, text: &str) {
    let put = |storage: Storage| if text.is_empty() { storage.remove_item(key) } else { storage.set_item(key, text) };
    let is_kept = storage().is_some_and(|storage| put(storage).is_ok());
    PAGE.with_borrow_mut(|page| {
        page.retain(|(other, _)| other != key);
        if !is_kept && !text.is_empty() {
            page.push((key.to_owned(), text.to_owned()));
        }
    });
}

/// What is kept under a key. What the page keeps is newer than what the storage has.
fn text(key: &str) -> Option<String> {
    let of_page = PAGE.with_borrow(|page| page.iter().find(|(other, _)| other == key).map(|(_, text)| text.clone()));
    of_page.or_else(|| storage()?.get_item(key).ok()?)
}

/// The keys that begin so.
fn keys(prefix: &str) -> Vec<String> {
    let storage = storage();
    let length = storage.as_ref().and_then(|storage| storage.length().ok()).unwrap_or(0);
    let mut keys: Vec<String> = (0..length).filter_map(|index| storage.as_ref()?.key(index).ok()?).collect();
    PAGE.with_borrow(|page| {
        for (key, _) in page {
            if !keys.contains(key) {
                keys.push(key.clone());
            }
        }
    });
    keys.retain(|key| key.starts_with(prefix));
    keys
}

fn outbox_key(room: &RoomName, id: &str) -> String {
    format!("parlour:outbox:{room}:{id}")
}

/// Also written by hand where the program has ended (`app.rs`).
fn draft_key(room: &RoomName) -> String {
    format!("parlour:draft:{room}")
}

fn edit_key(room: &RoomName, seq: &str) -> String {
    format!("parlour:edit:{room}:{seq}")
}

fn storage() -> Option<Storage> {
    super::window().local_storage().ok().flatten()
}
