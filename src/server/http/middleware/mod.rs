//! Middleware around every request.

pub(crate) mod authorization;
pub(crate) mod body_limit;
pub(crate) mod problem_details;
pub(crate) mod public_address;
pub(crate) mod request_id;
pub(crate) mod request_limit;
pub(crate) mod security_headers;
pub(crate) mod validate;
pub(crate) mod visitor;
