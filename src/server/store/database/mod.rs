//! Connections to SQLite and PostgreSQL, and how statements run on them.

pub(crate) mod checkpoint;
pub(crate) mod chunks;
pub(crate) mod clock;
pub(crate) mod direct;
pub(crate) mod file_system;
pub(crate) mod files;
pub(crate) mod indexes;
pub(crate) mod inspect;
pub(crate) mod open;
pub(crate) mod options;
pub(crate) mod patience;
pub(crate) mod postgres;
pub(crate) mod provenance;
pub(crate) mod readiness;
pub(crate) mod recovery;
pub(crate) mod schema;
pub(crate) mod single_flight;
pub(crate) mod sqlite;
pub(crate) mod sqlite_row;
pub(crate) mod sqlite_thread;
pub(crate) mod statistics;
pub(crate) mod timeout;
pub(crate) mod write_connection;
