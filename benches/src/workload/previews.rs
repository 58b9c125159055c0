//! The lists of many visitors' rooms: the cost of a refresh, while nothing has changed, and if every room has.

use super::page::fill;
use super::run_number;
use crate::host::{Host, Target};
use crate::http::Http;
use crate::report::{result, rounded};
use clap::Args;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::net::Ipv4Addr;

/// Path of the server function.
const PATH: &str = "/api/preview_rooms";

#[derive(Args, Clone)]
pub struct Previews {
    #[command(flatten)]
    target: Target,
    /// Visitors, who refresh their lists in turn
    #[arg(long, default_value_t = 10_000)]
    visitors: usize,
    /// Rooms in each list
    #[arg(long, default_value_t = 10)]
    rooms: usize,
    /// Rooms in all lists
    #[arg(long, default_value_t = 200)]
    all_rooms: usize,
    /// Messages in each room, of which the visitors have read half
    #[arg(long, default_value_t = 50)]
    history: u32,
}

impl Previews {
    pub async fn run(self) -> Result<(), Box<dyn std::error::Error>> {
        let host = Host::start(&self.target).await?;
        let addr = self.target.addr[0];
        let rooms: Vec<String> = (0..self.all_rooms).map(|number| format!("bench{}-{number}", run_number())).collect();
        for room in &rooms {
            fill(addr, room, self.history, 0).await?;
        }
        let mut client = Http::connect(addr, Ipv4Addr::LOCALHOST).await?;
        let mut cookies = Vec::with_capacity(self.visitors);
        for _ in 0..self.visitors {
            cookies.push(client.page("/", "").await?.cookie_header());
        }
        let read = self.history / 2;
        // Neighbors share rooms, but no two of them have the same list.
        let list = |visitor: usize| (0..self.rooms).map(move |index| (visitor * 7 + index * index) % self.all_rooms);
        let form = |visitor: usize, states: &[String]| {
            let line = |room: usize| format!("{}+{read}+{}", rooms[room], states.get(room).map_or("", |state| state));
            format!("rooms={}", list(visitor).map(line).collect::<Vec<_>>().join("%0A"))
        };
        let mut states = Vec::new();
        for room in &rooms {
            let answer = client.post(PATH, &cookies[0], &format!("rooms={room}+{read}+")).await?;
            let answer: Value = serde_json::from_slice(&answer.body)?;
            states.push(answer["changed"][0]["state"].as_str().ok_or("a room has no state")?.to_owned());
        }
        let mut costs = Vec::new();
        for (known, field) in [(&states[..], "unchanged"), (&[], "changed")] {
            for visitor in 0..20 {
                client.post(PATH, &cookies[visitor % self.visitors], &form(visitor, known)).await?;
            }
            let (mut asked, mut answered, cpu) = (0, Vec::new(), host.cpu_us());
            for (visitor, cookie) in cookies.iter().enumerate() {
                let form = form(visitor, known);
                asked = form.len();
                answered = client.post(PATH, cookie, &form).await?.body;
            }
            let cpu = (host.cpu_us() - cpu) / self.visitors as f64;
            let found: Value = serde_json::from_slice(&answered)?;
            if found[field].as_array().map(Vec::len) != Some(list(self.visitors - 1).collect::<HashSet<_>>().len()) {
                return Err(format!("not all rooms are {field}: {found}").into());
            }
            costs.push((rounded(cpu), asked, answered.len()));
        }
        let [(unchanged, asked, empty), (changed, _, answered)] = costs[..] else { unreachable!("two kinds of lists") };
        result(
            &self.target,
            json!({
                "visitors": self.visitors, "rooms": self.rooms, "all_rooms": self.all_rooms, "history": self.history,
                "us_unchanged": unchanged, "us_changed": changed,
                "bytes_asked": asked, "bytes_unchanged": empty, "bytes_changed": answered,
            }),
        )
    }
}
