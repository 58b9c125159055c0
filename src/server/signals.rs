//! Signals that stop the server: the first gracefully, the second immediately. And one that must not stop it.

use rustix::process::Signal as SystemSignal;
use std::fs::File;
use std::io;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// Exit status of a process that a signal ended, to which the signal's number is added, as a shell reports it.
const ENDED_BY_SIGNAL: i32 = 128;

/// The controlling terminal of a process, if it has one (tty(4)).
const TERMINAL: &str = "/dev/tty";

/// The signals that end the server. SIGHUP does if it comes from a terminal that closed; otherwise it asks for the
/// settings to be read again.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    /// Whether a terminal that closes ends the server.
    follows_terminal: bool,
}

/// Returns a future that completes when the process gets its first SIGTERM or SIGINT, or when its terminal closes. The
/// second SIGTERM or SIGINT ends the process immediately, even if every worker thread is busy, because a separate thread
/// waits for it. A process that was started to ignore SIGHUP (nohup(1)) outlives its terminal.
///
/// # Errors
///
/// Returns an error if the system does not let the process handle signals.
pub fn shutdown() -> io::Result<impl Future<Output = ()> + use<>> {
    let (requested, shutdown) = oneshot::channel();
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let mut signals = {
        let _inside = runtime.enter();
        Signals {
            follows_terminal: has_terminal() && !is_hangup_ignored(),
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        }
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async move {
            signals.next().await;
            // An error means that the server has already ended by itself.
            let _ = requested.send(());
            // A terminal that closes may send two.
            signals.follows_terminal = false;
            let number = signals.next().await.as_raw_value();
            std::process::exit(ENDED_BY_SIGNAL + number);
        });
    })?;
    Ok(async {
        if shutdown.await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

/// Makes a write beyond the maximum size of files (setrlimit(2)) fail like a write to a full disk. Without a handler,
/// SIGXFSZ would end the process. Needs a Tokio runtime.
///
/// # Errors
///
/// Returns an error if the system does not let the process handle the signal.
pub fn outlast_file_size_limit() -> io::Result<()> {
    // A handler stays for as long as the process lives.
    signal(SignalKind::from_raw(SystemSignal::XFSZ.as_raw())).map(|_| ())
}

impl Signals {
    /// Waits for a signal that ends the server.
    async fn next(&mut self) -> SignalKind {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return SignalKind::terminate(),
                _ = self.interrupt.recv() => return SignalKind::interrupt(),
                _ = self.hangup.recv() => if self.follows_terminal && !has_terminal() {
                    return SignalKind::hangup();
                },
            }
        }
    }
}

/// Returns whether the process has a controlling terminal. The system takes a terminal that closed from its processes
/// before it sends SIGHUP.
fn has_terminal() -> bool {
    File::open(TERMINAL).is_ok()
}

/// Returns whether the process was started with SIGHUP ignored, as far as the system tells (proc(5)).
fn is_hangup_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}
