//! Blocks, attachments and embeds, which Slack and Discord show below a message's text.

use super::Parts;
use super::fields::string;
use serde_json::Value;

/// Maximum number of elements of each list that are read.
const MAX_ELEMENTS: usize = 100;

/// Returns the elements of a list in an object.
fn list<'a>(object: &'a Value, name: &str) -> &'a [Value] {
    let list = object.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    &list[..list.len().min(MAX_ELEMENTS)]
}

fn text<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.get(name).and_then(string)
}

/// Adds Slack's blocks that have text.
pub(super) fn add_blocks(blocks: &[Value], parts: &mut Parts) {
    for block in blocks.iter().take(MAX_ELEMENTS) {
        match block.get("type").and_then(Value::as_str) {
            Some("section" | "header") => {
                let body = block.get("text").and_then(|it| text(it, "text").or_else(|| string(it)));
                body.into_iter().for_each(|body| parts.add(body));
                list(block, "fields").iter().filter_map(|field| text(field, "text")).for_each(|field| parts.add(field));
            }
            Some("context") => {
                let elements: Vec<&str> =
                    list(block, "elements").iter().filter_map(|element| text(element, "text")).collect();
                parts.add(&elements.join(" "));
            }
            Some("rich_text") => {
                for section in list(block, "elements") {
                    let elements = list(section, "elements").iter();
                    let line: String = elements.filter_map(|element| element.get("text")?.as_str()).collect();
                    parts.add(&line);
                }
            }
            _ => {}
        }
    }
}

/// Adds Slack's attachments. `fallback` stands for those who see no attachments; it is left out if it repeats the rest.
pub(super) fn add_attachments(attachments: &[Value], parts: &mut Parts) {
    for attachment in attachments.iter().take(MAX_ELEMENTS) {
        let shown: Vec<&str> = ["pretext", "title", "text"].iter().filter_map(|name| text(attachment, name)).collect();
        if let Some(fallback) = text(attachment, "fallback") {
            let repeats = |shown: &&str| fallback.contains(shown.trim()) || shown.contains(fallback.trim());
            if !shown.iter().any(repeats) {
                parts.add(fallback);
            }
        }
        if let Some(pretext) = text(attachment, "pretext") {
            parts.add(pretext);
        }
        if let Some(title) = text(attachment, "title") {
            parts.add_linked(title, attachment.get("title_link"));
        }
        if let Some(text) = text(attachment, "text") {
            parts.add(text);
        }
        add_fields(list(attachment, "fields"), ("title", "value"), parts);
        add_blocks(list(attachment, "blocks"), parts);
    }
}

/// Adds Discord's embeds.
pub(super) fn add_embeds(embeds: &[Value], parts: &mut Parts) {
    for embed in embeds.iter().take(MAX_ELEMENTS) {
        if let Some(author) = embed.get("author").and_then(|author| text(author, "name")) {
            parts.add(author);
        }
        match text(embed, "title") {
            Some(title) => parts.add_linked(title, embed.get("url")),
            None => text(embed, "url").into_iter().for_each(|url| parts.add(url)),
        }
        if let Some(description) = text(embed, "description") {
            parts.add(description);
        }
        add_fields(list(embed, "fields"), ("name", "value"), parts);
    }
}

/// Adds the fields of an attachment or an embed: `name: value` each.
fn add_fields(fields: &[Value], (name, value): (&str, &str), parts: &mut Parts) {
    for field in fields {
        match (text(field, name), text(field, value)) {
            (Some(name), Some(value)) => parts.add(&format!("{}: {}", name.trim(), value.trim())),
            (one, other) => one.or(other).into_iter().for_each(|text| parts.add(text)),
        }
    }
}
