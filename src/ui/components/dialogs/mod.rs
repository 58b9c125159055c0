//! The dialogs of the room.

pub(super) mod delete_dialog;
pub(super) mod message_menu;
mod modal;
pub(super) mod moderation_dialog;
pub(super) mod reaction_palette;
pub(super) mod rename_dialog;
pub(super) mod room_menu;
pub(super) mod room_switcher;
