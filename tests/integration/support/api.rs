//! Requests of programs to a room's address: text, JSON and forms, and answers in JSON.

use super::{DEADLINE, Server, http};
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

/// An answer to a program.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Reply {
    /// The body, which is JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A header as text; empty if it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a plain header"))
    }

    /// The code of the problem, which has all its parts.
    pub fn code(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!((&problem["type"], &problem["status"]), (&"about:blank".into(), &self.status.into()), "{self:?}");
        for field in ["title", "detail"] {
            assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {self:?}");
        }
        if matches!(self.status, 429 | 503) {
            assert!(self.header("retry-after").parse::<u32>().expect("seconds") > 0, "{self:?}");
            assert!(problem["retry_after_ms"].as_u64().expect("milliseconds") > 0, "{self:?}");
        }
        problem["code"].as_str().expect("a code").to_owned()
    }
}

/// Requests with a body in JSON.
pub trait JsonBody {
    /// Adds a body in JSON, and says so.
    fn json(self, body: &Value) -> Self;
}

impl JsonBody for RequestBuilder {
    fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }
}

/// A request without a body and headers.
pub fn request(server: &Server, method: &str, path: &str) -> RequestBuilder {
    http::browser().request(Method::from_bytes(method.as_bytes()).expect("a method"), server.url(path))
}

/// Sends a request and reads the whole answer.
pub async fn send(request: RequestBuilder) -> Reply {
    let response = request.timeout(DEADLINE).send().await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Reply { status, headers, text: response.text().await.expect("text") }
}

/// `curl -d BODY`.
pub async fn curl(server: &Server, path: &str, body: impl Into<reqwest::Body>) -> Reply {
    post_as(server, path, "application/x-www-form-urlencoded", body).await
}

/// Posts a body of this media type.
pub async fn post_as(server: &Server, path: &str, media_type: &str, body: impl Into<reqwest::Body>) -> Reply {
    send(request(server, "POST", path).header("accept", "*/*").header("content-type", media_type).body(body)).await
}

/// Posts a JSON value.
pub async fn post_json(server: &Server, path: &str, body: &Value) -> Reply {
    post_as(server, path, "application/json", body.to_string()).await
}
