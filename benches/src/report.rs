//! Results: one JSON object per line, and a table with the range of each figure.

use crate::host::{Target, machine};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

/// Prints a result, and appends it to the file if one is given.
pub fn result(target: &Target, figures: Value) -> Result<(), Box<dyn std::error::Error>> {
    let mut line = json!({"label": target.label, "machine": machine()});
    if let (Some(line), Value::Object(figures)) = (line.as_object_mut(), figures) {
        line.extend(figures);
    }
    println!("{line}");
    if let Some(path) = &target.json {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
        writeln!(file, "{line}")?;
    }
    Ok(())
}

/// All results of a file.
pub fn read(file: &Path) -> Result<Vec<Map<String, Value>>, Box<dyn std::error::Error>> {
    let text = std::fs::read_to_string(file)?;
    Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}

/// Parameters of a workload, which are not results.
const PLAN: [&str; 7] = ["subscribers", "rooms", "nodes", "connections", "history", "messages", "rate"];

/// Prints a Markdown table: for each workload its figures, as the median and, in brackets, the lowest and the highest.
pub fn table(file: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut figures: BTreeMap<(String, String), Vec<f64>> = BTreeMap::new();
    let mut machines = Vec::new();
    for result in read(file)? {
        let mut label = result["label"].as_str().unwrap_or_default().to_owned();
        machines.extend(result["machine"].as_str().map(str::to_owned));
        if label.starts_with("by ") {
            let of = PLAN.iter().find(|of| label.contains(*of)).and_then(|of| result.get(*of));
            label += &of.map_or_else(String::new, |value| format!(": {value}"));
        }
        for (name, value) in result.iter().filter_map(|(name, value)| Some((name, value.as_f64()?))) {
            if !PLAN.contains(&name.as_str()) {
                figures.entry((label.clone(), name.clone())).or_default().push(value);
            }
        }
    }
    machines.dedup();
    println!("Measured on {}.\n\n| workload | figure | median (lowest–highest) | runs |", machines.join("; "));
    println!("|---|---|---|---|");
    for ((label, name), mut values) in figures {
        values.sort_by(f64::total_cmp);
        let (lowest, median, highest) = (values[0], values[values.len() / 2], values[values.len() - 1]);
        println!("| {label} | {name} | {median} ({lowest}–{highest}) | {} |", values.len());
    }
    Ok(())
}

/// Three significant digits, because more would be noise.
pub fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    let scale = 10f64.powi(2 - value.abs().log10().floor() as i32);
    (value * scale).round() / scale
}
