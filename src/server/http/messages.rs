//! A room's messages for programs: pages and single messages as JSON.

use super::media_type::JSON;
use super::origin;
use super::problem::Problem;
use crate::domain::event::parse_position;
use crate::domain::{Epoch, HistoryCursor, Message, ReactionCount, RoomName, Seq, Timestamp, Username};
use crate::server::auth::visitor::Visitor;
use crate::server::chat::access::AccessDenied;
use crate::server::hex::hex;
use crate::server::http::state::AppState;
use crate::server::store::RoomRecord;
use axum::extract::Query;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Number of messages per page, unless the request says another, and its maximum.
const DEFAULT_LIMIT: u64 = 50;
const MAX_LIMIT: u64 = 200;

/// Query parameters of a page.
#[derive(Default, Deserialize)]
struct PageQuery {
    before: Option<String>,
    after: Option<String>,
    around: Option<String>,
    limit: Option<String>,
}

/// A page of a room's messages, oldest first.
#[derive(Serialize)]
struct MessagesPage<'a> {
    room: &'a RoomName,
    title: &'a str,
    /// Empty without a topic.
    topic: &'a str,
    epoch: &'a Epoch,
    head: Seq,
    messages: Vec<MessageRecord>,
    /// The number with which `before` asks for the page before this one; `None` on the first page.
    before: Option<Seq>,
    /// The number with which `after` asks for the next page; `None` on the last page.
    after: Option<Seq>,
}

/// A message as it reads now.
#[derive(Serialize)]
struct MessageRecord {
    seq: Seq,
    id: String,
    username: String,
    tag: String,
    message: String,
    sent_at: Timestamp,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    edited: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    deleted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<Seq>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mentions: Vec<Username>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reactions: Vec<ReactionCount>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pinned: bool,
}

impl From<Message> for MessageRecord {
    fn from(message: Message) -> Self {
        let deleted = message.is_deleted();
        Self {
            seq: message.seq,
            id: message.id.as_str().to_owned(),
            username: message.username.as_str().to_owned(),
            tag: message.tag.as_str().to_owned(),
            sent_at: message.sent_at,
            edited: message.edited && !deleted,
            deleted,
            reply_to: message.reply_to,
            mentions: message.mentions,
            reactions: message.reactions,
            pinned: message.pinned,
            message: message.text,
        }
    }
}

/// Returns a page of messages, or the single message `seq`. Answers 304 to a client that has the current state.
///
/// # Errors
///
/// Returns a problem if a page of another site asks, the query is invalid, the visitor may not enter, or no message has this number.
pub(super) async fn messages(
    state: &AppState,
    name: &RoomName,
    seq: Option<Seq>,
    visitor: &Visitor,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    if !origin::is_same_origin_request(headers, state.config.public_url.as_deref()) {
        return Err(Problem::of_foreign_page());
    }
    let (cursor, limit) = match seq {
        Some(_) => (HistoryCursor::Newest, 1),
        None => page_of(uri)?,
    };
    let found = state.chat.admit(name, visitor).await?;
    let tag = entity_tag(&found);
    let validators = [(header::ETAG, tag.as_str()), (header::VARY, "accept")];
    if is_current(headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, validators).into_response());
    }
    let store = &state.chat.store;
    let room_id = found.room.id;
    if let Some(seq) = seq {
        let mut message = store.message(room_id, seq).await.map_err(AccessDenied::from)?;
        store.annotate(&found, message.as_mut_slice()).await.map_err(AccessDenied::from)?;
        let message = message.ok_or_else(|| Problem::not_found("This message doesn’t exist."))?;
        return Ok((validators, json(&MessageRecord::from(message))).into_response());
    }
    let mut history = store.messages_page(room_id, cursor, limit).await.map_err(AccessDenied::from)?;
    store.annotate(&found, &mut history.messages).await.map_err(AccessDenied::from)?;
    let before = history.messages.first().filter(|_| history.more_before).map(|message| message.seq);
    let after = history.messages.last().filter(|_| history.more_after).map(|message| message.seq);
    let page = MessagesPage {
        room: &found.room.name,
        title: found.title(),
        topic: found.topic.as_deref().unwrap_or_default(),
        epoch: &found.room.epoch,
        head: found.head,
        messages: history.messages.into_iter().map(MessageRecord::from).collect(),
        before,
        after,
    };
    let mut response = (validators, json(&page)).into_response();
    let link = |name: &str, seq: Seq, relation: &str| {
        format!("<{}?{name}={seq}&limit={limit}>; rel=\"{relation}\"", found.room.name.path())
    };
    let links = [before.map(|seq| link("before", seq, "prev")), after.map(|seq| link("after", seq, "next"))];
    for link in links.into_iter().flatten() {
        response.headers_mut().append(header::LINK, link.parse().expect("a path is percent-encoded"));
    }
    Ok(response)
}

