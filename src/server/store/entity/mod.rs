//! The tables as SeaORM entities. Migrations create the tables; `store` converts rows to domain types.

pub(crate) mod deleted_room;
pub(crate) mod event;
pub(crate) mod incoming_hook;
pub(crate) mod mention;
pub(crate) mod name;
pub(crate) mod outgoing_hook;
pub(crate) mod pin;
pub(crate) mod reaction;
pub(crate) mod reaction_count;
pub(crate) mod room;
pub(crate) mod site;
pub(crate) mod standing;
pub(crate) mod token;
