//! State that this browser keeps between visits in local storage: drafts, edits, pending commands, read positions, and
//! names.
//!
//! Each pending command has its own key, so that two tabs never overwrite each other. Edits have one key per message,
//! and drafts one per room, which the tabs share. Without storage, or if it is full, the page keeps the values while it
//! is open. After the storage was cleared, the page writes its values back. Tabs of earlier releases use the same
//! storage, so keys and formats do not change.

use super::{clock, dom};
use crate::domain::{Epoch, EventId, RoomName, Seq};
use std::cell::RefCell;
use web_sys::Storage;

/// Key prefix of read positions, which `known_rooms.js` uses too.
pub(crate) const READ_KEY_PREFIX: &str = "parlour:read:";
const OUTBOX_KEY_PREFIX: &str = "parlour:outbox:";
const EDIT_KEY_PREFIX: &str = "parlour:edit:";
const REPLY_KEY_PREFIX: &str = "parlour:reply:";
const PIN_KEY_PREFIX: &str = "parlour:pin:";
const USERNAME_KEY: &str = "parlour:name";

/// Key prefix of drafts, which `hydrate.js` uses too.
pub(crate) const DRAFT_KEY_PREFIX: &str = "parlour:draft:";

thread_local! {
    /// Keys and values that the storage did not accept.
    static FALLBACK: RefCell<Vec<(String, String)>> = const { RefCell::new(Vec::new()) };

    /// Keys and values of this page that the storage has accepted.
    static ACCEPTED: RefCell<Vec<(String, String)>> = const { RefCell::new(Vec::new()) };
}

/// Returns the stored form of the pending commands of a room, from all tabs.
pub(crate) fn pending_commands(room: &RoomName) -> impl Iterator<Item = String> + use<> {
    keys(&outbox_key(room, "")).into_iter().filter_map(|key| get(&key))
}

/// Returns the rooms with pending commands.
pub(crate) fn rooms_with_commands() -> Vec<RoomName> {
    let mut rooms: Vec<RoomName> = Vec::new();
    for key in keys(OUTBOX_KEY_PREFIX) {
        if let Some((room, _)) = key[OUTBOX_KEY_PREFIX.len()..].rsplit_once(':')
            && rooms.iter().all(|known| known.as_str() != room)
        {
            rooms.push(RoomName::from_trusted(room.to_owned()));
        }
    }
    rooms
}

/// Returns whether only the page holds a text of the visitor, because the storage did not accept it.
pub(crate) fn is_holding_text() -> bool {
    let is_text =
        |key: &str| [OUTBOX_KEY_PREFIX, DRAFT_KEY_PREFIX, EDIT_KEY_PREFIX].iter().any(|it| key.starts_with(it));
    FALLBACK.with_borrow(|fallback| fallback.iter().any(|(key, _)| is_text(key)))
}

/// Returns whether a storage key belongs to the outbox of a room; `None` stands for any room.
pub(crate) fn is_outbox_key(key: &str, room: Option<&RoomName>) -> bool {
    room.map_or(key.starts_with(OUTBOX_KEY_PREFIX), |room| key.starts_with(&outbox_key(room, "")))
}

/// Returns whether a storage key belongs to the draft of a room.
pub(crate) fn is_draft_key(key: &str, room: &RoomName) -> bool {
    key == draft_key(room)
}

/// Saves the stored form of a pending command.
pub(crate) fn save_pending(room: &RoomName, id: &EventId, stored: &str) {
    set(&outbox_key(room, id.as_str()), stored);
}

/// Removes a pending command.
pub(crate) fn remove_pending(room: &RoomName, id: &EventId) {
    set(&outbox_key(room, id.as_str()), "");
}

/// Returns the draft of a room.
pub(crate) fn draft(room: &RoomName) -> Option<String> {
    get(&draft_key(room))
}

/// Saves the draft of a room; an empty one removes it.
pub(crate) fn save_draft(room: &RoomName, text: &str) {
    set(&draft_key(room), text);
}

