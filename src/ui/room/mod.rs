//! State and logic of the room island. Views are in `components`; nothing here renders.
//!
//! [`RoomState`] joins the parts: pure logic (`timeline`, `outbox`, `unread`), handles that group signals and act on
//! them (`dialogs`, `editing`, `identity`, `connection_state`, `read_state`, `presence`, `notifications`, `requests`),
//! and the files that implement one task each on `RoomState` (`events`, `navigation`, `visiting`, `outbox_sender`,
//! `moderation`, `join`, `toolbar`, `replies`, `swipe`).

mod absence;
pub(crate) mod background_sender;
pub mod completion;
mod connection;
pub(crate) mod connection_state;
pub(crate) mod dialogs;
mod edit_choice;
mod editing;
mod entry;
mod events;
mod identity;
mod join;
pub(crate) mod lifecycle;
mod list_focus;
mod list_items;
mod moderation;
mod navigation;
pub(crate) mod notifications;
pub mod outbox;
mod outbox_sender;
pub(crate) mod outbox_storage;
mod permalink;
mod presence;
mod reacting;
mod reaction_sender;
mod read_state;
pub(crate) mod recent_rooms;
mod replies;
mod replying;
pub(crate) mod request_guard;
mod requests;
pub(crate) mod scroll_anchor;
mod scroll_target;
mod send_lock;
mod shortcuts;
pub(crate) mod state;
mod swipe;
mod taking_back;
pub mod timeline;
mod toolbar;
pub mod unread;
mod visiting;

pub(crate) use connection::ConnectionStatus;
pub(crate) use state::RoomState;
