//! A line through results, as SVG: how a cost grows.

use crate::report::read;
use clap::Args;
use std::collections::BTreeMap;
use std::path::PathBuf;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 320.0;
const MARGIN: f64 = 60.0;

#[derive(Args)]
pub struct Plot {
    /// File with results of the other commands
    file: PathBuf,
    /// The label of the results that count
    label: String,
    /// The figure that grows, drawn in powers
    x: String,
    /// The figure that it costs
    y: String,
}

impl Plot {
    /// Prints the picture: the median of each place, and a bar from the lowest to the highest.
    pub fn draw(&self) -> Result<(), Box<dyn std::error::Error>> {
        let mut places: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for result in read(&self.file)?.iter().filter(|result| result["label"] == self.label.as_str()) {
            if let (Some(x), Some(y)) = (result.get(&self.x), result.get(&self.y)) {
                places.entry(x.as_u64().unwrap_or_default()).or_default().extend(y.as_f64());
            }
        }
        if places.is_empty() {
            return Err(format!("{} has no {} and {} of {}", self.file.display(), self.x, self.y, self.label).into());
        }
        places.values_mut().for_each(|values| values.sort_by(f64::total_cmp));
        let top = places.values().filter_map(|values| values.last()).fold(0.0f64, |top, &value| top.max(value)) * 1.1;
        let log = |x: u64| (x.max(1) as f64).log10();
        let (left, right) = (log(*places.keys().min().unwrap_or(&1)), log(*places.keys().max().unwrap_or(&1)));
        let at_x = |x: u64| MARGIN + (log(x) - left) / (right - left).max(0.001) * (WIDTH - 2.0 * MARGIN);
        let at_y = |y: f64| HEIGHT - MARGIN - y / top.max(f64::MIN_POSITIVE) * (HEIGHT - 2.0 * MARGIN);

        println!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">"#
        );
        println!(r##"<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>"##);
        let (bottom, middle) = (HEIGHT - MARGIN, WIDTH / 2.0);
        println!(r#"<text x="{middle}" y="24" text-anchor="middle">{}: {} by {}</text>"#, self.label, self.y, self.x);
        println!(r##"<path d="M{MARGIN} {MARGIN}V{bottom}H{}" fill="none" stroke="#888"/>"##, WIDTH - MARGIN);
        let mut line = String::new();
        for (&x, values) in &places {
            let (lowest, median, highest) = (values[0], values[values.len() / 2], values[values.len() - 1]);
            let (at, y) = (at_x(x), at_y(median));
            line += &format!("{}{at:.1} {y:.1}", if line.is_empty() { "M" } else { "L" });
            println!(r##"<path d="M{at:.1} {:.1}V{:.1}" stroke="#36c"/>"##, at_y(lowest), at_y(highest));
            println!(r##"<circle cx="{at:.1}" cy="{y:.1}" r="3" fill="#36c"/>"##);
            println!(r#"<text x="{at:.1}" y="{}" text-anchor="middle">{x}</text>"#, bottom + 18.0);
            println!(r#"<text x="{at:.1}" y="{:.1}" text-anchor="middle">{median}</text>"#, y - 8.0);
        }
        println!(r##"<path d="{line}" fill="none" stroke="#36c"/></svg>"##);
        Ok(())
    }
}