/// Removes the draft of a room after `sent` was sent, unless another tab has saved a different draft.
pub(crate) fn remove_draft(room: &RoomName, sent: &str) {
    if draft(room).is_some_and(|draft| sent.contains(draft.trim())) {
        save_draft(room, "");
    }
}

/// Returns the pinned message of a room whose bar is hidden.
pub(crate) fn hidden_pin(room: &RoomName) -> Option<Seq> {
    get(&format!("{PIN_KEY_PREFIX}{room}"))?.parse().ok()
}

/// Hides the bar of a pinned message of a room.
pub(crate) fn save_hidden_pin(room: &RoomName, seq: Seq) {
    set(&format!("{PIN_KEY_PREFIX}{room}"), &seq.to_string());
}

/// Returns the message that the draft of a room replies to, if it was chosen in this epoch.
pub(crate) fn reply(room: &RoomName, epoch: &Epoch) -> Option<Seq> {
    let stored = get(&format!("{REPLY_KEY_PREFIX}{room}"))?;
    stored.strip_suffix(&format!(" {epoch}"))?.parse().ok()
}

/// Saves the message that the draft of a room replies to; `None` removes it.
pub(crate) fn save_reply(room: &RoomName, epoch: &Epoch, seq: Option<Seq>) {
    set(&format!("{REPLY_KEY_PREFIX}{room}"), &seq.map(|seq| format!("{seq} {epoch}")).unwrap_or_default());
}

/// Returns the messages of a room with an unfinished edit.
pub(crate) fn edited_messages(room: &RoomName) -> Vec<Seq> {
    let prefix = edit_key(room, "");
    keys(&prefix).into_iter().filter_map(|key| key.strip_prefix(&prefix)?.parse().ok()).collect()
}

/// Removes the unfinished edits of a room that were begun in another epoch, and returns their texts. Edits without an
/// epoch are from an earlier release, and stay.
pub(crate) fn take_edits_of_other_epochs(room: &RoomName, epoch: &Epoch) -> Vec<String> {
    let is_other = |seq: &Seq| get(&edit_epoch_key(room, *seq)).is_some_and(|bound| bound != epoch.0);
    let others: Vec<Seq> = edited_messages(room).into_iter().filter(is_other).collect();
    let take = |seq| {
        let text = edit(room, seq);
        save_edit(room, epoch, seq, "");
        text
    };
    others.into_iter().filter_map(take).collect()
}

/// Returns the text of the unfinished edit of a message.
pub(crate) fn edit(room: &RoomName, seq: Seq) -> Option<String> {
    get(&edit_key(room, &seq.to_string()))
}

/// Saves the text of an unfinished edit, begun in this epoch of the room; an empty text removes it.
pub(crate) fn save_edit(room: &RoomName, epoch: &Epoch, seq: Seq, text: &str) {
    set(&edit_key(room, &seq.to_string()), text);
    set(&edit_epoch_key(room, seq), if text.is_empty() { "" } else { &epoch.0 });
}

/// Returns the visitor's name for all rooms, as last entered or learned in this browser.
pub(crate) fn username() -> Option<String> {
    get(USERNAME_KEY)
}

/// Saves the visitor's name; an empty one removes it.
pub(crate) fn save_username(name: &str) {
    if username().unwrap_or_default() != name {
        set(USERNAME_KEY, name);
    }
}

/// Returns whether a storage key is that of the visitor's name.
pub(crate) fn is_username_key(key: &str) -> bool {
    key == USERNAME_KEY
}

/// Returns the visitor's name in a room where another visitor holds the remembered one.
pub(crate) fn room_username(room: &RoomName, remembered: &str) -> Option<String> {
    let stored = get(&room_username_key(room))?;
    let (instead_of, name) = stored.split_once('\n')?;
    (instead_of == remembered).then(|| name.to_owned())
}

