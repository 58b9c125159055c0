//! Pages of rooms. A page is rendered once for many visitors and kept in `page_cache`; the values of each visitor are
//! filled in for each request.

use super::content_encoding::ContentEncoding;
use super::page_cache::{PageVariant, PageVersion, PlaceholderToken, Template, VisitorValues, with_node_count};
use super::render::{network, page, permit, render, with_csp};
use crate::domain::{RoomName, RoomView, Seq, Username};
use crate::server::auth::visitor::Visitor;
use crate::server::chat::access::AccessDenied;
use crate::server::http::state::AppState;
use crate::server::network::Network;
use crate::server::random::event_id;
use crate::server::store::RoomRecord;
use crate::server::telemetry::metrics;
use crate::ui::{Page, PageError, PageErrorKind, RejectedForm};
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use leptos::nonce::Nonce;
use std::sync::Arc;

/// A visitor's request for the page of a room.
pub(crate) struct RoomRequest {
    pub(crate) name: RoomName,
    pub(crate) permalink: Option<Seq>,
    /// The number of the message that the page's form replies to.
    pub(crate) reply_to: Option<Seq>,
    pub(crate) username: Option<Username>,
    pub(crate) visitor: Visitor,
}

/// A cached room page, or the data to render it from.
enum PageSource {
    Kept(Arc<Template>),
    Anew(Box<RoomView>, PageVariant, PageVersion),
}

