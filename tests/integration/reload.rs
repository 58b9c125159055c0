//! SIGHUP: what can change while the server runs is applied, and what cannot is named. From a terminal that closes, it
//! ends the server.

use crate::support::server::executable;
use crate::support::{Client, Database, Server, Site, database, eventually, http, tempdir};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// A server whose settings are in a file, in its working directory.
fn start(directory: &Path, settings: &str) -> Server {
    write(directory, settings);
    let mut command = executable(directory);
    command.args(["--addr", "127.0.0.1:0"]);
    Server::listening(command, directory).expect("it starts")
}

fn write(directory: &Path, settings: &str) {
    std::fs::write(directory.join("Leptos.toml"), format!("[parlour]\n{settings}\n")).expect("a file");
}

async fn reload(server: &Server, directory: &Path, settings: &str, says: &str) {
    let before = server.log().len();
    write(directory, settings);
    server.signal("HUP");
    eventually("it says that it has read them", || async { server.log()[before..].contains(says).then_some(()) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_retention_and_log_filter_change_while_the_server_runs() {
    let directory = tempdir::directory("reload");
    let server = start(&directory, "message-burst = 2\nmessages-per-second = 1");
    let mut ann = Client::join(&server, "harbour").await;
    let mut codes = Vec::new();
    for n in 0..6 {
        codes.push(ann.say(&format!("a{n}"), "hello").await["code"].clone());
    }
    assert!(codes.iter().any(|code| code == "rate_limited"), "{codes:?}");

    reload(&server, &directory, "message-burst = 1000", "message-burst 1000").await;
    for n in 0..50 {
        assert_eq!(ann.say(&format!("b{n}"), "hello").await["type"], "message", "the same connection");
    }
    reload(&server, &directory, "limits = 'off'", "limits off").await;
    for n in 0..50 {
        assert_eq!(ann.say(&format!("c{n}"), "hello").await["type"], "message");
    }

    assert!(!server.log().contains("Answered a request"), "{}", server.log());
    reload(&server, &directory, "limits = 'off'\nlog-filter = 'debug'", "log-filter debug").await;
    http::get(&server, "/healthz").await;
    eventually("requests are logged", || async { server.log().contains("Answered a request").then_some(()) }).await;

    let url = format!("sqlite://{}", directory.join("data/parlour.db").display());
    database::execute(&url, "UPDATE events SET at = at - 10 * 86400000").await;
    reload(&server, &directory, "limits = 'off'\nretention-days = 3", "retention-days 3").await;
    eventually("old messages go", || async { database::messages(&url, "harbour").await.is_empty().then_some(()) })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_setting_that_cannot_change_is_named_and_a_mistake_changes_nothing() {
    let directory = tempdir::directory("reload");
    let server = start(&directory, "message-burst = 2");
    reload(
        &server,
        &directory,
        "message-burst = 2\npublic-url = 'https://chat.example'",
        "These settings need a restart",
    )
    .await;
    assert!(server.log().contains("public-url https://chat.example"), "{}", server.log());
    assert_eq!(http::get(&server, "/").await.status, 200, "no redirect yet");
    // It differs the next time, too.
    reload(&server, &directory, "public-url = 'https://chat.example'", "These settings need a restart").await;
    for mistake in ["message-burst = 'many'", "colour = 'red'", "this is not TOML"] {
        reload(&server, &directory, mistake, "Reloading the settings failed").await;
    }
    reload(&server, &directory, "log-filter = 'parlour=lowd'", "Changing the log filter failed").await;
    assert_eq!(http::get(&server, "/").await.status, 200, "it serves");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_drains_when_its_terminal_closes_and_not_before() {
    let directory = tempdir::directory("terminal");
    write(&directory, "message-burst = 2");
    // The tests themselves may run under nohup(1).
    let line = format!(
        "#!/bin/sh\necho $$ > pid\nexec env --default-signal=HUP {} --addr 127.0.0.1:0 2> log-of-server\n",
        env!("CARGO_BIN_EXE_parlour")
    );
    let shell = directory.join("start");
    std::fs::write(&shell, line).expect("a file");
    std::fs::set_permissions(&shell, PermissionsExt::from_mode(0o700)).expect("a mode");
    // The environment of a server, in a terminal of its own.
    let mut command = Command::new("script");
    command.args(["--quiet", "--command", "./start", "/dev/null"]).current_dir(&directory);
    for (name, value) in executable(&directory).get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let mut terminal = Server::listening(command, &directory).expect("it starts");
    let mut ann = Client::join(&terminal, "harbour").await;
    ann.say("a", "hello").await;
    let pid = std::fs::read_to_string(directory.join("pid")).expect("a file");
    write(&directory, "message-burst = 7");
    assert!(Command::new("kill").args(["-s", "HUP", pid.trim()]).status().expect("kill").success());
    eventually("it has read the settings", || async {
        let log = std::fs::read_to_string(directory.join("log-of-server")).unwrap_or_default();
        log.contains("message-burst 7").then_some(())
    })
    .await;
    assert_eq!(ann.say("b", "hello").await["type"], "message");
    terminal.kill();
    ann.expect("drain").await;
    assert_eq!(ann.close_code().await, Some(1012));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_changed_waits_for_a_restart_and_is_not_shown() {
    let site = Site::new(Database::Postgres).await;
    let directory = tempdir::directory("reload");
    let settings = format!("database-url-file = '{}'", directory.join("secret").display());
    let change = |password: &str| {
        let url = site.database_url.replace("parlour@", &format!("parlour:{password}@"));
        std::fs::write(directory.join("secret"), url).expect("a file");
    };
    change("first-secret");
    let server = start(&directory, &settings);
    change("second-secret");
    reload(&server, &directory, &settings, "need a restart").await;
    assert!(server.log().contains("database-url postgres://parlour:***@"), "{}", server.log());
    assert!(!server.log().contains("secret"), "{}", server.log());
}