/// The pinned messages of a room, the latest pin first.
#[derive(Serialize)]
struct PinnedPage<'a> {
    room: &'a RoomName,
    epoch: &'a Epoch,
    head: Seq,
    messages: Vec<MessageRecord>,
}

/// Returns the pinned messages of a room as JSON.
pub(super) fn pinned(found: &RoomRecord, messages: Vec<Message>) -> Response {
    let messages = messages.into_iter().map(MessageRecord::from).collect();
    json(&PinnedPage { room: &found.room.name, epoch: &found.room.epoch, head: found.head, messages })
}

/// Returns a response with `body` as JSON.
pub(super) fn json(body: &impl Serialize) -> Response {
    let body = serde_json::to_vec(body).expect("a body is plain data");
    ([(header::CONTENT_TYPE, JSON)], body).into_response()
}

/// Parses the query of a page.
fn page_of(uri: &Uri) -> Result<(HistoryCursor, u64), Problem> {
    let Query(query) =
        Query::<PageQuery>::try_from_uri(uri).map_err(|error| Problem::bad_request(error.body_text()))?;
    let number = |name: &str, value: Option<String>| match value {
        None => Ok(None),
        Some(value) => match parse_position(&value) {
            Some(seq) => Ok(Some(seq)),
            None => Err(Problem::bad_request(format!("`{name}` is the number of a message."))),
        },
    };
    let before = number("before", query.before)?.map(HistoryCursor::Before);
    let after = number("after", query.after)?.map(HistoryCursor::After);
    let around = number("around", query.around)?.map(HistoryCursor::Around);
    let mut cursors = [before, after, around].into_iter().flatten();
    let cursor = cursors.next().unwrap_or(HistoryCursor::Newest);
    if cursors.next().is_some() {
        return Err(Problem::bad_request("Use one of `before`, `after` and `around`."));
    }
    let limit = match query.limit {
        None => DEFAULT_LIMIT,
        Some(limit) => match limit.strip_prefix('-') {
            Some(below) if parse_position(below).is_some() => 1,
            _ => parse_position(&limit)
                .ok_or_else(|| Problem::bad_request("`limit` is a number from 1 to 200."))?
                .clamp(1, MAX_LIMIT as Seq) as u64,
        },
    };
    Ok((cursor, limit))
}

/// Returns the entity tag of everything that can be read in a room. It changes with each event, when the oldest events
/// go, and when an author is erased, which may leave no event.
fn entity_tag(found: &RoomRecord) -> String {
    let (title, topic) = (found.title(), found.topic.as_deref().unwrap_or_default());
    let descriptions = Sha256::digest(format!("{title}\n{topic}\n{}", found.erasures));
    let descriptions = hex(&descriptions[..4]);
    format!("\"{}.{}.{}.{descriptions}\"", found.room.epoch.0, found.head, found.first)
}

/// Returns whether the client has the representation with this tag (RFC 9110, section 13.1.2). Tags are compared weakly,
/// because proxies that compress a response weaken its tag.
fn is_current(headers: &HeaderMap, tag: &str) -> bool {
    let lists = headers.get_all(header::IF_NONE_MATCH).into_iter().filter_map(|list| list.to_str().ok());
    let mut known = lists.flat_map(|list| list.split(',')).map(|item| item.trim());
    known.any(|item| item == "*" || item.strip_prefix("W/").unwrap_or(item) == tag)
}
