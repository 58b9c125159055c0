//! How a server starts, and what it leaves where it is stopped, or fails, before it serves.

use crate::support::host::on_each_database;
use crate::support::process::Process;
use crate::support::server::{executable, run};
use crate::support::{Client, Database, Server, Site, database, eventually, scratch};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A server that is asked to stop has gone by then.
const GONE: Duration = Duration::from_secs(15);

/// What nodes take while they migrate, as src/server/store/postgres.rs has it.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(x'007061726c6f7572'::bigint)";

on_each_database!(a_step_of_the_schema_that_ends_in_its_middle_was_not_begun);

async fn a_step_of_the_schema_that_ends_in_its_middle_was_not_begun(site: Site) {
    let url = match site.database_url.strip_prefix("sqlite:") {
        Some(_) => format!("{}?mode=rwc", site.database_url),
        None => site.database_url.clone(),
    };
    // Of the first step, the third table is in the way; of a later one, what comes after its columns.
    for in_the_way in ["events", "standings"] {
        database::execute(&url, &format!("CREATE TABLE {in_the_way} (x integer)")).await;
        let directory = scratch::directory("server");
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
    let directory = scratch::directory("server");
    let log = directory.join("log");
    let mut command = serving(&site, &directory);
    command.stdout(Stdio::null()).stderr(std::fs::File::create(&log).expect("a log file"));
    let mut server = Process::start(&mut command, "KILL").expect("the executable");
    let said = || std::fs::read_to_string(&log).unwrap_or_default();
    eventually("it says what it waits for", || async { said().contains("waiting for another node").then_some(()) })
        .await;
    server.signal("TERM");
    let status = server.wait(GONE).expect("it has gone");
    assert!(status.success(), "{status}: {}", said());
    held.release().await;
    site.start();
}

#[tokio::test]
async fn what_a_server_keeps_is_for_its_user_alone() {
    let existing = scratch::directory("existing");
    std::fs::set_permissions(&existing, Permissions::from_mode(0o755)).expect("permissions");
    for (data, mode) in [(existing.join("made/below"), 0o700), (existing.clone(), 0o755)] {
        let directory = scratch::directory("server");
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
    let directory = scratch::directory("names");
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
