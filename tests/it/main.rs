//! What Parlour does, tried on the real executable with real databases, a real Redis and real sockets.
//!
//! They need redis-server, PostgreSQL 15 or newer and nginx on this machine, and say so where one is missing.

mod support;

mod attack;
mod backup;
mod bad_input;
mod changes;
mod chaos;
mod checker;
mod disk;
mod doorbell;
mod export;
mod forms;
mod headers;
mod healthcheck;
mod history;
mod host_commands;
mod hostile;
mod identity;
mod idle;
mod joining;
mod lifecycle;
mod limits;
mod load;
mod locks;
mod lookalikes;
mod metrics;
mod moderation;
mod names;
mod nodes;
mod personal;
mod planner;
mod presence;
mod private;
mod promise;
mod random;
mod remembered;
mod rendered;
mod repetition;
mod resume;
mod retention;
mod rolling;
mod room;
mod settings;
mod slow_reader;
mod starting;
