//! The pages, one file each. They are rendered on the server only.

mod error;
mod front;
mod message_form;
mod page;
mod page_title;
mod pins;
mod reactions;
mod room;
mod sample;
mod settings;

pub use error::{PageError, PageErrorKind};
pub use front::FrontPageData;
pub use page::Page;
pub(super) use page::PageView;
pub use pins::PinsPageData;
pub use reactions::ReactPageData;
pub use settings::{
    ConfirmPageData, CreatedSecret, OwnerSettings, PeoplePage, PersonRow, PersonStatus, ProgramRow, ProgramSettings,
    RefusedSetting, SettingsField, SettingsForm, SettingsPageData,
};
