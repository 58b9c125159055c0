//! An older state of the database is put in place of a newer one while no server runs. Whatever way it comes back,
//! clients that have seen what is lost load their rooms anew.

use crate::support::{Client, Database, Door, Server, Site, database, postgres, tempdir};
use std::path::Path;
use std::process::Command;

async fn epoch(site: &Site) -> String {
    let rows = database::rows(&site.database_url, "SELECT epoch FROM rooms WHERE name = 'harbour'").await;
    rows[0].try_get_by_index(0).expect("an epoch")
}

/// Runs a program of the system, which does well.
fn run(program: &str, arguments: &[&Path]) {
    let done = Command::new("sh").args(["-c", &format!("{program} \"$@\""), "sh"]).args(arguments).status();
    assert!(done.expect("a shell").success(), "{program} {arguments:?}");
}

async fn say(server: &Server, id: &str) {
    Client::join(server, "harbour").await.say(id, id).await;
}

/// A client that has seen more than there is now is reset, into an epoch that it does not know.
async fn begins_a_new_history(site: &Site, old: &str, how: &str) {
    let server = site.start();
    let new = epoch(site).await;
    assert_ne!(new, old, "{how}");
    let mut away = Door::of("harbour").after(1).epoch(old).join(&server).await;
    assert_eq!(away.expect("reset").await["epoch"], new.as_str(), "{how}");
    assert!(server.log().contains("every room gets a new epoch"), "{how}: {}", server.log());
    drop(server);
    drop(site.start());
    assert_eq!(epoch(site).await, new, "{how}: once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_and_a_move_keep_the_history() {
    let mut site = Site::new(Database::Sqlite).await;
    let mut server = site.start();
    say(&server, "a").await;
    let old = epoch(&site).await;
    server.stop();
    let mut server = site.start();
    server.kill();
    drop(site.start());
    let moved = tempdir::directory("moved").join("data");
    std::fs::rename(&site.data, &moved).expect("one file system");
    site.database_url = format!("sqlite://{}", moved.join("parlour.db").display());
    site.data = moved;
    let server = site.start();
    assert_eq!(epoch(&site).await, old);
    let mut back = Door::of("harbour").after(1).epoch(&old).join(&server).await;
    assert_eq!(back.say("b", "b").await["seq"], 2);
    assert!(!server.log().contains("new epoch"), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_state_of_a_file_begins_a_new_history_whatever_way_it_comes_back() {
    for how in ["backup over the file", "file over the file", "directory over the directory", "a new directory"] {
        let site = Site::new(Database::Sqlite).await;
        let mut server = site.start();
        say(&server, "a").await;
        let old = epoch(&site).await;
        let copy = tempdir::directory("copies").join("copy");
        let file = site.data.join("parlour.db");
        if how == "backup over the file" {
            assert!(site.command(&["backup", copy.to_str().expect("a path")]).0);
        }
        server.stop();
        let (from, program) = match how {
            "backup over the file" => (None, "cp"),
            "file over the file" => (Some(&file), "cp -p"),
            _ => (Some(&site.data), "cp -a"),
        };
        if let Some(from) = from {
            run(program, &[from, &copy]);
        }
        let mut server = site.start();
        say(&server, "lost").await;
        server.stop();
        match how {
            "backup over the file" | "file over the file" => run(program, &[&copy, &file]),
            "directory over the directory" => run("cp -a", &[&copy.join("."), &site.data]),
            _ => {
                std::fs::remove_dir_all(&site.data).expect("a directory");
                run("mv", &[&copy, &site.data]);
            }
        }
        begins_a_new_history(&site, &old, how).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_was_made_while_the_server_ran_begins_a_new_history() {
    for program in ["cp", "mv"] {
        let site = Site::new(Database::Sqlite).await;
        let mut server = site.start();
        say(&server, "a").await;
        let old = epoch(&site).await;
        let (file, copy) = (site.data.join("parlour.db"), tempdir::directory("copies").join("copy"));
        // As SQLite's own online backup makes them: in the journal mode of the database.
        let snapshot = format!("VACUUM INTO '{}'", copy.display());
        database::execute(&site.database_url, &snapshot).await;
        database::execute(&format!("sqlite://{}", copy.display()), "PRAGMA journal_mode = wal").await;
        say(&server, "lost").await;
        match program {
            "mv" => server.kill(),
            _ => server.stop(),
        }
        for end in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(site.data.join(format!("parlour.db{end}")));
        }
        run(program, &[&copy, &file]);
        begins_a_new_history(&site, &old, program).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_beside_the_log_of_a_killed_server_is_not_mixed_with_it() {
    let site = Site::new(Database::Sqlite).await;
    let mut server = site.start();
    say(&server, "a").await;
    let old = epoch(&site).await;
    let copy = tempdir::directory("copies").join("copy");
    assert!(site.command(&["backup", copy.to_str().expect("a path")]).0);
    for n in 0..20 {
        say(&server, &format!("lost-{n}")).await;
    }
    server.kill();
    assert!(site.data.join("parlour.db-wal").metadata().expect("a log").len() > 0);
    run("cp", &[&copy, &site.data.join("parlour.db")]);
    begins_a_new_history(&site, &old, "beside a log").await;
    assert_eq!(database::messages(&site.database_url, "harbour").await.len(), 1);
    let aside = site.data.join("parlour.db-wal.replaced");
    assert!(aside.metadata().expect("it is kept").len() > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_host_says_that_an_older_state_came_back() {
    for kind in [Database::Sqlite, Database::Postgres] {
        let site = Site::new(kind).await;
        let (well, said) = site.command(&["renew-epochs"]);
        assert_eq!(well, kind == Database::Postgres, "an SQLite file that is not there is not made: {said}");
        let mut server = site.start();
        say(&server, "a").await;
        let vacant = Client::join(&server, "vacant").await.welcome["epoch"].clone();
        let old = epoch(&site).await;
        if kind == Database::Sqlite {
            let (well, said) = site.command(&["renew-epochs"]);
            assert!(!well && said.contains("in use"), "{said}");
        }
        server.stop();
        let (well, said) = site.command(&["renew-epochs"]);
        assert!(well && said.contains("1 rooms"), "{said}");
        let server = site.start();
        let new = epoch(&site).await;
        assert_ne!(new, old);
        let mut away = Door::of("harbour").after(1).epoch(&old).join(&server).await;
        assert_eq!(away.expect("reset").await["epoch"], new.as_str());
        assert_ne!(Client::join(&server, "vacant").await.welcome["epoch"], vacant);
        assert!(!server.log().contains("every room gets"), "once: {}", server.log());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_that_is_loaded_begins_a_new_history() {
    let site = Site::new(Database::Postgres).await;
    let mut server = site.start();
    say(&server, "a").await;
    let old = epoch(&site).await;
    server.stop();
    let dump = tempdir::directory("dumps").join("dump");
    let (dumped, url) = (dump.to_str().expect("a path"), site.database_url.clone());
    postgres::run("pg_dump", &["--format=custom", &format!("--file={dumped}"), &url]);
    let server = site.start();
    say(&server, "lost").await;
    drop(server);
    // Over the same database.
    postgres::run("pg_restore", &["--clean", "--if-exists", &format!("--dbname={url}"), dumped]);
    begins_a_new_history(&site, &old, "over the same database").await;
    // Into another one.
    let elsewhere = Site::new(Database::Postgres).await;
    postgres::run("pg_restore", &[&format!("--dbname={}", elsewhere.database_url), dumped]);
    begins_a_new_history(&elsewhere, &old, "into another one").await;
    drop(elsewhere.start());
}
