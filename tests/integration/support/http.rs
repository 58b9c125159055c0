//! Pages and forms, asked for as a browser asks: redirects are looked at, not followed.

use super::Server;
use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::{Client, RequestBuilder, Response, StatusCode};

/// A page that was asked for.
pub struct Answer {
    pub status: StatusCode,
    pub location: Option<String>,
    /// Every cookie that was set, with its attributes.
    pub cookies: Vec<String>,
    pub body: String,
}

impl Answer {
    async fn from(response: Response) -> Self {
        let headers = response.headers().clone();
        let text = |value: &reqwest::header::HeaderValue| value.to_str().expect("a plain header").to_owned();
        Self {
            status: response.status(),
            location: headers.get("location").map(text),
            cookies: headers.get_all(SET_COOKIE).iter().map(text).collect(),
            body: response.text().await.expect("a body"),
        }
    }
}

/// A client that follows nothing and keeps nothing.
pub fn browser() -> Client {
    Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().expect("a client")
}

/// Sends a request and reads the whole answer.
pub async fn send(request: RequestBuilder) -> Answer {
    Answer::from(request.timeout(super::DEADLINE).send().await.expect("an answer")).await
}

/// `GET path`.
pub async fn get(server: &Server, path: &str) -> Answer {
    send(browser().get(server.url(path))).await
}

/// `GET path` with an identity.
pub async fn get_as(server: &Server, path: &str, cookie: &str) -> Answer {
    send(browser().get(server.url(path)).header(COOKIE, cookie)).await
}

/// `POST path` with a form.
pub async fn post_form(server: &Server, path: &str, form: &[(&str, &str)]) -> Answer {
    send(browser().post(server.url(path)).form(form)).await
}

/// A new visitor's identity, as the `Cookie` header carries it.
pub async fn identity(server: &Server) -> String {
    let cookies = get(server, "/").await.cookies;
    let pair = cookies.first().and_then(|cookie| cookie.split(';').next());
    pair.expect("a page gives an identity").to_owned()
}

/// Requests `GET /readyz`. Returns the status and body.
pub async fn readiness(server: &Server) -> (StatusCode, serde_json::Value) {
    let answer = get(server, "/readyz").await;
    (answer.status, serde_json::from_str(&answer.body).expect("readiness is JSON"))
}
