//! A real PostgreSQL: one cluster for all tests of this process, with a fresh database for each; or one of its own for
//! a test that restarts it.

use super::process::{Process, free_port};
use super::{DEADLINE, database, tempdir};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

const MISSING: &str = "these tests need PostgreSQL 15 or newer: install the Debian package postgresql";

/// A fresh database in the shared cluster: its address for `--database-url`.
pub async fn fresh_database() -> String {
    static SHARED: OnceLock<Mutex<Cluster>> = OnceLock::new();
    let shared = tokio::task::spawn_blocking(|| SHARED.get_or_init(|| Mutex::new(Cluster::start())));
    let url = shared.await.expect("a cluster").lock().expect("a cluster").url("postgres");
    let name = format!("parlour_{}", uuid::Uuid::new_v4().simple());
    database::execute(&url, &format!("CREATE DATABASE {name}")).await;
    url.replace("/postgres", &format!("/{name}"))
}

/// A cluster in a scratch directory, on a port of its own.
pub struct Cluster {
    programs: PathBuf,
    directory: PathBuf,
    port: u16,
    process: Process,
}

impl Cluster {
    /// Makes one and starts it.
    pub fn start() -> Self {
        let programs = programs();
        let directory = tempdir::directory("postgres");
        if let Some((user, group)) = unprivileged() {
            chown(&directory, Some(user), Some(group)).expect("root may give a directory away");
        }
        let mut initdb = program(&programs, "initdb");
        initdb.arg("--pgdata").arg(&directory);
        initdb.args(["--username=parlour", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"]);
        let made = initdb.output().expect(MISSING);
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        for _ in 0..5 {
            let port = free_port();
            if let Some(process) = start(&programs, &directory, port) {
                return Self { programs, directory, port, process };
            }
        }
        let log = std::fs::read_to_string(directory.join("log")).unwrap_or_default();
        panic!("no PostgreSQL could be started: {log}");
    }

    /// The address of one of its databases.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://parlour@127.0.0.1:{}/{database}", self.port)
    }

    /// Ends at once, as after a crash, and comes back at the same address.
    pub fn restart(&mut self) {
        self.process.signal("QUIT");
        self.process.wait(DEADLINE).expect("PostgreSQL ends when told to quit");
        self.process = start(&self.programs, &self.directory, self.port).expect("the port is still free");
    }
}

/// Returns `None` if it exits at once, because another process may have taken the port.
fn start(programs: &Path, directory: &Path, port: u16) -> Option<Process> {
    let mut postgres = program(programs, "postgres");
    postgres.arg("-D").arg(directory).args(["-p", &port.to_string()]);
    for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "max_connections=300"] {
        postgres.args(["-c", setting]);
    }
    let log = std::fs::File::create(directory.join("log")).expect("a log file");
    postgres.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    let mut process = Process::start(&mut postgres, "QUIT").expect(MISSING);
    let asked = Instant::now();
    while process.ended().is_none() {
        // The line after the port in this file says how far it has come.
        let status = std::fs::read_to_string(directory.join("postmaster.pid")).unwrap_or_default();
        if status.lines().any(|line| line.trim() == "ready") {
            return Some(process);
        }
        assert!(asked.elapsed() < DEADLINE, "PostgreSQL does not get ready");
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}

/// Runs a program of PostgreSQL's, which does well.
pub fn run(name: &str, arguments: &[&str]) {
    let done = Command::new(programs().join(name)).args(arguments).output().expect(MISSING);
    assert!(done.status.success(), "{name} {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// Runs a line of shell with PostgreSQL's programs at hand, and the address of a database in `DATABASE_URL`.
pub fn shell(line: &str, url: &str) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::iter::once(programs()).chain(std::env::split_paths(&path));
    let path = std::env::join_paths(places).expect("paths");
    let mut shell = Command::new("sh");
    let done = shell.args(["-ec", line]).env("PATH", path).env("DATABASE_URL", url).output().expect("a shell");
    assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
}

fn program(programs: &Path, name: &str) -> Command {
    let mut command = Command::new(programs.join(name));
    command.current_dir("/");
    if let Some((user, group)) = unprivileged() {
        command.uid(user).gid(group);
    }
    command
}

/// The directory of the newest PostgreSQL there is: Debian keeps it out of PATH.
pub fn programs() -> PathBuf {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<u32> = debian.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    versions.sort_unstable();
    let newest = versions.last().filter(|&&version| version >= 15);
    let newest = newest.map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin")));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = newest.into_iter().chain(std::env::split_paths(&path));
    places.find(|place| place.join("initdb").exists() && place.join("postgres").exists()).expect(MISSING)
}

/// Returns the user to run as if the tests run as root, which PostgreSQL refuses.
fn unprivileged() -> Option<(u32, u32)> {
    if std::fs::metadata("/proc/self").expect("this process").uid() != 0 {
        return None;
    }
    let id = |option: &str, user: &str| {
        let output = Command::new("id").args([option, user]).output().expect("the command id");
        String::from_utf8_lossy(&output.stdout).trim().parse().ok()
    };
    let user = ["postgres", "nobody"].into_iter().find_map(|user| Some((id("-u", user)?, id("-g", user)?)));
    Some(user.expect("as root, PostgreSQL needs an unprivileged user: create the user postgres"))
}
