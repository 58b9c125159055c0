//! The pages as one type. The server's router decides which page a URL leads to, and renders it directly.

use super::error::{ErrorPage, PageError};
use super::front::{FrontPage, FrontPageData};
use super::room::RoomPage;
use super::settings::{ConfirmPage, ConfirmPageData, SettingsPage, SettingsPageData};
use crate::domain;
use crate::ui::rejected_form::RejectedForm;
use leptos::either::EitherOf5;
use leptos::prelude::*;

/// A page with the data that it shows.
#[derive(Clone, Debug)]
pub enum Page {
    /// The front page.
    Front(Box<FrontPageData>),
    /// A room, and the form that the server has refused, if there is one.
    Room(Box<domain::RoomView>, Option<RejectedForm>),
    /// The settings of a room.
    Settings(Box<SettingsPageData>),
    /// A question before something that cannot be undone.
    Confirm(Box<ConfirmPageData>),
    /// The reason why a URL has no page, or none for this visitor.
    Error(PageError),
}

impl Page {
    /// Returns the sheet that only pages of this kind have, besides the common one.
    pub(crate) fn own_sheet(&self) -> Option<&'static str> {
        match self {
            Self::Front(_) => Some("front.css"),
            Self::Settings(_) | Self::Confirm(_) => Some("settings.css"),
            Self::Room(..) | Self::Error(_) => None,
        }
    }

    /// Returns whether the page consists of the forms of a room's settings, which have a sheet of their own and no
    /// script.
    pub(crate) fn is_settings(&self) -> bool {
        matches!(self, Self::Settings(_) | Self::Confirm(_))
    }
}

#[component]
pub(crate) fn PageView(page: Page) -> impl IntoView {
    match page {
        Page::Front(data) => EitherOf5::A(view! { <FrontPage data=*data /> }),
        Page::Room(page, rejected) => EitherOf5::B(view! { <RoomPage page=*page rejected /> }),
        Page::Error(error) => EitherOf5::C(view! { <ErrorPage error /> }),
        Page::Settings(data) => EitherOf5::D(view! { <SettingsPage data=*data /> }),
        Page::Confirm(data) => EitherOf5::E(view! { <ConfirmPage data=*data /> }),
    }
}
