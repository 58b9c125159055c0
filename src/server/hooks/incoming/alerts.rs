//! Alertmanager's own webhook, version 4 (<https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>).

use super::fields::{Fields, string};
use serde_json::Value;

/// Maximum number of alerts that are listed.
const MAX_ALERTS: usize = 50;

/// Annotations and labels that name an alert, the best first.
const TITLES: [&str; 3] = ["summary", "title", "message"];

/// Annotations with the details of an alert.
const DETAILS: [&str; 3] = ["description", "runbook_url", "dashboard_url"];

/// Label with the name of the alerting rule.
const ALERT_NAME: &str = "alertname";

/// Returns the summary of a group of alerts: a headline, then each alert with its details.
pub(super) fn summary(fields: &Fields, alerts: &[Value]) -> String {
    let is_resolved = |alert: &&Value| alert.get("status").and_then(Value::as_str) == Some("resolved");
    let resolved = alerts.iter().filter(is_resolved).count();
    let counts = match (alerts.len() - resolved, resolved) {
        (firing, 0) => format!("[FIRING:{firing}]"),
        (0, _) => "[RESOLVED]".to_owned(),
        (firing, resolved) => format!("[FIRING:{firing}, RESOLVED:{resolved}]"),
    };
    let group: Vec<&str> = texts(fields.value("groupLabels")).map(|(_, value)| value).collect();
    let common = fields.value("commonLabels");
    let name = common.and_then(|labels| labels.get(ALERT_NAME)).and_then(string);
    let title = if group.is_empty() { name.unwrap_or("alerts").to_owned() } else { group.join(" ") };
    let mut lines = vec![format!("{counts} {title}")];
    for alert in alerts.iter().take(MAX_ALERTS) {
        add_alert(alert, common, &mut lines);
    }
    let truncated = fields.value("truncatedAlerts").and_then(Value::as_u64).unwrap_or_default();
    let hidden = truncated + alerts.len().saturating_sub(MAX_ALERTS) as u64;
    if hidden > 0 {
        lines.push(format!("… and {hidden} more"));
    }
    lines.join("\n")
}

fn add_alert(alert: &Value, common: Option<&Value>, lines: &mut Vec<String>) {
    let annotation = |name: &str| alert.get("annotations").and_then(|it| it.get(name)).and_then(string).map(str::trim);
    let label = |name: &str| alert.get("labels").and_then(|it| it.get(name)).and_then(string);
    let title = TITLES.iter().find_map(|name| annotation(name)).or_else(|| annotation("description"));
    let title = title.or_else(|| label(ALERT_NAME)).unwrap_or("an alert without a name");
    // Labels that all alerts have say nothing about this one.
    let is_own = |name: &str| name != ALERT_NAME && common.is_none_or(|common| common.get(name).is_none());
    let own = texts(alert.get("labels")).filter(|(name, _)| is_own(name));
    let own: Vec<String> = own.map(|(name, value)| format!("{name}={value}")).collect();
    let own = if own.is_empty() { String::new() } else { format!(" ({})", own.join(", ")) };
    let status = alert.get("status").and_then(string).unwrap_or("firing");
    lines.push(format!("{status}: {title}{own}"));
    let details = DETAILS.iter().filter_map(|name| annotation(name)).filter(|detail| *detail != title);
    lines.extend(details.map(str::to_owned));
}

/// Returns the fields of an object that are texts, in the order of their names.
fn texts(object: Option<&Value>) -> impl Iterator<Item = (&str, &str)> {
    let fields = object.and_then(Value::as_object).into_iter().flatten();
    fields.filter_map(|(name, value)| Some((name.as_str(), string(value)?)))
}
