//! Tests on both databases: `on_each_database!` makes two tests of one function.

use super::Site;

/// Where a site keeps its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// A file of its own.
    Sqlite,
    /// A database of its own in the shared cluster.
    Postgres,
}

/// Runs a behaviour on a fresh site.
pub fn run<F: Future<Output = ()>>(database: Database, behaviour: impl FnOnce(Site) -> F) {
    runtime().block_on(async { behaviour(Site::new(database).await).await });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// For each `async fn name(site: Site)`, the tests `name::sqlite` and `name::postgres`.
macro_rules! on_each_database {
    ($($behaviour:ident),+ $(,)?) => {
        $(
            mod $behaviour {
                use crate::support::host::{Database, run};

                #[test]
                fn sqlite() {
                    run(Database::Sqlite, super::$behaviour);
                }

                #[test]
                fn postgres() {
                    run(Database::Postgres, super::$behaviour);
                }
            }
        )+
    };
}
pub(crate) use on_each_database;