/// Returns the page of a room: a cached or newly rendered template, filled with this visitor's values.
pub(crate) async fn room_page(
    state: &AppState,
    request: Request,
    wanted: RoomRequest,
    refused: Option<RejectedForm>,
) -> Response {
    let (encoding, network) = (ContentEncoding::preferred(request.headers()), network(&request));
    let is_for_all = refused.is_none() && wanted.reply_to.is_none();
    let shown = shown(state, &wanted, !is_for_all).await;
    if let Ok(shown) = &shown {
        metrics::record_page(matches!(shown, PageSource::Kept(_)));
    }
    // A page that is asked for once is not worth compressing for all: the next message makes it obsolete.
    let encoding = encoding.filter(|_| matches!(shown, Ok(PageSource::Kept(_))));
    let template = match shown {
        Ok(PageSource::Kept(template)) => Some(template),
        Ok(PageSource::Anew(room, variant, version)) => {
            render_room(state, request, *room, (variant, version), is_for_all, refused).await
        }
        Err(denied) => {
            return (denied.status(), page(state, request, Page::Error(denied.into())).await).into_response();
        }
    };
    let Some(template) = template else {
        tracing::error!("A page contains personal values in an unexpected place; refusing to send it");
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let (nonce, form_id) = (Nonce::new().to_string(), event_id());
    let personal = VisitorValues { nonce, form_id, tag: wanted.visitor.author.tag(), username: wanted.username };
    let compressed = match encoding {
        Some(encoding) => compressed_page(state, &template, encoding, &personal, network).await,
        None => None,
    };
    let page = compressed.unwrap_or_else(|| Html(template.render(&personal)).into_response());
    with_csp(page, &personal.nonce)
}

/// Returns the page of one visitor, compressed. The first call for a template waits for the network's turn and compresses
/// it. Returns `None` if another call is doing so, or if it cannot be done in advance.
async fn compressed_page(
    state: &AppState,
    template: &Template,
    encoding: ContentEncoding,
    personal: &VisitorValues,
    network: Option<Network>,
) -> Option<Response> {
    if !template.is_compressed(encoding) {
        let _permit = permit(state, network).await;
        template.compress(encoding);
        state.rendered.recount();
    }
    let page = template.fill(encoding, personal)?;
    let headers = [(header::CONTENT_ENCODING, encoding.token()), (header::VARY, "accept-encoding")];
    Some((headers, Html(page)).into_response())
}

/// Looks up the room and its cached page. Skips the cache if `anew` is true.
async fn shown(state: &AppState, wanted: &RoomRequest, anew: bool) -> Result<PageSource, AccessDenied> {
    let RoomRequest { name, permalink, reply_to, username, visitor } = wanted;
    let found = state.chat.admit(name, visitor).await?;
    let ownership = found.ownership(&visitor.author);
    let permalink = permalink.map(|seq| around(seq, &found));
    let (named, muted_until) = (username.is_some(), found.muted_until);
    let variant = PageVariant { room: found.room.id, permalink, named, ownership, muted_until };
    let (epoch, invitation) = (found.room.epoch.clone(), found.invitation());
    let (head, first, erasures) = (found.head, found.first, found.erasures);
    let version = PageVersion { epoch, head, first, invitation, erasures };
    if !anew && let Some(template) = state.rendered.get(&variant, &version, &visitor.author.tag()) {
        return Ok(PageSource::Kept(template));
    }
    let room = state.chat.room_view(found, username.clone(), visitor, permalink, *reply_to).await?;
    Ok(PageSource::Anew(Box::new(room), variant, version))
}

/// Returns the message number to show a page around, so that all numbers that the room does not have yet share one
/// page, and all that it no longer has share another. [`Seq::MAX`] leads to the newest messages, 0 to the oldest.
fn around(seq: Seq, found: &RoomRecord) -> Seq {
    match seq {
        _ if found.first == 0 || seq > found.head => Seq::MAX,
        _ if seq < found.first => 0,
        _ => seq,
    }
}

/// Renders a room's page with placeholders for the visitor's values and caches it if it is for all, and does not answer a
/// form. Returns `None` if a placeholder token appears in an unexpected place.
async fn render_room(
    state: &AppState,
    request: Request,
    room: RoomView,
    (variant, version): (PageVariant, PageVersion),
    is_for_all: bool,
    refused: Option<RejectedForm>,
) -> Option<Arc<Template>> {
    let authors: Vec<_> = room.history.messages.iter().map(|message| message.tag.clone()).collect();
    let own = Some(room.tag.clone()).filter(|tag| authors.contains(tag));
    let mark = PlaceholderToken::new();
    let VisitorValues { nonce, form_id, tag, username } = mark.placeholder_values(own.clone(), variant.named);
    let room = RoomView { form_id, tag, username, ..room };
    let _permit = permit(state, network(&request)).await;
    let page = Page::Room(Box::new(room), refused);
    let html = render(state, request, &nonce, page);
    let html = to_bytes(html.await.into_body(), usize::MAX).await.unwrap_or_default();
    let html = with_node_count(&String::from_utf8_lossy(&html));
    let template = Arc::new(Template::parse(&html, &mark)?);
    if is_for_all {
        state.rendered.put(variant, version, own, authors, template.clone());
    }
    Some(template)
}

impl From<AccessDenied> for PageError {
    fn from(denied: AccessDenied) -> Self {
        let later = "You can’t come in right now.".to_owned();
        let (kind, heading, reason) = match denied {
            AccessDenied::Missing => {
                let reason =
                    "The link may have been replaced by a newer one. Ask whoever sent it, or open a room of your own.";
                return Self::no_room(reason.to_owned());
            }
            AccessDenied::Banned(until) => {
                let (day, time) = (until.day_utc(), until.time_utc());
                let reason = format!("The owner of this room has banned you for now. The ban ends at {time} UTC.");
                (PageErrorKind::Banned, format!("You can’t come in until {day}."), reason)
            }
            AccessDenied::Locked => {
                let reason = "Only people who were here before can come in. Ask whoever sent you the link.";
                (PageErrorKind::Locked, "This room is locked.".to_owned(), reason.to_owned())
            }
            AccessDenied::TooManyRooms(_) => (PageErrorKind::Temporary, later, denied.to_string()),
            AccessDenied::Unavailable(_) => {
                (PageErrorKind::Temporary, "Something went wrong.".to_owned(), denied.to_string())
            }
        };
        Self { kind, heading, reason }
    }
}
