//! Standard output and standard error that are not read, or cannot be written: the server does not block or panic.

use crate::support::process::{Process, free_port};
use crate::support::server::executable;
use crate::support::{Client, DEADLINE, Database, Server, Site, eventually, http, tempdir};
use std::io::Read;
use std::process::{Command, Stdio};

/// Enough requests for a log that fills a pipe, if each has its line.
const MANY: usize = 1_000;

/// The exit code of a command whose reader has gone.
const BROKEN_PIPE: i32 = 141;

/// The writing end of a pipe whose reader has gone.
fn broken_pipe() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

fn full_device() -> Stdio {
    std::fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full").into()
}

/// A server that logs every request to `stderr`, seen to serve and to drain.
async fn serves_and_drains(stderr: Stdio, requests: usize) {
    let site = Site::new(Database::Sqlite).await;
    let directory = tempdir::directory("streams");
    let mut command = executable(&directory);
    command.env("RUST_LOG", "debug").args(site.arguments()).args(["--addr", "127.0.0.1:0"]);
    let mut server = Server::logging_to(stderr, command, directory.join("log")).expect("it listens");
    let mut client = Client::join(&server, "harbour").await;
    for _ in 0..requests {
        assert_eq!(http::get(&server, "/healthz").await.status, 200);
    }
    assert_eq!(client.say("a", "still here").await["seq"], 1);
    assert_eq!(Client::join(&server, "harbour").await.say("b", "newcomers too").await["seq"], 2);
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_nobody_reads_stops_nothing() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    serves_and_drains(writer.into(), MANY).await;
    drop(reader);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_cannot_be_written_stops_nothing() {
    serves_and_drains(broken_pipe(), 10).await;
    serves_and_drains(full_device(), 10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_cannot_announce_itself_serves() {
    for output in [broken_pipe, full_device] {
        let site = Site::new(Database::Sqlite).await;
        let addr = format!("127.0.0.1:{}", free_port());
        let mut command = executable(&tempdir::directory("streams"));
        command.args(site.arguments()).args(["--addr", &addr]);
        command.stdin(Stdio::null()).stdout(output()).stderr(output());
        let mut process = Process::start(&mut command, "KILL").expect("the executable");
        eventually("it answers", || async {
            reqwest::get(format!("http://{addr}/healthz")).await.ok().filter(|answer| answer.status() == 200)
        })
        .await;
        process.signal("TERM");
        let status = process.wait(DEADLINE).expect("it ends");
        assert_eq!(status.code(), Some(0), "{status}");
    }
}

/// Runs a command with this standard output. Returns its exit code and standard error.
fn outcome(command: &mut Command, output: Stdio) -> (Option<i32>, String) {
    command.stdin(Stdio::null()).stdout(output).stderr(Stdio::piped());
    let mut process = Process::start(command, "KILL").expect("the executable");
    let status = process.wait(DEADLINE).expect("a command ends");
    let mut said = String::new();
    process.child().stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
    (status.code(), said)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_ends_silently_when_its_reader_has_gone() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    Client::join(&server, "harbour").await.say("a", "hello").await;
    let directory = tempdir::directory("streams");
    let command = |arguments: &[&str]| {
        let mut command = executable(&directory);
        command.args(arguments).args(site.arguments());
        command
    };
    for arguments in [
        &["config"][..],
        &["check"],
        &["rooms"],
        &["rooms", "--json"],
        &["export", "harbour"],
        &["export", "harbour", "--format", "json"],
        &["retention", "harbour"],
        &["erase", "--author-of", "harbour/1"],
    ] {
        let (code, said) = outcome(&mut command(arguments), broken_pipe());
        assert_eq!((code, &*said), (Some(BROKEN_PIPE), ""), "{arguments:?}");
        let (code, said) = outcome(&mut command(arguments), full_device());
        assert_eq!(code, Some(1), "{arguments:?}: {said}");
        assert!(said.contains("standard output") && said.contains("No space left"), "{arguments:?}: {said}");
    }
    for arguments in ["--help", "--version"] {
        for output in [broken_pipe, full_device] {
            let (_, said) = outcome(executable(&directory).arg(arguments), output());
            assert!(!said.contains("panicked"), "{said}");
        }
    }
    // An error that cannot be printed still sets the exit code.
    for output in [broken_pipe, full_device] {
        let mut command = command(&["export", "nowhere"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(output());
        let status = Process::start(&mut command, "KILL").expect("the executable").wait(DEADLINE).expect("it ends");
        assert_eq!(status.code(), Some(1), "{status}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_in_json_is_json_from_its_first_line_and_names_the_version() {
    let site = Site::new(Database::Sqlite).await.with_flags(&["--log-format", "json"]);
    let server = site.start();
    let first: serde_json::Value = serde_json::from_str(&server.announcement).expect("JSON");
    assert_eq!(first["version"], env!("CARGO_PKG_VERSION"), "{first}");
    assert!(first["message"].as_str().is_some_and(|message| message.contains("listens on")), "{first}");
    // An error that ends the process, and one of the settings themselves.
    let taken = server.addr.to_string();
    for flags in [&["--addr", &taken][..], &["--addr", "127.0.0.1:0", "--public-url", "nowhere"]] {
        let (well, said) = site.command(&[&["serve"], flags].concat());
        assert!(!well, "{said}");
        for line in said.lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
            assert!(line["level"] == "ERROR" && line["version"].is_string(), "{line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_free_descriptors_says_so_once() {
    let site = Site::new(Database::Sqlite).await;
    let directory = tempdir::directory("streams");
    let mut command = Command::new("sh");
    command.current_dir(&directory).args(["-c", "ulimit -n 40; exec \"$@\"", "sh"]);
    command.arg(executable(&directory).get_program()).args(site.arguments()).args(["--addr", "127.0.0.1:0"]);
    let server = Server::listening(command, &directory).expect("it listens");
    let mut open = Vec::new();
    let begun = std::time::Instant::now();
    // Connections come and go all the time, and there are always more than fit.
    while begun.elapsed() < std::time::Duration::from_secs(3) {
        if open.len() >= 60 {
            open.drain(..30);
        }
        open.extend(tokio::net::TcpStream::connect(server.addr).await);
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let log = server.log();
    assert_eq!(log.matches("Connections cannot be accepted").count(), 1, "{log}");
    assert!(log.lines().count() < 10, "{log}");
    drop(open);
    eventually("it serves again", || async {
        let answer = reqwest::get(server.url("/healthz")).await.ok();
        answer.filter(|answer| answer.status() == 200)
    })
    .await;
}

#[test]
fn an_error_of_the_command_line_is_json_where_the_log_is() {
    let directory = tempdir::directory("refused");
    let refused = |arguments: &[&str], variable: Option<&str>| {
        let mut command = executable(&directory);
        command.args(arguments).envs(variable.map(|value| ("PARLOUR_LOG_FORMAT", value)));
        outcome(&mut command, Stdio::null())
    };
    let of_file = "[parlour]\nlog-format = 'json'\ncolour = 'red'\n";
    for (arguments, variable, file, code) in [
        (&["--log-format", "json", "--nope"][..], None, "", 2),
        (&["no-such-command"], Some("json"), "", 2),
        (&["--log-format=json", "--addr", "postgres://ann:hush@db/x"], Some("text"), "", 2),
        (&["check"], None, of_file, 1),
    ] {
        std::fs::write(directory.join("Leptos.toml"), file).expect("a file");
        let (found, said) = refused(arguments, variable);
        assert_eq!(found, Some(code), "{arguments:?}: {said}");
        let line: serde_json::Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{arguments:?}: {said}"));
        assert!(line["level"] == "ERROR" && line["version"].is_string(), "{line}");
        assert!(!said.contains("hush"), "{said}");
    }
    std::fs::write(directory.join("Leptos.toml"), "").expect("a file");
    let (code, said) = refused(&["--log-format", "text", "--nope"], Some("json"));
    assert!(code == Some(2) && said.starts_with("error: "), "{said}");
}
