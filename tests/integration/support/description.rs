//! The interface of rooms as docs/openapi.json describes it: a client whose every request and answer is checked.

use super::{DEADLINE, Server, http};
use jsonschema::Validator;
use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

/// The text of the document.
pub const DOCUMENT: &str = include_str!("../../../docs/openapi.json");

pub const JSON: &str = "application/json";
pub const TEXT: &str = "text/plain";
pub const FORM: &str = "application/x-www-form-urlencoded";
pub const LINES: &str = "application/x-ndjson";
pub const STREAM: &str = "text/event-stream";
pub const HTML: &str = "text/html";

/// The document. Its objects are closed: a field that it does not name is an error here, though clients ignore it.
pub struct Description {
    pub document: Value,
    validators: RefCell<HashMap<String, Validator>>,
    /// What was seen: method, path and status.
    pub seen: RefCell<BTreeSet<(String, String, String)>>,
}

fn close(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.values_mut().for_each(close);
            if object.contains_key("properties") && !object.contains_key("additionalProperties") {
                object.insert("additionalProperties".to_owned(), json!(false));
            }
        }
        Value::Array(list) => list.iter_mut().for_each(close),
        _ => {}
    }
}

impl Description {
    pub fn new() -> Self {
        let mut document: Value = serde_json::from_str(DOCUMENT).expect("JSON");
        // A schema's own properties are no schemas that may be closed.
        let schemas = document["components"]["schemas"].as_object_mut().expect("schemas");
        schemas.values_mut().for_each(close);
        Self { document, validators: Default::default(), seen: Default::default() }
    }

    /// Follows a reference within the document.
    pub fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => {
                let target = self.document.pointer(reference.trim_start_matches('#'));
                self.resolve(target.unwrap_or_else(|| panic!("there is no {reference}")))
            }
            None => value,
        }
    }

    fn operation(&self, method: &str, path: &str) -> &Value {
        let operation = &self.document["paths"][path][method.to_lowercase()];
        assert!(operation.is_object(), "{method} {path} is not described");
        operation
    }

    /// Checks a value against a schema of the document.
    pub fn check(&self, schema: &Value, value: &Value, what: &str) {
        let mut validators = self.validators.borrow_mut();
        let validator = validators.entry(schema.to_string()).or_insert_with(|| {
            let root = json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "allOf": [schema],
                "components": self.document["components"],
            });
            jsonschema::validator_for(&root).unwrap_or_else(|error| panic!("{what}: {error}"))
        });
        let errors: Vec<String> =
            validator.iter_errors(value).map(|error| format!("{} at {}", error, error.instance_path())).collect();
        assert!(errors.is_empty(), "{what}: {}\n{value:#}", errors.join("\n"));
    }

    /// Checks a request that the server accepts.
    fn check_request(&self, method: &Method, path: &str, media_type: &str, body: &str) {
        let what = format!("{method} {path}, {media_type}");
        let content = &self.operation(method.as_str(), path)["requestBody"]["content"][media_type];
        assert!(content.is_object(), "{what} is not described");
        let value = match media_type {
            JSON => serde_json::from_str(body).expect("JSON"),
            FORM => match url::form_urlencoded::parse(body.as_bytes()).collect::<HashMap<_, _>>() {
                fields if body.contains('=') => json!(fields),
                _ => json!(body),
            },
            _ => json!(body),
        };
        self.check(&content["schema"], &value, &what);
    }

    /// Checks an answer: its status, headers, media type and body.
    fn check_answer(&self, method: &Method, path: &str, answer: &Seen) {
        let status = answer.status.to_string();
        let what = format!("{method} {path}: {status}");
        self.seen.borrow_mut().insert((method.as_str().to_lowercase(), path.to_owned(), status.clone()));
        let response = &self.operation(method.as_str(), path)["responses"][&status];
        assert!(response.is_object(), "{what} is not described: {}", answer.body);
        let response = self.resolve(response);
        for (name, header) in response["headers"].as_object().unwrap_or(&Map::new()) {
            match answer.headers.get(&name.to_lowercase()) {
                Some(value) => {
                    let value = value.parse::<i64>().map_or_else(|_| json!(value), |number| json!(number));
                    self.check(&header["schema"], &value, &format!("{what}, header {name}"));
                }
                None => assert_ne!(header["required"], true, "{what} has no header {name}"),
            }
        }
        let Some(contents) = response["content"].as_object() else { return };
        let media_type = answer.media_type();
        let content = contents.get(media_type).unwrap_or_else(|| panic!("{what} with {media_type} is not described"));
        let what = format!("{what}, {media_type}");
        let value = match media_type {
            JSON | "application/problem+json" => serde_json::from_str(&answer.body).expect("JSON"),
            _ => json!(answer.body),
        };
        self.check(&content["schema"], &value, &what);
        for frame in answer.frames() {
            self.check(&content["x-item-schema"], &frame, &what);
        }
    }
}

/// An answer.
pub struct Seen {
    pub status: u16,
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Seen {
    pub fn media_type(&self) -> &str {
        self.headers.get("content-type").map_or("", |value| value.split(';').next().unwrap_or_default())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The data of the events of a stream.
    pub fn frames(&self) -> Vec<Value> {
        let prefix = match self.media_type() {
            STREAM => "data: ",
            LINES => "",
            _ => return Vec::new(),
        };
        let lines = self.body.lines().filter_map(|line| line.strip_prefix(prefix)).filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

/// A client whose every request is checked.
pub struct Api<'a> {
    pub description: &'a Description,
    pub server: &'a Server,
    pub token: Option<&'a str>,
}

impl Api<'_> {
    /// Sends a request to a path of the document, with values for its parameters, and checks the answer.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        address: &str,
        build: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Seen {
        let mut request = build(http::browser().request(method.clone(), self.server.url(address)));
        if let Some(token) = self.token {
            request = request.bearer_auth(token);
        }
        let response = request.timeout(DEADLINE).send().await.expect("an answer");
        let text = |value: &reqwest::header::HeaderValue| value.to_str().expect("plain").to_owned();
        let headers = response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let status = response.status().as_u16();
        let answer = Seen { status, headers, body: response.text().await.expect("a body") };
        self.description.check_answer(&method, path, &answer);
        answer
    }

    pub async fn get(&self, path: &str, address: &str, accept: &str) -> Seen {
        self.send(Method::GET, path, address, |request| request.header("accept", accept)).await
    }

    /// Sends a body that is described.
    pub async fn put(
        &self,
        method: Method,
        path: &str,
        address: &str,
        (kind, body): (&str, &str),
        accept: &str,
    ) -> Seen {
        self.description.check_request(&method, path, kind, body);
        self.send(method, path, address, |it| {
            it.header("content-type", kind).header("accept", accept).body(body.to_owned())
        })
        .await
    }

    /// Sends anything, which is refused with this status.
    pub async fn is_refused(&self, method: Method, path: &str, address: &str, (kind, body): (&str, &str), status: u16) {
        let answer = self
            .send(method, path, address, |it| {
                it.header("content-type", kind).header("accept", JSON).body(body.to_owned())
            })
            .await;
        assert_eq!((answer.status, answer.media_type()), (status, "application/problem+json"), "{kind} {body:.100}");
        assert_eq!(answer.json()["status"], status);
    }
}
