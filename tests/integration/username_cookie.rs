//! The name is remembered in a cookie. Links can fill it in, but only the visitor's own request changes it.

use crate::support::host::on_each_database;
use crate::support::http::{self, Answer};
use crate::support::{Database, Door, Server, Site};
use serde_json::{Value, json};

on_each_database!(
    a_link_fills_in_a_name_and_never_renames,
    the_front_form_renames,
    no_way_from_another_site_renames,
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

/// The hidden field of forms, as `cookie` is shown it. Front pages of earlier releases had it, too.
async fn token(server: &Server, cookie: &str) -> String {
    let page = http::get_as(server, "/harbour/settings", cookie).await.body;
    let field = page.split("<input").find(|field| field.contains("name=\"token\"")).expect("a hidden field");
    let value = field.split("value=\"").nth(1).and_then(|rest| rest.split('"').next());
    value.expect("a value").to_owned()
}

/// Where a request comes from, as browsers say it: header lines.
type From<'a> = Vec<(&'static str, &'a str)>;

async fn the_front_form_renames(site: Site) {
    let server = site.start();
    let ann = format!("{}; {ANN}", http::identity(&server).await);
    let proof = token(&server, &ann).await;
    let sent = async |from: From<'_>, query: &str| {
        let request = http::browser().get(server.url(&format!("/?{query}"))).header("cookie", &ann);
        http::send(from.into_iter().fold(request, |request, (name, value)| request.header(name, value))).await
    };
    // The front page posts its form, which only pages of the site can do.
    let posted = async |site: &str| {
        let request = http::browser().post(server.url("/")).header("cookie", &ann).header("sec-fetch-site", site);
        http::send(request.form(&[("kind", "public"), ("username", "Bob"), ("room_name", "harbour")])).await
    };
    let answer = posted("same-origin").await;
    assert_eq!((answer.status.as_u16(), remembered(&answer)), (303, Some("Bob")));
    assert_eq!(answer.location.as_deref(), Some("/harbour/?username=Bob"));
    let foreign = posted("cross-site").await;
    assert_eq!((foreign.status.as_u16(), remembered(&foreign)), (403, None));
    let form = "username=Bob&room_name=harbour";
    let with_token = format!("{form}&token={proof}");
    let front = server.url("/");
    let own: [From<'_>; 4] = [
        vec![],
        vec![("referer", &front)],
        vec![("sec-fetch-site", "same-origin")],
        vec![("sec-fetch-site", "same-origin"), ("referer", &front)],
    ];
    for from in own {
        let answer = sent(from.clone(), &with_token).await;
        assert_eq!((answer.status.as_u16(), remembered(&answer)), (303, Some("Bob")), "{from:?}");
        assert_eq!(answer.location.as_deref(), Some("/harbour/?username=Bob"), "the token is in no further address");
    }
    // A page that was loaded from an earlier release has no token, and browsers say which page it was.
    assert_eq!(remembered(&sent(vec![("referer", &front)], form).await), Some("Bob"));
    for query in ["username=&room_name=harbour", "username=a%E2%80%AEb&room_name=harbour", "username=Bob"] {
        assert_eq!(remembered(&sent(vec![], &format!("{query}&token={proof}")).await), None, "{query}");
    }
    // Another site may have seen a token of its own.
    let eve = token(&server, &http::identity(&server).await).await;
    for token in [eve.as_str(), "", "x", &proof[1..]] {
        assert_eq!(remembered(&sent(vec![], &format!("{form}&token={token}")).await), None, "{token}");
    }
    for elsewhere in ["cross-site", "same-site", "none"] {
        assert_eq!(remembered(&sent(vec![("sec-fetch-site", elsewhere)], &with_token).await), None, "{elsewhere}");
    }
}

/// Ways in which a link, a form, a frame or a redirect of another site reaches a site that is served by plain http:
/// browsers then send no `Sec-Fetch-Site`, and often no `Referer`.
async fn no_way_from_another_site_renames(site: Site) {
    let server = site.start();
    let ann = format!("{}; {ANN}", http::identity(&server).await);
    let (evil, room, own) = ("http://evil.example/", server.url("/harbour/"), server.url("/"));
    let (longer, other_port) = (format!("{}.evil.example/", server.origin()), "http://127.0.0.1:1/");
    let in_path = format!("http://evil.example/{own}");
    let with_user = own.replace("http://", "http://evil@");
    let ways: Vec<From<'_>> = vec![
        vec![],
        vec![("referer", evil)],
        vec![("referer", "http://evil.example")],
        vec![("referer", "https://evil.example/?http://127.0.0.1/")],
        vec![("referer", &longer)],
        vec![("referer", other_port)],
        vec![("referer", &in_path)],
        vec![("referer", &with_user)],
        vec![("referer", &room)],
        vec![("referer", "")],
        vec![("referer", "null")],
        vec![("referer", "about:blank")],
        vec![("origin", "null")],
        vec![("origin", "http://evil.example")],
        vec![("origin", "null"), ("referer", evil)],
        vec![("upgrade-insecure-requests", "1")],
        vec![("upgrade-insecure-requests", "1"), ("referer", evil)],
        vec![("sec-purpose", "prefetch")],
        vec![("purpose", "prefetch"), ("referer", evil)],
        vec![("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "same-site")],
        vec![("sec-fetch-site", "none")],
        vec![("sec-fetch-site", "cross-site"), ("referer", &own)],
        vec![("sec-fetch-site", "same-origin"), ("referer", evil)],
        vec![("sec-fetch-site", "same-origin"), ("referer", &room)],
        vec![("sec-fetch-site", "same-origin")],
        vec![("sec-fetch-site", "")],
        vec![("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")],
        vec![("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")],
        vec![("sec-fetch-site", "cross-site"), ("sec-fetch-user", "?1")],
    ];
    assert_eq!(ways.len(), 30);
    for from in &ways {
        for path in ["/?username=Bob&room_name=harbour", "/harbour/?username=Bob", "/harbour/1?username=Bob"] {
            for method in [reqwest::Method::GET, reqwest::Method::HEAD] {
                let ask = |cookie: &str| {
                    let request = http::browser().request(method.clone(), server.url(path)).header("cookie", cookie);
                    http::send(from.iter().fold(request, |request, (name, value)| request.header(*name, *value)))
                };
                assert_eq!(remembered(&ask(&ann).await), None, "{method} {path} {from:?}");
                assert_eq!(remembered(&ask("x=y").await), Some("Bob"), "{method} {path} {from:?}: nobody is renamed");
            }
        }
        // A form that is posted: browsers send `Origin` with it, or `Referer`.
        let from_elsewhere = from.iter().any(|(name, value)| {
            (*name == "referer" && *value != own && *value != room) || *name == "origin" || *value == "cross-site"
        });
        if from_elsewhere {
            for path in ["/", "/harbour/", "/api/join_room"] {
                let post = http::browser().post(server.url(path)).header("cookie", &ann);
                let post = from.iter().fold(post, |request, (name, value)| request.header(*name, *value));
                let form = [("username", "Bob"), ("room_name", "harbour"), ("message", "x")];
                let answer = http::send(post.form(&form)).await;
                let own_site = from.contains(&("sec-fetch-site", "same-origin"));
                assert!(own_site || answer.status == 403 && remembered(&answer).is_none(), "POST {path} {from:?}");
            }
        }
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
    let reason = "This name has a character that isn’t allowed.";
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
