//! What people see, rendered on the server and woken in the browser.
//!
//! Pages are drawn on the server alone; [`components::Room`] is the island that lives on in the browser. `timeline`,
//! `outbox`, `unread` and `spans` are plain Rust; `live` is the one file that touches the WebSocket, `browser` asks the browser the rest.

mod app;
mod browser;
pub mod components;
mod live;
pub mod outbox;
mod pages;
pub mod spans;
pub mod timeline;
pub mod unread;

pub use app::shell;

/// A message that was sent by form and refused: it comes back with the reason, so that nothing is lost.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Refused {
    /// What was sent.
    pub message: String,
    /// The name it was sent under, if that is to be given again.
    pub username: Option<String>,
    /// Why it was refused.
    pub detail: String,
}

crate::domain::json::read_by_name!(Refused { message, username, detail });

/// Token of the front page's form, which proves to the server that the form is its own and no link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormToken(pub String);

/// Why there is no page at an address, or none for this visitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageError {
    /// What is wrong, in a few words.
    pub heading: &'static str,
    /// Why, in a sentence.
    pub reason: String,
}

impl PageError {
    /// There is no room at this address.
    pub fn no_room(reason: String) -> Self {
        Self { heading: "There is no such room.", reason }
    }
}

impl Default for PageError {
    fn default() -> Self {
        Self::no_room(String::new())
    }
}
