//! Databases of every earlier schema, as `tests/fixtures/schema` keeps them: one file for each migration and database,
//! with the same two rooms. A server opens each, and a backup of each can be restored.

use crate::support::page::Page;
use crate::support::{Client, Database, Door, Site, database, postgres, tempdir};
use std::path::{Path, PathBuf};

/// The epochs in the fixtures.
const HARBOUR: &str = "a0b1c2d3";
const TAVERN: &str = "e4f5a6b7";

/// The fixtures for a database, the oldest first: the name of the last migration, and the file.
fn fixtures(database: &str) -> Vec<(String, PathBuf)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/schema").join(database);
    let entries = directory.read_dir().expect("fixtures").map(|entry| entry.expect("an entry").path());
    let mut found: Vec<_> =
        entries.map(|path| (path.file_stem().expect("a name").to_string_lossy().into_owned(), path)).collect();
    found.sort();
    found
}

/// Makes an SQLite database of a fixture, in the mode of a backup (`delete`) or of a server (`wal`).
async fn make(file: &Path, fixture: &Path, mode: &str) {
    let url = format!("sqlite://{}?mode=rwc", file.display());
    let sql = std::fs::read_to_string(fixture).expect("a fixture");
    database::execute(&url, &sql).await;
    database::execute(&url, &format!("PRAGMA journal_mode = {mode}")).await;
}

async fn epochs(site: &Site) -> Vec<String> {
    let rows = database::rows(&site.database_url, "SELECT epoch FROM rooms ORDER BY name").await;
    rows.iter().map(|row| row.try_get_by_index(0).expect("an epoch")).collect()
}

/// A server on the site shows the rooms of the fixtures, and goes on with them.
async fn goes_on(site: &Site, schema: &str) {
    let server = site.start();
    let page = Page::of(&server, "harbour").await;
    assert_eq!(page.numbers(), [1, 2, 3], "{schema}");
    assert!(page.shows(2, "as it is now") && page.shows(3, "naïve 😀"), "{schema}: {page:?}");
    assert_eq!(Client::join(&server, "harbour").await.say("on", "we go on").await["seq"], 5, "{schema}");
    assert_eq!(Client::join(&server, "tavern").await.say("on", "we go on").await["seq"], 2, "{schema}");
}

