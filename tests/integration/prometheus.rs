//! The dashboard and the alert rules, evaluated by a real Prometheus that scrapes a real server.

use crate::support::process::{Process, free_port};
use crate::support::redis::Redis;
use crate::support::{Client, DEADLINE, Database, Site, eventually, tempdir};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};

const MISSING: &str = "this test needs Prometheus: install the Debian package prometheus";

/// A Prometheus, and its address.
struct Prometheus {
    process: Process,
    url: String,
}

impl Prometheus {
    /// Starts one that scrapes `target` every second under the job `parlour`, and evaluates the alert rules.
    fn start(target: &str) -> Self {
        let directory = tempdir::directory("prometheus");
        let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/alerts.yml");
        let config = format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: [{rules}]\nscrape_configs:\n  \
             - job_name: parlour\n    static_configs: [{{ targets: [\"{target}\"] }}]\n"
        );
        std::fs::write(directory.join("prometheus.yml"), config).expect("a file");
        let addr = format!("127.0.0.1:{}", free_port());
        let mut command = Command::new("prometheus");
        command.arg(format!("--config.file={}", directory.join("prometheus.yml").display()));
        command.arg(format!("--storage.tsdb.path={}", directory.join("data").display()));
        command.arg(format!("--web.listen-address={addr}"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = Process::start(&mut command, "KILL").expect(MISSING);
        Self { process, url: format!("http://{addr}") }
    }

    /// The answer to a query, or `None` if it does not serve yet.
    async fn get(&mut self, path: &str, query: &[(&str, &str)]) -> Option<Value> {
        assert!(self.process.ended().is_none(), "Prometheus does not start");
        let request = reqwest::Client::new().get(format!("{}{path}", self.url)).query(query).timeout(DEADLINE);
        serde_json::from_str(&request.send().await.ok()?.text().await.ok()?).ok()
    }

    /// The series that an expression yields. Panics if it is none.
    async fn query(&mut self, expression: &str) -> usize {
        let answer = self.get("/api/v1/query", &[("query", expression)]).await.expect("an answer");
        assert_eq!(answer["status"], "success", "{expression}: {answer}");
        answer["data"]["result"].as_array().expect("a vector").len()
    }
}

/// Every value under the key `expr`, wherever it is.
fn expressions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(expression) if name == "expr" => found.push(expression.clone()),
                    _ => expressions(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| expressions(value, found)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dashboard_and_alerts_are_evaluated() {
    let redis = tokio::task::spawn_blocking(Redis::start).await.expect("Redis");
    let site = Site::new(Database::Postgres).await.with_redis(redis.url());
    let server = site.start();
    let mut writer = Client::join(&server, "harbour").await;
    let mut prometheus = Prometheus::start(&server.addr.to_string());
    let mut said = 0;
    let begun = std::time::Instant::now();
    // Rates need two scrapes.
    loop {
        writer.say(&said.to_string(), "hello").await;
        writer.send_text("not a frame").await;
        said += 1;
        let scraped = [("query", "count_over_time(up{job=\"parlour\"}[1h]) > 3")];
        let answer = prometheus.get("/api/v1/query", &scraped).await;
        if answer.is_some_and(|answer| answer["data"]["result"].as_array().is_some_and(|result| !result.is_empty())) {
            break;
        }
        assert!(begun.elapsed() < 2 * DEADLINE, "it is not scraped");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let mut found = Vec::new();
    expressions(&serde_json::from_str(include_str!("../../deploy/grafana.json")).expect("JSON"), &mut found);
    assert!(found.len() > 12, "{found:?}");
    for expression in found {
        let asked = expression.replace("$job", ".+").replace("$instance", ".+").replace("$__rate_interval", "1m");
        assert!(!asked.contains('$'), "{expression}");
        assert!(prometheus.query(&asked).await > 0, "{expression} yields nothing");
    }
    // Rules that are wrong at run time say so here.
    let rules = eventually("the rules are evaluated", || {
        let url = format!("{}/api/v1/rules", prometheus.url);
        async move {
            let text = reqwest::get(url).await.ok()?.text().await.ok()?;
            let answer: Value = serde_json::from_str(&text).ok()?;
            let rules = answer["data"]["groups"][0]["rules"].as_array()?.clone();
            (!rules.is_empty() && rules.iter().all(|rule| rule["health"] != "unknown")).then_some(rules)
        }
    })
    .await;
    for rule in rules {
        assert_eq!(rule["health"], "ok", "{rule}");
        let name = rule["name"].as_str().expect("a name");
        // The disk of the test may be any.
        assert!(rule["state"] != "firing" || name == "ParlourDiskFull", "{rule}");
    }
}

#[test]
fn alerts_fire_when_they_should() {
    let directory = tempdir::directory("rules");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in ["deploy/alerts.yml", "tests/fixtures/alerts_test.yml"] {
        let name = Path::new(file).file_name().expect("a name");
        std::fs::copy(root.join(file), directory.join(name)).expect("a file");
    }
    let mut promtool = Command::new("promtool");
    let tested = promtool.current_dir(&directory).args(["test", "rules", "alerts_test.yml"]).output().expect(MISSING);
    let said = String::from_utf8_lossy(&tested.stdout).into_owned() + &String::from_utf8_lossy(&tested.stderr);
    assert!(tested.status.success(), "{said}");
}
