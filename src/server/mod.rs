//! Server-only modules. `run` wires the parts together, serves, and drains.
//!
//! `router` is the map of all addresses. `session` and the server functions go through `chat`; `chat` through
//! `journal`, `hub` and `store`. Only `store` knows SeaORM, only `relay` knows Redis, only `http` knows the ui.

pub mod auth;
pub mod chat;
pub mod cli;
pub mod commands;
pub mod config;
mod hex;
mod hooks;
pub mod http;
mod hub;
mod journal;
pub mod limits;
mod measurements;
mod metrics_server;
mod network;
mod outbound;
mod presence_broadcaster;
mod random;
mod relay;
mod reload;
mod retention;
mod router;
mod run;
pub mod session;
pub mod signals;
mod store;
mod strict_json;
mod supervisor;
mod sync;
pub mod telemetry;
mod text_escape;
mod time;
mod unread_timeout;
pub mod websocket;

pub use http::assets::EmbeddedSite;
pub use run::{RunError, run};
