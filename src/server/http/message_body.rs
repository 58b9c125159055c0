//! Bodies of requests that post or edit a message: text, JSON, a form, or the text of `curl -d`.

use super::media_type::{JSON, PLAIN_TEXT};
use super::origin;
use super::problem::Problem;
use crate::domain::RejectionCode::{Invalid, TooLong};
use crate::domain::Seq;
use crate::protocol::MAX_FRAME_BYTES;
use crate::server::strict_json;
use axum::http::{HeaderMap, StatusCode, header};
use percent_encoding::percent_decode;
use serde_json::Value;

const FORM: &str = "application/x-www-form-urlencoded";

/// Names of the field with the text, the preferred first: Parlour's, Slack's and Discord's.
const MESSAGE_FIELDS: [&str; 3] = ["message", "text", "content"];

pub(super) const FIELD_TWICE: &str = "The form names a field twice.";
pub(super) const BODY_NOT_UTF8: &str = "The body is not UTF-8.";
pub(super) const REPLY_TO_NOT_NUMBER: &str = "`reply_to` is not the number of a message.";

/// The media type of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BodyType {
    Text,
    Json,
    Form,
}

/// A message as a client has sent it. Its texts are not validated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SentMessage {
    pub(super) message: String,
    pub(super) username: Option<String>,
    pub(super) id: Option<String>,
    /// The number of the message that it replies to.
    pub(super) reply_to: Option<Seq>,
    /// Whether the number of the message that it replies to is no number. Only a form brings its text with it.
    pub(super) has_bad_reply_to: bool,
    /// Whether it is a form with fields, as browsers send it.
    pub(super) is_form: bool,
}

/// Reads the body of a request with these headers.
///
/// # Errors
///
/// Returns the problem to answer with: 415 for another media type, charset or content coding, 413 for a text that is too
/// long, 400 for a text that does not parse, and 422 for fields of the wrong types.
pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<SentMessage, Problem> {
    let body_type = body_type(headers)?;
    if body_type == BodyType::Form
        && let Some(form) = form(body, !is_bare(headers))?
    {
        return with_id(form, headers);
    }
    let too_long = || Problem::new(StatusCode::PAYLOAD_TOO_LARGE, TooLong, "A body has at most 16 KiB.");
    let body = if body.len() > MAX_FRAME_BYTES { Err(too_long()) } else { Ok(body) }?;
    let text = str::from_utf8(body).map_err(|_| Problem::bad_request(BODY_NOT_UTF8))?;
    let sent = match body_type {
        // Windows programs begin texts with a byte order mark.
        BodyType::Json => object(text.trim_start_matches('\u{feff}'))?,
        BodyType::Text => text_message(text.trim_start_matches('\u{feff}')),
        BodyType::Form => text_message(text),
    };
    with_id(sent, headers)
}

/// Returns the message with the id in `Idempotency-Key`, unless it has one.
fn with_id(sent: SentMessage, headers: &HeaderMap) -> Result<SentMessage, Problem> {
    let id = if sent.id.is_some() { sent.id } else { idempotency_key(headers)? };
    Ok(SentMessage { id, ..sent })
}

impl SentMessage {
    /// Returns the message, or the problem of its number of the message that it replies to.
    pub(super) fn checked(self) -> Result<Self, Problem> {
        if self.has_bad_reply_to { Err(unprocessable(REPLY_TO_NOT_NUMBER)) } else { Ok(self) }
    }
}

fn text_message(text: &str) -> SentMessage {
    SentMessage { message: text.to_owned(), ..SentMessage::default() }
}

/// Returns the id in `Idempotency-Key`, without quotation marks
/// (draft-ietf-httpapi-idempotency-key-header, section 2.1).
///
/// # Errors
///
/// Returns a problem if the value is not visible ASCII.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let key = key.to_str().map_err(|_| unprocessable("The id in Idempotency-Key is not visible ASCII."))?.trim();
    let bare = key.strip_prefix('"').and_then(|key| key.strip_suffix('"'));
    Ok(Some(bare.unwrap_or(key).to_owned()))
}

/// Returns the media type of the body, or 415 if no message has it. Every text is UTF-8, of which ASCII is a part.
fn body_type(headers: &HeaderMap) -> Result<BodyType, Problem> {
    let unsupported = |detail: &str| Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Invalid, detail);
    let coding = headers.get(header::CONTENT_ENCODING).map(|coding| coding.as_bytes());
    if coding.is_some_and(|coding| !coding.eq_ignore_ascii_case(b"identity")) {
        return Err(unsupported("A compressed body is not read here."));
    }
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = content_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let body_type = match essence.as_str() {
        PLAIN_TEXT => BodyType::Text,
        JSON => BodyType::Json,
        FORM => BodyType::Form,
        _ => return Err(unsupported("A message is text/plain, application/json or a form.")),
    };
    let mut charsets =
        parts.filter_map(|part| part.split_once('=')).filter(|(name, _)| name.eq_ignore_ascii_case("charset"));
    let is_utf8 = |charset: &str| ["utf-8", "utf8", "us-ascii"].iter().any(|it| charset.eq_ignore_ascii_case(it));
    match charsets.all(|(_, charset)| is_utf8(charset.trim_matches('"'))) {
        true => Ok(body_type),
        false => Err(unsupported("A message is UTF-8.")),
    }
}

