//! The commands of docs/operations.md, as they stand there and in their order, by an ordinary user: in a folder as a
//! release file unpacks into it, with real databases and a real Caddy. Addresses and folders of an administrator's
//! machine are replaced by ones of the test.
//!
//! What a block of the page is, its first line says: `sh` is run, `sh server` and `sh proxied` are left running,
//! `sh postgres` and `sh redis` have these at hand. `sh root` and `sh container` are not run.

use crate::support::process::{Process, free_port};
use crate::support::redis::Redis;
use crate::support::{Client, DEADLINE, Database, Site, eventually, postgres, tempdir};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PAGE: &str = include_str!("../../docs/operations.md");

/// The user `nobody`, if the tests run as root.
const NOBODY: u32 = 65_534;

/// A block of the page: what it is, and its text.
struct Block {
    kind: String,
    text: String,
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = PAGE.lines();
    while let Some(line) = lines.next() {
        let Some(kind) = line.strip_prefix("```") else { continue };
        let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        blocks.push(Block { kind: kind.to_owned(), text: text.join("\n") + "\n" });
    }
    blocks
}

/// The machine on which the page is followed.
struct Machine {
    /// The unpacked release, where commands are given.
    folder: PathBuf,
    /// Replacements of the page's addresses and folders.
    replaced: Vec<(String, String)>,
    environment: Vec<(&'static str, String)>,
    is_root: bool,
}

impl Machine {
    fn new() -> Self {
        let is_root = std::fs::metadata("/proc/self").expect("this process").uid() == 0;
        let home = tempdir::directory("operations");
        // Everybody may pass through the folders of the tests.
        for folder in home.ancestors().take_while(|folder| folder.starts_with(std::env::temp_dir())).skip(1) {
            let mode = folder.metadata().expect("a folder").permissions().mode();
            let _ = std::fs::set_permissions(folder, PermissionsExt::from_mode(mode | 0o011));
        }
        let folder = unpack(&home);
        for name in ["backups", "srv"] {
            std::fs::create_dir(home.join(name)).expect("a folder");
        }
        if is_root {
            let owned = Command::new("chown").args(["-R", &NOBODY.to_string()]).arg(&home).status();
            assert!(owned.expect("chown").success());
        }
        let (own, site) = (format!("127.0.0.1:{}", free_port()), format!("127.0.0.1:{}", free_port()));
        let under = |name: &str| home.join(name).display().to_string();
        let replaced = [
            ("127.0.0.1:3000", own.clone()),
            ("SITE=chat.example", format!("SITE=http://{site}")),
            ("https://chat.example", format!("http://{site}")),
            ("/backups/", under("backups/")),
            ("/srv/", under("srv/")),
        ];
        let path = std::env::var("PATH").expect("a path");
        let environment = vec![
            ("PATH", format!("{}:{path}", folder.display())),
            ("HOME", under("home")),
            ("LEPTOS_SITE_ADDR", own),
            ("CADDY_ADMIN", format!("127.0.0.1:{}", free_port())),
        ];
        let replaced = replaced.map(|(from, to)| (from.to_owned(), to)).to_vec();
        Self { folder, replaced, environment, is_root }
    }

    fn address(&self) -> &str {
        &self.replaced[0].1
    }

    fn site(&self) -> &str {
        &self.replaced[2].1
    }

    /// A shell that runs `text`, as an ordinary user.
    fn shell(&self, text: &str) -> Command {
        let text = self.replaced.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
        let mut shell = Command::new("bash");
        shell.args(["-euo", "pipefail", "-c", &text]).current_dir(&self.folder).stdin(Stdio::null());
        shell.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        if self.is_root {
            shell.uid(NOBODY).gid(NOBODY);
        }
        shell
    }

    fn run(&self, text: &str, environment: &[(&str, &str)]) -> String {
        let done = self.shell(text).envs(environment.iter().copied()).output().expect("a shell");
        let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{text}\n{said}");
        said
    }

