//! Parlour: a chat that people enter by link.
//!
//! The areas in reading order, and the areas that each may use (checked by `tests/architecture.rs`):
//!
//! | area         | contents                                      | may use                               |
//! |--------------|-----------------------------------------------|---------------------------------------|
//! | [`domain`]   | rooms, messages, names and their rules        | no other area                         |
//! | [`protocol`] | frames on the live socket                     | domain                                |
//! | [`api`]      | server functions: entry points of a few lines | domain; server inside `#[server]` bodies |
//! | [`ui`]       | pages, rendered on the server and in browsers | domain, protocol, api                 |
//! | `server`     | log, sockets, relay, store; only on the server | domain, protocol; `http/` alone also ui |
//!
//! ARCHITECTURE.md follows one message through all of them.

// The view of a page is one deeply nested type.
#![recursion_limit = "256"]

pub mod api;
pub mod domain;
pub mod json;
pub mod protocol;
#[cfg(feature = "ssr")]
pub mod server;
pub mod ui;
