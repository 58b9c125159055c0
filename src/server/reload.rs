//! SIGHUP: reads the settings file again, and applies the settings that can change while the server runs. The command
//! line and the environment of a process do not change.

use super::cli::read_again;
use super::config::{Config, EffectiveSetting, Rates};
use super::limits::connection_limit::ConnectionLimiter;
use super::limits::rate_limiter::Limiter;
use super::telemetry::logging;
use std::io;
use std::num::NonZeroU32;
use std::sync::Arc;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Mutex, watch};

/// Names of the settings that apply at once, besides those of [`Rates`].
const LOG_FILTER: &str = "log-filter";
const RETENTION: &str = "retention-days";
const LIMITS: &str = "limits";

/// Names of the settings that may hold a password.
const DATABASE_URL: &str = "database-url";
const REDIS_URL: &str = "redis-url";

/// The parts of a running server that follow the settings; cheap to clone.
#[derive(Clone)]
pub(crate) struct Reloadable {
    pub(crate) limiter: Limiter,
    pub(crate) connections: ConnectionLimiter,
    pub(crate) retention_days: watch::Sender<Option<NonZeroU32>>,
}

/// The SIGHUPs of the process, from [`hangups`] on; shared by the runs of a task that is restarted.
pub(crate) type Hangups = Arc<Mutex<Signal>>;

/// Begins to collect SIGHUPs: none that comes from now on is lost. Needs a Tokio runtime.
///
/// # Errors
///
/// Returns an error if the system does not let the process handle the signal.
pub(crate) fn hangups() -> io::Result<Hangups> {
    Ok(Arc::new(Mutex::new(signal(SignalKind::hangup())?)))
}

/// Applies the settings again at each of `hangups`. `current` are those of the start.
pub(crate) async fn run_reloads(hangups: Hangups, mut current: Config, parts: Reloadable) {
    while hangups.lock().await.recv().await.is_some() {
        match read_again() {
            Ok(new) => apply(&mut current, new, &parts),
            Err(error) => tracing::error!(%error, "Reloading the settings failed; keeping the previous ones"),
        }
    }
}

/// Applies what differs, and logs it.
fn apply(current: &mut Config, new: Config, parts: &Reloadable) {
    // Both name the same settings, in the same order.
    let changed = new.shown.iter().zip(&current.shown).filter(|(setting, old)| match &*setting.name {
        // They are shown without passwords, which may be what differs.
        DATABASE_URL => new.database_url != current.database_url,
        REDIS_URL => new.redis_url != current.redis_url,
        _ => setting.value != old.value,
    });
    let (applied, at_restart): (Vec<_>, Vec<_>) = changed.map(|(new, _)| new).partition(|setting| {
        [LOG_FILTER, RETENTION, LIMITS].contains(&&*setting.name) || Rates::is_name(&setting.name)
    });
    let list = |settings: &[&EffectiveSetting]| {
        settings.iter().map(|setting| format!("{} {}", setting.name, setting.value)).collect::<Vec<_>>().join(", ")
    };
    if new.log_filter != current.log_filter
        && let Err(error) = logging::set_filter(new.log_filter.as_deref())
    {
        tracing::error!(error, "Changing the log filter failed; keeping the previous one");
    }
    if new.rates != current.rates {
        parts.limiter.replace(new.rates);
        parts.connections.replace(new.rates);
    }
    if new.retention_days != current.retention_days {
        parts.retention_days.send_replace(new.retention_days);
    }
    tracing::info!(applied = list(&applied), "Reloaded the settings");
    if !at_restart.is_empty() {
        tracing::warn!(settings = list(&at_restart), "These settings need a restart");
    }
    // What waits for a restart differs the next time, too.
    let waits = |new: &EffectiveSetting| at_restart.iter().any(|waiting| waiting.name == new.name);
    let shown = new.shown.iter().zip(&current.shown).map(|(new, old)| if waits(new) { old } else { new }.clone());
    let shown = shown.collect();
    *current = Config {
        rates: new.rates,
        retention_days: new.retention_days,
        log_filter: new.log_filter,
        shown,
        ..current.clone()
    };
}
