//! `/.openapi.json` describes what the server answers: every request here is described there, and so is its answer,
//! with the media type, the headers and every field.

use crate::support::Site;
use crate::support::database::{UnknownEvent, append_unknown};
use crate::support::description::{Api, DOCUMENT, Description, FORM, HTML, JSON, LINES, STREAM, TEXT};
use crate::support::host::on_each_database;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::collections::BTreeSet;

on_each_database!(every_answer_is_as_described);

const ROOM: &str = "/{room}/";
const MESSAGE: &str = "/{room}/{seq}";
const EVENTS: &str = "/{room}/events";

async fn every_answer_is_as_described(site: Site) {
    let server = site.start();
    let description = Description::new();
    let (created, token) = site.command(&["token", "create", "describer"]);
    assert!(created, "{token}");
    let token = token.split_whitespace().find(|word| word.starts_with("plr_")).expect("a token").to_owned();
    let api = Api { description: &description, server: &server, token: Some(&token) };
    let guest = Api { token: None, ..api };

    posts_and_changes(&api, &guest).await;
    pages(&api).await;
    streams(&site, &api).await;
    refusals(&api, &guest).await;
    hooks_and_settings(&site, &guest).await;

    let described = description.document["paths"].as_object().expect("paths");
    let seen = description.seen.borrow();
    let mut missing = Vec::new();
    for (path, operations) in described {
        for (method, operation) in
            operations.as_object().expect("operations").iter().filter(|(name, _)| *name != "parameters")
        {
            for status in operation["responses"].as_object().expect("responses").keys() {
                // A socket is no request of this client; the rest needs a server in trouble, or a limit.
                let is_tried = path != "/ws/{room}/" && !["429", "503", "308", "403"].contains(&status.as_str());
                if is_tried && !seen.contains(&(method.clone(), path.clone(), status.clone())) {
                    missing.push(format!("{method} {path} {status}"));
                }
            }
        }
    }
    assert!(missing.is_empty(), "described, but not seen: {missing:#?}");
}

