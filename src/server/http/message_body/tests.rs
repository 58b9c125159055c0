//! Tests of the reading of bodies.

use super::*;
use axum::http::{HeaderName, HeaderValue};
use proptest::prelude::*;

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let pair =
        |(name, value): &(&'static str, &'static str)| (HeaderName::from_static(name), HeaderValue::from_static(value));
    pairs.iter().map(pair).collect()
}

fn of_type(content_type: &'static str, body: &[u8]) -> Result<SentMessage, Problem> {
    read(&headers(&[("content-type", content_type)]), body)
}

fn status(problem: Result<SentMessage, Problem>) -> u16 {
    problem.unwrap_err().status().as_u16()
}

#[test]
fn a_form_of_a_command_line_client_without_a_message_is_a_text() {
    for body in
        ["hello there", "a=b, 100%", "message", "x&message", "%zz+%ff", "{\"message\": 1}", "", "&", "=", "mess=1"]
    {
        let sent = of_type(FORM, body.as_bytes()).unwrap();
        assert_eq!((sent.message.as_str(), sent.is_form), (body, false), "{body}");
    }
    for (body, message) in
        [("message=", ""), ("message=a+b%21", "a b!"), ("x=%ff1&message=1", ""), ("%6dessage=x", "x")]
    {
        match of_type(FORM, body.as_bytes()) {
            Ok(sent) => assert_eq!((sent.message.as_str(), sent.is_form), (message, true), "{body}"),
            Err(problem) => assert_eq!((problem.status(), body), (StatusCode::BAD_REQUEST, "x=%ff1&message=1")),
        }
    }
    for page in ["origin", "sec-fetch-site", "cookie"] {
        let browser = headers(&[("content-type", FORM), (page, "x")]);
        assert_eq!(status(read(&browser, b"hello there")), 422, "{page}");
        assert_eq!(read(&browser, b"message").unwrap().message, "", "{page}");
    }
}

#[test]
fn a_form_is_utf8_and_names_no_field_twice() {
    assert_eq!(status(of_type(FORM, b"message=%ff")), 400);
    assert_eq!(status(of_type(FORM, b"message=a&message=b")), 422);
    assert_eq!(status(of_type(FORM, b"message=a&username=%c3%28")), 400);
    let sent = of_type(FORM, "message=é&id=7&username=Zo%C3%AB&other=1&other=2".as_bytes()).unwrap();
    let [message, username, id] = ["é", "Zoë", "7"].map(str::to_owned);
    assert_eq!(
        sent,
        SentMessage { message, username: Some(username), id: Some(id), is_form: true, ..SentMessage::default() }
    );
}

#[test]
fn json_needs_a_text_and_knows_other_names_for_it() {
    for (body, message) in [
        (r#"{"message": "a"}"#, "a"),
        (r#"{"text": "b", "content": 5}"#, "b"),
        (r#"{"content": "c", "text": null}"#, "c"),
        (r#"{"message": "", "text": "b"}"#, ""),
        ("\u{feff}{\"message\": \"\\ud83d\\ude00\", \"reply_to_nobody\": {\"a\": [1]}}", "😀"),
    ] {
        assert_eq!(of_type("application/json", body.as_bytes()).unwrap().message, message, "{body}");
    }
    for (body, expected) in [
        ("", 400),
        ("hello", 400),
        (r#"{"message": "a""#, 400),
        (r#"{"message": "a", "message": "b"}"#, 400),
        ("null", 422),
        ("\"hello\"", 422),
        ("[]", 422),
        ("{}", 422),
        (r#"{"message": null}"#, 422),
        (r#"{"message": 5}"#, 422),
        (r#"{"message": ["a"]}"#, 422),
        (r#"{"message": "a", "id": 5}"#, 422),
        (r#"{"message": "a", "username": {}}"#, 422),
    ] {
        assert_eq!(status(of_type("application/json", body.as_bytes())), expected, "{body}");
    }
    assert_eq!(status(of_type("application/json", b"{\"message\": \"\xff\"}")), 400);
}

#[test]
fn a_text_is_short_utf8() {
    assert_eq!(of_type("Text/Plain; charset=\"UTF-8\"; format=flowed", "é".as_bytes()).unwrap().message, "é");
    assert_eq!(status(of_type("text/plain", b"\xff")), 400);
    assert_eq!(status(of_type("text/plain", &[b'x'; MAX_FRAME_BYTES + 1])), 413);
    assert_eq!(status(of_type(FORM, &[b'x'; MAX_FRAME_BYTES + 1])), 413);
    assert!(of_type("text/plain", &[b'x'; MAX_FRAME_BYTES]).is_ok());
}

#[test]
fn other_media_types_charsets_and_codings_are_not_supported() {
    for content_type in [
        "",
        "text/html",
        "text",
        "application/xml",
        "application/jsonp",
        "application/problem+json",
        "multipart/form-data; boundary=x",
        "text/plain; charset=iso-8859-1",
        "text/plain; charset=utf-8; charset=utf-16",
        "application/json; charset=",
        "application/json, text/plain",
    ] {
        assert_eq!(status(of_type(content_type, b"x")), 415, "{content_type}");
    }
    assert_eq!(status(read(&HeaderMap::new(), b"x")), 415);
    let compressed = headers(&[("content-type", "text/plain"), ("content-encoding", "gzip")]);
    assert_eq!(status(read(&compressed, b"x")), 415);
}

#[test]
fn the_id_in_the_body_is_stronger_than_the_header() {
    let of_key = |key, content_type, body: &str| {
        read(&headers(&[("content-type", content_type), ("idempotency-key", key)]), body.as_bytes()).unwrap().id
    };
    assert_eq!(of_key("\"a-1\"", "text/plain", "x").as_deref(), Some("a-1"));
    assert_eq!(of_key("a-1", "application/json", r#"{"message": "x"}"#).as_deref(), Some("a-1"));
    assert_eq!(of_key("a-1", "application/json", r#"{"message": "x", "id": "b"}"#).as_deref(), Some("b"));
    assert_eq!(of_key("a-1", FORM, "message=x&id=b").as_deref(), Some("b"));
    assert_eq!(of_key("a-1", FORM, "message=x").as_deref(), Some("a-1"));
    assert_eq!(of_key("a-1", FORM, "x").as_deref(), Some("a-1"));
    assert_eq!(of_key("\"", "text/plain", "x").as_deref(), Some("\""));
}

proptest! {
    #[test]
    fn any_body_has_an_answer(body: Vec<u8>, kind in 0..4_usize) {
        let content_type = ["text/plain", "application/json", FORM, "x/y"][kind];
        if let Err(problem) = of_type(content_type, &body) {
            prop_assert!(problem.status().is_client_error());
        }
    }

    #[test]
    fn a_form_reads_as_it_was_written(message: String, username: String) {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("username", &username)
            .append_pair("message", &message)
            .finish();
        let sent = of_type(FORM, body.as_bytes()).unwrap();
        prop_assert_eq!((sent.message, sent.username), (message, Some(username)));
    }
}
