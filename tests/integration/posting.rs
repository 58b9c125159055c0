//! Writing by HTTP: text, JSON, forms and `curl -d`; edits and deletions; ids.

use crate::support::api::{JsonBody, curl, post_as, post_json, request, send};
use crate::support::host::on_each_database;
use crate::support::{Client, Site, database, http};
use serde_json::json;

on_each_database!(
    a_text_is_posted_and_answered_by_its_event,
    a_bare_curl_posts_its_body_verbatim,
    a_repeated_id_is_one_message,
    a_message_is_edited_and_deleted_by_its_author,
);

const TEXT: &str = "text/plain";

async fn texts(site: &Site, room: &str) -> Vec<String> {
    let rows = database::messages(&site.database_url, room).await;
    rows.iter().map(|row| row["message"].as_str().expect("a text").to_owned()).collect()
}

async fn a_text_is_posted_and_answered_by_its_event(site: Site) {
    let server = site.start();
    let mut bob = Client::join(&server, "harbour").await;
    let posted = post_as(&server, "/harbour/", TEXT, "hello\r\nthere ").await;
    assert_eq!((posted.status, posted.header("location")), (201, "/harbour/1"));
    assert_eq!(posted.header("content-type"), "application/json");
    assert_eq!(posted.header("set-cookie"), "");
    assert_eq!(posted.json(), bob.expect_message("hello\nthere").await, "the socket's frame");
    let body = json!({"message": "é", "username": "Zoë", "id": "j-1", "unknown": [1, {"a": null}]});
    let posted = post_json(&server, "/harbour", &body).await;
    assert_eq!((posted.status, posted.header("location")), (201, "/harbour/2"));
    let frame = bob.expect_message("é").await;
    assert_eq!((&frame["username"], &frame["id"]), (&"Zoë".into(), &"j-1".into()));
    assert_eq!(posted.json(), frame);
    let as_text = request(&server, "POST", "/harbour/").header("accept", "text/plain").json(&json!({"text": "x"}));
    let posted = send(as_text).await;
    assert_eq!((posted.status, posted.text.as_str(), posted.header("location")), (201, "3\n", "/harbour/3"));
    assert!(posted.header("content-type").starts_with("text/plain"));
    let form = request(&server, "POST", "/harbour/").form(&[("message", "of a form")]);
    let posted = send(form.header("accept", "application/json")).await;
    assert_eq!((posted.status, &posted.json()["message"]), (201, &"of a form".into()));
    assert_eq!(posted.header("set-cookie"), "");
    let posted = post_json(&server, "/caf%C3%A9/", &json!({"content": "un noir"})).await;
    assert_eq!((posted.status, posted.header("location")), (201, "/caf%C3%A9/1"));
}

async fn a_bare_curl_posts_its_body_verbatim(site: Site) {
    let server = site.start();
    let said = ["hello there", "a=b, 100%", "message", "1+1=2 & more", "%zz", "{\"message\": 1}", "x&message"];
    for text in said {
        let posted = curl(&server, "/harbour/", text).await;
        assert_eq!((posted.status, &posted.json()["message"]), (201, &text.into()), "{text}");
        assert_eq!(posted.header("set-cookie"), "", "{text}");
    }
    assert_eq!(texts(&site, "harbour").await, said);
    for empty in ["", "message=", " ", "message=+"] {
        let refused = send(
            request(&server, "POST", "/harbour/")
                .header("accept", "application/json")
                .header("content-type", "application/x-www-form-urlencoded")
                .body(empty),
        );
        let refused = refused.await;
        assert_eq!((refused.status, refused.code()), (422, "empty".into()), "{empty:?}");
    }
    assert_eq!(curl(&server, "/harbour/", "").await.code(), "empty");
    assert_eq!(curl(&server, "/harbour/", "x".repeat(4001)).await.code(), "too_long");
    let form = curl(&server, "/harbour/", "message=from+a+form").await;
    assert_eq!((form.status, form.header("location")), (303, "/harbour/"));
    // A browser's form without the field is a mistake, not a text.
    for page in [("origin", server.origin()), ("sec-fetch-site", "same-origin".into()), ("cookie", "a=b".into())] {
        let form = request(&server, "POST", "/harbour/").header(page.0, page.1).form(&[("other", "x")]);
        assert_eq!(send(form).await.status, 422, "{}", page.0);
    }
    assert_eq!(texts(&site, "harbour").await.len(), said.len() + 1);
}

