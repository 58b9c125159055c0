//! What this browser keeps between visits, in its local storage: drafts, edits, what waits to be sent, and how far each room
//! was read. Every piece has a key of its own, so that two tabs never overwrite each other. Where there is no storage
//! nothing is kept, and everything else works.

use super::clock;
use crate::domain::json::{FromJson, Json};
use crate::domain::{EventId, ReadRoom, RoomName, Seq, page::MAX_COUNTED_ROOMS};
use crate::ui::outbox::Pending;
use web_sys::Storage;

const READ: &str = "parlour:read:";

/// What this browser has typed into the room, in any tab, and does not know to be stored. `None` without storage.
pub(crate) fn outbox(room: &RoomName) -> Option<Vec<Pending>> {
    let storage = storage()?;
    let prefix = outbox_key(room, "");
    let kept = keys(&storage).into_iter().filter(|key| key.starts_with(&prefix));
    let parse = |key: String| Pending::from_json(Json::parse(&storage.get_item(&key).ok()??)?);
    Some(kept.filter_map(parse).collect())
}

/// Whether a key of the storage belongs to this room's outbox.
pub(crate) fn is_of_outbox(key: &str, room: &RoomName) -> bool {
    key.starts_with(&outbox_key(room, ""))
}

/// Keeps one thing that waits. Returns whether the storage took it.
pub(crate) fn keep_pending(room: &RoomName, pending: &Pending) -> bool {
    let text = serde_json::to_string(pending).expect("what waits is plain data");
    keep(&outbox_key(room, pending.id.as_str()), &text)
}

/// Lets go of it.
pub(crate) fn forget_pending(room: &RoomName, id: &EventId) {
    keep(&outbox_key(room, id.as_str()), "");
}

/// What was written into the room's composer and not sent.
pub(crate) fn draft(room: &RoomName) -> Option<String> {
    storage()?.get_item(&draft_key(room)).ok().flatten()
}

/// Keeps it.
pub(crate) fn keep_draft(room: &RoomName, text: &str) {
    keep(&draft_key(room), text);
}

/// The edit of a message that was begun in the room and neither saved nor cancelled: which message, and the text so far.
pub(crate) fn edit(room: &RoomName) -> Option<(Seq, String)> {
    let kept = storage()?.get_item(&edit_key(room)).ok()??;
    let (seq, text) = kept.split_once(' ')?;
    Some((seq.parse().ok()?, text.to_owned()))
}

/// Keeps it.
pub(crate) fn keep_edit(room: &RoomName, seq: Seq, text: &str) {
    keep(&edit_key(room), &format!("{seq} {text}"));
}

/// Lets go of it.
pub(crate) fn forget_edit(room: &RoomName) {
    keep(&edit_key(room), "");
}

/// Up to which number the room was read; `None` at the first visit.
pub(crate) fn read(room: &RoomName) -> Option<Seq> {
    let kept = storage()?.get_item(&format!("{READ}{room}")).ok()??;
    kept.split(' ').next()?.parse().ok()
}

/// Keeps it, with the time, by which rooms are recent.
pub(crate) fn keep_read(room: &RoomName, read: Seq) {
    keep(&format!("{READ}{room}"), &format!("{read} {}", clock::now() as i64));
}

/// The rooms that were visited, the last one first; those that too many came after are forgotten.
pub(crate) fn recent() -> Vec<ReadRoom> {
    let Some(storage) = storage() else { return Vec::new() };
    let mut rooms: Vec<(i64, ReadRoom)> = Vec::new();
    for key in keys(&storage) {
        let parse = || {
            let kept = storage.get_item(&key).ok()??;
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

/// Keeps a text under a key, or nothing. A storage that is full keeps what it has; what is new lives as long as the page.
fn keep(key: &str, text: &str) -> bool {
    let put = |storage: Storage| if text.is_empty() { storage.remove_item(key) } else { storage.set_item(key, text) };
    storage().is_some_and(|storage| put(storage).is_ok())
}

fn keys(storage: &Storage) -> Vec<String> {
    (0..storage.length().unwrap_or(0)).filter_map(|index| storage.key(index).ok().flatten()).collect()
}

fn outbox_key(room: &RoomName, id: &str) -> String {
    format!("parlour:outbox:{room}:{id}")
}

fn draft_key(room: &RoomName) -> String {
    format!("parlour:draft:{room}")
}

fn edit_key(room: &RoomName) -> String {
    format!("parlour:edit:{room}")
}

fn storage() -> Option<Storage> {
    super::window().local_storage().ok().flatten()
}
