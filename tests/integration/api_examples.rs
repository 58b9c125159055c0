//! The commands in docs/api.md do what the page says, in the order of the page.

use crate::support::process::Process;
use crate::support::server::executable;
use crate::support::{Database, Server, Site, eventually, http, tempdir};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

const PAGE: &str = include_str!("../../docs/api.md");

/// A block of commands, and the block with their output, if it follows.
struct Example {
    commands: String,
    /// The language of the block, and its text.
    output: Option<(String, String)>,
}

fn examples() -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let mut parts = PAGE.split("```");
    let mut between = parts.next().expect("text");
    while let (Some(block), Some(text)) = (parts.next(), parts.next()) {
        let (language, body) = block.split_once('\n').expect("a language");
        match (language, examples.last_mut()) {
            ("sh", _) => examples.push(Example { commands: body.to_owned(), output: None }),
            (_, Some(last)) if between.trim().is_empty() => last.output = Some((language.to_owned(), body.to_owned())),
            _ => {}
        }
        between = text;
    }
    examples
}

/// The place where the commands run: `parlour` is the server's own executable, and `curl` is quiet.
struct Shell {
    directory: PathBuf,
    variables: Vec<(&'static str, String)>,
}

impl Shell {
    fn new(site: &Site, server: &Server) -> Self {
        let directory = tempdir::directory("api");
        fs::write(directory.join(".curlrc"), "silent\nshow-error\nmax-time = 60\n").expect("a file");
        let arguments: Vec<String> = site.arguments().iter().map(|argument| format!("'{argument}'")).collect();
        let program = executable(&directory).get_program().to_string_lossy().into_owned();
        let shim = directory.join("parlour");
        fs::write(&shim, format!("#!/bin/sh\nexec '{program}' \"$@\" {}\n", arguments.join(" "))).expect("a file");
        fs::set_permissions(&shim, fs::Permissions::from_mode(0o755)).expect("a file");
        Self { directory, variables: vec![("ROOM", server.url("/harbour"))] }
    }

    fn command(&self, commands: &str) -> Command {
        let mut shell = Command::new("bash");
        let path = std::env::var("PATH").unwrap_or_default();
        shell.args(["-euo", "pipefail", "-c", commands]).current_dir(&self.directory);
        shell.env("PATH", format!("{}:{path}", self.directory.display())).env("CURL_HOME", &self.directory);
        shell.envs(self.variables.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
        shell
    }

    /// Runs commands that end. Returns their output.
    fn run(&self, commands: &str) -> String {
        let output = self.command(commands).output().expect("bash runs");
        let (said, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{commands}{said}{failed}");
        said.into_owned()
    }

    /// Runs a command that follows a room while somebody talks there, until its output is as expected.
    async fn follow(&self, server: &Server, commands: &str, expected: &str) {
        let file = self.directory.join("followed");
        let mut command = self.command(&format!("exec {commands}"));
        command.stdout(fs::File::create(&file).expect("a file")).stderr(Stdio::inherit());
        let mut following = Process::start(&mut command, "KILL").expect("bash");
        eventually(commands, async || {
            let form = [("username", "Ann"), ("message", "hello")];
            assert_eq!(http::post_form(server, "/harbour/", &form).await.status, 303);
            shows(&fs::read_to_string(&file).expect("a file"), expected).then_some(())
        })
        .await;
        following.kill();
    }

    /// Keeps what is shown once.
    fn keep(&mut self, output: &str, server: &Server) {
        if let Some(token) = output.split_whitespace().find(|word| word.starts_with("plr_")) {
            self.variables.push(("ROOM_TOKEN", token.to_owned()));
        }
        if let Some(hook) = output.split_whitespace().find_map(|word| word.split_once("/harbour/hooks/")) {
            self.variables.push(("HOOK", server.url(&format!("/harbour/hooks/{}", hook.1))));
        }
    }
}

/// Whether the lines are as expected, one after the other; `…` stands for the rest of a line.
fn shows(output: &str, expected: &str) -> bool {
    let mut lines = output.lines();
    expected.lines().all(|line| {
        lines.any(|shown| line.strip_suffix('…').map_or(shown == line, |beginning| shown.starts_with(beginning)))
    })
}

/// Whether two values have the same fields of the same types.
fn alike(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| other.get(name).is_some_and(|it| alike(value, it)))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(a, b)| alike(a, b))
        }
        (Value::String(_), Value::String(_)) | (Value::Number(_), Value::Number(_)) => true,
        _ => one == other,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_of_the_page_does_what_the_page_says() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    let mut shell = Shell::new(&site, &server);
    let examples = examples();
    assert!(examples.len() > 15, "{} examples", examples.len());
    for Example { commands, output } in examples.iter().filter(|example| !example.commands.starts_with("ROOM=")) {
        let expected = output.as_ref().map(|(language, text)| (language.as_str(), text.as_str()));
        if commands.contains("curl -N") {
            let (_, text) = expected.expect("an output");
            shell.follow(&server, commands, text).await;
            continue;
        }
        let shown = tokio::task::block_in_place(|| shell.run(commands));
        shell.keep(&shown, &server);
        match expected {
            Some(("json", text)) => {
                let shown: Value =
                    serde_json::from_str(&shown).unwrap_or_else(|error| panic!("{commands}{shown}{error}"));
                let expected: Value = serde_json::from_str(text).expect("JSON");
                assert!(alike(&shown, &expected), "{commands}{shown:#}\n{expected:#}");
                for name in ["type", "seq", "username", "message", "head", "title", "status", "code", "detail"] {
                    assert_eq!(shown.get(name), expected.get(name), "{commands}{shown:#}");
                }
            }
            Some((_, text)) => assert!(shows(&shown, text), "{commands}{shown}"),
            None => assert!(!shown.contains("about:blank"), "{commands}{shown}"),
        }
    }
}

#[test]
fn an_output_of_another_shape_is_noticed() {
    let shown = json!({"seq": 1, "messages": [{"seq": 1, "before": null}]});
    assert!(alike(&shown, &json!({"seq": 4, "messages": [{"seq": 2, "before": null}]})));
    for other in [
        json!({"seq": 1}),
        json!({"seq": "1", "messages": [{"seq": 1, "before": null}]}),
        json!({"seq": 1, "messages": []}),
        json!({"seq": 1, "messages": [{"seq": 1, "before": 3}]}),
    ] {
        assert!(!alike(&shown, &other), "{other}");
    }
    assert!(shows("id: 1\nid: 2\ndata: x\n", "id: 2\ndata: …\n") && !shows("id: 12\n", "id: 1\n"));
}
