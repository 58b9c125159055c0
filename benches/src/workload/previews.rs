//! The list of a visitor's rooms: the cost of a refresh, while nothing has changed, and if every room has.

use super::page::fill;
use super::run_number;
use crate::host::{Host, Target};
use crate::http::Http;
use crate::report::{result, rounded};
use clap::Args;
use serde_json::{Value, json};
use std::net::Ipv4Addr;

/// Path of the server function.
const PATH: &str = "/api/preview_rooms";

#[derive(Args, Clone)]
pub struct Previews {
    #[command(flatten)]
    target: Target,
    /// Rooms in the list
    #[arg(long, default_value_t = 10)]
    rooms: u32,
    /// Messages in each room, of which the visitor has read half
    #[arg(long, default_value_t = 50)]
    history: u32,
    #[arg(long, default_value_t = 1000)]
    requests: usize,
}

impl Previews {
    pub async fn run(self) -> Result<(), Box<dyn std::error::Error>> {
        let host = Host::start(&self.target).await?;
        let addr = self.target.addr[0];
        let rooms: Vec<String> = (0..self.rooms).map(|number| format!("bench{}-{number}", run_number())).collect();
        for room in &rooms {
            fill(addr, room, self.history, 0).await?;
        }
        let mut client = Http::connect(addr, Ipv4Addr::LOCALHOST).await?;
        let cookie = client.page("/", "").await?.cookie_header();
        let read = self.history / 2;
        let form = |state: &dyn Fn(usize) -> String| {
            let line = |(index, room): (usize, &String)| format!("{room}+{read}+{}", state(index));
            format!("rooms={}", rooms.iter().enumerate().map(line).collect::<Vec<_>>().join("%0A"))
        };
        let unknown = form(&|_| String::new());
        let first: Value = serde_json::from_slice(&client.post(PATH, &cookie, &unknown).await?.body)?;
        let state =
            |index: usize| format!("{}.{}", first[index]["epoch"].as_str().unwrap_or_default(), first[index]["head"]);
        let known = form(&state);
        let mut costs = Vec::new();
        for form in [&known, &unknown] {
            for _ in 0..20 {
                client.post(PATH, &cookie, form).await?;
            }
            let (cpu, mut bytes) = (host.cpu_us(), 0);
            for _ in 0..self.requests {
                bytes = client.post(PATH, &cookie, form).await?.length;
            }
            costs.push((rounded((host.cpu_us() - cpu) / self.requests as f64), form.len(), bytes));
        }
        let [(unchanged, asked, empty), (changed, _, answered)] = costs[..] else { unreachable!("two forms") };
        result(
            &self.target,
            json!({
                "rooms": self.rooms, "history": self.history,
                "us_unchanged": unchanged, "us_changed": changed,
                "bytes_asked": asked, "bytes_unchanged": empty, "bytes_changed": answered,
            }),
        )
    }
}
