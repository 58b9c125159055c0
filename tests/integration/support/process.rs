//! Child processes that never outlive the tests: a watchdog of a few lines of shell waits for the end of this process,
//! of whatever cause, and then kills remaining children and removes remaining files.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// Reads `KILL pid`, `QUIT pid`, `forget pid` and `remove path`; acts when its input ends.
const WATCHDOG: &str = r#"
children=
paths=
while read -r word what; do
    case $word in
        remove) paths="$paths $what" ;;
        forget) rest=; for child in $children; do [ "${child#*:}" = "$what" ] || rest="$rest $child"; done; children=$rest ;;
        *) children="$children $word:$what" ;;
    esac
done
for child in $children; do kill -s CONT "${child#*:}"; kill -s "${child%%:*}" "${child#*:}"; done
[ -z "$children" ] || sleep 0.5
for path in $paths; do rm -rf "$path"; done
"#;

/// The one watchdog of this process.
pub fn watchdog() -> &'static Watchdog {
    static WATCHDOG_PROCESS: OnceLock<Watchdog> = OnceLock::new();
    WATCHDOG_PROCESS.get_or_init(|| {
        let mut shell = start_shell();
        Watchdog { lines: Mutex::new(shell.stdin.take().expect("a pipe")), _shell: shell }
    })
}

/// In a group of its own, so that an interrupt from the terminal leaves it to its work.
fn start_shell() -> Child {
    let mut shell = Command::new("sh");
    shell.args(["-c", WATCHDOG]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    shell.process_group(0).spawn().expect("a shell")
}

/// Told of every child and every directory that must not be left behind.
pub struct Watchdog {
    lines: Mutex<ChildStdin>,
    /// Never waited for: it outlives this process.
    _shell: Child,
}

impl Watchdog {
    /// `path` goes when the tests have ended.
    pub fn remove(&self, path: &Path) {
        self.tell(&format!("remove {}", path.display()));
    }

    fn tell(&self, line: &str) {
        let mut lines = self.lines.lock().expect("nobody panics while telling");
        writeln!(lines, "{line}").expect("the watchdog listens");
    }
}

/// A child process. Dropped, it is gone.
pub struct Process {
    child: Child,
    /// How it is ended at the latest.
    end: &'static str,
    ended: Option<ExitStatus>,
}

impl Process {
    /// Starts `command`; `end` is the name of the signal that ends it for good.
    pub fn start(command: &mut Command, end: &'static str) -> std::io::Result<Self> {
        let child = command.spawn()?;
        watchdog().tell(&format!("{end} {}", child.id()));
        Ok(Self { child, end, ended: None })
    }

    /// The child itself, for its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Its number in the system.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends the signal of this name, as `kill -s` knows it.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let killed = Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &pid]).status().expect("a shell");
        assert!(killed.success(), "SIG{name} could not be sent");
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().expect("an own child can be waited for");
            if self.ended.is_some() {
                watchdog().tell(&format!("forget {}", self.child.id()));
            }
        }
        self.ended
    }

    /// Waits for its end.
    pub fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        let asked = Instant::now();
        while asked.elapsed() < patience {
            if let Some(status) = self.ended() {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        None
    }

    /// `kill -9`: it has no time for anything.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.wait(Duration::from_secs(10));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended().is_some() {
            return;
        }
        if self.end != "KILL" {
            self.signal(self.end);
            let _ = self.wait(Duration::from_secs(5));
        }
        self.kill();
    }
}

/// Returns an unused port outside the range of ephemeral ports, which begins at 32768.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = std::process::id().wrapping_mul(64).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = 20_000 + (number % 12_000) as u16;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
