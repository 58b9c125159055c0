//! The name is remembered: a cookie that links fill in, and that only the visitor's own wish changes.

use crate::support::host::on_each_database;
use crate::support::http::{self, Answer};
use crate::support::{Database, Door, Server, Site};
use serde_json::{Value, json};

on_each_database!(
    a_link_fills_in_a_name_and_never_renames,
    the_front_form_renames,
    a_posted_name_is_remembered,
    the_function_remembers_a_name_that_is_free,
);

const ANN: &str = "parlour_username=Ann";

/// The name that the browser is to remember, if it is told one.
fn remembered(answer: &Answer) -> Option<&str> {
    let cookie = answer.cookies.iter().find(|cookie| cookie.starts_with("parlour_username="))?;
    let mut attributes: Vec<&str> = cookie.split("; ").skip(1).collect();
    attributes.sort_unstable();
    assert_eq!(attributes, ["HttpOnly", "Max-Age=31536000", "Path=/", "SameSite=Lax"], "{cookie}");
    cookie.split(['=', ';']).nth(1)
}

async fn a_link_fills_in_a_name_and_never_renames(site: Site) {
    let server = site.start();
    for path in ["/harbour/", "/harbour", "/harbour/1"] {
        let new = http::get(&server, &format!("{path}?username=Zo%C3%AB+Lee")).await;
        assert_eq!(remembered(&new), Some("Zo%C3%AB%20Lee"), "{path}");
        assert!(new.body.contains("Zoë Lee"), "the page knows the name at once: {}", new.body);
        let again = http::get_as(&server, path, "parlour_username=Zo%C3%AB%20Lee").await;
        assert!(again.body.contains("Zoë Lee"), "{}", again.body);
        let link = http::get_as(&server, &format!("{path}?username=Bob"), ANN).await;
        assert_eq!(remembered(&link), None, "{path}");
        assert!(link.body.contains("Ann") && !link.body.contains("Bob"), "{}", link.body);
    }
    for nobody in ["", "%20", "a%E2%80%AEb", &"x".repeat(33)] {
        let answer = http::get(&server, &format!("/harbour/?username={nobody}")).await;
        assert_eq!((answer.status.as_u16(), remembered(&answer)), (200, None), "{nobody:?}");
    }
    // A cookie that holds no name is none.
    for cookie in ["parlour_username=", "parlour_username=a%E2%80%AEb", "parlour_username=%FF"] {
        assert_eq!(remembered(&http::get_as(&server, "/harbour/?username=Bob", cookie).await), Some("Bob"), "{cookie}");
    }
    assert_eq!(remembered(&http::get_as(&server, "/a%2Fb/?username=Bob", "x=y").await), None, "no room, no name");
}

async fn the_front_form_renames(site: Site) {
    let server = site.start();
    let sent = async |from: Option<&str>, cookie: &str, query: &str| {
        let request = http::browser().get(server.url(&format!("/?{query}"))).header("cookie", cookie);
        http::send(from.into_iter().fold(request, |request, site| request.header("sec-fetch-site", site))).await
    };
    let form = "username=Bob&room_name=harbour";
    for own in [None, Some("same-origin"), Some("none")] {
        assert_eq!(remembered(&sent(own, ANN, form).await), Some("Bob"), "{own:?}");
    }
    for foreign in ["cross-site", "same-site"] {
        assert_eq!(remembered(&sent(Some(foreign), ANN, form).await), None, "{foreign}");
        assert_eq!(remembered(&sent(Some(foreign), "x=y", form).await), Some("Bob"), "{foreign}");
    }
    for query in ["username=&room_name=harbour", "username=a%E2%80%AEb&room_name=harbour", "username=Bob"] {
        assert_eq!(remembered(&sent(None, ANN, query).await), None, "{query}");
    }
}

async fn a_posted_name_is_remembered(site: Site) {
    let server = site.start();
    let post = async |form: &[(&str, &str)]| {
        http::send(http::browser().post(server.url("/harbour/")).header("cookie", ANN).form(form)).await
    };
    assert_eq!(remembered(&post(&[("username", " Bob "), ("message", "x")]).await), Some("Bob"));
    assert_eq!(remembered(&post(&[("message", "x")]).await), None);
    for form in [[("username", "a\u{202e}b"), ("message", "x")], [("username", "Bob"), ("message", " ")]] {
        let answer = post(&form).await;
        assert_eq!((answer.status.as_u16(), remembered(&answer)), (422, None), "{form:?}");
    }
}

async fn join_room(server: &Server, cookie: &str, username: &str) -> (Answer, Value) {
    let request = http::browser().post(server.url("/api/join_room")).header("cookie", cookie);
    let request = request.header("origin", server.origin()).header("accept", "application/json");
    let answer = http::send(request.form(&[("room_name", "harbour"), ("username", username)])).await;
    let said = serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error}: {}", answer.body));
    (answer, said)
}

async fn the_function_remembers_a_name_that_is_free(site: Site) {
    let server = site.start();
    let (marta, eve) = (http::identity(&server).await, http::identity(&server).await);
    let (answer, said) = join_room(&server, &marta, " Marta  Lee ").await;
    assert_eq!((answer.status.as_u16(), remembered(&answer), said), (200, Some("Marta%20Lee"), json!("Marta Lee")));
    // Asking is not using: the name is free until something is said under it.
    assert_eq!(remembered(&join_room(&server, &eve, "Marta Lee").await.0), Some("Marta%20Lee"));
    Door::of("harbour").identity(&marta, &server).username("Marta%20Lee").join(&server).await.say("1", "x").await;
    for other in [eve.as_str(), "x=y"] {
        let (answer, said) = join_room(&server, other, "marta lee").await;
        assert_eq!(remembered(&answer), None);
        assert_eq!(answer.status, 409);
        assert_eq!(said, json!({"Refused": "marta lee is in use in this room. marta lee-2 is free."}));
    }
    let both = format!("{marta}; parlour_username=Bob");
    assert_eq!(remembered(&join_room(&server, &both, "Marta Lee").await.0), Some("Marta%20Lee"));
    let (answer, said) = join_room(&server, &marta, "a\u{202e}b").await;
    let reason = "This name holds a character that names do not have.";
    assert_eq!((answer.status.as_u16(), remembered(&answer), said), (422, None, json!({"Refused": reason})));
}

#[tokio::test]
async fn pages_of_other_sites_cannot_rename_by_the_function() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    let request = http::browser().post(server.url("/api/join_room")).header("sec-fetch-site", "cross-site");
    let answer = http::send(request.form(&[("room_name", "harbour"), ("username", "Bob")])).await;
    assert_eq!((answer.status.as_u16(), remembered(&answer)), (403, None));
}