/// Returns whether the headers are those of a command-line client: a browser sends at least one of these with a form.
pub(crate) fn is_bare(headers: &HeaderMap) -> bool {
    !origin::names_a_page(headers) && !headers.contains_key(header::COOKIE)
}

/// The change that the form of a message's page asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ChangeForm {
    /// Replaces the text.
    Edit(String),
    /// Removes the message.
    Remove,
}

/// Reads the form of a message's page. The button that removes the message sends the text, too.
///
/// # Errors
///
/// Returns the problem to answer with: 415 if it is no form, 400 if it is not UTF-8, and 422 if it has neither field, or
/// a field twice.
pub(super) fn read_change(headers: &HeaderMap, body: &[u8]) -> Result<ChangeForm, Problem> {
    if body_type(headers)? != BodyType::Form {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Invalid, "A message is changed by a form here."));
    }
    let (mut text, mut remove) = (None, None);
    for (name, value, _) in pairs(body) {
        let (name, value) = (name?, value?);
        let field = match name.as_str() {
            "message" => &mut text,
            "remove" => &mut remove,
            _ => continue,
        };
        if field.replace(value).is_some() {
            return Err(unprocessable(FIELD_TWICE));
        }
    }
    match (remove, text) {
        (Some(_), _) => Ok(ChangeForm::Remove),
        (None, Some(text)) => Ok(ChangeForm::Edit(text)),
        (None, None) => Err(unprocessable("The form has neither `message` nor `remove`.")),
    }
}

/// Returns the fields of a form: name, value, and whether it has a value. Errors are texts that are not UTF-8.
pub(super) fn pairs(body: &[u8]) -> impl Iterator<Item = (Result<String, Problem>, Result<String, Problem>, bool)> {
    let decoded = |bytes: &[u8]| {
        let bytes: Vec<u8> = bytes.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
        String::from_utf8(percent_decode(&bytes).collect()).map_err(|_| Problem::bad_request(BODY_NOT_UTF8))
    };
    body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).map(move |pair| {
        match pair.iter().position(|byte| *byte == b'=') {
            Some(at) => (decoded(&pair[..at]), decoded(&pair[at + 1..]), true),
            None => (decoded(pair), Ok(String::new()), false),
        }
    })
}

/// Returns the fields of a form, or `None` if it has no field `message` and need not have one: then the body is a text.
/// `message` without a value is such a text, too.
///
/// # Errors
///
/// Returns a problem if the form is not UTF-8, names a field twice, or has no `message` although `is_required`.
fn form(body: &[u8], is_required: bool) -> Result<Option<SentMessage>, Problem> {
    let mut sent = SentMessage { is_form: true, ..SentMessage::default() };
    let (mut message, mut reply_to) = (None, None);
    let mut has_value = false;
    // A text of `curl -d` may be anything; only a form has to be UTF-8.
    let mut problem = None;
    for (name, value, is_pair) in pairs(body) {
        let (name, value) = match (name, value) {
            (Ok(name), Ok(value)) => (name, value),
            (name, value) => {
                // The name of the field may be known even if its value is not text.
                has_value |= name.as_deref() == Ok("message") && is_pair;
                problem = name.err().or(value.err());
                continue;
            }
        };
        let field = match name.as_str() {
            "message" => &mut message,
            "username" => &mut sent.username,
            "id" => &mut sent.id,
            "reply_to" => &mut reply_to,
            _ => continue,
        };
        has_value |= name == "message" && is_pair;
        if field.replace(value).is_some() {
            problem = Some(unprocessable(FIELD_TWICE));
        }
    }
    if !has_value && !is_required {
        return Ok(None);
    }
    match reply_to.as_deref().map(str::trim).filter(|reply_to| !reply_to.is_empty()).map(str::parse) {
        Some(Ok(seq)) => sent.reply_to = Some(seq),
        Some(Err(_)) => sent.has_bad_reply_to = true,
        None => {}
    }
    match (problem, message) {
        (Some(problem), _) => Err(problem),
        (None, Some(message)) => Ok(Some(SentMessage { message, ..sent })),
        (None, None) => Err(unprocessable("The form has no field `message`.")),
    }
}

/// Returns the message in a JSON object. Unknown fields are ignored; `null` counts as absent.
///
/// # Errors
///
/// Returns a problem if the text is not such an object.
fn object(text: &str) -> Result<SentMessage, Problem> {
    let value = strict_json::parse(text)
        .map_err(|reason| Problem::bad_request(format!("The JSON does not parse: {reason}.")))?;
    let Value::Object(mut object) = value else { return Err(unprocessable("The JSON is not an object.")) };
    let reply_to = match object.remove("reply_to") {
        None | Some(Value::Null) => None,
        Some(number) => Some(number.as_i64().ok_or_else(|| unprocessable(REPLY_TO_NOT_NUMBER))?),
    };
    let mut field = |name: &str| match object.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(unprocessable(format!("`{name}` is not a text."))),
    };
    let (id, username) = (field("id")?, field("username")?);
    for name in MESSAGE_FIELDS {
        if let Some(message) = field(name)? {
            return Ok(SentMessage { message, username, id, reply_to, ..SentMessage::default() });
        }
    }
    Err(unprocessable("The object needs `message`, a text."))
}

fn unprocessable(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, Invalid, detail)
}

#[cfg(test)]
mod tests;
