//! The table of all attacks, and the figures over their limits.

use super::kind::Kind;
use serde_json::{Map, Value};

/// Columns of the table: figure and heading.
const COLUMNS: [(&str, &str); 12] = [
    ("ack_p50_ms", "ack p50, ms"),
    ("ack_p99_ms", "p99"),
    ("ack_max_ms", "max"),
    ("unanswered", "unanswered"),
    ("healthz_max_ms", "/healthz max, ms"),
    ("page_max_ms", "page max, ms"),
    ("page_errors", "page errors"),
    ("rss_mb", "memory +MB"),
    ("kernel_mb", "sockets +MB"),
    ("disk_mb", "disk +MB"),
    ("cpu_cores", "cores"),
    ("stop_s", "SIGTERM to exit, s"),
];

/// Figures that are already in the table, or are not results.
const APART: [&str; 5] = ["acks", "window_s", "memory_mb", "refused", "closed"];

/// The rows.
#[derive(Default)]
pub struct Verdicts {
    rows: Vec<String>,
    judged: Vec<String>,
    over: usize,
}

impl Verdicts {
    /// Adds an attack's figures.
    pub fn add(&mut self, kind: Kind, figures: Map<String, Value>) {
        let number = |figure: &str| figures.get(figure).and_then(Value::as_f64);
        let mut row = format!("| {} ", kind.name());
        for (figure, _) in COLUMNS {
            row += &number(figure).map_or_else(|| "| ".to_owned(), |value| format!("| {value} "));
        }
        let others = figures.iter().filter(|(name, value)| {
            let listed = COLUMNS.iter().any(|(figure, _)| figure == name) || APART.contains(&name.as_str());
            !listed && value.as_f64().is_some_and(|value| value != 0.0)
        });
        let others: Vec<String> = others.map(|(name, value)| format!("{name} {value}")).collect();
        self.rows.push(format!("{row}| {} |", others.join(", ")));
        for (figure, limit) in kind.limits() {
            let is = number(figure).unwrap_or(f64::INFINITY);
            let verdict = if is <= limit { "ok" } else { "OVER" };
            self.over += usize::from(is > limit);
            self.judged.push(format!("{verdict:4}  {:15} {figure:15} {is} (at most {limit})", kind.name()));
        }
    }

    /// Records an attack that could not be run.
    pub fn failed(&mut self, kind: Kind, why: &str) {
        self.over += 1;
        self.judged.push(format!("OVER  {:15} not measured: {why}", kind.name()));
    }

    /// Prints the limits, then the table.
    pub fn print(&self) {
        println!("\n{}\n", self.judged.join("\n"));
        let headings: Vec<&str> = COLUMNS.iter().map(|(_, heading)| *heading).collect();
        println!("| attack | {} | besides |", headings.join(" | "));
        println!("|{}", "---|".repeat(COLUMNS.len() + 2));
        println!("{}\n", self.rows.join("\n"));
        println!("{} of {} figures are over their limits", self.over, self.judged.len());
    }
}