async fn a_repeated_id_is_one_message(site: Site) {
    let server = site.start();
    let keyed = async |key: &str, text: &str| {
        let post = request(&server, "POST", "/harbour/").header("content-type", TEXT);
        send(post.header("idempotency-key", key).body(text.to_owned())).await
    };
    let (first, again) = (keyed("\"backup-7\"", "done").await, keyed("backup-7", "done").await);
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!((first.json(), first.header("location")), (again.json(), again.header("location")));
    assert_eq!(first.json()["id"], "backup-7");
    assert_eq!(
        (keyed("backup-7", "failed").await.code(), keyed("a b", "done").await.code()),
        ("id_conflict".into(), "invalid".into())
    );
    let body = json!({"message": "by its body", "id": "of-body"});
    let both = request(&server, "POST", "/harbour/").header("idempotency-key", "of-header").json(&body);
    assert_eq!(send(both).await.json()["id"], "of-body", "the body is stronger");
    // Sent at the same time, by several clients of the network.
    let (one, two) = tokio::join!(keyed("race", "once"), keyed("race", "once"));
    assert_eq!((one.status, one.json()), (201, two.json()));
    for _ in 0..2 {
        let form = [("message", "a double click"), ("id", "form-1")];
        assert_eq!(http::post_form(&server, "/harbour/", &form).await.status, 303);
    }
    assert_eq!(texts(&site, "harbour").await, ["done", "by its body", "once", "a double click"]);
    // After ten minutes, the id may be another guest's.
    database::execute(&site.database_url, "UPDATE events SET at = at - 600001").await;
    let later = keyed("backup-7", "done").await;
    assert_eq!((later.status, &later.json()["seq"]), (201, &5.into()));
    // An identity's ids are its own, and good for ever.
    let cookie = http::identity(&server).await;
    let mine =
        request(&server, "POST", "/harbour/").header("cookie", &cookie).json(&json!({"message": "done", "id": "race"}));
    assert_eq!(send(mine).await.json()["seq"], 6);
}

async fn a_message_is_edited_and_deleted_by_its_author(site: Site) {
    let server = site.start();
    let [ann, eve] = [http::identity(&server).await, http::identity(&server).await];
    let say = async |cookie: &str, text: &str| {
        send(request(&server, "POST", "/harbour/").header("cookie", cookie).json(&json!({"message": text}))).await
    };
    let change = async |cookie: &str, method: &str, path: &str, key: &str| {
        let change = request(&server, method, path).header("cookie", cookie).header("idempotency-key", key);
        let change = if method == "PATCH" { change.json(&json!({"message": "better"})) } else { change };
        send(change).await
    };
    for (cookie, text) in [(&ann, "mine"), (&eve, "hers"), (&eve, "hers, too")] {
        assert_eq!(say(cookie, text).await.status, 201);
    }
    let mut bob = Client::join(&server, "harbour").await;
    let edited = change(&eve, "PATCH", "/harbour/2", "e-1").await;
    let frame = bob.expect("edited").await;
    assert_eq!((edited.status, edited.json()), (200, frame.clone()));
    assert_eq!((&frame["target"], &frame["text"], &frame["id"]), (&2.into(), &"better".into(), &"e-1".into()));
    assert_eq!(change(&eve, "PATCH", "/harbour/2", "e-1").await.json(), frame, "the same edit");
    // The owner deletes what others wrote, and edits only their own messages.
    assert_eq!((change(&ann, "PATCH", "/harbour/2", "x").await.code()), "forbidden");
    let deleted = change(&ann, "DELETE", "/harbour/2", "d-1").await;
    assert_eq!(
        (deleted.status, &deleted.json()["type"], &deleted.json()["target"]),
        (200, &"deleted".into(), &2.into())
    );
    assert_eq!(change(&ann, "DELETE", "/harbour/2", "d-1").await.json(), deleted.json());
    for (cookie, method, path, status, code) in [
        (&ann, "DELETE", "/harbour/2", 404, "not_found"),
        (&ann, "PATCH", "/harbour/2", 404, "not_found"),
        (&ann, "DELETE", "/harbour/4", 404, "not_found"),
        (&ann, "DELETE", "/harbour/99", 404, "not_found"),
        (&ann, "DELETE", "/harbour/0", 404, "not_found"),
        (&ann, "PATCH", "/harbour/x", 404, "not_found"),
        (&ann, "PATCH", "/nowhere/1", 404, "not_found"),
        (&ann, "DELETE", "/nowhere/1", 404, "not_found"),
        (&eve, "DELETE", "/harbour/1", 403, "forbidden"),
        (&eve, "PATCH", "/harbour/1", 403, "forbidden"),
        (&String::new(), "DELETE", "/harbour/1", 403, "forbidden"),
    ] {
        let refused = change(cookie, method, path, "k-1").await;
        assert_eq!((refused.status, refused.code()), (status, code.into()), "{method} {path}");
    }
    let foreign =
        request(&server, "DELETE", "/harbour/1").header("cookie", &ann).header("origin", "http://evil.example");
    assert_eq!(send(foreign).await.code(), "forbidden");
    let as_text = request(&server, "DELETE", "/harbour/3").header("cookie", &eve).header("accept", "text/plain");
    assert_eq!(send(as_text).await.text, "6\n");
    let kept = texts(&site, "harbour").await;
    assert_eq!(kept.iter().filter(|text| !text.is_empty()).collect::<Vec<_>>(), ["mine"]);
}
