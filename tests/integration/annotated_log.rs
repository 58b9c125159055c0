//! The state that a room's log adds up to: replies, reactions and pins, as every node must show them everywhere.

use crate::support::api::{request, send};
use crate::support::{Server, Site, database, eventually, http};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The messages that are not deleted, by number, and the pins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnnotatedLog {
    pub messages: BTreeMap<i64, AnnotatedMessage>,
    /// The latest pin first.
    pub pins: Vec<i64>,
}

/// A message as it reads now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnnotatedMessage {
    pub text: String,
    pub reply_to: Option<i64>,
    pub mentions: Vec<String>,
    /// Emoji and count, in the order in which they came.
    pub reactions: Vec<(String, i64)>,
    pub is_pinned: bool,
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("no number: {value}"))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

fn names(value: &Value) -> Vec<String> {
    value.as_array().map(|names| names.iter().map(text).collect()).unwrap_or_default()
}

/// Requests a resource as JSON.
async fn read(server: &Server, path: &str) -> Value {
    send(request(server, "GET", path).header("accept", "application/json")).await.json()
}

/// The whole log, as a program replays it. Its numbers have no gaps.
pub async fn log(server: &Server, room: &str) -> Vec<Value> {
    let path = format!("/{room}/events?after=0&wait=0");
    let stream = send(request(server, "GET", &path).header("accept", "application/x-ndjson")).await.text;
    let log: Vec<Value> = stream.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    for (event, seq) in log.iter().zip(1..) {
        assert_eq!(event["seq"], seq, "a gap: {event}");
    }
    log
}

impl AnnotatedLog {
    /// Adds up a log, as a client does that has every event of it. A reaction that changes nothing is no event.
    pub fn replay(log: &[Value]) -> Self {
        let mut state = Self::default();
        let mut reacted: BTreeSet<(i64, String, String, String)> = BTreeSet::new();
        for event in log {
            let target = event["target"].as_i64().unwrap_or_default();
            match event["type"].as_str().expect("a type") {
                "message" if event["message"] != "" => {
                    let (reply_to, mentions) = (event["reply_to"].as_i64(), names(&event["mentions"]));
                    let message = AnnotatedMessage {
                        text: text(&event["message"]),
                        reply_to,
                        mentions,
                        ..AnnotatedMessage::default()
                    };
                    state.messages.insert(number(&event["seq"]), message);
                }
                "edited" => {
                    if let Some(message) = state.messages.get_mut(&target).filter(|_| event["text"] != "") {
                        (message.text, message.mentions) = (text(&event["text"]), names(&event["mentions"]));
                    }
                }
                "deleted" => {
                    state.messages.remove(&target);
                    state.pins.retain(|pin| *pin != target);
                }
                "reacted" => {
                    let message = state.messages.get_mut(&target).unwrap_or_else(|| panic!("no message: {event}"));
                    let (emoji, is_on) = (text(&event["emoji"]), event["on"] == true);
                    let who = (target, emoji.clone(), text(&event["username"]), text(&event["tag"]));
                    let is_new = if is_on { reacted.insert(who) } else { reacted.remove(&who) };
                    assert!(is_new, "an event that changes nothing: {event}");
                    match message.reactions.iter_mut().find(|(known, _)| *known == emoji) {
                        Some((_, count)) => *count += if is_on { 1 } else { -1 },
                        None => message.reactions.push((emoji, 1)),
                    }
                    message.reactions.retain(|(_, count)| *count > 0);
                }
                "moderated" if event["action"] == "pin" => state.pins.insert(0, target),
                "moderated" if event["action"] == "unpin" => state.pins.retain(|pin| *pin != target),
                _ => {}
            }
        }
        state.pins.retain(|pin| state.messages.contains_key(pin));
        for (seq, message) in &mut state.messages {
            message.is_pinned = state.pins.contains(seq);
        }
        state
    }

    /// Reads the state page by page as JSON.
    pub async fn of_pages(server: &Server, room: &str) -> Self {
        let mut state = Self::default();
        let mut path = format!("/{room}/?limit=200");
        loop {
            let page = read(server, &path).await;
            for message in page["messages"].as_array().expect("messages").iter().filter(|it| it["deleted"] != true) {
                state.messages.insert(number(&message["seq"]), AnnotatedMessage::read(message));
            }
            let Some(before) = page["before"].as_i64() else { break };
            path = format!("/{room}/?limit=200&before={before}");
        }
        let pins = read(server, &format!("/{room}/pins")).await;
        state.pins = pins["messages"].as_array().expect("messages").iter().map(|it| number(&it["seq"])).collect();
        state
    }
}

