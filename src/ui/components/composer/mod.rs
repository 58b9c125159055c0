//! The composer of the room.

pub(super) mod composer_form;
mod draft;
mod editing;
mod reply_bar;
pub(super) mod typing_indicator;
