//! A failing disk under SQLite: the server acknowledges only stored events, and all acknowledged events survive.

use crate::support::faults::{Fault, Faults};
use crate::support::{Client, DEADLINE, Database, Server, Site, database, eventually, http, tempdir};
use std::process::Command;
use std::time::Duration;
use tokio::time::timeout;

/// Long enough to see that nothing comes.
const QUIET: Duration = Duration::from_secs(1);

/// Nothing is said about `id` in a while.
async fn is_not_answered(client: &mut Client, id: &str) {
    let answer = async {
        while let Some(frame) = client.next_frame().await {
            assert_ne!(frame["id"], id, "{frame}");
        }
    };
    let _ = timeout(QUIET, answer).await;
}

async fn stored(site: &Site) -> Vec<String> {
    let rows = database::messages(&site.database_url, "harbour").await;
    rows.iter().map(|row| row["message"].as_str().expect("text").to_owned()).collect()
}

#[tokio::test]
async fn an_acknowledgement_waits_for_the_sync() {
    let disk = Faults::none();
    let site = Site::new(Database::Sqlite).await;
    let server = site.start_with(&disk);
    let (mut ann, mut bob) = (Client::join(&server, "harbour").await, Client::join(&server, "harbour").await);
    ann.say("1", "first").await;
    bob.expect_message("first").await;
    disk.begin(Fault::SyncWaits);
    ann.post("2", "second").await;
    eventually("a sync", || async { disk.a_sync_waits().then_some(()) }).await;
    is_not_answered(&mut ann, "2").await;
    is_not_answered(&mut bob, "2").await;
    disk.end(Fault::SyncWaits);
    assert_eq!(ann.answer_to("2").await["seq"], 2);
    bob.expect_message("second").await;
}

#[tokio::test]
async fn a_failed_sync_ends_the_process_and_loses_nothing() {
    let disk = Faults::none();
    let site = Site::new(Database::Sqlite).await;
    let mut server = site.start_with(&disk);
    let cookie = crate::support::http::identity(&server).await;
    let door = || crate::support::Door::of("harbour");
    let mut ann = door().identity(&cookie, &server).join(&server).await;
    for n in 1..=20 {
        ann.say(&n.to_string(), &n.to_string()).await;
    }
    disk.begin(Fault::SyncFails);
    ann.post("21", "21").await;
    // The connection breaks without a word about it.
    while let Some(frame) = ann.next_frame().await {
        assert_ne!(frame["id"], "21", "{frame}");
    }
    let status = server.wait(DEADLINE).expect("the server ends");
    assert_eq!(status.code(), Some(74), "{status}");
    disk.end(Fault::SyncFails);

    let server = site.start_with(&disk);
    let mut ann = door().identity(&cookie, &server).after(0).join(&server).await;
    for n in 1..=20 {
        assert_eq!(ann.expect_message(&n.to_string()).await["seq"], n);
    }
    assert_eq!(ann.say("21", "21").await["seq"], 21);
    let numbers: Vec<String> = (1..=21).map(|n| n.to_string()).collect();
    assert_eq!(stored(&site).await, numbers);
}

#[tokio::test]
async fn a_full_disk_refuses_and_goes_on_when_there_is_space() {
    let disk = Faults::none();
    let site = Site::new(Database::Sqlite).await;
    let server = site.start_with(&disk);
    let mut ann = Client::join(&server, "harbour").await;
    let mut bob = Client::join(&server, "harbour").await;
    ann.say("1", "first").await;
    disk.begin(Fault::Full);
    let refused = ann.say("2", "second").await;
    assert_eq!((refused["type"].as_str(), refused["code"].as_str()), (Some("rejected"), Some("unavailable")));
    eventually("it is not ready", || async { (http::readiness(&server).await.0 == 503).then_some(()) }).await;
    // Stored events can be read.
    let mut carl = crate::support::Door::of("harbour").after(0).join(&server).await;
    carl.expect_message("first").await;
    disk.end(Fault::Full);
    // The server recovers without a further post.
    eventually("it is ready again", || async { (http::readiness(&server).await.0 == 200).then_some(()) }).await;
    assert_eq!(ann.say("2", "second").await["seq"], 2);
    for client in [&mut bob, &mut carl] {
        client.until(|frame| frame["message"] == "second").await;
    }
    assert_eq!(stored(&site).await, ["first", "second"]);
}