#[test]
fn every_schema_has_its_fixtures() {
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/src");
    let names = migrations.read_dir().expect("migrations").map(|entry| entry.expect("an entry").path());
    let names = names.map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name.starts_with('m')).collect();
    names.sort();
    for database in ["sqlite", "postgres"] {
        let kept: Vec<String> = fixtures(database).into_iter().map(|(name, _)| name).collect();
        assert_eq!(kept, names, "{database}: the newest schema needs a fixture, too (see tests/fixtures/README.md)");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_every_earlier_schema_is_restored() {
    for (schema, fixture) in fixtures("sqlite") {
        let backup = tempdir::directory("backups").join("backup");
        make(&backup, &fixture, "delete").await;
        let site = Site::new(Database::Sqlite).await;
        let (well, said) = site.command(&["restore", backup.to_str().expect("a path")]);
        assert!(well && said.contains("2 rooms"), "{schema}: {said}");
        let new = epochs(&site).await;
        assert!(new[0] != HARBOUR && new[1] != TAVERN && new[0] != new[1], "{schema}: {new:?}");
        goes_on(&site, &schema).await;
        assert_eq!(epochs(&site).await, new, "{schema}: once is enough");
        let server = site.start();
        let mut away = Door::of("harbour").after(4).epoch(HARBOUR).join(&server).await;
        assert_eq!(away.expect("reset").await["epoch"], new[0].as_str(), "{schema}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_is_copied_into_the_data_directory_begins_new_histories() {
    for (schema, fixture) in fixtures("sqlite") {
        for lock in [false, true] {
            let site = Site::new(Database::Sqlite).await;
            make(&site.data.join("parlour.db"), &fixture, "delete").await;
            if lock {
                std::fs::write(site.data.join("parlour.db.lock"), "").expect("a file");
            }
            goes_on(&site, &schema).await;
            let new = epochs(&site).await;
            assert!(new[0] != HARBOUR && new[1] != TAVERN, "{schema}: {new:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_keeps_the_histories() {
    for (schema, fixture) in fixtures("sqlite") {
        let site = Site::new(Database::Sqlite).await;
        make(&site.data.join("parlour.db"), &fixture, "wal").await;
        std::fs::write(site.data.join("parlour.db.lock"), "").expect("a file");
        goes_on(&site, &schema).await;
        assert_eq!(epochs(&site).await, [HARBOUR, TAVERN], "{schema}");
    }
    for (schema, fixture) in fixtures("postgres") {
        let site = Site::new(Database::Postgres).await;
        let dump = std::fs::read_to_string(fixture).expect("a fixture");
        // A release creates the table of sites first, and a dump the last.
        let begin = dump.find("CREATE TABLE public.site (").expect("the table");
        let end = begin + dump[begin..].find(");").expect("its end") + 2;
        let sites = dump[begin..end].to_owned();
        database::execute(&site.database_url, &format!("{sites}{}{}", &dump[..begin], &dump[end..])).await;
        goes_on(&site, &schema).await;
        assert_eq!(epochs(&site).await, [HARBOUR, TAVERN], "{schema}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_of_every_earlier_schema_is_restored_over_this_one() {
    for (schema, fixture) in fixtures("postgres") {
        let before = Site::new(Database::Postgres).await;
        database::execute(&before.database_url, &std::fs::read_to_string(fixture).expect("a fixture")).await;
        let dump = tempdir::directory("dumps").join("dump");
        postgres::run("pg_dump", &["--format=custom", &format!("--file={}", dump.display()), &before.database_url]);
        let site = Site::new(Database::Postgres).await;
        let mut server = site.start();
        Client::join(&server, "cove").await.say("lost", "said after the dump").await;
        server.stop();
        let (_, said) = site.command(&["restore", dump.to_str().expect("a path")]);
        for line in said.lines().filter_map(|line| line.strip_prefix("  ")) {
            postgres::shell(line, &site.database_url);
        }
        goes_on(&site, &schema).await;
        let new = epochs(&site).await;
        assert!(new.len() == 2 && new[0] != HARBOUR && new[1] != TAVERN, "{schema}: {new:?}");
        goes_on_once(&site, &new, &schema).await;
    }
}

/// The next start leaves the epochs as they are.
async fn goes_on_once(site: &Site, epochs_before: &[String], schema: &str) {
    drop(site.start());
    assert_eq!(epochs(site).await, epochs_before, "{schema}: once is enough");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_of_a_release_before_can_be_loaded_by_pg_restore_alone() {
    // Earlier ones have tables to which those of today refer.
    for (schema, fixture) in fixtures("postgres").into_iter().filter(|(name, _)| name.as_str() >= "m0005") {
        let before = Site::new(Database::Postgres).await;
        database::execute(&before.database_url, &std::fs::read_to_string(fixture).expect("a fixture")).await;
        let dump = tempdir::directory("dumps").join("dump");
        postgres::run("pg_dump", &["--format=custom", &format!("--file={}", dump.display()), &before.database_url]);
        let site = Site::new(Database::Postgres).await;
        drop(site.start());
        let into = format!("--dbname={}", site.database_url);
        postgres::run("pg_restore", &["--clean", "--if-exists", "--no-owner", &into, dump.to_str().expect("a path")]);
        goes_on(&site, &schema).await;
        let new = epochs(&site).await;
        assert!(new[0] != HARBOUR && new[1] != TAVERN, "{schema}: {new:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_a_newer_release_is_called_newer() {
    for kind in [Database::Sqlite, Database::Postgres] {
        let site = Site::new(kind).await;
        drop(site.start());
        let file = tempdir::directory("backups").join("newer");
        if kind == Database::Sqlite {
            assert!(site.command(&["backup", file.to_str().expect("a path")]).0);
            let backup = format!("sqlite://{}", file.display());
            database::execute(&backup, "INSERT INTO seaql_migrations VALUES ('m9999_future', 0)").await;
            let elsewhere = Site::new(kind).await;
            let (well, said) = elsewhere.command(&["restore", file.to_str().expect("a path")]);
            assert!(!well && said.contains("newer release") && said.contains("m9999_future"), "{said}");
        }
        database::execute(&site.database_url, "INSERT INTO seaql_migrations VALUES ('m9999_future', 0)").await;
        for command in ["rooms", "check", "serve"] {
            let (well, said) = site.command(&[command, "--addr", "127.0.0.1:0"]);
            assert!(!well && said.contains("newer release") && said.contains("m9999_future"), "{command}: {said}");
        }
    }
}