impl AnnotatedMessage {
    fn read(message: &Value) -> Self {
        let reactions = message["reactions"].as_array().cloned().unwrap_or_default();
        Self {
            text: text(&message["message"]),
            reply_to: message["reply_to"].as_i64(),
            mentions: names(&message["mentions"]),
            reactions: reactions.iter().map(|it| (text(&it["emoji"]), number(&it["count"]))).collect(),
            is_pinned: message["pinned"] == true,
        }
    }
}

/// The reactions in a page's source: by message, each emoji with its count, which is announced as "👍, 3 people, you too".
fn buttons(html: &str, room: &str) -> BTreeMap<i64, Vec<String>> {
    let mut found: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    for form in html.split("<form ").skip(1).filter(|form| form.contains("class=\"reactions\"")) {
        let form = form.split("</form>").next().expect("forms end");
        let seq = form.split(&format!("action=\"/{room}/")).nth(1).and_then(|rest| rest.split("/react").next());
        let seq = seq.and_then(|seq| seq.parse().ok()).unwrap_or_else(|| panic!("no number: {form}"));
        let label = |button: &str| {
            let (emoji, people) = button.split("aria-label=\"").nth(1)?.split('"').next()?.split_once(", ")?;
            Some(format!("{emoji} {}", people.split(' ').next()?))
        };
        found.insert(seq, form.split("<button").skip(1).map(|button| label(button).expect("a label")).collect());
    }
    found
}

/// Waits until every server has the whole log, and asserts that each reads it alike: replayed, as JSON, as a page, by
/// the function that the page calls, and as the database has it. Returns the state.
pub async fn assert_read_alike(site: &Site, servers: &[&Server], room: &str) -> AnnotatedLog {
    let rows = async |sql: String| database::rows(&site.database_url, &sql).await;
    let head = rows(format!("SELECT head FROM rooms WHERE name = '{room}'")).await;
    let head: i64 = head[0].try_get_by_index(0).expect("a number");
    let mut states: Vec<AnnotatedLog> = Vec::new();
    for server in servers {
        let log = eventually("the node has every event", || async {
            Some(log(server, room).await).filter(|log| log.len() as i64 == head)
        })
        .await;
        let state = AnnotatedLog::replay(&log);
        assert_eq!(AnnotatedLog::of_pages(server, room).await, state, "{}", server.addr);
        let html = http::get(server, &format!("/{room}/")).await.body;
        let list = buttons(&html, room);
        let newest = |function: &Value| number(&function["messages"][0]["seq"]);
        let function = http::get(server, &format!("/api/load_history?room_name={room}")).await.body;
        let function: Value = serde_json::from_str(&function).expect("a page");
        let first = newest(&function);
        let counts = format!("/api/load_reactions?room_name={room}&first={first}&last={head}");
        let counts: Value = serde_json::from_str(&http::get(server, &counts).await.body).expect("counts");
        let mut own: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        for message in counts["messages"].as_array().expect("messages") {
            let reactions = message["reactions"].as_array().expect("reactions");
            let label = |it: &Value| format!("{} {}", text(&it["emoji"]), it["count"]);
            own.insert(number(&message["seq"]), reactions.iter().map(label).collect());
        }
        let label = |(emoji, count): &(String, i64)| format!("{emoji} {count}");
        let shown = state.messages.range(first..).filter(|(_, message)| !message.reactions.is_empty());
        let shown: BTreeMap<i64, Vec<String>> =
            shown.map(|(seq, message)| (*seq, message.reactions.iter().map(label).collect())).collect();
        assert_eq!((&list, &own, &counts["head"]), (&shown, &shown, &json!(head)), "{}", server.addr);
        states.push(state);
    }
    let state = states.swap_remove(0);
    states.iter().for_each(|other| assert_eq!(*other, state));
    let of_room = format!("room_id = (SELECT id FROM rooms WHERE name = '{room}')");
    let by_emoji = |table: &str, count: &str, group: &str| {
        format!("SELECT target, emoji, {count} FROM {table} WHERE {of_room} {group}")
    };
    let stored = rows(by_emoji("reactions", "count(*)", "GROUP BY 1, 2")).await;
    let counted = rows(by_emoji("reaction_counts", "CAST(count AS bigint)", "")).await;
    let mut expected: Vec<(i64, String, i64)> = Vec::new();
    for (seq, message) in &state.messages {
        expected.extend(message.reactions.iter().map(|(emoji, count)| (*seq, emoji.clone(), *count)));
    }
    expected.sort();
    for rows in [stored, counted] {
        let mut found = Vec::new();
        for row in rows {
            let (target, emoji) =
                (row.try_get_by_index(0).expect("a number"), row.try_get_by_index(1).expect("an emoji"));
            found.push((target, emoji, row.try_get_by_index(2).expect("a count")));
        }
        found.sort();
        assert_eq!(found, expected);
    }
    state
}
