//! Signals that stop the server: the first gracefully, the second immediately.

use std::io;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// Exit status of a process that a signal ended, to which the signal's number is added, as a shell reports it.
const ENDED_BY_SIGNAL: i32 = 128;

/// The signals that end the server. A terminal that closes sends SIGHUP.
type Signals = (Signal, Signal, Option<Signal>);

/// Returns a future that completes when the process gets its first SIGTERM, SIGINT or SIGHUP. The second one ends the
/// process immediately, even if every worker thread is busy, because a separate thread waits for it. A second SIGHUP
/// does not: a terminal that closes may send two. A SIGHUP that the process was started to ignore (nohup(1)) stays
/// ignored.
///
/// # Errors
///
/// Returns an error if the system does not let the process handle signals.
pub fn shutdown() -> io::Result<impl Future<Output = ()> + use<>> {
    let (requested, shutdown) = oneshot::channel();
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let mut signals: Signals = {
        let _inside = runtime.enter();
        let hangup = (!is_hangup_ignored()).then(|| signal(SignalKind::hangup()));
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?, hangup.transpose()?)
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async move {
            next(&mut signals).await;
            // An error means that the server has already ended.
            let _ = requested.send(());
            signals.2 = None;
            let number = next(&mut signals).await.as_raw_value();
            std::process::exit(ENDED_BY_SIGNAL + number);
        });
    })?;
    Ok(async {
        if shutdown.await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

async fn next((terminate, interrupt, hangup): &mut Signals) -> SignalKind {
    tokio::select! {
        _ = terminate.recv() => SignalKind::terminate(),
        _ = interrupt.recv() => SignalKind::interrupt(),
        _ = received(hangup) => SignalKind::hangup(),
    }
}

/// Waits for a signal, or forever if there is none to wait for.
async fn received(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => _ = signal.recv().await,
        None => std::future::pending().await,
    }
}

/// Returns whether the process was started with SIGHUP ignored, as far as the system tells (proc(5)).
fn is_hangup_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}
