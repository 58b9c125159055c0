//! HTTP: the route table, handlers, pages and their middleware.

pub(crate) mod assets;
pub(crate) mod client_ip;
mod exchange;
pub(crate) mod form_token;
mod front;
pub(crate) mod health;
pub mod listener;
pub(crate) mod middleware;
pub(crate) mod origin;
pub(crate) mod page_cache;
pub(crate) mod render;
pub(crate) mod response_budget;
mod room;
pub(crate) mod router;
mod server_fn;
