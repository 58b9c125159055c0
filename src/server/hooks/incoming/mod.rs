//! Bodies of incoming webhooks, as plain text: those of Slack, Discord, Alertmanager and Grafana, and plain text itself.
//! This module does no I/O.

mod alerts;
mod attachments;
mod emoji;
mod fields;
mod markup;
#[cfg(test)]
mod tests;

use crate::domain::message::MAX_MESSAGE_CHARS;
use fields::{Fields, string};
use markup::to_plain_text;
use serde_json::Value;

/// Mark at the end of a text that was cut.
const ELLIPSIS: char = '…';

/// Size of parts that fill a message, whatever their characters, in bytes.
const MAX_PARTS_BYTES: usize = 4 * MAX_MESSAGE_CHARS;

/// Names of the field with the text: Slack's, Discord's, Parlour's.
const TEXT_FIELDS: [&str; 3] = ["text", "content", "message"];

/// The message in a webhook's body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HookPost {
    /// The text, at most [`MAX_MESSAGE_CHARS`] long. It may be empty.
    pub(crate) text: String,
    /// The name to post under, if the body has one.
    pub(crate) username: Option<String>,
}

/// The reason why a body cannot be read. Its text is for the sender's developer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidBody {
    /// The media type is not one that this module reads.
    #[error("A webhook takes text/plain, application/json, or a form with a field `payload`, in UTF-8.")]
    MediaType,
    /// The body is not UTF-8.
    #[error("The body is not UTF-8.")]
    Encoding,
    /// The body is not JSON, or an object in it names a field twice.
    #[error("The body is not JSON, or names a field twice.")]
    Syntax,
    /// The body is no object, or has a field of another type.
    #[error("The body must be one object, whose `text`, `content`, `message` and `username` are texts.")]
    FieldType,
}

/// Reads a body of this media type.
///
/// # Errors
///
/// Returns the reason if it cannot be read.
pub(crate) fn read_body(content_type: Option<&str>, body: &[u8]) -> Result<HookPost, InvalidBody> {
    let (essence, parameters) =
        content_type.unwrap_or_default().split_once(';').unwrap_or((content_type.unwrap_or_default(), ""));
    let charset = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"').to_ascii_lowercase())
    });
    if charset.is_some_and(|charset| !matches!(&*charset, "utf-8" | "utf8" | "us-ascii")) {
        return Err(InvalidBody::MediaType);
    }
    // Windows programs begin texts with a byte order mark.
    let text =
        || str::from_utf8(body).map(|text| text.trim_start_matches('\u{feff}')).map_err(|_| InvalidBody::Encoding);
    match &*essence.trim().to_ascii_lowercase() {
        "text/plain" => Ok(of_text(text()?)),
        "application/json" => of_json(text()?),
        json if json.ends_with("+json") => of_json(text()?),
        "application/x-www-form-urlencoded" => of_form(text()?),
        // Programs that name no type mostly send JSON.
        "" if looks_like_json(text()?) => of_json(text()?),
        "" => Ok(of_text(text()?)),
        _ => Err(InvalidBody::MediaType),
    }
}

/// Returns the text, cut to the maximum length of a message.
fn cut(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text = text.trim();
    match text.char_indices().nth(MAX_MESSAGE_CHARS) {
        None => text.to_owned(),
        Some(_) => {
            let kept: String = text.chars().take(MAX_MESSAGE_CHARS - 1).collect();
            format!("{}{ELLIPSIS}", kept.trim_end())
        }
    }
}

fn of_text(text: &str) -> HookPost {
    HookPost { text: cut(&to_plain_text(text)), username: None }
}

fn looks_like_json(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// Reads a form: JSON in its field `payload`, or the fields that JSON would have. `curl -d` sends this media type with
/// any text, which then is the message or JSON itself.
fn of_form(body: &str) -> Result<HookPost, InvalidBody> {
    if looks_like_json(body) {
        return of_json(body);
    }
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let is_repeated = |name: &str| fields.iter().filter(|(it, _)| it == name).count() > 1;
    if ["payload", "username"].iter().chain(&TEXT_FIELDS).any(|name| is_repeated(name)) {
        return Err(InvalidBody::Syntax);
    }
    let field = |name: &str| fields.iter().find(|(it, _)| it == name).map(|(_, value)| value.clone());
    if let Some(payload) = field("payload") {
        return of_json(&payload);
    }
    match TEXT_FIELDS.iter().find_map(|name| field(name)) {
        Some(text) => Ok(HookPost { username: field("username"), ..of_text(&text) }),
        None => Ok(of_text(body)),
    }
}

fn of_json(text: &str) -> Result<HookPost, InvalidBody> {
    let fields = Fields::parse(text)?;
    // An alert is not lost because of its sender's name.
    let username = fields.value("username").and_then(string).map(str::to_owned);
    let mut parts = Parts::default();
    let (mut of_message, mut written) = (false, None);
    for name in TEXT_FIELDS {
        let text = fields.text(name)?.filter(|text| !text.trim().is_empty());
        if written.is_none() && text.is_some() {
            (of_message, written) = (name == "message", text);
        }
    }
    // Grafana and the like have a title beside `message`.
    if of_message && let Some(title) = fields.value("title").and_then(string) {
        parts.add(title);
    }
    if let Some(text) = written {
        parts.add(text);
    }
    attachments::add_blocks(fields.list("blocks")?, &mut parts);
    attachments::add_attachments(fields.list("attachments")?, &mut parts);
    attachments::add_embeds(fields.list("embeds")?, &mut parts);
    let alerts = fields.list("alerts")?;
    let text = if parts.texts.is_empty() && !alerts.is_empty() {
        alerts::summary(&fields, alerts)
    } else {
        parts.texts.join("\n")
    };
    Ok(HookPost { text: cut(&text), username })
}

/// The parts of a message, in plain text, each once. Further parts than a message can hold are left out.
#[derive(Default)]
struct Parts {
    texts: Vec<String>,
    bytes: usize,
}

impl Parts {
    /// Adds a part in Slack's markup, unless it is blank or there already.
    fn add(&mut self, marked_up: &str) {
        if self.bytes > MAX_PARTS_BYTES {
            return;
        }
        let text = to_plain_text(marked_up.trim());
        if !text.trim().is_empty() && !self.texts.contains(&text) {
            self.bytes += text.len();
            self.texts.push(text);
        }
    }

    /// Adds a part with a link: `part (link)`.
    fn add_linked(&mut self, marked_up: &str, link: Option<&Value>) {
        match link.and_then(string).filter(|link| !marked_up.contains(*link)) {
            Some(link) if !marked_up.trim().is_empty() => self.add(&format!("{} ({link})", marked_up.trim())),
            _ => self.add(marked_up),
        }
    }
}