    /// Starts a block that goes on, in a group of its own, and waits until the address answers.
    async fn start(&self, text: &str, url: &str) -> Running {
        let log = std::fs::File::create(self.folder.parent().expect("a folder").join("log")).expect("a log file");
        let mut shell = self.shell(text);
        shell.stdout(log.try_clone().expect("a handle")).stderr(log).process_group(0);
        let running = Running(Process::start(&mut shell, "KILL").expect("a shell"));
        let log = self.folder.parent().expect("a folder").join("log");
        let answers = eventually(text, || async {
            let answer = reqwest::get(format!("{url}/readyz")).await.ok()?;
            (answer.status() == 200).then_some(())
        });
        let said = || std::fs::read_to_string(&log).unwrap_or_default();
        tokio::time::timeout(DEADLINE, answers).await.unwrap_or_else(|_| panic!("{text}\n{}", said()));
        running
    }
}

/// A block that goes on. Dropped, all of its processes end.
struct Running(Process);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = Command::new("sh").args(["-c", &format!("kill -s TERM -- -{}", self.0.id())]).status();
        let _ = self.0.wait(DEADLINE);
    }
}

/// Makes a release file of the executable under test, and unpacks it.
fn unpack(home: &Path) -> PathBuf {
    let archive = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/archive");
    let made = Command::new(archive).arg(env!("CARGO_BIN_EXE_parlour")).arg("parlour-test").arg(home).output();
    let made = made.expect("a shell");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let unpacked = Command::new("tar").arg("-xzf").arg(home.join("parlour-test.tar.gz")).arg("-C").arg(home).status();
    assert!(unpacked.expect("tar").success());
    let folder = home.join("parlour-test");
    for name in ["parlour", "LICENSE", ".env.example", "README.md", "docs/operations.md", "deploy/Caddyfile"] {
        assert!(folder.join(name).exists(), "{name}");
    }
    folder
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_of_the_page_do_as_it_says() {
    let site = Site::new(Database::Postgres).await;
    drop(site.start());
    let machine = Machine::new();
    let redis = tokio::task::spawn_blocking(Redis::start).await.expect("Redis");
    let mut running: Option<Running> = None;
    let mut seen = std::collections::BTreeMap::<String, usize>::new();
    for Block { kind, text } in blocks() {
        *seen.entry(kind.clone()).or_default() += 1;
        match &*kind {
            "sh" => {
                machine.run(&text, &[]);
            }
            "sh server" | "sh proxied" => {
                drop(running.take());
                let url = if kind == "sh server" {
                    format!("http://{}", machine.address())
                } else {
                    machine.site().to_owned()
                };
                running = Some(machine.start(&text, &url).await);
                let page = reqwest::get(format!("{url}/harbour/")).await.expect("a page");
                assert_eq!(page.status(), 200, "{text}");
            }
            "sh postgres" => {
                let path = format!("{}:{}", postgres::programs().display(), machine.environment[0].1);
                machine.run(&text, &[("DATABASE_URL", &site.database_url), ("PATH", &path)]);
            }
            "sh redis" => {
                let port = redis.url().rsplit(':').next().expect("a port").trim_end_matches('/').to_owned();
                machine.run(&text.replace("redis-cli", &format!("redis-cli -p {port}")), &[]);
            }
            "sh root" | "sh container" | "ini" | "cron" => {}
            other => panic!("what is a block of {other}? {text}"),
        }
    }
    for kind in ["sh", "sh server", "sh proxied", "sh postgres", "sh redis"] {
        assert!(seen.contains_key(kind), "there is no block of {kind}");
    }
    drop(running);
    let server = site.start();
    assert_eq!(Client::join(&server, "harbour").await.say("a", "hello").await["seq"], 1);
}

#[test]
#[should_panic(expected = "no-such-command | cat")]
fn a_command_that_fails_is_noticed() {
    Machine::new().run("no-such-command | cat", &[]);
}

#[test]
fn backups_by_cron_and_timers_escape_what_means_something_there() {
    let of = |kind: &'static str| blocks().into_iter().filter(move |block| block.kind == kind).map(|block| block.text);
    let cron: String = of("cron").collect();
    assert!(cron.contains("\\%F") && !cron.replace("\\%", "").contains('%'), "{cron}");
    let units: String = of("ini").filter(|unit| unit.contains("ExecStart")).collect();
    assert!(units.contains("%%F") && !units.replace("%%", "").contains('%'), "{units}");
    assert!(units.contains("$$(date") && !units.replace("$$", "").contains('$'), "{units}");
    // As systemd passes them on.
    let line = units.lines().find_map(|line| line.strip_prefix("ExecStart=")).expect("a command");
    let line = line.replace("%%", "%").replace("$$", "$").replace("exec parlour backup", "echo");
    let said = Command::new("bash").args(["-euc", &line]).output().expect("a shell").stdout;
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(
        said.starts_with("/backups/parlour-20") && said.trim().len() == "/backups/parlour-2026-11-22".len(),
        "{said}"
    );
}
