//! `/.openapi.json` describes what the server answers: every request here is described there, and so is its answer,
//! with the media type, the headers and every field.

use crate::openapi_reactions::reactions_and_pins;
use crate::support::Site;
use crate::support::database::{UnknownEvent, append_unknown};
use crate::support::description::{Api, DOCUMENT, Description, FORM, HTML, JSON, LINES, STREAM, TEXT};
use crate::support::host::on_each_database;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

on_each_database!(every_answer_is_as_described);

const ROOM: &str = "/{room}/";
const MESSAGE: &str = "/{room}/{seq}";
const EVENTS: &str = "/{room}/events";
const NAMES: &str = "/{room}/names";
const QR_CODE: &str = "/{room}/qr";

async fn every_answer_is_as_described(site: Site) {
    let server = site.start();
    let description = Description::new();
    let (created, token) = site.command(&["token", "create", "describer"]);
    assert!(created, "{token}");
    let token = token.split_whitespace().find(|word| word.starts_with("plr_")).expect("a token").to_owned();
    let api = Api { description: &description, server: &server, token: Some(&token) };
    let guest = Api { token: None, ..api };

    posts_and_changes(&api, &guest).await;
    reactions_and_pins(&api, &guest).await;
    pages(&api).await;
    streams(&site, &api).await;
    refusals(&api, &guest).await;
    hooks(&site, &guest).await;
    settings(&api, &guest).await;

    let described = description.document["paths"].as_object().expect("paths");
    let seen = description.seen.borrow();
    let mut missing = Vec::new();
    for (path, operations) in described {
        for (method, operation) in
            operations.as_object().expect("operations").iter().filter(|(name, _)| *name != "parameters")
        {
            for status in operation["responses"].as_object().expect("responses").keys() {
                // A socket is no request of this client; the rest needs a server in trouble, or a limit.
                let is_tried = path != "/ws/{room}/"
                    && path != "/{room}/settings"
                    && !["308", "403", "408", "429", "503"].contains(&status.as_str());
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

    let body = json!({"message": "@ann and @describer", "reply_to": 1}).to_string();
    let reply = post((JSON, &body), JSON).await.json();
    assert_eq!((&reply["reply_to"], &reply["mentions"]), (&json!(1), &json!(["Ann", "describer"])));
    let names = api.get(NAMES, "/harbour/names?prefix=a", JSON).await;
    assert_eq!(names.json(), json!({"names": ["Ann"]}));
    assert!(api.get(QR_CODE, "/harbour/qr", "image/*").await.body.starts_with("<svg "));
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
    for (key, status) in [("id-0", 409), ("no id!", 422)] {
        let keyed = |it: RequestBuilder| it.header("accept", JSON).header("idempotency-key", key);
        assert_eq!(api.send(Method::DELETE, MESSAGE, "/harbour/1", keyed).await.status, status);
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
        (Method::GET, NAMES, "/names"),
        (Method::GET, QR_CODE, "/qr"),
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
    api.is_refused(Method::GET, NAMES, "/harbour/names?prefix=a&prefix=b", (TEXT, ""), 400).await;
    let foreign = |request: RequestBuilder| {
        request
            .header("origin", "https://elsewhere.example")
            .header("content-type", TEXT)
            .header("accept", JSON)
            .body("x")
    };
    assert_eq!(guest.send(Method::POST, ROOM, "/harbour/", foreign).await.status, 403);
}

async fn hooks(site: &Site, guest: &Api<'_>) {
    const HOOK: &str = "/{room}/hooks/{key}";
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
    let keyed = |body: &'static str| {
        move |it: RequestBuilder| it.header("content-type", TEXT).header("idempotency-key", "build-7").body(body)
    };
    assert_eq!(guest.send(Method::POST, HOOK, address, keyed("one")).await.body, "ok");
    assert_eq!(guest.send(Method::POST, HOOK, address, keyed("another")).await.status, 409);
    guest.is_refused(Method::POST, HOOK, address, (TEXT, &"x".repeat(300 << 10)), 413).await;
}

async fn settings(api: &Api<'_>, guest: &Api<'_>) {
    const SETTINGS: &str = "/{room}/settings";
    let private = format!("/secret~{}/settings", "a".repeat(26));
    assert_eq!(guest.get(SETTINGS, "/harbour/settings", HTML).await.status, 200);
    assert_eq!(guest.get(SETTINGS, &private, HTML).await.status, 404);
    for (client, address, form, status) in [
        (api, "/harbour/settings", "action=description&title=The+harbour", 303),
        (api, "/harbour/settings", "action=nothing", 422),
        (api, "/harbour/settings", "action=delete", 200),
        (guest, "/harbour/settings", "action=description&title=Mine", 403),
        (guest, private.as_str(), "action=description&title=Mine", 404),
    ] {
        assert_eq!(client.put(Method::POST, SETTINGS, address, (FORM, form), HTML).await.status, status, "{form}");
    }
}
