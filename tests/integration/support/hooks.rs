//! Sites with outgoing webhooks.

use super::receiver::Receiver;
use super::{Site, database};
use serde_json::Value;

/// The site with outgoing webhooks to this receiver.
pub fn hooked(site: &Site, receivers: &[&Receiver]) -> Site {
    let hosts: Vec<String> = receivers.iter().map(|receiver| receiver.addr.to_string()).collect();
    site.with_flags(&["--outgoing-webhooks", "on", "--webhook-hosts", &hosts.join(",")])
}

/// Creates an outgoing hook; its id and its secret.
pub fn create_outgoing(site: &Site, room: &str, url: &str) -> (String, String) {
    let (well, said) = site.command(&["hook", "create", room, "CI", "--to", url]);
    assert!(well, "{said}");
    let words = || said.split_whitespace();
    let id = words().find(|word| word.starts_with("out_")).expect("an id");
    let secret = words().find(|word| word.starts_with("whsec_")).expect("a secret");
    (id.to_owned(), secret.to_owned())
}

/// Returns the webhooks as `parlour hook list` shows them.
pub fn listed(site: &Site) -> Vec<Value> {
    let (well, said) = site.command(&["hook", "list", "--json"]);
    assert!(well, "{said}");
    said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Returns the numbers of these events.
pub fn numbers(events: &[Value]) -> Vec<i64> {
    events.iter().filter_map(|event| event["seq"].as_i64()).collect()
}

/// Makes the next try due.
pub async fn try_now(site: &Site) {
    database::execute(&site.database_url, "UPDATE outgoing_hooks SET next_try_at = 0").await;
}
