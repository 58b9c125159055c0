//! Metrics for Prometheus. No label ever contains text that a visitor typed.

use crate::domain::{EventBody, RejectionCode};
use metrics::{Counter, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Upper bounds of the latency histograms, in seconds.
const LATENCY_BUCKETS: [f64; 14] =
    [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1., 2.5, 10.];

/// Interval at which recorded durations are moved into their buckets, even without scrapes.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(1);

/// Interval at which the process metrics are collected, which counts the open descriptors one by one.
const PROCESS_METRICS_INTERVAL: Duration = Duration::from_secs(10);

/// Kinds of events, and classes of HTTP statuses from 1xx on, as labels.
const EVENT_KINDS: [&str; 5] = ["message", "edited", "deleted", "moderated", "reacted"];
const STATUS_CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Route of readiness probes.
pub(crate) const READINESS_ROUTE: &str = "/readyz";

/// A cheap-to-clone handle on the collected metrics.
#[derive(Clone)]
pub(crate) struct Metrics {
    recorded: PrometheusHandle,
    process: Collector,
}

impl Metrics {
    /// Starts to collect. Counters begin at zero.
    pub(crate) fn start() -> Self {
        let builder =
            PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &LATENCY_BUCKETS);
        let recorder = builder.expect("there are buckets").build_recorder();
        let recorded = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("Another metrics recorder is already installed in this process");
        }
        let process = Collector::default();
        process.describe();
        describe();
        register();
        gauge!("parlour_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1);
        Self { recorded, process }
    }

    /// Returns the recorded metrics in the text format of Prometheus.
    pub(crate) fn render(&self) -> String {
        self.recorded.render()
    }

    /// Bounds the memory of metrics even if nothing scrapes them, and collects process metrics.
    pub(crate) async fn run_upkeep(self) {
        let mut ticks = tokio::time::interval(UPKEEP_INTERVAL);
        let mut collected_at: Option<Instant> = None;
        loop {
            ticks.tick().await;
            self.recorded.run_upkeep();
            if collected_at.is_none_or(|collected_at| collected_at.elapsed() >= PROCESS_METRICS_INTERVAL) {
                let process = self.process.clone();
                // Reads files of the system, which no request should wait for.
                let _ = tokio::task::spawn_blocking(move || process.collect()).await;
                collected_at = Some(Instant::now());
            }
        }
    }
}

/// Creates the series whose first value matters: to Prometheus, a counter that appears with the value 1 has not
/// increased.
fn register() {
    for code in RejectionCode::ALL {
        rejections(code).increment(0);
    }
    for kind in EVENT_KINDS {
        counter!("parlour_events_stored_total", "kind" => kind).increment(0);
    }
    for class in STATUS_CLASSES {
        counter!("parlour_http_responses_total", "class" => class).increment(0);
    }
    for outcome in ["taken", "failed", "gone"] {
        hook_deliveries(outcome).increment(0);
    }
    for made in ["reused", "rendered"] {
        counter!("parlour_room_pages_total", "made" => made).increment(0);
    }
    counter!("parlour_log_entries_lost_total").increment(0);
    gauge!("parlour_journal_queue_length").set(0);
}

fn describe() {
    describe_gauge!("parlour_database_bytes", "Size of the database");
    describe_gauge!("parlour_backup_timestamp_seconds", "Time of the last `parlour backup`; 0 if there was none");
    describe_gauge!("parlour_disk_free_bytes", "Free space of the disk that holds the data directory");
    describe_gauge!("parlour_disk_bytes", "Size of the disk that holds the data directory");
    describe_counter!("parlour_http_responses_total", "HTTP responses except those of /readyz, by class of status");
    describe_gauge!("parlour_build_info", "1; the version is in the label");
    describe_gauge!("parlour_connections", "Live sockets");
    describe_gauge!("parlour_rooms_active", "Rooms with a live socket on this node");
    describe_gauge!("parlour_draining", "1 while this node is stopping");
    describe_gauge!("parlour_journal_queue_length", "Entries submitted and not yet committed");
    describe_gauge!("parlour_relay_queue_length", "Messages waiting to be published to the other nodes");
    describe_gauge!("parlour_relay_degraded", "1 while heartbeats of a node are missing");
    describe_counter!("parlour_events_stored_total", "Events committed by this node, by kind");
    describe_counter!(
        "parlour_rejections_total",
        "Requests rejected over the socket, and messages rejected by form, by code"
    );
    describe_histogram!("parlour_commit_seconds", "Time from submission to commit");
    describe_histogram!(
        "parlour_delivery_seconds",
        "From the newest event's announcement on this node to its write to a shard of up to 128 sockets, once a shard and batch"
    );
    describe_histogram!("parlour_database_seconds", "Duration of database operations");
    describe_counter!("parlour_webhook_deliveries_total", "Tries to deliver events to outgoing webhooks, by outcome");
    describe_counter!("parlour_log_entries_lost_total", "Log entries lost because standard error was blocked");
    describe_counter!("parlour_room_pages_total", "Room pages, rendered or reused");
    describe_histogram!("parlour_http_request_seconds", "Duration of HTTP requests, by route and status");
}