/// Saves the visitor's name in a room, in place of the remembered one; an empty name removes it.
pub(crate) fn save_room_username(room: &RoomName, remembered: &str, name: &str) {
    let stored = if name.is_empty() { String::new() } else { format!("{remembered}\n{name}") };
    set(&room_username_key(room), &stored);
}

/// Returns whether a storage key belongs to the read position of a room.
pub(crate) fn is_read_key(key: &str, room: &RoomName) -> bool {
    key.strip_prefix(READ_KEY_PREFIX) == Some(room.as_str())
}

/// Returns the number up to which a room was read, or `None` at the first visit.
pub(crate) fn read_position(room: &RoomName) -> Option<Seq> {
    get(&format!("{READ_KEY_PREFIX}{room}"))?.split(' ').next()?.parse().ok()
}

/// Saves the number up to which a room was read, with the time of the visit.
pub(crate) fn save_read_position(room: &RoomName, read: Seq) {
    set(&format!("{READ_KEY_PREFIX}{room}"), &format!("{read} {}", clock::now() as i64));
}

/// Sets the value of a key; an empty value removes it. If the storage is full, its previous value stays.
pub(super) fn set(key: &str, value: &str) {
    let put = |storage: Storage| {
        if value.is_empty() {
            return storage.remove_item(key).is_ok();
        }
        // An extension may make the storage forget without an error.
        storage.set_item(key, value).is_ok() && storage.get_item(key).ok().flatten().as_deref() == Some(value)
    };
    let is_stored = storage().is_some_and(put);
    for (page, is_kept) in [(&FALLBACK, !is_stored), (&ACCEPTED, is_stored)] {
        page.with_borrow_mut(|entries| {
            entries.retain(|(other, _)| other != key);
            if is_kept && !value.is_empty() {
                entries.push((key.to_owned(), value.to_owned()));
            }
        });
    }
}

/// Returns the value of a key. A value of the page is newer than one in the storage.
pub(super) fn get(key: &str) -> Option<String> {
    let fallback = FALLBACK
        .with_borrow(|fallback| fallback.iter().find(|(other, _)| other == key).map(|(_, value)| value.clone()));
    fallback.or_else(|| storage()?.get_item(key).ok()?)
}

/// Returns the keys with a prefix.
pub(super) fn keys(prefix: &str) -> Vec<String> {
    let storage = storage();
    let length = storage.as_ref().and_then(|storage| storage.length().ok()).unwrap_or(0);
    let mut keys: Vec<String> = (0..length).filter_map(|index| storage.as_ref()?.key(index).ok()?).collect();
    FALLBACK.with_borrow(|fallback| {
        for (key, _) in fallback {
            if !keys.contains(key) {
                keys.push(key.clone());
            }
        }
    });
    keys.retain(|key| key.starts_with(prefix));
    keys
}

fn outbox_key(room: &RoomName, id: &str) -> String {
    format!("{OUTBOX_KEY_PREFIX}{room}:{id}")
}

fn draft_key(room: &RoomName) -> String {
    format!("{DRAFT_KEY_PREFIX}{room}")
}

fn edit_key(room: &RoomName, seq: &str) -> String {
    format!("{EDIT_KEY_PREFIX}{room}:{seq}")
}

fn room_username_key(room: &RoomName) -> String {
    format!("{USERNAME_KEY}:{room}")
}

fn edit_epoch_key(room: &RoomName, seq: Seq) -> String {
    edit_key(room, &format!("{seq}:epoch"))
}

/// Returns the storage. If it was cleared since the page was opened, first writes the values of this page back. The
/// read position of the open room is always in it, so its absence shows that.
fn storage() -> Option<Storage> {
    let storage = dom::window().local_storage().ok().flatten()?;
    ACCEPTED.with_borrow(|accepted| {
        let is_missing = |key: &str| matches!(storage.get_item(key), Ok(None));
        if accepted.iter().any(|(key, _)| key.starts_with(READ_KEY_PREFIX) && is_missing(key)) {
            accepted.iter().for_each(|(key, value)| _ = storage.set_item(key, value));
        }
    });
    Some(storage)
}
