//! The pages as one type. The server's router decides which page a URL leads to, and renders it directly.

use super::error::{ErrorPage, PageError};
use super::front::{FrontPage, FrontPageData};
use super::pins::{PinsPage, PinsPageData};
use super::reactions::{ReactPage, ReactPageData};
use super::room::RoomPage;
use super::settings::{ConfirmPage, ConfirmPageData, SettingsPage, SettingsPageData};
use crate::domain;
use crate::ui::rejected_form::RejectedForm;
use leptos::either::EitherOf7;
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
    /// The emoji with which a visitor can react to a message.
    React(Box<ReactPageData>),
    /// The pinned messages of a room.
    Pins(Box<PinsPageData>),
    /// The reason why a URL has no page, or none for this visitor.
    Error(PageError),
}

impl Page {
    /// Returns the sheet that only pages of this kind have, besides the common one.
    pub(crate) fn own_sheet(&self) -> Option<&'static str> {
        match self {
            Self::Front(_) => Some("front.css"),
            Self::Settings(_) | Self::Confirm(_) | Self::React(_) | Self::Pins(_) => Some("settings.css"),
            Self::Room(..) | Self::Error(_) => None,
        }
    }

    /// Returns the script that only pages of this kind have. They work without it.
    pub(crate) fn own_script(&self) -> Option<&'static str> {
        matches!(self, Self::Settings(_)).then_some("settings.js")
    }

    /// Returns whether the page is one of a room's forms and lists, which have a sheet of their own and no WebAssembly.
    pub(crate) fn is_settings(&self) -> bool {
        matches!(self, Self::Settings(_) | Self::Confirm(_) | Self::React(_) | Self::Pins(_))
    }
}

#[component]
pub(crate) fn PageView(page: Page) -> impl IntoView {
    match page {
        Page::Front(data) => EitherOf7::A(view! { <FrontPage data=*data /> }),
        Page::Room(page, rejected) => EitherOf7::B(view! { <RoomPage page=*page rejected /> }),
        Page::Error(error) => EitherOf7::C(view! { <ErrorPage error /> }),
        Page::Settings(data) => EitherOf7::D(view! { <SettingsPage data=*data /> }),
        Page::Confirm(data) => EitherOf7::E(view! { <ConfirmPage data=*data /> }),
        Page::React(data) => EitherOf7::F(view! { <ReactPage data=*data /> }),
        Page::Pins(data) => EitherOf7::G(view! { <PinsPage data=*data /> }),
    }
}