async fn posts_and_changes(api: &Api<'_>, guest: &Api<'_>) {
    let post = async |body, accept| api.put(Method::POST, ROOM, "/harbour/", body, accept).await;
    let first = post((TEXT, "as text"), JSON).await;
    assert_eq!((first.status, &first.json()["message"]), (201, &json!("as text")));
    assert_eq!(first.headers["location"], "/harbour/1");
    assert_eq!(post((TEXT, "answered by a number"), TEXT).await.body, "2\n");
    for (n, name) in ["message", "text", "content"].into_iter().enumerate() {
        let body = json!({name: format!("as JSON {n}"), "username": "Ann", "id": format!("id-{n}")}).to_string();
        let again = async || api.put(Method::POST, ROOM, "/harbour/", (JSON, &body), JSON).await;
        let answer = again().await;
        assert_eq!((answer.status, &answer.json()["id"]), (201, &json!(format!("id-{n}"))));
        assert_eq!(again().await.json()["seq"], answer.json()["seq"], "an id counts once");
    }
    assert_eq!(post((FORM, "message=by+form&username=Ann"), JSON).await.status, 201);
    assert_eq!(post((FORM, "message=by+browser&username=Ann"), HTML).await.status, 303);
    let verbatim = guest.put(Method::POST, ROOM, "/harbour/", (FORM, "hello there, 100%"), "*/*").await;
    assert_eq!((verbatim.status, &verbatim.json()["message"]), (201, &json!("hello there, 100%")));

    let edited = api.put(Method::PATCH, MESSAGE, "/harbour/1", (JSON, r#"{"message":"edited"}"#), JSON).await;
    assert_eq!((edited.status, &edited.json()["type"]), (200, &json!("edited")));
    assert_eq!(api.put(Method::PATCH, MESSAGE, "/harbour/1", (TEXT, "edited again"), TEXT).await.status, 200);
    let deleted = api.send(Method::DELETE, MESSAGE, "/harbour/2", |request| request.header("accept", JSON)).await;
    assert_eq!((deleted.status, &deleted.json()["type"]), (200, &json!("deleted")));
}

async fn pages(api: &Api<'_>) {
    for query in ["", "?limit=2", "?before=3", "?after=3&limit=1", "?around=4&limit=3", "?limit=100000"] {
        let page = api.get(ROOM, &format!("/harbour/{query}"), JSON).await;
        assert_eq!(page.status, 200);
        assert!(!page.json()["messages"].as_array().expect("messages").is_empty(), "{query}");
    }
    let empty = api.get(ROOM, "/empty/", JSON).await.json();
    assert_eq!((&empty["head"], &empty["messages"], &empty["before"]), (&json!(0), &json!([]), &json!(null)));
    assert_eq!(api.get(ROOM, "/harbour/", HTML).await.status, 200);
    let whole = api.get(ROOM, "/harbour/", JSON).await;
    let known =
        |request: RequestBuilder| request.header("accept", JSON).header("if-none-match", &whole.headers["etag"]);
    assert_eq!(api.send(Method::GET, ROOM, "/harbour/", known).await.status, 304);
    assert_eq!(whole.json()["messages"][1]["deleted"], true);

    for seq in [1, 2, 3] {
        assert_eq!(api.get(MESSAGE, &format!("/harbour/{seq}"), JSON).await.json()["seq"], seq);
    }
    let one = api.get(MESSAGE, "/harbour/1", JSON).await;
    if let Some(etag) = one.headers.get("etag") {
        let known = |request: RequestBuilder| request.header("accept", JSON).header("if-none-match", etag);
        assert_eq!(api.send(Method::GET, MESSAGE, "/harbour/1", known).await.status, 304);
    }
    assert_eq!(api.get(MESSAGE, "/harbour/1", HTML).await.status, 200);

    let own = "/.openapi.json";
    let described = api.get(own, own, "*/*").await;
    assert_eq!(described.json(), serde_json::from_str::<Value>(DOCUMENT).expect("JSON"));
    let known = |request: RequestBuilder| request.header("if-none-match", &described.headers["etag"]);
    assert_eq!(api.send(Method::GET, own, own, known).await.status, 304);
}

async fn streams(site: &Site, api: &Api<'_>) {
    // An event of a type that nobody knows, and an action of the owner.
    let unknown = UnknownEvent { id: "dance", target: 1, text: "" };
    let head = append_unknown(&site.database_url, "harbour", unknown).await;
    let epoch = api.get(ROOM, "/harbour/", JSON).await.json()["epoch"].as_str().expect("an epoch").to_owned();
    let mut all = Vec::new();
    for accept in [STREAM, LINES] {
        let answer = api.get(EVENTS, &format!("/harbour/events?after=0&epoch={epoch}&wait=0"), accept).await;
        let mut frames = answer.frames();
        if accept == STREAM {
            assert_eq!(frames.pop().expect("the end")["code"], 1000);
        }
        let numbers: Vec<i64> = frames.iter().filter_map(|frame| frame["seq"].as_i64()).collect();
        assert_eq!(numbers, (1..=head).collect::<Vec<_>>());
        all.push(frames);
    }
    assert_eq!(all[0], all[1]);
    let resumed =
        |request: RequestBuilder| request.header("accept", STREAM).header("last-event-id", (head - 1).to_string());
    let resumed =
        api.send(Method::GET, EVENTS, &format!("/harbour/events?after=0&epoch={epoch}&wait=0"), resumed).await;
    assert_eq!(resumed.frames()[0]["seq"], head);
    let text = api.get(EVENTS, "/harbour/events?after=0&wait=0", TEXT).await;
    assert!(text.body.contains("Ann: as JSON 0\n"), "{}", text.body);
    let reset = api.get(EVENTS, "/harbour/events?after=1&epoch=another&wait=0", LINES).await;
    assert_eq!(reset.frames()[0]["type"], "reset");
}

async fn refusals(api: &Api<'_>, guest: &Api<'_>) {
    let long = "x".repeat(4001);
    for (body, status) in [
        ((JSON, "{"), 400),
        ((JSON, "[1]"), 422),
        ((JSON, r#"{"message":7}"#), 422),
        ((JSON, r#"{"message":""}"#), 422),
        ((TEXT, long.as_str()), 413),
        (("image/png", "x"), 415),
        ((JSON, r#"{"message":"other","id":"id-0"}"#), 409),
    ] {
        api.is_refused(Method::POST, ROOM, "/harbour/", body, status).await;
    }
    for (body, status) in [
        ((JSON, "{"), 400),
        ((JSON, r#"{"message":true}"#), 422),
        ((TEXT, long.as_str()), 413),
        (("image/png", "x"), 415),
        ((JSON, r#"{"message":"other","id":"id-0"}"#), 409),
    ] {
        api.is_refused(Method::PATCH, MESSAGE, "/harbour/1", body, status).await;
    }
    let strange = Api { token: Some("plr_unknown"), ..*guest };
    let mut private = String::from("/secret~");
    private.push_str(&"a".repeat(26));
    for (method, path, address) in [
        (Method::GET, ROOM, "/"),
        (Method::POST, ROOM, "/"),
        (Method::GET, MESSAGE, "/1"),
        (Method::PATCH, MESSAGE, "/1"),
        (Method::DELETE, MESSAGE, "/1"),
        (Method::GET, EVENTS, "/events"),
    ] {
        strange
            .is_refused(method.clone(), path, &format!("/harbour{address}"), (JSON, r#"{"message":"x"}"#), 401)
            .await;
        guest.is_refused(method, path, &format!("{private}{address}"), (JSON, r#"{"message":"x"}"#), 404).await;
    }
    for (method, address) in
        [(Method::GET, "/harbour/999"), (Method::PATCH, "/harbour/999"), (Method::DELETE, "/harbour/999")]
    {
        api.is_refused(method, MESSAGE, address, (JSON, r#"{"message":"x"}"#), 404).await;
    }
    // Somebody else's message.
    guest.is_refused(Method::PATCH, MESSAGE, "/harbour/1", (JSON, r#"{"message":"x"}"#), 403).await;
    guest.is_refused(Method::DELETE, MESSAGE, "/harbour/1", (JSON, ""), 403).await;
    for address in ["/harbour/?before=x", "/harbour/?after=1&before=2", "/harbour/?limit=many"] {
        api.is_refused(Method::GET, ROOM, address, (TEXT, ""), 400).await;
    }
    api.is_refused(Method::GET, EVENTS, "/harbour/events?after=x", (TEXT, ""), 400).await;
    let foreign = |request: RequestBuilder| {
        request
            .header("origin", "https://elsewhere.example")
            .header("content-type", TEXT)
            .header("accept", JSON)
            .body("x")
    };
    assert_eq!(guest.send(Method::POST, ROOM, "/harbour/", foreign).await.status, 403);
}

async fn hooks_and_settings(site: &Site, guest: &Api<'_>) {
    const HOOK: &str = "/{room}/hooks/{key}";
    const SETTINGS: &str = "/{room}/settings";
    let (created, said) = site.command(&["hook", "create", "harbour", "Builds"]);
    assert!(created, "{said}");
    let address = said.split_whitespace().find(|word| word.contains("/harbour/hooks/")).expect("an address");
    let address = &address[address.find("/harbour").expect("a path")..];
    for body in [
        (TEXT, "it builds"),
        (
            JSON,
            r#"{"text":"<https://ci.example|Build 7> is <b>","attachments":[{"fallback":"passed"}],"icon":":tada:"}"#,
        ),
        (FORM, "payload=%7B%22text%22%3A%22it+builds%22%7D"),
    ] {
        assert_eq!(guest.put(Method::POST, HOOK, address, body, "*/*").await.body, "ok");
    }
    for (body, status) in [((JSON, "{"), 400), ((JSON, r#"{"text":7}"#), 422), (("image/png", "x"), 415)] {
        guest.is_refused(Method::POST, HOOK, address, body, status).await;
    }
    guest.is_refused(Method::POST, HOOK, &format!("{address}x"), (TEXT, "x"), 404).await;
    assert_eq!(guest.get(SETTINGS, "/harbour/settings", HTML).await.status, 200);
}

#[test]
fn the_description_is_sound() {
    let description = Description::new();
    let document = &description.document;
    assert_eq!(document["openapi"], "3.1.0");
    let mut references = Vec::new();
    fn walk<'a>(value: &'a Value, references: &mut Vec<&'a str>) {
        match value {
            Value::Object(object) => {
                references.extend(object.get("$ref").and_then(Value::as_str));
                object.values().for_each(|value| walk(value, references));
            }
            Value::Array(list) => list.iter().for_each(|value| walk(value, references)),
            _ => {}
        }
    }
    walk(document, &mut references);
    let mut used = BTreeSet::new();
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("a reference into the document");
        assert!(document.pointer(pointer).is_some(), "there is no {reference}");
        used.insert(pointer.to_owned());
    }
    for kind in ["schemas", "responses", "parameters"] {
        for (name, schema) in document["components"][kind].as_object().expect("components") {
            assert!(used.contains(&format!("/components/{kind}/{name}")), "{name} is used nowhere");
            if kind == "schemas" {
                description.check(&json!({}), schema, name);
                jsonschema::meta::validate(
                    &serde_json::from_str::<Value>(DOCUMENT).expect("JSON")["components"][kind][name],
                )
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
    }
    let mut ids = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in
            operations.as_object().expect("operations").iter().filter(|(name, _)| *name != "parameters")
        {
            assert!(ids.insert(operation["operationId"].to_string()), "{method} {path} has the id of another");
            let own = operation["parameters"].as_array().into_iter().flatten();
            let shared = operations["parameters"].as_array().into_iter().flatten();
            let named: BTreeSet<&str> = own
                .chain(shared)
                .map(|parameter| description.resolve(parameter))
                .filter(|parameter| parameter["in"] == "path")
                .map(|parameter| parameter["name"].as_str().expect("a name"))
                .collect();
            let in_path: BTreeSet<&str> =
                path.split('{').skip(1).map(|rest| rest.split('}').next().expect("it ends")).collect();
            assert_eq!(named, in_path, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_description_that_is_wrong_is_noticed() {
    let description = Description::new();
    let schema = json!({"$ref": "#/components/schemas/Event"});
    let event = json!({"type": "deleted", "seq": 3, "id": "x", "target": 1, "at": 5});
    description.check(&schema, &event, "an event");
    for (name, value) in
        [("seq", json!("3")), ("target", json!(null)), ("surprise", json!(1)), ("type", json!("edited"))]
    {
        let mut wrong = event.clone();
        wrong[name] = value;
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| description.check(&schema, &wrong, "")));
        assert!(checked.is_err(), "{wrong}");
    }
}
