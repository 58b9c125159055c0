//! Startup, and the state that is left if the server is stopped, or fails, before it serves.

use crate::support::faults::{Fault, Faults};
use crate::support::host::on_each_database;
use crate::support::process::Process;
use crate::support::server::{executable, run};
use crate::support::{Client, Database, Door, Server, Site, database, eventually, http, tempdir};
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A server that is asked to stop has gone by then.
const GONE: Duration = Duration::from_secs(15);

/// Statement that takes the lock which nodes hold while they migrate, as in src/server/store/postgres.rs.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(x'007061726c6f7572'::bigint)";

on_each_database!(a_step_of_the_schema_that_ends_in_its_middle_was_not_begun);

async fn a_step_of_the_schema_that_ends_in_its_middle_was_not_begun(site: Site) {
    let url = match site.database_url.strip_prefix("sqlite:") {
        Some(_) => format!("{}?mode=rwc", site.database_url),
        None => site.database_url.clone(),
    };
    // In the first step, the third table conflicts; in a later step, the table after its columns.
    for in_the_way in ["events", "standings"] {
        database::execute(&url, &format!("CREATE TABLE {in_the_way} (x integer)")).await;
        let directory = tempdir::directory("server");
        let said = Server::listening(serving(&site, &directory), &directory).err().expect("it does not start");
        assert!(said.contains(in_the_way) && said.contains("already exists"), "{said}");
        database::execute(&url, &format!("DROP TABLE {in_the_way}")).await;
    }
    let server = site.start();
    assert_eq!(Client::join(&server, "harbour").await.say("a", "hello").await["seq"], 1);
}

fn serving(site: &Site, directory: &Path) -> Command {
    let mut command = executable(directory);
    command.args(site.arguments()).args(["--addr", "127.0.0.1:0"]);
    command
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_waits_for_its_turn_to_migrate_says_so_and_can_be_stopped() {
    let site = Site::new(Database::Postgres).await;
    let held = database::hold(&site.database_url, MIGRATION_LOCK).await;
    let directory = tempdir::directory("server");
    let log = directory.join("log");
    let mut command = serving(&site, &directory);
    command.stdout(Stdio::null()).stderr(std::fs::File::create(&log).expect("a log file"));
    let mut server = Process::start(&mut command, "KILL").expect("the executable");
    let said = || std::fs::read_to_string(&log).unwrap_or_default();
    eventually("it says what it waits for", || async { said().contains("Waiting for another node").then_some(()) })
        .await;
    server.signal("TERM");
    let status = server.wait(GONE).expect("it has gone");
    assert!(status.success(), "{status}: {}", said());
    held.release().await;
    site.start();
}

#[tokio::test]
async fn files_of_a_server_are_private_to_its_user() {
    let existing = tempdir::directory("existing");
    std::fs::set_permissions(&existing, Permissions::from_mode(0o755)).expect("permissions");
    for (data, mode) in [(existing.join("made/below"), 0o700), (existing.clone(), 0o755)] {
        let directory = tempdir::directory("server");
        let mut command = executable(&directory);
        command.args(["--addr", "127.0.0.1:0", "--data"]).arg(&data);
        let server = Server::listening(command, &directory).expect("it starts");
        Client::join(&server, "harbour").await.say("a", "hello").await;
        let mode_of = |path: &Path| path.metadata().expect("it is there").permissions().mode() & 0o777;
        assert_eq!(mode_of(&data), mode, "a directory that was there is its owner's business");
        for name in ["parlour.db", "parlour.db-wal", "parlour.db-shm", "parlour.db.lock"] {
            assert_eq!(mode_of(&data.join(name)), 0o600, "{name}");
        }
    }
}

#[test]
fn a_data_directory_may_have_any_name() {
    let directory = tempdir::directory("names");
    for name in ["y%41", "a b", "what?mode=memory", "é#1:2@3"] {
        let data = directory.join(name);
        let mut command = executable(&directory);
        command.args(["--addr", "127.0.0.1:0", "--data"]).arg(&data);
        let mut server = Server::listening(command, &directory).expect("it starts");
        assert!(data.join("parlour.db").is_file(), "{name}");
        server.stop();
        let file = directory.join(format!("{name}.backup"));
        let (status, said) = run(executable(&directory).arg("backup").arg(&file).arg("--data").arg(&data));
        assert!(status.success() && file.is_file(), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_starts_while_another_program_reads_and_loses_nothing() {
    let disk = Faults::none();
    let site = Site::new(Database::Sqlite).await;
    let mut server = site.start_with(&disk);
    let cookie = http::identity(&server).await;
    let mut ann = Door::of("harbour").identity(&cookie, &server).join(&server).await;
    ann.say("1", "first").await;
    let reading = database::hold_open(&site.database_url).await;
    ann.say("2", "second").await;
    server.kill();

    // Data that is only in the write-ahead log is made durable, or the server does not serve.
    disk.begin(Fault::SyncFails);
    let directory = tempdir::directory("server");
    let mut command = serving(&site, &directory);
    command.envs(disk.environment());
    let said = Server::listening(command, &directory).err().expect("it does not start");
    assert!(said.contains("disk I/O error") || said.contains("parlour.db"), "{said}");
    disk.end(Fault::SyncFails);

    let server = site.start_with(&disk);
    let mut ann = Door::of("harbour").identity(&cookie, &server).join(&server).await;
    assert_eq!(ann.say("2", "second").await["seq"], 2, "it is known");
    assert_eq!(ann.say("3", "third").await["seq"], 3);
    let log = site.data.join("parlour.db-wal");
    let length = || log.metadata().map_or(0, |log| log.len());
    assert!(length() > 0, "the reader still needs it");
    reading.release().await;
    eventually("the write-ahead log is emptied", || async { (length() == 0).then_some(()) }).await;
    assert_eq!(database::messages(&site.database_url, "harbour").await.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_root_makes_belong_to_the_owner_of_the_directory() {
    const OTHER: u32 = 65_534;
    let site = Site::new(Database::Sqlite).await;
    if site.data.metadata().expect("a directory").uid() != 0 {
        // Only root can give files away.
        return;
    }
    chown(&site.data, Some(OTHER), Some(OTHER)).expect("root can");
    let owners = || {
        let entries = std::fs::read_dir(&site.data).expect("a directory").map(|entry| entry.expect("an entry").path());
        entries.map(|path| (path.metadata().map_or(0, |file| file.uid()), path)).collect::<Vec<_>>()
    };
    let all_belong = |when: &str| assert!(owners().iter().all(|(owner, _)| *owner == OTHER), "{when}: {:?}", owners());
    let mut server = site.start();
    Client::join(&server, "harbour").await.say("a", "hello").await;
    assert!(owners().len() >= 4);
    all_belong("while it serves");
    server.stop();
    assert!(site.command(&["rooms"]).0);
    assert!(site.command(&["remove", "harbour/1"]).0);
    let backup = tempdir::directory("backups").join("b");
    assert!(site.command(&["backup", backup.to_str().expect("a path")]).0);
    all_belong("after commands");
    assert_eq!(backup.metadata().expect("a file").uid(), 0, "a backup is for whoever takes it");

    let elsewhere = Site::new(Database::Sqlite).await;
    chown(&elsewhere.data, Some(OTHER), Some(OTHER)).expect("root can");
    assert!(elsewhere.command(&["restore", backup.to_str().expect("a path")]).0);
    assert_eq!(elsewhere.data.join("parlour.db").metadata().expect("a file").uid(), OTHER);
}
