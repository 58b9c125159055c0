//! Parlour: a chat that people enter by link.
//!
//! The areas in reading order, and who may know whom (held by `tests/tidy.rs`):
//!
//! | area         | what it is                                    | may use                               |
//! |--------------|-----------------------------------------------|---------------------------------------|
//! | [`domain`]   | what is talked about                          | nothing of ours                       |
//! | [`protocol`] | frames on the live socket                     | domain                                |
//! | [`api`]      | server functions: doors of a few lines each   | domain; server inside `#[server]` bodies |
//! | [`ui`]       | what people see, rendered on both sides       | domain, protocol, api                 |
//! | `server`     | log, sockets, relay, store; only on the server | domain, protocol; `router.rs` and `pages.rs` also ui |
//!
//! The way of one message through all of them is told in ARCHITECTURE.md.

// A page is one type, and a deep one.
#![recursion_limit = "256"]

pub mod api;
pub mod domain;
pub mod json;
pub mod protocol;
#[cfg(feature = "ssr")]
pub mod server;
pub mod ui;
