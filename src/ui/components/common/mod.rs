//! Parts that several components use.

pub(super) mod announcer;
pub(super) mod avatar;
pub(super) mod copy_button;
pub(super) mod derived;
pub(super) mod icon;
pub(super) mod notice;
