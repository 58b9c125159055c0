//! The room page as scripts and readers see it: the list with its attributes, and its messages.

use super::{Server, http};
use std::collections::HashMap;

/// The content of a room page.
#[derive(Debug)]
pub struct Page {
    /// Attributes of the list.
    pub list: HashMap<String, String>,
    /// The messages, in the order of the page: number, and the text of the whole item.
    pub messages: Vec<(i64, String)>,
    /// The numbers of the messages that are marked as the visitor's own.
    pub own: Vec<i64>,
}

impl Page {
    /// Reads `/{room}/`.
    pub async fn of(server: &Server, room: &str) -> Self {
        let answer = http::get(server, &format!("/{room}/")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        Self::parse(&answer.body)
    }

    /// Reads a page's source.
    pub fn parse(html: &str) -> Self {
        let lists: Vec<_> =
            elements(html, "ol").into_iter().filter(|(list, _)| list.contains_key("data-room")).collect();
        let [(list, _)] = lists.as_slice() else { panic!("the page has {} lists of messages: {html}", lists.len()) };
        let (mut messages, mut own) = (Vec::new(), Vec::new());
        for (attributes, rest) in elements(html, "li") {
            let Some(seq) = attributes.get("data-seq") else { continue };
            let seq = seq.parse().expect("a number");
            let end = rest.find("</li>").expect("items end");
            messages.push((seq, text(&rest[..end])));
            if attributes.get("class").is_some_and(|classes| classes.split_whitespace().any(|class| class == "own")) {
                own.push(seq);
            }
        }
        Self { messages, own, list: list.clone() }
    }

    /// The numbers of its messages.
    pub fn numbers(&self) -> Vec<i64> {
        self.messages.iter().map(|(seq, _)| *seq).collect()
    }

    /// A number among the list's attributes.
    pub fn number(&self, attribute: &str) -> i64 {
        self.list[attribute].parse().expect("a number")
    }

    /// Whether the message of this number shows this text.
    pub fn shows(&self, seq: i64, text: &str) -> bool {
        self.messages.iter().any(|(number, item)| *number == seq && item.contains(text))
    }
}

/// Every element of this name: its attributes, and the source that follows its opening tag.
fn elements<'a>(html: &'a str, name: &str) -> Vec<(HashMap<String, String>, &'a str)> {
    let opening = format!("<{name}");
    let mut found = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find(&opening) {
        rest = &rest[start + opening.len()..];
        if !rest.starts_with([' ', '\n', '>']) {
            continue;
        }
        let mut attributes = HashMap::new();
        loop {
            rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix('>') {
                rest = after;
                break;
            }
            let end = rest.find(['=', ' ', '\n', '>']).expect("tags end");
            let name = rest[..end].to_owned();
            rest = &rest[end..];
            let value = match rest.strip_prefix("=\"") {
                Some(value) => {
                    let end = value.find('"').expect("values end");
                    rest = &value[end + 1..];
                    unescape(&value[..end])
                }
                None => {
                    let end = rest.find([' ', '\n', '>']).expect("tags end");
                    let value = rest[..end].trim_start_matches('=').to_owned();
                    rest = &rest[end..];
                    value
                }
            };
            attributes.insert(name, value);
        }
        found.push((attributes, rest));
    }
    found
}

/// The text in a piece of source, without its tags.
fn text(html: &str) -> String {
    let mut text = String::new();
    for piece in html.split('<') {
        text.push_str(piece.split_once('>').map_or(piece, |(_, after)| after));
    }
    unescape(&text)
}

fn unescape(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    text.replace("&#39;", "'").replace("&#x27;", "'").replace("&amp;", "&")
}

#[test]
fn a_page_is_read_whatever_the_order_of_its_attributes() {
    let page = Page::parse(
        r#"<ol class="x" data-head="2" data-room="a" hidden><li id=s1 data-seq="1"><b>Ann</b> 1 &lt; 2</li><li data-seq=2>two</li></ol>"#,
    );
    assert_eq!(page.numbers(), [1, 2]);
    assert_eq!((page.number("data-head"), page.list["data-room"].as_str()), (2, "a"));
    assert!(page.shows(1, "Ann 1 < 2") && page.shows(2, "two") && !page.shows(2, "Ann"));
}
