//! Visitors who are not part of the attack: five active visitors with their own addresses, one who requests `/healthz`,
//! and one who loads the page of their room. They have a separate thread, so that the attackers' work in this process
//! does not count as the server's.

use crate::client::{Frame, Reader, Writer, open};
use crate::http::Http;
use crate::report::rounded;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};

const VISITORS: u8 = 5;

/// Time between two messages of a visitor: within the limits of a fresh installation.
const SPEAK: Duration = Duration::from_millis(250);

/// Time between two requests for `/healthz`, and for the page.
const PROBE: Duration = Duration::from_millis(250);

/// Time for the last messages to be acknowledged.
const GRACE: Duration = Duration::from_secs(2);

/// Maximum time until the visitors have joined.
const ENTER: Duration = Duration::from_secs(10);

pub struct Bystanders {
    stop: watch::Sender<bool>,
    heard: oneshot::Receiver<Heard>,
}

/// Measurements of the visitors. Times are in milliseconds.
#[derive(Default)]
pub struct Heard {
    acks: Vec<f64>,
    unanswered: usize,
    refused: usize,
    closed: usize,
    health: Probe,
    page: Probe,
}

#[derive(Default)]
struct Probe {
    times: Vec<f64>,
    errors: usize,
}

impl Bystanders {
    /// Returns when all of them are in the room and send messages.
    pub async fn start(addr: SocketAddr, room: String) -> std::io::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let (ready, entered) = oneshot::channel();
        let (tell, heard) = oneshot::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let entered = timeout(ENTER, enter(addr, &room)).await.unwrap_or_else(|late| Err(late.into()));
                match entered {
                    Ok(visitors) => {
                        let _ = ready.send(Ok(()));
                        let _ = tell.send(listen(addr, room, visitors, stopped).await);
                    }
                    Err(error) => drop(ready.send(Err(error))),
                }
            });
        });
        entered.await.map_err(std::io::Error::other)??;
        Ok(Self { stop, heard })
    }

    /// Lets them finish, and returns their measurements.
    pub async fn finish(self) -> Heard {
        let _ = self.stop.send(true);
        self.heard.await.unwrap_or_default()
    }
}

async fn enter(addr: SocketAddr, room: &str) -> std::io::Result<Vec<(Reader, Writer)>> {
    let mut visitors = Vec::new();
    for number in 0..VISITORS {
        let from = Ipv4Addr::new(127, 0, 3, 1 + number);
        visitors.push(open(addr, &format!("/ws/{room}/"), from, "").await?);
    }
    Ok(visitors)
}

async fn listen(
    addr: SocketAddr,
    room: String,
    visitors: Vec<(Reader, Writer)>,
    stopped: watch::Receiver<bool>,
) -> Heard {
    let numbered = visitors.into_iter().enumerate();
    let talking: Vec<_> =
        numbered.map(|(number, visitor)| tokio::spawn(talk(number, visitor, stopped.clone()))).collect();
    let health = tokio::spawn(probe(addr, Ipv4Addr::new(127, 0, 4, 1), "/healthz".to_owned(), stopped.clone()));
    let page = tokio::spawn(probe(addr, Ipv4Addr::new(127, 0, 4, 2), format!("/{room}/"), stopped));
    let mut all = Heard::default();
    for one in talking {
        let one = one.await.unwrap_or_default();
        all.acks.extend(one.acks);
        all.unanswered += one.unanswered;
        all.refused += one.refused;
        all.closed += one.closed;
    }
    all.acks.sort_by(f64::total_cmp);
    all.health = health.await.unwrap_or_default();
    all.page = page.await.unwrap_or_default();
    all
}