#[tokio::test]
async fn a_server_is_not_ready_while_a_small_write_fits_and_no_message_does() {
    let disk = Faults::none();
    let site = Site::new(Database::Sqlite).await;
    let server = site.start_with(&disk);
    let mut ann = Client::join(&server, "harbour").await;
    ann.say("1", "first").await;
    disk.begin(Fault::Cramped);
    assert_eq!(ann.say("2", "second").await["code"], "unavailable");
    for _ in 0..15 {
        assert_eq!(http::readiness(&server).await.0, 503);
        tokio::time::sleep(QUIET / 5).await;
    }
    assert_eq!(ann.say("3", "third").await["code"], "unavailable", "it is as it says");
    // Probes are no errors, in the metrics and in the log.
    let metrics = http::get(&server, "/metrics").await.body;
    assert!(metrics.contains("parlour_http_responses_total{class=\"5xx\"} 0"), "{metrics}");
    let warnings = server.log().lines().filter(|line| line.contains(" WARN ")).count();
    assert!((1..=2).contains(&warnings), "one of the writes and one of the probes: {}", server.log());
    disk.end(Fault::Cramped);
    assert_eq!(ann.say("2", "second").await["seq"], 2);
    assert_eq!(http::readiness(&server).await.0, 200, "a message was stored");
    assert_eq!(stored(&site).await, ["first", "second"]);
}

#[tokio::test]
async fn a_database_that_is_deleted_under_its_server_is_noticed() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    let mut ann = Client::join(&server, "harbour").await;
    ann.say("1", "first").await;
    let (file, elsewhere) = (site.data.join("parlour.db"), site.data.join("moved"));
    std::fs::rename(&file, &elsewhere).expect("a file");
    assert_eq!(ann.say("2", "second").await["code"], "unavailable", "it would be lost");
    assert_eq!(http::readiness(&server).await.0, 503);
    std::fs::write(&file, "another").expect("a file");
    assert_eq!(http::readiness(&server).await.0, 503);
    assert_eq!(server.log().matches("was deleted, moved or replaced").count(), 1, "once: {}", server.log());
    std::fs::rename(&elsewhere, &file).expect("a file");
    assert_eq!(ann.say("2", "second").await["seq"], 2);
    assert_eq!(http::readiness(&server).await.0, 200);
    assert!(server.log().contains("back in its place"), "{}", server.log());
}

#[tokio::test]
async fn a_data_directory_that_is_deleted_is_noticed_though_nobody_asks() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    std::fs::remove_dir_all(&site.data).expect("a directory");
    eventually("the log says so", || async { server.log().contains("was deleted, moved or replaced").then_some(()) })
        .await;
}

#[tokio::test]
async fn a_limit_of_file_sizes_is_like_a_full_disk() {
    let site = Site::new(Database::Sqlite).await;
    let directory = tempdir::directory("limit");
    let mut command = Command::new("sh");
    let limited = "echo $$ > pid; ulimit -S -f 1400; exec \"$0\" \"$@\" --addr 127.0.0.1:0";
    command.current_dir(&directory).args(["-c", limited, env!("CARGO_BIN_EXE_parlour")]).args(site.arguments());
    let server = Server::listening(command, &directory).expect("it starts");
    let mut ann = Client::join(&server, "harbour").await;
    let text = "x".repeat(3900);
    let mut stored = 0;
    while ann.say(&stored.to_string(), &text).await["type"] == "message" {
        stored += 1;
        assert!(stored < 1000, "there is no limit");
    }
    assert_eq!(http::readiness(&server).await.0, 503);
    assert_eq!(http::get(&server, "/harbour/").await.status, 200);
    let pid = std::fs::read_to_string(directory.join("pid")).expect("a file");
    let lifted = Command::new("prlimit").args(["--fsize=unlimited:", "--pid", pid.trim()]).status().expect("prlimit");
    assert!(lifted.success());
    eventually("it is ready again", || async { (http::readiness(&server).await.0 == 200).then_some(()) }).await;
    assert_eq!(ann.say(&stored.to_string(), &text).await["seq"], stored + 1);
    assert_eq!(self::stored(&site).await.len(), stored + 1);
}
