//! Periodic measurements for `/metrics`: the size of the database, the time of its last backup, and the space of the
//! disk that holds the data directory.

use super::store::Store;
use metrics::gauge;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// Interval of the measurements.
const MEASURE_INTERVAL: Duration = Duration::from_secs(10);

/// Measures while the server runs. If a measurement fails, the metric keeps its last value.
pub(super) async fn run_measurements(store: Store, data: PathBuf) {
    let mut often = interval(MEASURE_INTERVAL);
    often.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        often.tick().await;
        // Logs it if the database was deleted or moved, even if nobody writes or asks for readiness.
        let _ = store.assert_in_place();
        match store.size_bytes().await {
            Ok(bytes) => gauge!("parlour_database_bytes").set(bytes as f64),
            Err(error) => tracing::debug!(%error, "The size of the database is not known"),
        }
        match store.last_backup().await {
            // PostgreSQL's own tools leave no trace here.
            Ok(None) if !store.is_sqlite() => {}
            Ok(at) => gauge!("parlour_backup_timestamp_seconds").set(at.unwrap_or_default() as f64 / 1000.),
            Err(error) => tracing::debug!(%error, "The time of the last backup is not known"),
        }
        if let Ok(space) = rustix::fs::statvfs(&data) {
            gauge!("parlour_disk_free_bytes").set(space.f_bavail as f64 * space.f_frsize as f64);
            gauge!("parlour_disk_bytes").set(space.f_blocks as f64 * space.f_frsize as f64);
        }
    }
}
