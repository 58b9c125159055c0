//! Maintenance by the host: backup, export, erasure, listing, deletion.

pub(crate) mod backup;
pub(crate) mod delete_room;
pub(crate) mod export;
pub(crate) mod host_actions;
pub(crate) mod list_rooms;
pub(crate) mod partial_file;
pub(crate) mod usage;
