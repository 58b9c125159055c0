//! The addresses of reactions and pins, as `/.openapi.json` describes them.

use crate::support::description::{Api, FORM, HTML, JSON};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

const REACT: &str = "/{room}/{seq}/react";
const REACTIONS: &str = "/{room}/{seq}/reactions";
const PIN: &str = "/{room}/{seq}/pin";
const PINS: &str = "/{room}/pins";

/// Asks for everything that the description has of them. `api` owns the room, whose message 1 is there.
pub async fn reactions_and_pins(api: &Api<'_>, guest: &Api<'_>) {
    for (path, address, body) in [
        (REACT, "/harbour/1/react", r#"{"emoji":"👍","on":true,"id":"ID"}"#),
        (PIN, "/harbour/1/pin", r#"{"on":true,"id":"ID"}"#),
    ] {
        let post = async |body: &str| api.put(Method::POST, path, address, (JSON, body), JSON).await;
        let id = path.rsplit('/').next().expect("a segment");
        let first = post(&body.replace("ID", id)).await;
        assert_eq!((first.status, &first.json()["target"]), (200, &json!(1)));
        let again = post(&body.replace("ID", &format!("{id}-again"))).await;
        assert_eq!((&again.json()["repeated"], &again.json()["seq"]), (&json!(true), &first.json()["seq"]));
        let form = (FORM, if path == REACT { "emoji=%F0%9F%8E%89&on=false" } else { "on=false" });
        assert_eq!(api.put(Method::POST, path, address, form, HTML).await.status, 303);
        assert_eq!(post(body).await.status, 200);
        assert_eq!(post(&body.replace("true", "false").replace("ID", id)).await.status, 409);
        let long = format!("emoji={}", "x".repeat(5000));
        for (body, status) in
            [((JSON, "{"), 400), ((JSON, "[]"), 422), (("image/png", "x"), 415), ((FORM, long.as_str()), 413)]
        {
            api.is_refused(Method::POST, path, address, body, status).await;
        }
        api.is_refused(Method::POST, path, &address.replace('1', "999"), (JSON, r#"{"emoji":"👍","on":true}"#), 404)
            .await;
        guest.is_refused(Method::POST, path, address, (JSON, r#"{"emoji":"👍","on":true}"#), 403).await;
    }
    assert_eq!(api.get(REACT, "/harbour/1/react", HTML).await.status, 200);
    let who = api.get(REACTIONS, "/harbour/1/reactions", JSON).await;
    assert_eq!((who.status, &who.json()["reactions"][0]["count"]), (200, &json!(1)));
    assert_eq!(api.get(PINS, "/harbour/pins", JSON).await.json()["messages"][0]["seq"], 1);
    assert_eq!(api.get(PINS, "/harbour/pins", HTML).await.status, 200);
    let message = api.get("/{room}/{seq}", "/harbour/1", JSON).await.json();
    assert_eq!((&message["reactions"][0]["emoji"], &message["pinned"]), (&json!("👍"), &json!(true)));
    let strange = Api { token: Some("plr_unknown"), ..*guest };
    let private = format!("/secret~{}", "a".repeat(26));
    for (method, path, address) in [
        (Method::GET, REACT, "/1/react"),
        (Method::POST, REACT, "/1/react"),
        (Method::GET, REACTIONS, "/1/reactions"),
        (Method::POST, PIN, "/1/pin"),
        (Method::GET, PINS, "/pins"),
    ] {
        let body = (JSON, r#"{"emoji":"👍"}"#);
        strange.is_refused(method.clone(), path, &format!("/harbour{address}"), body, 401).await;
        guest.is_refused(method, path, &format!("{private}{address}"), body, 404).await;
    }
    let keyed = |request: RequestBuilder| {
        request.header("accept", JSON).header("content-type", FORM).body("emoji=%F0%9F%91%80")
    };
    assert_eq!(api.send(Method::POST, REACT, "/harbour/1/react", keyed).await.json()["on"], true);
}
