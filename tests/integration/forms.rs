//! The room without scripts: forms redirect correctly, and lose no input.

use crate::support::host::on_each_database;
use crate::support::page::Page;
use crate::support::{Client, Database, Site, database, http};

on_each_database!(
    the_front_form_leads_into_the_room,
    a_message_is_posted_by_a_form,
    a_form_sent_twice_posts_once,
    a_refused_form_comes_back_with_its_text,
    the_page_of_a_message_edits_and_removes_it,
    the_invitation_of_a_room_has_a_qr_code,
    a_reply_to_no_number_brings_the_text_back,
);

async fn the_front_form_leads_into_the_room(site: Site) {
    let server = site.start();
    for (path, location) in [
        ("/?username=Ann&room_name=Book%20club", "/book-club/?username=Ann"),
        ("/?username=Ann+Lee&room_name=++Book+++club+", "/book-club/?username=Ann%20Lee"),
        ("/?username=&room_name=harbour", "/harbour/"),
        ("/?room_name=Caf%C3%A9", "/caf%C3%A9/"),
        ("/?username=%26%3D%23&room_name=harbour", "/harbour/?username=%26%3D%23"),
    ] {
        let answer = http::get(&server, path).await;
        assert_eq!((answer.status.as_u16(), answer.location.as_deref()), (303, Some(location)), "{path}");
    }
    let front = http::get(&server, "/").await;
    assert_eq!(front.status, 200);
    assert!(front.body.contains(r#"name="username""#) && front.body.contains(r#"name="room_name""#), "{}", front.body);
    for room in ["", "a%2Fb", "ws", ".x"] {
        let answer = http::get(&server, &format!("/?username=Ann&room_name={room}")).await;
        assert_eq!(answer.status, 422, "{room:?}");
        assert!(answer.body.contains(r#"name="room_name""#), "the form is there again: {}", answer.body);
    }
    assert_eq!(database::room_names(&site.database_url).await, Vec::<String>::new());
}

async fn a_message_is_posted_by_a_form(site: Site) {
    let server = site.start();
    let mut bob = Client::join(&server, "harbour").await;
    let form = [("username", "Ann Lee"), ("message", "one\r\ntwo & <three>"), ("id", "form-1")];
    let answer = http::post_form(&server, "/harbour/", &form).await;
    assert_eq!((answer.status.as_u16(), answer.location.as_deref()), (303, Some("/harbour/")));
    let heard = bob.expect_message("one\ntwo & <three>").await;
    assert_eq!((&heard["username"], &heard["id"]), (&"Ann Lee".into(), &"form-1".into()));
    let answer = http::post_form(&server, "/harbour", &[("message", "no name")]).await;
    assert_eq!((answer.status.as_u16(), answer.location.as_deref()), (303, Some("/harbour/")));
    assert_eq!(bob.expect_message("no name").await["username"], "Anonymous");
    assert!(Page::of(&server, "harbour").await.shows(1, "two & <three>"));
}

async fn a_form_sent_twice_posts_once(site: Site) {
    let server = site.start();
    let cookie = http::identity(&server).await;
    for _ in 0..2 {
        let request = http::browser().post(server.url("/harbour/")).header("cookie", &cookie);
        let answer = http::send(request.form(&[("message", "hello"), ("id", "once")])).await;
        assert_eq!(answer.status, 303);
    }
    let request = http::browser().post(server.url("/harbour/")).header("cookie", &cookie);
    let answer = http::send(request.form(&[("message", "something else"), ("id", "once")])).await;
    assert_eq!(answer.status, 409);
    assert!(answer.body.contains("something else"), "{}", answer.body);
    assert_eq!(database::messages(&site.database_url, "harbour").await.len(), 1);
}

async fn a_refused_form_comes_back_with_its_text(site: Site) {
    let server = site.start();
    let long = format!("{} & <end>", "y".repeat(4000));
    for (form, detail) in [
        (vec![("username", "Ann"), ("message", long.as_str())], "Up to 4000"),
        (vec![("username", "a\u{202e}b"), ("message", "kept & <kept>")], "character"),
        (vec![("username", "Ann"), ("message", "kept & <kept>"), ("id", "not an id")], "id"),
        (vec![("username", "Ann"), ("message", "   ")], "Write something"),
    ] {
        let answer = http::post_form(&server, "/harbour/", &form).await;
        assert!(answer.status.is_client_error(), "{form:?}: {}", answer.status);
        assert!(answer.body.contains(detail), "the page says why ({detail}): {}", answer.body);
        let typed = form[1].1.trim().replace('&', "&amp;").replace('<', "&lt;");
        let closing = typed.replace('>', "&gt;");
        assert!(answer.body.contains(&typed) || answer.body.contains(&closing), "the text is there: {}", answer.body);
    }
    assert_eq!(database::messages(&site.database_url, "harbour").await, Vec::<serde_json::Value>::new());
}

#[tokio::test]
async fn a_refused_form_gives_a_name_back_that_is_new() {
    let server = Site::new(Database::Sqlite).await.start();
    let cookie = format!("{}; parlour_username=Ann", http::identity(&server).await);
    for (name, given_back) in [("Ann", false), (" Ann ", false), ("", false), ("Bob", true), ("a\u{202e}b", true)] {
        let request = http::browser().post(server.url("/harbour/")).header("cookie", &cookie);
        let answer = http::send(request.form(&[("username", name), ("message", "   ")])).await;
        assert_eq!(answer.status, 422);
        let mut fields = answer.body.split("<input").map(|rest| rest.split('>').next().unwrap_or_default());
        let field = fields.find(|field| field.contains("composer-name")).expect("a field for the name");
        assert_eq!(field.contains("type=\"text\""), given_back, "{name:?}: {field}");
    }
}

#[tokio::test]
async fn pages_of_other_sites_cannot_post() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    for foreign in ["http://evil.example", "null"] {
        let request = http::browser().post(server.url("/harbour/")).header("origin", foreign);
        assert_eq!(http::send(request.form(&[("message", "hello")])).await.status, 403);
    }
    let request = http::browser().post(server.url("/harbour/")).header("origin", server.origin());
    assert_eq!(http::send(request.form(&[("message", "hello")])).await.status, 303);
}

#[tokio::test]
async fn a_form_that_is_too_large_is_refused() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    let answer = http::post_form(&server, "/harbour/", &[("message", &"x".repeat(100_000))]).await;
    assert_eq!(answer.status, 413);
    let longest = "😀".repeat(4000);
    let answer = http::post_form(&server, "/harbour/", &[("message", &longest)]).await;
    assert_eq!(answer.status, 303, "percent-encoded, the longest message still fits");
}

async fn the_page_of_a_message_edits_and_removes_it(site: Site) {
    let server = site.start();
    let (ann, ben) = (http::identity(&server).await, http::identity(&server).await);
    let send = async |path: &str, cookie: &str, form: &[(&str, &str)]| {
        http::send(http::browser().post(server.url(path)).header("cookie", cookie).form(form)).await
    };
    for (cookie, text) in [(&ann, "welcome"), (&ben, "first <thoghts>")] {
        assert_eq!(send("/harbour/", cookie, &[("message", text)]).await.status, 303);
    }
    let mut reader = Client::join(&server, "harbour").await;
    let may_remove =
        async |path: &str, cookie: &str| http::get_as(&server, path, cookie).await.body.contains(r#"name="remove""#);
    // Ann owns the room: she spoke first.
    for (path, cookie, shown) in [
        ("/harbour/2", &ben, true),
        ("/harbour/2", &ann, true),
        ("/harbour/1", &ann, true),
        ("/harbour/1", &ben, false),
        ("/harbour/", &ben, false),
        ("/harbour/9", &ann, false),
    ] {
        assert_eq!(may_remove(path, cookie).await, shown, "{path}");
    }
    let page = http::get_as(&server, "/harbour/2", &ben).await.body;
    assert!(page.contains("\nfirst &lt;thoghts></textarea>"), "{page}");
    let page = http::get_as(&server, "/harbour/2", &ann).await.body;
    assert!(!page.contains("Text of this message"), "nobody edits the messages of others");

    let answer = send("/harbour/2", &ben, &[("message", "first\r\nthoughts")]).await;
    assert_eq!((answer.status.as_u16(), answer.location.as_deref()), (303, Some("/harbour/2")));
    assert_eq!(reader.expect("edited").await["text"], "first\nthoughts");
    for (path, cookie, form, status) in [
        ("/harbour/1", &ben, [("message", "mine")], 403),
        ("/harbour/1", &ben, [("remove", "yes")], 403),
        ("/harbour/2", &ann, [("message", "mine")], 403),
        ("/harbour/9", &ben, [("message", "nothing")], 404),
        ("/harbour/2", &ben, [("message", " ")], 422),
        ("/harbour/2", &ben, [("else", "yes")], 422),
    ] {
        assert_eq!(send(path, cookie, &form).await.status.as_u16(), status, "{path} {form:?}");
    }
    // What was typed comes back with the reason, in the form that it was typed into.
    let long = format!("{} & <end>", "y".repeat(4000));
    let refused = send("/harbour/2", &ben, &[("message", &long)]).await;
    assert_eq!(refused.status, 413);
    assert!(refused.body.contains("y &amp; &lt;end></textarea>") && refused.body.contains("Up to 4000"));
    assert!(refused.body.contains("message-form") && !refused.body.contains(r#""message":"y"#), "{}", refused.body);
    let raw = async |content_type: &str, origin: Option<&str>, body: &[u8]| {
        let request = http::browser().post(server.url("/harbour/2")).header("cookie", &ben);
        let request = request.header("content-type", content_type.to_owned()).body(body.to_vec());
        let request = origin.map_or(request.try_clone().expect("bytes"), |origin| request.header("origin", origin));
        http::send(request).await.status.as_u16()
    };
    let form = "application/x-www-form-urlencoded";
    for (content_type, body, status) in [
        (form, b"message=%ff%fe".as_slice(), 400),
        (form, b"message=\xff", 400),
        (form, b"message=a&message=b", 422),
        ("text/plain", b"text", 415),
    ] {
        assert_eq!(raw(content_type, None, body).await, status, "{content_type} {body:?}");
        // Pages of other sites change nothing, and learn nothing.
        assert_eq!(raw(content_type, Some("https://evil.example"), body).await, 403, "{content_type} {body:?}");
    }
    assert_eq!(raw(form, Some("https://evil.example"), b"remove=yes").await, 403);
    assert!(http::get_as(&server, "/harbour/2", &ben).await.body.contains("first\nthoughts"));
    assert_eq!(send("/harbour/2", &ann, &[("remove", "yes")]).await.status, 303);
    assert_eq!(reader.expect("deleted").await["target"], 2);
    assert!(!may_remove("/harbour/2", &ben).await, "a removed message is gone");
}

async fn the_invitation_of_a_room_has_a_qr_code(site: Site) {
    let server = site.start();
    let code = http::get(&server, "/harbour/qr").await;
    assert_eq!(code.status, 200);
    assert!(code.body.starts_with("<svg ") && code.body.matches("h1v1h-1z").count() > 100, "{}", code.body);
    assert_ne!(code.body, http::get(&server, "/another-room/qr").await.body);
    let other = http::get(&server, "/Harbour/qr").await;
    assert_eq!((other.status.as_u16(), other.location.as_deref()), (308, Some("/harbour/qr")));
    assert_eq!(http::get(&server, "/.hidden/qr").await.status, 404);
    assert_eq!(database::room_names(&site.database_url).await, Vec::<String>::new(), "a picture opens no room");
    // To a stranger, a private room does not exist.
    let stranger = http::get(&server, "/tea~aaaaaaaaaaaaaaaaaaaaaaaaaa/qr").await;
    assert!(stranger.status == 404 && !stranger.body.contains("<svg xmlns"), "{}", stranger.body);
}

async fn a_reply_to_no_number_brings_the_text_back(site: Site) {
    let server = site.start();
    let cookie = http::identity(&server).await;
    for reply_to in ["abc", "9223372036854775808"] {
        let request =
            http::browser().post(server.url("/harbour/")).header("cookie", &cookie).header("accept", "text/html");
        let refused = http::send(request.form(&[("message", "a long thought"), ("reply_to", reply_to)])).await;
        assert_eq!(refused.status, 422, "{reply_to}");
        assert!(refused.body.contains("a long thought</textarea>"), "{}", refused.body);
        let program = http::browser().post(server.url("/harbour/")).header("accept", "application/json");
        assert_eq!(http::send(program.form(&[("message", "x"), ("reply_to", reply_to)])).await.status, 422);
    }
    assert_eq!(database::room_names(&site.database_url).await, Vec::<String>::new());
}
