//! The attacks: the name, duration and limits of each.

use super::flood::Flood;
use super::{Field, Outcome, lock, pages, scan, talk, unread};
use clap::ValueEnum;
use std::time::Duration;

/// An attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// One socket of empty pings
    Pings,
    /// Four sockets of empty pongs
    Pongs,
    /// Four sockets of `{}`
    Empty,
    /// Four sockets of heartbeats
    Heartbeats,
    /// Four sockets of messages in fragments of one byte
    Fragments,
    /// Four sockets of `sync` in a room of a thousand messages
    Syncs,
    /// Four sockets of "I am typing"
    Typing,
    /// Four sockets of pings after their close frame
    Closed,
    /// Four connections of pipelined requests
    Requests,
    /// 500 sockets that resume a thousand long messages and read nothing
    UnreadSockets,
    /// 5,000 sockets of 250 addresses that resume ten long messages and read them
    Resume,
    /// 500 requests of a large page that is not read
    UnreadPages,
    /// 100 connections with 50 requests each, none of them read
    Pipelined,
    /// 200 guests who post long messages
    Guests,
    /// 400 guests with one message each in a room of slow mode
    SlowMode,
    /// 100 clients of a cached page, as gzip
    PagesGzip,
    /// 100 clients of a cached page, as brotli
    PagesBrotli,
    /// 100 clients of permalinks beyond the head
    Permalinks,
    /// 300 clients of the history and the unread count of a room of edits
    Scan,
    /// A room whose row is locked, while 6,600 messages wait for it
    LockedRoom,
    /// A batch larger than the tail buffer, and 310 readers
    Burst,
    /// 300 guests who post under a name that is taken
    TakenNames,
}

/// An upper limit of a figure.
pub type Limit = (&'static str, f64);

/// Limits of every attack: acknowledgements of others, in milliseconds, and the time from SIGTERM to exit.
const COMMON: [Limit; 4] = [("ack_p99_ms", 100.0), ("unanswered", 0.0), ("closed", 0.0), ("stop_s", 15.0)];

impl Kind {
    pub fn all() -> &'static [Self] {
        Self::value_variants()
    }

    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Returns whether the attack is one on PostgreSQL.
    pub fn needs_postgres(self) -> bool {
        self == Self::LockedRoom
    }

    /// Duration of the measurement.
    pub fn window(self) -> Duration {
        Duration::from_secs(match self {
            Self::UnreadSockets | Self::UnreadPages | Self::Resume | Self::LockedRoom => 8,
            Self::Guests => 10,
            _ => 5,
        })
    }

    pub fn limits(self) -> Vec<Limit> {
        let own: &[Limit] = match self {
            Self::UnreadSockets | Self::UnreadPages | Self::Pipelined => &[("memory_mb", 100.0)],
            Self::Resume => &[("memory_mb", 300.0), ("lost", 0.0)],
            Self::Guests => &[("disk_mb", 20.0), ("stored_2s", 500.0)],
            Self::SlowMode => &[("stored", 5.0)],
            Self::PagesGzip | Self::PagesBrotli | Self::Permalinks | Self::Scan => {
                &[("page_max_ms", 1000.0), ("page_errors", 0.0)]
            }
            // The write lock of the whole database is held for a moment, in SQLite.
            Self::Burst => return vec![("reads", 20.0), ("lost", 0.0), ("stop_s", 15.0)],
            _ => &[("healthz_max_ms", 1000.0)],
        };
        COMMON.iter().chain(own).copied().collect()
    }

    fn flood(self) -> Option<Flood> {
        Some(match self {
            Self::Pings => Flood::pings(),
            Self::Pongs => Flood::pongs(),
            Self::Empty => Flood::texts("{}"),
            Self::Heartbeats => Flood::texts(r#"{"type":"heartbeat"}"#),
            Self::Fragments => Flood::fragments(),
            Self::Syncs => Flood::texts(r#"{"type":"sync","after":0}"#),
            Self::Typing => Flood::texts(r#"{"type":"typing"}"#),
            Self::Closed => Flood::after_close(),
            Self::Requests => Flood::requests(),
            _ => return None,
        })
    }

    /// Prepares the data, while limits are off.
    pub async fn prepare(self, field: &mut Field) -> Outcome {
        match self {
            Self::Syncs => {
                field.fill(&field.room("flood"), 1000, |_| "x".repeat(120)).await?;
            }
            Self::UnreadSockets | Self::Resume | Self::UnreadPages | Self::Pipelined => unread::prepare(field).await?,
            Self::PagesGzip | Self::PagesBrotli | Self::Permalinks => pages::prepare(field).await?,
            Self::Scan => scan::prepare(field).await?,
            Self::LockedRoom | Self::Burst => lock::prepare(field).await?,
            _ => {}
        }
        Ok(())
    }

    /// Opens the connections that the measurement needs, with limits on.
    pub async fn open(self, field: &mut Field) -> Outcome {
        match self {
            Self::SlowMode => talk::slow_room(field).await,
            Self::TakenNames => talk::name_holder(field).await,
            Self::Scan => scan::alone(field).await,
            Self::LockedRoom => lock::lock_room(field),
            Self::Burst => lock::readers(field).await,
            _ => Ok(()),
        }
    }

    /// Starts the attackers.
    pub async fn mount(self, field: &mut Field) -> Outcome {
        if let Some(flood) = self.flood() {
            flood.mount(field);
            return Ok(());
        }
        match self {
            Self::UnreadSockets => unread::sockets(field),
            Self::Resume => unread::resume(field),
            Self::UnreadPages => unread::pages(field, 500, 1),
            Self::Pipelined => unread::pages(field, 100, 50),
            Self::Guests => talk::guests(field),
            Self::SlowMode => talk::evade_slow_mode(field),
            Self::TakenNames => talk::taken_names(field),
            Self::PagesGzip => pages::compressed(field, "gzip"),
            Self::PagesBrotli => pages::compressed(field, "br"),
            Self::Permalinks => pages::permalinks(field),
            Self::Scan => scan::mount(field),
            Self::LockedRoom => lock::crowd(field),
            Self::Burst => lock::burst(field).await?,
            _ => {}
        }
        Ok(())
    }

    /// Adds the attack's own figures, at the end of the measurement.
    pub async fn finish(self, field: &mut Field, seconds: f64) {
        use std::sync::atomic::Ordering::Relaxed;
        let counts = field.counts.clone();
        let (opened, done, refused) =
            (counts.opened.load(Relaxed), counts.done.load(Relaxed), counts.refused.load(Relaxed));
        if self.flood().is_some() {
            field.note("mb_per_s", counts.bytes.load(Relaxed) as f64 / 1e6 / seconds);
        }
        match self {
            Self::Guests => {
                field.note("stored", done as f64);
                field.note("stored_2s", counts.early.load(Relaxed) as f64);
            }
            Self::SlowMode => field.note("stored", done as f64),
            Self::PagesGzip | Self::PagesBrotli | Self::Permalinks | Self::Scan => {
                field.note("answers_per_s", done as f64 / seconds);
            }
            Self::Burst => lock::reads(field).await,
            Self::Resume => field.note("lost", unread::RESUMING as f64 - done as f64),
            _ => {}
        }
        field.note("connections", opened as f64);
        field.note("refusals", refused as f64);
    }
}
