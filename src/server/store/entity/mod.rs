//! The tables as SeaORM entities. The migrations make them; `store` turns rows into what the domain knows.

pub(crate) mod deleted_room;
pub(crate) mod event;
pub(crate) mod name;
pub(crate) mod room;
pub(crate) mod site;
pub(crate) mod standing;
