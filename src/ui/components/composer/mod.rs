//! The composer of the room.

pub(super) mod composer_form;
mod draft;
mod editing;
pub(super) mod typing_indicator;