/// Records that an entry was submitted to the journal.
pub(crate) fn record_submitted() {
    gauge!("parlour_journal_queue_length").increment(1);
}

/// Records that the journal has acknowledged an entry.
pub(crate) fn record_acknowledged(since: Instant) {
    gauge!("parlour_journal_queue_length").decrement(1);
    histogram!("parlour_commit_seconds").record(since.elapsed());
}

/// Records a committed event.
pub(crate) fn record_event(body: &EventBody) {
    let kind = match body {
        EventBody::Message { .. } => 0,
        EventBody::Edited { .. } => 1,
        EventBody::Deleted { .. } => 2,
        EventBody::Moderated(_) => 3,
        EventBody::Reacted { .. } => 4,
        // This node writes no event that it does not know.
        EventBody::Other { .. } => return,
    };
    let kind = EVENT_KINDS[kind];
    counter!("parlour_events_stored_total", "kind" => kind).increment(1);
}

/// Records a rejection.
pub(crate) fn record_rejection(code: RejectionCode) {
    rejections(code).increment(1);
}

/// Records a try to deliver events to an outgoing webhook.
pub(crate) fn record_hook_delivery(outcome: &'static str) {
    hook_deliveries(outcome).increment(1);
}

fn hook_deliveries(outcome: &'static str) -> Counter {
    counter!("parlour_webhook_deliveries_total", "outcome" => outcome)
}

fn rejections(code: RejectionCode) -> Counter {
    // The code, as the protocol spells it.
    let code = serde_json::to_value(code).ok().and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default();
    counter!("parlour_rejections_total", "code" => code)
}

/// Time of the last announcement in a room; shared by its connections.
#[derive(Default)]
pub(crate) struct DeliveryTimer(AtomicU64);

impl DeliveryTimer {
    /// Sets the time to now.
    pub(crate) fn now(&self) {
        self.0.store(since_start().as_micros() as u64, Ordering::Relaxed);
    }

    /// Records the time from the announcement to the write to a socket, or `overdue` if it is shorter: the time since
    /// the end of a deliberate delay.
    pub(crate) fn delivered(&self, overdue: Option<Duration>) {
        let announced = Duration::from_micros(self.0.load(Ordering::Relaxed));
        let elapsed = since_start().saturating_sub(announced);
        histogram!("parlour_delivery_seconds").record(overdue.map_or(elapsed, |overdue| overdue.min(elapsed)));
    }
}

fn since_start() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}

/// Records a request that was answered. Probes do not count among the responses by class: a node that drains answers
/// them with an error, as it should.
pub(crate) fn record_request(route: String, status: u16, since: Instant) {
    if route != READINESS_ROUTE {
        let class = STATUS_CLASSES[usize::from(status / 100).clamp(1, STATUS_CLASSES.len()) - 1];
        counter!("parlour_http_responses_total", "class" => class).increment(1);
    }
    histogram!("parlour_http_request_seconds", "route" => route, "status" => status.to_string())
        .record(since.elapsed());
}

/// Records a request for a room's page.
pub(crate) fn record_page(reused: bool) {
    counter!("parlour_room_pages_total", "made" => if reused { "reused" } else { "rendered" }).increment(1);
}

/// Records the duration of a database query.
pub(crate) async fn timed<T>(operation: &'static str, query: impl Future<Output = T>) -> T {
    let since = Instant::now();
    let result = query.await;
    histogram!("parlour_database_seconds", "operation" => operation).record(since.elapsed());
    result
}
