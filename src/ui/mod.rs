//! The user interface: rendered on the server, hydrated in the browser.
//!
//! `pages` are rendered on the server only. [`components`] are views of the islands in them; `room` contains the state
//! and logic of the room island, `browser` wraps the browser's interfaces, and `text_spans` finds links and code in a
//! text.

mod app;
mod browser;
pub mod components;
mod pages;
mod rejected_form;
pub mod room;
mod room_data;
mod room_list_data;
pub mod text_spans;

pub use app::shell;
pub use pages::{
    ConfirmPageData, CreatedSecret, FrontPageData, OwnerSettings, Page, PageError, PageErrorKind, PeoplePage,
    PersonRow, PersonStatus, PinsPageData, ProgramRow, ProgramSettings, ReactPageData, RefusedSetting, SettingsField,
    SettingsForm, SettingsPageData,
};
pub use rejected_form::RejectedForm;
pub use room_list_data::RoomListData;
