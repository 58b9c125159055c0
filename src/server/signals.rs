//! Signals that ask the server to stop: once in good order, and a second time at once.

use std::io;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// A process that a signal ended has this status and the signal's number on top, as a shell reports it.
const ENDED_BY_SIGNAL: i32 = 128;

/// Returns a future that completes when the process gets its first SIGTERM or SIGINT. The second one ends the process
/// at once, also where every thread of the server is busy: a thread of its own waits for it.
pub fn shutdown() -> io::Result<impl Future<Output = ()> + use<>> {
    let (asked, shutdown) = oneshot::channel();
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let (terminate, interrupt) = {
        let _inside = runtime.enter();
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async move {
            let mut signals = (terminate, interrupt);
            next(&mut signals).await;
            // A server that has ended by itself does not wait for it any more.
            let _ = asked.send(());
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
