//! The rules of the house, held by reading the sources: who may know whom, where conditional compilation and raw HTML
//! are allowed (almost nowhere), how long a file may be, and that what the documents say is so.

#[path = "architecture/names.rs"]
mod names;

use parlour::protocol::{ClientFrame, ServerFrame};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The modules that each module may use, besides itself.
const MAY_USE: [(&str, &[&str]); 5] = [
    ("domain", &[]),
    ("protocol", &["domain"]),
    ("api", &["domain"]),
    ("ui", &["domain", "protocol", "api"]),
    ("server", &["domain", "protocol"]),
];

/// Items with the only files and folders that may name them.
const ALONE: [(&str, &[&str]); 6] = [
    ("crate::ui", &["server/http/", "ui/"]),
    ("sea_orm::", &["server/store/"]),
    ("DbErr", &["server/store/"]),
    ("redis::", &["server/relay/", "server/run.rs"]),
    ("cfg(feature", &["lib.rs"]),
    ("WebSocket::new", &["ui/room/connection/", "server/websocket/"]),
];

/// Ways to put text into a page as markup.
const RAW_HTML: [&str; 6] =
    ["inner_html", "inner-html", "set_outer_html", "insert_adjacent_html", "dangerously", "document.write"];

const LONGEST: usize = 300;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below `folder`, with its path from there.
fn sources(folder: &str) -> BTreeMap<String, String> {
    let top = root().join(folder);
    let mut found = BTreeMap::new();
    let mut folders = vec![top.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path: PathBuf = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&top).expect("below it").to_string_lossy().into_owned();
                found.insert(name, std::fs::read_to_string(&path).expect("text"));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} holds no source");
    found
}

/// The lines of code: without comments, and without the unit tests at a file's end.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]"));
    let code = lines.map(|line| if line.trim_start().starts_with("//") { "" } else { line });
    code.enumerate().map(|(index, line)| (index + 1, line))
}

fn is_in(name: &str, places: &[&str]) -> bool {
    places.iter().any(|place| name == *place || place.ends_with('/') && name.starts_with(place))
}

fn area(name: &str) -> &str {
    name.split(['/', '.']).next().expect("a first part")
}

/// Areas that a line names by `crate::…`, also in `crate::{…}`.
fn areas_named(line: &str) -> Vec<&str> {
    let mut named = Vec::new();
    for rest in line.split("crate::").skip(1) {
        let group = rest.strip_prefix('{').map_or(rest, |group| group.split('}').next().unwrap_or(group));
        let first =
            |path: &str| path.trim().split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().map(str::len);
        let paths = if rest.starts_with('{') { group.split(',').collect() } else { vec![group] };
        named.extend(paths.into_iter().map(|path| &path.trim()[..first(path).unwrap_or(0)]));
    }
    named
}

/// The lines that stand inside the body of a server function.
fn inside_server_functions(text: &str) -> Vec<usize> {
    let mut inside = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((_, line)) = lines.next() {
        if line.starts_with("#[server") {
            inside.extend(lines.by_ref().take_while(|(_, line)| !line.starts_with('}')).map(|(index, _)| index + 1));
        }
    }
    inside
}

