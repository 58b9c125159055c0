//! `parlour check` only reads: it creates, writes and blocks nothing.

use crate::support::{Client, Database, Site, database};
use std::path::Path;

fn names_in(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("a directory");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_postgresql_stays_empty() {
    let site = Site::new(Database::Postgres).await;
    let (well, said) = site.command(&["check"]);
    assert!(well && said.contains("migrations would be applied: m0001_log, m0002_names"), "{said}");
    let tables = "SELECT 1 FROM information_schema.tables WHERE table_schema = 'public'";
    assert!(database::rows(&site.database_url, tables).await.is_empty());
    let (well, said) = site.command(&["rooms"]);
    assert!(!well && said.contains("start the server on it once"), "{said}");
    assert!(database::rows(&site.database_url, tables).await.is_empty(), "other commands make nothing either");
    let server = site.start();
    let (well, said) = site.command(&["check"]);
    assert!(well && !said.contains("migration"), "{said}");
    drop(server);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_looked_at_beside_its_server_and_without_one() {
    let site = Site::new(Database::Sqlite).await;
    let mut server = site.start();
    Client::join(&server, "harbour").await.say("a", "hello").await;
    let checked = |what: &str| {
        let before = names_in(&site.data);
        let (well, said) = site.command(&["check"]);
        assert!(well, "{what}: {said}");
        assert_eq!(names_in(&site.data), before, "{what}");
        said
    };
    assert!(!checked("beside its server").contains("migration"));
    server.kill();
    checked("after a crash");
    let mut server = site.start();
    server.stop();
    checked("at rest");
    assert_eq!(names_in(&site.data), ["parlour.db", "parlour.db.lock"]);

    let newest = "(SELECT MAX(version) FROM seaql_migrations)";
    database::execute(&site.database_url, &format!("DELETE FROM seaql_migrations WHERE version = {newest}")).await;
    for _ in 0..2 {
        let said = checked("of an older version");
        assert!(said.contains("1 migration would be applied: m0"), "{said}");
    }
    database::execute(&site.database_url, "INSERT INTO seaql_migrations VALUES ('m9999_future', 0)").await;
    let (well, said) = site.command(&["check"]);
    assert!(!well && said.contains("m9999_future"), "of a newer version: {said}");
}
