//! Signals that stop the server: the first gracefully, the second immediately.

use std::io;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// Exit status of a process that a signal ended, to which the signal's number is added, as a shell reports it.
const ENDED_BY_SIGNAL: i32 = 128;

/// Returns a future that completes when the process gets its first SIGTERM or SIGINT. The second one ends the process
/// immediately, even if every worker thread is busy, because a separate thread waits for it.
///
/// # Errors
///
/// Returns an error if the system does not let the process handle signals.
pub fn shutdown() -> io::Result<impl Future<Output = ()> + use<>> {
    let (requested, shutdown) = oneshot::channel();
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let (terminate, interrupt) = {
        let _inside = runtime.enter();
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async move {
            let mut signals = (terminate, interrupt);
            next(&mut signals).await;
            // An error means that the server has already ended by itself.
            let _ = requested.send(());
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

async fn next((terminate, interrupt): &mut (Signal, Signal)) -> SignalKind {
    tokio::select! {
        _ = terminate.recv() => SignalKind::terminate(),
        _ = interrupt.recv() => SignalKind::interrupt(),
    }
}
