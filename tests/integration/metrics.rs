//! Observability: metrics for Prometheus, and log lines that can be correlated.

use crate::support::host::on_each_database;
use crate::support::redis::Redis;
use crate::support::{Client, Database, Door, Server, Site, eventually, http};
use serde_json::{Value, json};
use std::path::Path;

on_each_database!(events_are_counted_and_timed);

/// The sum of a metric's samples whose labels contain `labels`; `None` if there are none.
fn sample(text: &str, name: &str, labels: &str) -> Option<f64> {
    let values = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let (series, value) = line.rsplit_once(' ')?;
        let (found, rest) = series.split_once('{').unwrap_or((series, ""));
        (found == name && rest.contains(labels)).then(|| value.parse::<f64>().expect("a number"))
    });
    values.reduce(|sum, value| sum + value)
}

async fn scrape(server: &Server) -> String {
    let answer = http::get(server, "/metrics").await;
    assert_eq!(answer.status, 200);
    answer.body
}

async fn events_are_counted_and_timed(site: Site) {
    let server = site.start();
    let cookie = http::identity(&server).await;
    let mut reader = Client::join(&server, "harbour-of-secrets").await;
    let door = Door::of("harbour-of-secrets").username("Annabelle").identity(&cookie, &server);
    let mut writer = door.join(&server).await;
    let _elsewhere = Client::join(&server, "mountains").await;
    for n in 1..=32 {
        writer.say(&n.to_string(), "hush-hush").await;
    }
    writer.send(json!({"type": "edit", "id": "e", "target": 1, "text": "hush again"})).await;
    writer.answer_to("e").await;
    writer.send(json!({"type": "delete", "id": "d", "target": 2})).await;
    writer.answer_to("d").await;
    reader.send(json!({"type": "delete", "id": "not-mine", "target": 3})).await;
    assert_eq!(reader.answer_to("not-mine").await["code"], "forbidden");
    http::get(&server, "/harbour-of-secrets/?username=Annabelle").await;
    http::get(&server, "/no/such/page").await;
    assert_eq!(http::post_form(&server, "/harbour-of-secrets/", &[("message", " ")]).await.status, 422);

    let text = eventually("a delivery is timed", || async {
        let text = scrape(&server).await;
        sample(&text, "parlour_delivery_seconds_count", "").map(|_| text)
    })
    .await;
    for (name, labels, expected) in [
        ("parlour_connections", "", 3.),
        ("parlour_rooms_active", "", 2.),
        ("parlour_draining", "", 0.),
        ("parlour_journal_queue_length", "", 0.),
        ("parlour_events_stored_total", "kind=\"message\"", 32.),
        ("parlour_events_stored_total", "kind=\"edited\"", 1.),
        ("parlour_events_stored_total", "kind=\"deleted\"", 1.),
        ("parlour_rejections_total", "code=\"forbidden\"", 1.),
        ("parlour_rejections_total", "code=\"empty\"", 1.),
        ("parlour_commit_seconds_count", "", 35.),
        ("parlour_http_request_seconds_count", "route=\"/{room_name}/\",status=\"200\"", 1.),
        ("parlour_http_request_seconds_count", "route=\"none\",status=\"404\"", 1.),
    ] {
        assert_eq!(sample(&text, name, labels), Some(expected), "{name} {labels}\n{text}");
    }
    for operation in ["append", "room", "page", "heads"] {
        let labels = format!("operation=\"{operation}\"");
        assert!(
            sample(&text, "parlour_database_seconds_count", &labels).is_some_and(|count| count > 0.),
            "{operation}"
        );
    }
    assert!(sample(&text, "process_resident_memory_bytes", "").is_some_and(|bytes| bytes > 1e6), "{text}");
    assert_eq!(sample(&text, "parlour_relay_degraded", ""), None, "there is no relay");
    for typed in ["harbour", "Annabelle", "hush", "such"] {
        assert!(!text.contains(typed), "{typed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_is_lost_shows() {
    let mut redis = tokio::task::spawn_blocking(Redis::start).await.expect("Redis");
    let site = Site::new(Database::Postgres).await.with_redis(redis.url());
    let server = site.start();
    let is = async |degraded: f64| {
        eventually("the relay shows", || async {
            (sample(&scrape(&server).await, "parlour_relay_degraded", "") == Some(degraded)).then_some(())
        })
        .await;
    };
    is(0.).await;
    redis.kill();
    is(1.).await;
    redis.restart();
    is(0.).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lines_of_a_request_carry_its_id() {
    let site = Site::new(Database::Sqlite).await;
    let arguments = [site.arguments(), vec!["--log-format".into(), "json".into()]].concat();
    let server = Server::start_with(&arguments, &[("RUST_LOG", Path::new("parlour=debug"))]);
    let ask = |id: Option<&'static str>| {
        let request = http::browser().get(server.url("/secret-harbour/"));
        let request = id.into_iter().fold(request, |request, id| request.header("x-request-id", id));
        async {
            let answer = request.send().await.expect("an answer");
            answer.headers()["x-request-id"].to_str().expect("plain text").to_owned()
        }
    };
    assert_eq!(ask(Some("from-a-proxy.1")).await, "from-a-proxy.1");
    let own = [ask(None).await, ask(Some("two words")).await, ask(Some(&"x".repeat(65).leak()[..])).await];
    assert!(own.iter().all(|id| id.len() == 32), "{own:?}");

    let lines: Vec<Value> =
        server.log().lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect();
    for id in own.iter().map(String::as_str).chain(["from-a-proxy.1"]) {
        let line = lines.iter().find(|line| line["span"]["request_id"] == id);
        let line = line.unwrap_or_else(|| panic!("no line of {id}: {lines:#?}"));
        assert_eq!((&line["status"], &line["span"]["route"]), (&json!(200), &json!("/{room_name}/")), "{line}");
    }
    assert!(!server.log().contains("secret"), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_dashboard_asks_for_what_there_is() {
    let redis = tokio::task::spawn_blocking(Redis::start).await.expect("Redis");
    let site = Site::new(Database::Postgres).await.with_redis(redis.url());
    let server = site.start();
    let mut writer = Client::join(&server, "harbour").await;
    for n in 1..=16 {
        writer.say(&n.to_string(), "hello").await;
    }
    writer.send_text("not a frame").await;
    writer.expect("rejected").await;
    let text = eventually("a delivery is timed", || async {
        let text = scrape(&server).await;
        sample(&text, "parlour_delivery_seconds_count", "").map(|_| text)
    })
    .await;
    let dashboard = include_str!("../../deploy/grafana.json");
    serde_json::from_str::<Value>(dashboard).expect("JSON");
    let words = dashboard.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let asked: std::collections::BTreeSet<&str> =
        words.filter(|word| word.starts_with("parlour_") || word.starts_with("process_")).collect();
    assert!(asked.len() > 12, "{asked:?}");
    for name in asked {
        assert!(sample(&text, name, "").is_some(), "{name}\n{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_series_that_may_increase_is_there_from_the_start() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    let text = scrape(&server).await;
    for code in [
        "empty",
        "too_long",
        "invalid",
        "rate_limited",
        "username_invalid",
        "username_taken",
        "id_conflict",
        "not_found",
        "forbidden",
        "draining",
        "unavailable",
    ] {
        assert_eq!(sample(&text, "parlour_rejections_total", &format!("code=\"{code}\"")), Some(0.), "{code}");
    }
    for kind in ["message", "edited", "deleted", "moderated", "reacted"] {
        assert_eq!(sample(&text, "parlour_events_stored_total", &format!("kind=\"{kind}\"")), Some(0.), "{kind}");
    }
    for outcome in ["taken", "failed", "gone"] {
        let label = format!("outcome=\"{outcome}\"");
        assert_eq!(sample(&text, "parlour_webhook_deliveries_total", &label), Some(0.), "{outcome}");
    }
    for class in ["4xx", "5xx"] {
        assert_eq!(sample(&text, "parlour_http_responses_total", &format!("class=\"{class}\"")), Some(0.), "{class}");
    }
    assert_eq!(sample(&text, "parlour_log_entries_lost_total", ""), Some(0.));
    let version = format!("version=\"{}\"", env!("CARGO_PKG_VERSION"));
    assert_eq!(sample(&text, "parlour_build_info", &version), Some(1.));
    http::get(&server, "/no/such/page").await;
    assert_eq!(sample(&scrape(&server).await, "parlour_http_responses_total", "class=\"4xx\""), Some(1.));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_its_disk_and_its_backup_are_measured() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    let of = async |name: &'static str| eventually(name, || async { sample(&scrape(&server).await, name, "") }).await;
    let size = of("parlour_database_bytes").await;
    assert!(size >= site.data.join("parlour.db").metadata().expect("a file").len() as f64, "{size}");
    let (free, all) = (of("parlour_disk_free_bytes").await, of("parlour_disk_bytes").await);
    assert!(0. < free && free < all, "{free} {all}");
    assert_eq!(of("parlour_backup_timestamp_seconds").await, 0., "there was none");
    let file = crate::support::tempdir::directory("backups").join("b");
    let begun = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("later").as_secs_f64();
    assert!(site.command(&["backup", file.to_str().expect("a path")]).0);
    eventually("the backup shows", || async {
        sample(&scrape(&server).await, "parlour_backup_timestamp_seconds", "").filter(|at| *at >= begun - 1.)
    })
    .await;
    // A backup that fails is none.
    let at = of("parlour_backup_timestamp_seconds").await;
    assert!(!site.command(&["backup", file.to_str().expect("a path")]).0);
    assert_eq!(of("parlour_backup_timestamp_seconds").await, at);

    let site = Site::new(Database::Postgres).await;
    let server = site.start();
    let text = eventually("it is measured", || async {
        let text = scrape(&server).await;
        sample(&text, "parlour_database_bytes", "").map(|_| text)
    })
    .await;
    assert!(sample(&text, "parlour_database_bytes", "").is_some_and(|bytes| bytes > 1e6), "{text}");
    assert_eq!(sample(&text, "parlour_backup_timestamp_seconds", ""), None, "pg_dump leaves no trace");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_can_have_an_address_of_their_own() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.with_flags(&["--metrics-addr", "localhost:0"]).start();
    let url = eventually("it says where", || async {
        server.log().split_whitespace().find(|word| word.ends_with("/metrics")).map(str::to_owned)
    })
    .await;
    let answer = http::send(http::browser().get(&url).header("host", "parlour")).await;
    assert!(answer.status == 200 && answer.body.contains("parlour_connections"), "{}", answer.body);
    let front = url.trim_end_matches("metrics");
    assert_eq!(http::send(http::browser().get(front)).await.status, 404, "nothing else is there");
    assert_eq!(http::get(&server, "/metrics").await.status, 404, "and nowhere else is this");
    let taken = server.addr.to_string();
    let (well, said) = site.command(&["serve", "--addr", "127.0.0.1:0", "--metrics-addr", &taken]);
    assert!(!well && said.contains("metrics-addr") && said.contains(&taken), "{said}");
}
