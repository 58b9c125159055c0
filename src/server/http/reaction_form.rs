//! Bodies of requests that react to a message, or pin it: a form, or JSON.

use super::media_type::JSON;
use super::message_body::{BODY_NOT_UTF8, FIELD_TWICE, pairs};
use super::problem::Problem;
use crate::domain::RejectionCode::Invalid;
use crate::server::strict_json;
use axum::http::{HeaderMap, StatusCode, header};
use serde_json::Value;

/// Maximum size of a body, in bytes.
const MAX_FIELDS_BYTES: usize = 4 << 10;

/// The fields of a form. Its texts are not validated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ReactionFields {
    pub(super) emoji: String,
    /// Whether the visitor reacts from now on; `None` changes the state, whatever it is.
    pub(super) on: Option<bool>,
    pub(super) id: Option<String>,
    pub(super) token: Option<String>,
}

impl ReactionFields {
    /// Reads the body of a request with these headers.
    ///
    /// # Errors
    ///
    /// Returns the problem to answer with: 415 for another media type, 413 for a body that is too long, 400 for one that
    /// does not parse, and 422 for a field of the wrong type, or that a form names twice.
    pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Problem> {
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if body.len() > MAX_FIELDS_BYTES {
            let detail = "A form has at most 4 KiB.";
            return Err(Problem::of_status(StatusCode::PAYLOAD_TOO_LARGE, detail, None));
        }
        let text = || str::from_utf8(body).map_err(|_| Problem::bad_request(BODY_NOT_UTF8));
        match media_type.as_str() {
            JSON => Self::from_json(text()?),
            "application/x-www-form-urlencoded" => Self::from_form(body),
            // A form without fields.
            "" if body.is_empty() => Ok(Self::default()),
            _ => {
                let detail = "A reaction is a form, or application/json.";
                Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Invalid, detail))
            }
        }
    }

    fn from_form(body: &[u8]) -> Result<Self, Problem> {
        let (mut emoji, mut on, mut id, mut token) = (None, None, None, None);
        for (name, value, _) in pairs(body) {
            let (name, value) = (name?, value?);
            let field = match name.as_str() {
                "emoji" => &mut emoji,
                "on" => &mut on,
                "id" => &mut id,
                "token" => &mut token,
                _ => continue,
            };
            if field.replace(value).is_some() {
                return Err(unprocessable(FIELD_TWICE));
            }
        }
        let on = match on.as_deref() {
            Some("true") => Some(true),
            Some("false") => Some(false),
            None | Some("") => None,
            Some(_) => return Err(unprocessable("`on` is `true` or `false`.")),
        };
        Ok(Self { emoji: emoji.unwrap_or_default(), on, id: id.filter(|id| !id.is_empty()), token })
    }

    fn from_json(text: &str) -> Result<Self, Problem> {
        let value = strict_json::parse(text)
            .map_err(|reason| Problem::bad_request(format!("The JSON does not parse: {reason}.")))?;
        let Value::Object(mut object) = value else { return Err(unprocessable("The JSON is not an object.")) };
        let mut field = |name: &str| object.remove(name).filter(|value| !value.is_null());
        let text = |name: &str, value: Option<Value>| match value {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(unprocessable(&format!("`{name}` is not a text."))),
        };
        let on = match field("on") {
            None => None,
            Some(Value::Bool(on)) => Some(on),
            Some(_) => return Err(unprocessable("`on` is `true` or `false`.")),
        };
        Ok(Self {
            emoji: text("emoji", field("emoji"))?.unwrap_or_default(),
            on,
            id: text("id", field("id"))?,
            token: None,
        })
    }
}

fn unprocessable(detail: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, Invalid, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn read(media_type: &'static str, body: &str) -> Result<ReactionFields, u16> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        ReactionFields::read(&headers, body.as_bytes()).map_err(|problem| problem.status().as_u16())
    }

    #[test]
    fn a_form_and_json_mean_alike() {
        let form = "application/x-www-form-urlencoded";
        let fields = ReactionFields { emoji: "👍".to_owned(), on: Some(true), id: Some("a".to_owned()), token: None };
        assert_eq!(read(form, "emoji=%F0%9F%91%8D&on=true&id=a&more=1"), Ok(fields.clone()));
        assert_eq!(read("application/json; charset=utf-8", r#"{"emoji":"👍","on":true,"id":"a"}"#), Ok(fields.clone()));
        let toggles = ReactionFields { on: None, id: None, ..fields };
        assert_eq!(read(form, "emoji=👍"), Ok(toggles.clone()));
        assert_eq!(read("application/json", r#"{"emoji":"👍","on":null}"#), Ok(toggles));
    }

    #[test]
    fn a_bad_body_has_its_status() {
        let form = "application/x-www-form-urlencoded";
        for (media_type, body, status) in [
            (form, "emoji=x&on=perhaps", 422),
            (form, "emoji=%F0%9F%91%8D&emoji=%F0%9F%91%8D", 422),
            (form, "on=true&emoji=%F0%9F%91%8D&on=false", 422),
            (form, "emoji=%FF%FE", 400),
            ("application/json", "{", 400),
            ("application/json", "[]", 422),
            ("application/json", r#"{"emoji":7}"#, 422),
            ("application/json", r#"{"emoji":"x","on":1}"#, 422),
            ("text/plain", "👍", 415),
        ] {
            assert_eq!(read(media_type, body), Err(status), "{media_type} {body}");
        }
        assert_eq!(read(form, &"x".repeat(MAX_FIELDS_BYTES + 1)), Err(413));
    }
}
