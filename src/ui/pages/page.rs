//! The pages as one type. The server's router decides which page a URL leads to, and renders it directly.

use super::error::{ErrorPage, PageError};
use super::front::{FrontPage, FrontPageData};
use super::room::RoomPage;
use crate::domain;
use crate::ui::rejected_form::RejectedForm;
use leptos::either::EitherOf3;
use leptos::prelude::*;

/// A page with the data that it shows.
#[derive(Clone, Debug)]
pub enum Page {
    /// The front page.
    Front(FrontPageData),
    /// A room, and the form that the server has refused, if there is one.
    Room(Box<domain::RoomView>, Option<RejectedForm>),
    /// The reason why a URL has no page, or none for this visitor.
    Error(PageError),
}

#[component]
pub(crate) fn PageView(page: Page) -> impl IntoView {
    match page {
        Page::Front(form) => EitherOf3::A(view! { <FrontPage form /> }),
        Page::Room(page, rejected) => EitherOf3::B(view! { <RoomPage page=*page rejected /> }),
        Page::Error(error) => EitherOf3::C(view! { <ErrorPage error /> }),
    }
}
