//! A backup is taken while clients post, and restored elsewhere: the log is the same, and all clients are reset.

use crate::durability::{addresses, is_kept};
use crate::fan_out_load::{Crowd, ROOM};
use crate::support::process::Process;
use crate::support::server::executable;
use crate::support::{Client, DEADLINE, Database, Door, Site, database, http, postgres, tempdir};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

const PAGE: &str = include_str!("../../docs/operations.md");

fn names_in(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("a directory");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

async fn epoch(site: &Site, room: &str) -> String {
    let rows = database::rows(&site.database_url, &format!("SELECT epoch FROM rooms WHERE name = '{room}'")).await;
    rows[0].try_get_by_index(0).expect("an epoch")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_taken_under_load_holds_what_was_acknowledged_before() {
    let site = Site::new(Database::Sqlite).await;
    let servers = [site.start()];
    let cookie = http::identity(&servers[0]).await;
    let mut witness = Door::of(ROOM).identity(&cookie, &servers[0]).join(&servers[0]).await;
    let crowd = Crowd::enter(&servers[0], &addresses(&servers), 6, 3).await;
    let file = tempdir::directory("backups").join("first.backup");
    tokio::time::sleep(Duration::from_millis(500)).await;

    // No message of the crowd's: it is not theirs to count.
    let mut counting = Client::join(&servers[0], "counting").await;
    for n in 1..=20 {
        counting.say(&n.to_string(), &format!("number {n}")).await;
    }
    let before = database::messages(&site.database_url, ROOM).await.len();
    let (well, said) = site.command(&["backup", file.to_str().expect("a path")]);
    assert!(well, "{said}");
    assert_eq!(names_in(file.parent().expect("a directory")), ["first.backup"], "one file");
    assert_eq!(file.metadata().expect("a file").permissions().mode() & 0o777, 0o600, "it holds the site's secrets");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let history = is_kept(&site, crowd, 50).await;
    let frames = witness.until(|frame| frame["seq"] == history.log.len()).await;
    assert!(!frames.is_empty());

    let elsewhere = Site::new(Database::Sqlite).await;
    let (well, said) = elsewhere.command(&["restore", file.to_str().expect("a path")]);
    assert!(well && said.contains("2 rooms"), "{said}");
    let restored = database::messages(&elsewhere.database_url, ROOM).await;
    let original = database::messages(&site.database_url, ROOM).await;
    assert!((before..original.len()).contains(&restored.len()), "{before} {} {}", restored.len(), original.len());
    assert_eq!(restored, original[..restored.len()], "the same log, up to the backup");
    assert_eq!(
        database::messages(&elsewhere.database_url, "counting").await,
        database::messages(&site.database_url, "counting").await
    );
    let (old, new) = (epoch(&site, ROOM).await, epoch(&elsewhere, ROOM).await);
    assert_ne!(old, new);
    assert_ne!(new, epoch(&elsewhere, "counting").await);

    // Clients return with their identity, and are told that this is another history, at any position.
    let server = elsewhere.start();
    for after in [0, restored.len() as i64, history.log.len() as i64] {
        let door = Door::of(ROOM).after(after).epoch(&old).identity(&cookie, &server);
        let mut client = door.join(&server).await;
        assert_eq!((&client.welcome["tag"], &client.welcome["epoch"]), (&witness.welcome["tag"], &new.clone().into()));
        assert_eq!(client.expect("reset").await["epoch"], new);
    }
    let mut client = Door::of(ROOM).after(restored.len() as i64).epoch(&new).join(&server).await;
    assert_eq!(client.say("on", "we go on").await["seq"], restored.len() + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_can_be_taken_of_a_server_that_is_stopped() {
    let site = Site::new(Database::Sqlite).await;
    let mut server = site.start();
    Client::join(&server, "harbour").await.say("a", "hello").await;
    server.kill();
    let file = tempdir::directory("backups").join("b");
    let (well, said) = site.command(&["backup", file.to_str().expect("a path")]);
    assert!(well, "{said}");
    let elsewhere = Site::new(Database::Sqlite).await;
    assert!(elsewhere.command(&["restore", file.to_str().expect("a path")]).0);
    assert_eq!(database::messages(&elsewhere.database_url, "harbour").await[0]["message"], "hello");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_overwritten() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    Client::join(&server, "harbour").await.say("a", "hello").await;
    let directory = tempdir::directory("backups");
    let file = directory.join("b");
    let name = file.to_str().expect("a path");
    assert!(site.command(&["backup", name]).0);
    let (well, said) = site.command(&["backup", name]);
    assert!(!well && said.contains(name) && said.contains("already exists"), "{said}");

    let (well, said) = site.command(&["restore", name]);
    assert!(!well && said.contains("in use"), "{said}");
    drop(server);
    let (well, said) = site.command(&["restore", name]);
    assert!(!well && said.contains("parlour.db") && said.contains("empty directory"), "{said}");
    assert_eq!(database::messages(&site.database_url, "harbour").await.len(), 1);
    assert_eq!(names_in(&directory), ["b"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_no_backup_is_refused() {
    let directory = tempdir::directory("backups");
    let site = Site::new(Database::Sqlite).await;
    let mut server = site.start();
    let mut client = Client::join(&server, "harbour").await;
    for n in 0..100 {
        client.say(&n.to_string(), &"x".repeat(1000)).await;
    }
    let whole = directory.join("whole");
    assert!(site.command(&["backup", whole.to_str().expect("a path")]).0);
    server.stop();
    let bytes = std::fs::read(&whole).expect("a file");
    let mut damaged = bytes.clone();
    let (from, to) = (bytes.len() / 2, bytes.len() / 2 + 8192);
    damaged[from..to].fill(0xee);
    for (name, content) in [
        ("text", b"hello".to_vec()),
        ("empty", Vec::new()),
        ("short", bytes[..bytes.len() / 2].to_vec()),
        ("damaged", damaged),
    ] {
        let file = directory.join(name);
        std::fs::write(&file, content).expect("a file");
        let elsewhere = Site::new(Database::Sqlite).await;
        let (well, said) = elsewhere.command(&["restore", file.to_str().expect("a path")]);
        assert!(!well && said.contains(file.to_str().expect("a path")), "{name}: {said}");
        assert!(!said.contains("panicked"), "{said}");
        assert!(names_in(&elsewhere.data).iter().all(|name| name == "parlour.db.lock"), "{name} leaves nothing behind");
        assert!(elsewhere.command(&["restore", whole.to_str().expect("a path")]).0, "and nothing in the way");
    }
    let nowhere = Site::new(Database::Sqlite).await;
    let (well, said) = nowhere.command(&["backup", directory.join("c").to_str().expect("a path")]);
    assert!(!well && said.contains("no such file"), "{said}");
    let (well, said) = nowhere.command(&["restore", directory.join("c").to_str().expect("a path")]);
    assert!(!well && said.contains("no such file"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgresql_its_own_tools_are_named() {
    let site = Site::new(Database::Postgres).await;
    let server = site.start();
    let mut client = Client::join(&server, "harbour").await;
    client.say("a", "hello").await;
    let file = tempdir::directory("dumps").join("a dump");
    let name = file.to_str().expect("a path");
    let (well, said) = site.command(&["backup", name]);
    assert!(!well && said.contains("pg_dump"), "{said}");
    // The commands are run as they are printed.
    let run_all = |said: &str| {
        let lines: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("  ")).collect();
        assert!(!lines.is_empty(), "{said}");
        // The page has the same commands.
        for line in &lines {
            assert!(PAGE.contains(line.split('\'').next().expect("a command")), "{line}");
        }
        for line in lines {
            postgres::shell(line, &site.database_url);
        }
    };
    run_all(&said);
    client.say("b", "said after the backup").await;
    let (well, said) = site.command(&["restore", name]);
    assert!(!well && said.contains("pg_restore") && said.contains("psql"), "{said}");
    drop(server);
    // Every table is removed before.
    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'";
    for row in database::rows(&site.database_url, tables).await {
        let table: String = row.try_get_by_index(0).expect("a name");
        assert!(said.contains(&format!(" {table}")), "{table}: {said}");
    }
    run_all(&said);
    assert_eq!(database::messages(&site.database_url, "harbour").await.len(), 1);
    let server = site.start();
    let old = client.welcome["epoch"].as_str().expect("an epoch").to_owned();
    let mut client = Door::of("harbour").after(1).epoch(&old).join(&server).await;
    assert_ne!(client.expect("reset").await["epoch"], old);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_backups_to_one_name_at_once_one_is_taken() {
    let site = std::sync::Arc::new(Site::new(Database::Sqlite).await);
    let server = site.start();
    Client::join(&server, "harbour").await.say("a", "hello").await;
    let directory = tempdir::directory("backups");
    let file = directory.join("b");
    let name = file.to_str().expect("a path").to_owned();
    // Of another program, and of a backup that was killed.
    let others = [".parlour-0123456789abcdef.unfinished", "b.unfinished"];
    for other in others {
        std::fs::write(directory.join(other), "theirs").expect("a file");
    }
    let backups: Vec<_> = (0..4)
        .map(|_| {
            let (site, name) = (site.clone(), name.clone());
            tokio::task::spawn_blocking(move || site.command(&["backup", &name]))
        })
        .collect();
    let mut taken = 0;
    for backup in backups {
        let (well, said) = backup.await.expect("it ends");
        taken += usize::from(well);
        assert!(well || said.contains("already exists"), "{said}");
    }
    assert_eq!(taken, 1);
    assert_eq!(names_in(&directory), [others[0], "b", others[1]]);
    for other in others {
        assert_eq!(std::fs::read_to_string(directory.join(other)).expect("a file"), "theirs");
    }
    let elsewhere = Site::new(Database::Sqlite).await;
    // One that was killed is in the way of no other.
    std::fs::write(elsewhere.data.join(others[0]), "half a database").expect("a file");
    let (well, said) = elsewhere.command(&["restore", &name]);
    assert!(well, "{said}");
    assert_eq!(database::messages(&elsewhere.database_url, "harbour").await[0]["message"], "hello");
    let link = directory.join("link");
    std::os::unix::fs::symlink("nowhere", &link).expect("a link");
    let (well, said) = site.command(&["backup", link.to_str().expect("a path")]);
    assert!(!well && said.contains("already exists"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_is_stopped_leaves_nothing() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    Client::join(&server, "harbour").await.say("a", "hello").await;
    // A database that takes a while to copy.
    let rows = "CREATE TABLE ballast AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) \
                SELECT randomblob(1000000) AS x FROM n";
    database::execute(&site.database_url, rows).await;
    let directory = tempdir::directory("backups");
    let mut command = executable(&tempdir::directory("command"));
    command.arg("backup").arg(directory.join("b")).args(site.arguments());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut backup = Process::start(&mut command, "KILL").expect("the executable");
    crate::support::eventually("it has begun, or is done", || async {
        (!names_in(&directory).is_empty()).then_some(())
    })
    .await;
    backup.signal("TERM");
    let status = backup.wait(DEADLINE).expect("it ends");
    let left = names_in(&directory);
    assert!(if status.success() { left == ["b"] } else { left.is_empty() }, "{status}: {left:?}");
}
