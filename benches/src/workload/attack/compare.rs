//! A table of two runs of all attacks, before and after a change, for docs/performance.md.

use super::kind::Kind;
use crate::report::read;
use clap::Args;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

#[derive(Args, Clone)]
pub struct Compare {
    /// Results of the state before
    before: PathBuf,
    /// Results of the state after
    after: Option<PathBuf>,
}

/// The columns of every attack.
const COLUMNS: [(&str, &str); 4] = [
    ("ack_p99_ms", "acknowledged, p99, ms"),
    ("unanswered", "never acknowledged"),
    ("healthz_max_ms", "`/healthz`, longest, ms"),
    ("stop_s", "SIGTERM to exit, s"),
];

type Figures = Vec<Map<String, Value>>;

impl Compare {
    pub fn print(&self) -> super::Outcome {
        let before = read(&self.before)?;
        let after = self.after.as_deref().map(read as fn(&Path) -> _).transpose()?.unwrap_or_default();
        let headings: Vec<&str> = COLUMNS.iter().map(|(_, heading)| *heading).collect();
        println!("| attack | {} | besides |", headings.join(" | "));
        println!("|{}", "---|".repeat(COLUMNS.len() + 2));
        for &kind in Kind::all() {
            let pair = |figure: &str| pair(find(&before, kind, figure), find(&after, kind, figure));
            let columns: Vec<String> = COLUMNS.iter().map(|(figure, _)| pair(figure)).collect();
            let own = kind
                .limits()
                .into_iter()
                .map(|(figure, _)| figure)
                .filter(|figure| !COLUMNS.iter().any(|(column, _)| column == figure) && *figure != "closed");
            let besides: Vec<String> = own.map(|figure| format!("{figure} {}", pair(figure))).collect();
            println!("| {} | {} | {} |", kind.name(), columns.join(" | "), besides.join(", "));
        }
        Ok(())
    }
}

fn find(results: &Figures, kind: Kind, figure: &str) -> Option<f64> {
    let label = format!("attack {}", kind.name());
    results.iter().rev().find(|result| result["label"] == label.as_str())?.get(figure)?.as_f64()
}

fn pair(before: Option<f64>, after: Option<f64>) -> String {
    let text = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| value.to_string());
    format!("{} → {}", text(before), after.map_or_else(String::new, |after| text(Some(after))))
}
