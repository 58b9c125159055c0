//! HTTP: the route table, handlers, pages and what they need.

pub(crate) mod assets;
pub(crate) mod client_ip;
pub(crate) mod form_token;
pub(crate) mod health;
pub mod listener;
pub(crate) mod middleware;
pub(crate) mod origin;
pub(crate) mod page_cache;
pub(crate) mod render;
pub(crate) mod response_budget;
pub(crate) mod router;
