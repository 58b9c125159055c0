//! The composer of the room.

pub(super) mod composer_form;
mod draft;
mod editing;
mod mention_options;
mod reply_bar;
pub(super) mod typing_indicator;
