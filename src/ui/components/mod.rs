//! Views of the room and of the front page. Each is rendered on the server and hydrated in the browser; [`Room`] joins
//! them. State and logic are in `room`.
//!
//! # Derived signals
//!
//! Views get changing texts and classes as signals, from [`common::derived`]:
//!
//! ```ignore
//! let label = text(move || if room.editing.target.get().is_some() { "Save" } else { "Send" });
//! view! { <button class:is-visible=when(move || room.is_owner())>{label}</button> }
//! ```
//!
//! A closure would also work, but each closure is a separate type, and Leptos compiles its rendering code once for each
//! type of view. `Signal<String>` and `Signal<bool>` are one type each, for all components; that made the module 6 kB
//! smaller (docs/performance.md). For the same reason an element that may be hidden is always rendered, and the class
//! `is-visible` shows it.

mod common;
mod composer;
mod dialogs;
mod front_rooms;
mod header;
mod messages;
mod recent_rooms;
mod room;
mod room_rail;
mod rows;
mod sidebar;

pub(crate) use common::avatar::Avatar;
pub(crate) use common::icon::{Icon, IconSprite, Symbol};
pub use front_rooms::RecentRoomsSection;
pub use room::Room;