/// Sends a message at each interval, regardless of acknowledgements, until told to stop.
async fn talk(number: usize, (mut reader, mut writer): (Reader, Writer), mut stopped: watch::Receiver<bool>) -> Heard {
    let mut heard = Heard::default();
    let mut pending: HashMap<String, Instant> = HashMap::new();
    let mut speak = interval(SPEAK);
    speak.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut deadline: Option<Instant> = None;
    let mut said = 0;
    loop {
        if deadline.is_some_and(|deadline| pending.is_empty() || deadline <= Instant::now()) {
            break;
        }
        let grace = async {
            match deadline {
                Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = grace => {}
            _ = stopped.changed(), if deadline.is_none() => deadline = Some(Instant::now() + GRACE),
            _ = speak.tick(), if deadline.is_none() => {
                let id = format!("v{number}-{said}");
                said += 1;
                let post = format!(r#"{{"type":"post","id":"{id}","message":"hello for the {said}th time"}}"#);
                pending.insert(id, Instant::now());
                if writer.text(&post).await.is_err() {
                    heard.closed += 1;
                    break;
                }
            }
            frame = reader.next() => match frame {
                Ok(Frame::Text(text)) => heard.take(text, &mut pending),
                Ok(Frame::Ping) => drop(writer.pong().await),
                Ok(Frame::Other) => {}
                Err(_) => {
                    heard.closed += 1;
                    break;
                }
            }
        }
    }
    heard.unanswered = pending.len();
    heard.acks.extend(pending.into_values().map(elapsed_ms));
    heard
}

fn elapsed_ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

impl Heard {
    fn take(&mut self, text: &[u8], pending: &mut HashMap<String, Instant>) {
        let Ok(frame) = serde_json::from_slice::<Value>(text) else { return };
        let Some(sent) = frame["id"].as_str().and_then(|id| pending.remove(id)) else { return };
        if frame["type"] == "rejected" {
            self.refused += 1;
        }
        self.acks.push(elapsed_ms(sent));
    }

    pub fn figures(&self) -> Map<String, Value> {
        let at = |share: f64| {
            let index = ((self.acks.len() as f64 * share) as usize).min(self.acks.len().saturating_sub(1));
            rounded(self.acks.get(index).copied().unwrap_or(f64::MAX))
        };
        let figures = json!({
            "acks": self.acks.len(), "ack_p50_ms": at(0.5), "ack_p99_ms": at(0.99), "ack_max_ms": at(1.0),
            "unanswered": self.unanswered, "refused": self.refused, "closed": self.closed,
            "healthz_max_ms": self.health.longest(), "healthz_errors": self.health.errors,
            "page_p50_ms": self.page.median(), "page_max_ms": self.page.longest(), "page_errors": self.page.errors,
        });
        match figures {
            Value::Object(figures) => figures,
            _ => Map::new(),
        }
    }
}

impl Probe {
    fn longest(&self) -> f64 {
        rounded(self.times.iter().copied().fold(0.0, f64::max))
    }

    fn median(&self) -> f64 {
        let mut times = self.times.clone();
        times.sort_by(f64::total_cmp);
        rounded(times.get(times.len() / 2).copied().unwrap_or_default())
    }
}

/// Requests `path` at each interval on a separate connection. A request in flight at the end counts with its time so
/// far, and as an error.
async fn probe(addr: SocketAddr, from: Ipv4Addr, path: String, mut stopped: watch::Receiver<bool>) -> Probe {
    let mut probe = Probe::default();
    let mut cookie = String::new();
    let mut again = interval(PROBE);
    again.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            _ = stopped.changed() => return probe,
            _ = again.tick() => {}
        }
        let begun = Instant::now();
        let asked = async {
            let answer = Http::connect(addr, from).await?.page(&path, &cookie).await?;
            std::io::Result::Ok(answer.cookie_header())
        };
        let answer = tokio::select! {
            answer = asked => answer,
            _ = stopped.changed() => {
                let late = begun.elapsed() > GRACE;
                probe.errors += usize::from(late);
                probe.times.push(elapsed_ms(begun));
                return probe;
            }
        };
        probe.times.push(elapsed_ms(begun));
        match answer {
            Ok(set) if cookie.is_empty() && path != "/healthz" => cookie = set,
            Ok(_) => {}
            Err(_) => probe.errors += 1,
        }
    }
}
