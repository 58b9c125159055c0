//! The real executable as a child process: started on a port that the system chooses, stopped in every way there is.

use super::process::Process;
use super::{DEADLINE, tempdir};
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

/// A server that listens.
pub struct Server {
    process: Process,
    log: PathBuf,
    /// Where it listens.
    pub addr: SocketAddr,
    /// The line it said so in.
    pub announcement: String,
}

impl Server {
    /// Starts `parlour ARGUMENTS --addr 127.0.0.1:0` and waits until it listens.
    pub fn start(arguments: &[String]) -> Self {
        Self::start_with(arguments, &[])
    }

    /// Like [`start`](Self::start), with additional environment variables.
    pub fn start_with(arguments: &[String], environment: &[(&str, &Path)]) -> Self {
        let directory = tempdir::directory("server");
        let mut command = executable(&directory);
        command.envs(environment.iter().copied());
        command.args(arguments).args(["--addr", "127.0.0.1:0"]);
        Self::listening(command, &directory).unwrap_or_else(|said| panic!("the server does not start: {said}"))
    }

    /// Starts `command`. Returns its output as an error if it exits instead of listening.
    pub fn listening(command: Command, directory: &Path) -> Result<Self, String> {
        let log = directory.join("log");
        let stderr = std::fs::File::create(&log).expect("a log file");
        Self::logging_to(stderr.into(), command, log)
    }

    /// Like [`listening`](Self::listening), with a different destination of the log. `log` is the file that contains
    /// it, if any.
    pub fn logging_to(stderr: Stdio, mut command: Command, log: PathBuf) -> Result<Self, String> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
        let mut process = Process::start(&mut command, "KILL").expect("the executable");
        let mut output = BufReader::new(process.child().stdout.take().expect("a pipe"));
        let mut announcement = String::new();
        output.read_line(&mut announcement).expect("a line");
        let address = announcement.split_once("http://").and_then(|(_, rest)| rest.split(',').next());
        let Some(addr) = address.and_then(|address| address.parse().ok()) else {
            let _ = process.wait(DEADLINE);
            return Err(format!("{announcement}{}", std::fs::read_to_string(&log).unwrap_or_default()));
        };
        // Further output is ignored, but must not fill the pipe.
        std::thread::spawn(move || output.read_to_end(&mut Vec::new()));
        Ok(Self { process, log, addr, announcement })
    }

    /// The address of `path` on this server.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// Returns the `Origin` that a browser sends from this server's own pages.
    pub fn origin(&self) -> String {
        self.url("")
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Sends it the signal of this name.
    pub fn signal(&self, name: &str) {
        self.process.signal(name);
    }

    /// Asks it to stop.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// How much memory it has, in KiB.
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it has memory");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// Returns the number of times that its thread of this name has waited for something.
    pub fn waits_of(&self, name: &str) -> usize {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.process.id())).expect("it runs");
        let mut threads = threads.map(|thread| thread.expect("a thread").path());
        let is_it = |thread: &PathBuf| std::fs::read_to_string(thread.join("comm")).is_ok_and(|it| it.trim() == name);
        let thread = threads.find(is_it).unwrap_or_else(|| panic!("it has no thread {name}"));
        let status = std::fs::read_to_string(thread.join("status")).expect("the thread runs");
        let waits = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        waits.and_then(|waits| waits.trim().parse().ok()).expect("a number")
    }

    /// Returns the log so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits for its end.
    pub fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        self.process.wait(patience)
    }

    /// Asks it to stop, and sees it end well.
    pub fn stop(&mut self) {
        self.terminate();
        let status = self.wait(DEADLINE).expect("a server that is asked to stop ends");
        assert!(status.success(), "{status}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- log of {} ---\n{}", self.addr, self.log());
        }
    }
}

/// The executable in `directory`, with an environment that says nothing about it.
pub fn executable(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parlour"));
    command.current_dir(directory);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("PARLOUR_")
            || text.starts_with("LEPTOS_")
            || ["DATABASE_URL", "REDIS_URL", "RUST_LOG"].contains(&&*text)
        {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs the executable until it exits. Returns its status and output.
pub fn run(command: &mut Command) -> (ExitStatus, String) {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = Process::start(command, "KILL").expect("the executable");
    let status = process.wait(DEADLINE).expect("a command ends");
    let mut said = String::new();
    let child = process.child();
    child.stdout.take().expect("a pipe").read_to_string(&mut said).expect("text");
    child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
    (status, said)
}