#[test]
fn each_area_knows_only_what_it_may() {
    let mut broken = Vec::new();
    for (name, text) in sources("src") {
        let Some((own, may_use)) = MAY_USE.iter().find(|(own, _)| *own == area(&name)) else { continue };
        let doors = if *own == "api" { inside_server_functions(&text) } else { Vec::new() };
        for (number, line) in code(&text) {
            for named in areas_named(line).into_iter().filter(|named| MAY_USE.iter().any(|(area, _)| area == named)) {
                let allowed = named == *own
                    || may_use.contains(&named)
                    || named == "server" && doors.contains(&number)
                    || ["ui", "api"].contains(&named) && name.starts_with("server/http/");
                if !allowed {
                    broken.push(format!("src/{name}:{number} knows {named}"));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_migrations_know_nothing_of_the_rest() {
    for (name, text) in sources("migrations/src") {
        assert!(code(&text).all(|(_, line)| !line.contains("parlour::")), "{name}");
    }
}

#[test]
fn the_domain_does_no_io_and_draws_nothing() {
    for (name, text) in sources("src").into_iter().filter(|(name, _)| ["domain", "protocol"].contains(&area(name))) {
        for (number, line) in code(&text) {
            for word in ["leptos", "web_sys", "tokio", "std::fs", "std::net", "sea_orm", "axum"] {
                assert!(!line.contains(word), "src/{name}:{number} names {word}");
            }
        }
    }
}

#[test]
fn items_of_one_place_stay_there() {
    let mut broken = Vec::new();
    for (name, text) in sources("src") {
        for (number, line) in code(&text) {
            for (word, places) in ALONE {
                if line.contains(word) && !is_in(&name, places) {
                    broken.push(format!("src/{name}:{number} names {word}"));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn pages_hold_nothing_that_belongs_to_one_thread() {
    // On the server a page may be dropped on another thread than it was made on, which local storage answers by a
    // panic.
    for (name, text) in sources("src/ui") {
        for word in ["new_local(", "LocalStorage"] {
            assert!(!text.contains(word), "src/ui/{name} holds {word}");
        }
    }
}

#[test]
fn text_never_becomes_markup() {
    for (name, text) in sources("src") {
        let lower = text.to_lowercase();
        for word in RAW_HTML {
            assert!(!lower.contains(word), "src/{name} holds {word}");
        }
    }
}

#[test]
fn a_file_says_what_it_does_and_does_not_get_long() {
    let mut broken = Vec::new();
    for folder in ["src", "tests", "migrations/src"] {
        for (name, text) in sources(folder) {
            let lines = text.lines().count();
            if !text.starts_with("//! ") {
                broken.push(format!("{folder}/{name} does not begin with what it does"));
            }
            if lines > LONGEST {
                broken.push(format!("{folder}/{name} has {lines} lines"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_example_of_the_protocol_is_a_frame() {
    let text = std::fs::read_to_string(root().join("docs/protocol.md")).expect("docs/protocol.md");
    let blocks = text.split("```json\n").skip(1).map(|rest| rest.split("```").next().expect("blocks end"));
    let examples: Vec<&str> = blocks.flat_map(str::lines).filter(|line| !line.trim().is_empty()).collect();
    let (mut from_client, mut from_server) = (Vec::new(), Vec::new());
    for example in examples {
        let json: serde_json::Value =
            serde_json::from_str(example).unwrap_or_else(|error| panic!("{error}: {example}"));
        let kind = json["type"].as_str().unwrap_or("post").to_owned();
        // The content of a frame must survive parsing: a field that does not belong to the frame would be lost.
        if let Some(frame) = ServerFrame::parse(example) {
            assert_eq!(serde_json::from_str::<serde_json::Value>(&frame.encode()).expect("JSON"), json);
            from_server.push(kind);
        } else {
            let frame = ClientFrame::parse(example).unwrap_or_else(|bad| panic!("{}: {example}", bad.rejection));
            let mut read: serde_json::Value = serde_json::from_str(&frame.encode()).expect("JSON");
            // The original client's frame names no type, and names the room that its address names already.
            if json.get("type").is_none() {
                read.as_object_mut().expect("an object").remove("type");
                read["room_name"] = json["room_name"].clone();
            }
            assert_eq!(read, json);
            from_client.push(kind);
        }
    }
    for kind in ["post", "edit", "delete", "sync", "heartbeat"] {
        assert!(from_client.iter().chain(&from_server).any(|shown| shown == kind), "no example of {kind}");
    }
    for kind in ["welcome", "message", "edited", "deleted", "rejected", "heartbeat", "reset", "drain"] {
        assert!(from_server.iter().any(|shown| shown == kind), "no example of {kind}");
    }
    assert!(from_client.iter().filter(|kind| *kind == "post").count() >= 2, "the original frame and the new one");
}

/// The test that the threat model names: a function of `tests/integration`, a file of `end2end/specs`, or a path.
fn is_there(test: &str) -> bool {
    if let Some((file, function)) = test.split_once("::") {
        let text = std::fs::read_to_string(root().join(format!("tests/integration/{file}.rs"))).unwrap_or_default();
        return text.contains(&format!("fn {function}("));
    }
    let folder = if test.ends_with(".spec.ts") { "end2end/specs" } else { "" };
    let text = std::fs::read_to_string(root().join(folder).join(test)).unwrap_or_default();
    !test.starts_with("src/") && !text.is_empty() || text.contains("#[test]")
}

#[test]
fn every_threat_has_a_test_that_exists() {
    let text = std::fs::read_to_string(root().join("SECURITY.md")).expect("SECURITY.md");
    let rows: Vec<&str> =
        text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| threat ")).collect();
    assert!(rows.len() > 15, "the threat model has {} rows", rows.len());
    for row in rows {
        let tests: Vec<&str> = row.split(" | ").nth(2).unwrap_or_default().split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "no test in: {row}");
        for test in tests {
            assert!(is_there(test), "there is no test {test}: {row}");
        }
    }
    assert!(
        !is_there("names::nothing_of_this_name") && !is_there("none.spec.ts") && !is_there("src/server/http/health.rs")
    );
}

#[test]
fn settings_of_build_and_run_agree() {
    let read = |name: &str| -> toml::Table {
        let text = std::fs::read_to_string(root().join(name)).expect(name);
        text.parse().unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    let (cargo, leptos) = (read("Cargo.toml"), read("Leptos.toml"));
    let built = cargo["workspace"]["metadata"]["leptos"][0].as_table().expect("a table");
    let run = leptos["package"]["metadata"]["leptos"].as_table().expect("a table");
    let shared: Vec<&String> = run.keys().filter(|key| built.contains_key(*key)).collect();
    assert!(!shared.is_empty(), "Leptos.toml says nothing of what Cargo.toml says");
    for key in shared {
        assert_eq!(built[key], run[key], "{key}");
    }
}

#[test]
fn the_rules_find_what_breaks_them() {
    assert_eq!(areas_named("use crate::domain::Seq;"), ["domain"]);
    assert_eq!(areas_named("use crate::{api::open_room, ui};"), ["api", "ui"]);
    assert_eq!(areas_named("let x = crate::server::chat::draining(crate::domain::Seq::MAX);"), ["server", "domain"]);
    assert!(areas_named("use super::Store;").is_empty());
    let api = "use a;\n#[server(input = GetUrl)]\npub async fn f() {\n    use crate::server::chat;\n}\nuse b;\n";
    assert_eq!(inside_server_functions(api), [3, 4]);
    assert!(is_in("server/relay/mod.rs", &["server/relay/"]) && !is_in("server/relay.rs", &["server/relay/"]));
    assert_eq!(code("a\n// crate::ui\n#[cfg(test)]\nb").map(|(_, line)| line).collect::<Vec<_>>(), ["a", ""]);
}
