//! HTTP: handlers, pages, their middleware, and the state that handlers share.

pub(crate) mod assets;
pub(crate) mod content_encoding;
pub(crate) mod cookies;
pub(crate) mod exchange;
pub(crate) mod form_token;
pub(crate) mod front;
pub(crate) mod health;
pub(crate) mod hooks;
pub mod listener;
pub(crate) mod media_type;
pub(crate) mod messages;
pub(crate) mod metrics;
pub(crate) mod middleware;
pub(crate) mod openapi;
pub(crate) mod origin;
pub(crate) mod page_cache;
pub(crate) mod problem;
pub(crate) mod render;
pub(crate) mod response_budget;
pub(crate) mod robots;
pub(crate) mod room;
pub(crate) mod room_page;
pub(crate) mod server_fn;
pub(crate) mod state;
