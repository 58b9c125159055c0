//! Edits an own message in the composer.

use super::draft::Draft;
use crate::domain::{RoomName, Seq};
use crate::ui::browser::storage;
use crate::ui::room::RoomState;
use crate::ui::room::outbox::OutboxCommand;
use leptos::prelude::*;

/// Puts the edited message into the field, with the changes made so far. Restores the draft when editing ends.
pub(super) fn fill_for_editing(room: RoomState, field: Draft) {
    Effect::new(move |before: Option<(RoomName, Option<Seq>)>| {
        let (name, target) = (room.name(), room.editing.target.get());
        let before = before.filter(|before| before.0 == name).and_then(|(_, target)| target);
        match target {
            Some(seq) => {
                // Set aside: another tab may remove the stored one.
                if before.is_none() {
                    field.aside.set(field.value());
                }
                let draft = field.aside.get_untracked();
                // Text typed before hydration, or refused as a form, is not saved yet.
                if !draft.is_empty() {
                    storage::save_draft(&room.name(), &draft);
                }
                if let Some(text) = storage::edit(&room.name(), seq).or_else(|| room.text_of(seq)) {
                    field.write(&text);
                }
            }
            None if before.is_some() => field.write(&field.aside.get_untracked()),
            None => {}
        }
        (name, target)
    });
}

/// Submits the edit of a message. An empty text asks whether to delete the message.
pub(super) fn submit_edit(room: RoomState, target: Seq, text: String) {
    if text.is_empty() {
        room.dialogs.deleting.set(Some(target));
        return;
    }
    if room.text_of(target).as_ref() != Some(&text) {
        room.submit(OutboxCommand::Edit { target, text });
    }
    room.stop_editing();
}
