//! Page rendering. A room's page is rendered once for many visitors and kept in `page_cache`; the values of each
//! visitor are filled in for each request.

use super::assets;
use super::middleware::security_headers;
use super::page_cache::{PageVariant, PageVersion, PlaceholderToken, Template, VisitorValues, with_node_count};
use crate::domain::{RememberedUsername, RoomName, RoomView, Seq, Username};
use crate::server::auth::visitor::Visitor;
use crate::server::chat::access::AccessDenied;
use crate::server::http::state::AppState;
use crate::server::limits::rate_limiter::Rendering;
use crate::server::network::Network;
use crate::server::random::event_id;
use crate::server::store::RoomRecord;
use crate::server::telemetry::metrics;
use crate::ui::{FrontPageData, Page, PageError, RejectedForm, shell};
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use leptos::nonce::Nonce;
use leptos::prelude::{LeptosOptions, RenderHtml, provide_context};
use leptos::tachys::html::InertElement;
use percent_encoding::percent_decode_str;
use std::sync::Arc;

/// A visitor's request for the page of a room.
pub(crate) struct RoomRequest {
    pub(crate) name: RoomName,
    pub(crate) permalink: Option<Seq>,
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
    let takes_gzip = assets::takes(request.headers(), "gzip");
    let shown = shown(state, &wanted, refused.is_some()).await;
    if let Ok(shown) = &shown {
        metrics::record_page(matches!(shown, PageSource::Kept(_)));
    }
    let template = match shown {
        Ok(PageSource::Kept(template)) => Some(template),
        Ok(PageSource::Anew(room, variant, version)) => {
            render_room(state, request, *room, variant, version, refused).await
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
    let page = if takes_gzip {
        // The template is compressed already, except for the visitor's values.
        let encoded = [(header::CONTENT_ENCODING, "gzip"), (header::VARY, "accept-encoding")];
        (encoded, Html(template.fill_gzip(&personal))).into_response()
    } else {
        Html(template.render(&personal)).into_response()
    };
    with_csp(page, &personal.nonce)
}

/// Looks up the room and its cached page. Skips the cache if `anew` is true.
async fn shown(state: &AppState, wanted: &RoomRequest, anew: bool) -> Result<PageSource, AccessDenied> {
    let RoomRequest { name, permalink, username, visitor } = wanted;
    let found = state.chat.admit(name, visitor).await?;
    let ownership = found.ownership(&visitor.author);
    let permalink = permalink.map(|seq| around(seq, &found));
    let (named, muted_until) = (username.is_some(), found.muted_until);
    let variant = PageVariant { room: found.room.id, permalink, named, ownership, muted_until };
    let (epoch, invitation) = (found.room.epoch.clone(), found.invitation());
    let version = PageVersion { epoch, head: found.head, first: found.first, invitation };
    if !anew && let Some(template) = state.rendered.get(&variant, &version, &visitor.author.tag()) {
        return Ok(PageSource::Kept(template));
    }
    let room = state.chat.room_view(found, username.clone(), visitor, permalink).await?;
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

/// Returns the network that a request comes from.
fn network(request: &Request) -> Option<Network> {
    let extensions = request.extensions();
    let network = extensions.get::<Network>().copied();
    network.or_else(|| extensions.get::<Visitor>().map(|visitor| visitor.network))
}

/// Waits for the network's turn to render, because rendering a page does not yield.
async fn permit(state: &AppState, network: Option<Network>) -> Option<Rendering> {
    Some(state.limiter.render(network?).await)
}

/// Renders a room's page with placeholders for the visitor's values and caches it, unless it tells this visitor why
/// something was refused. Returns `None` if a placeholder token appears in an unexpected place.
async fn render_room(
    state: &AppState,
    request: Request,
    room: RoomView,
    variant: PageVariant,
    version: PageVersion,
    refused: Option<RejectedForm>,
) -> Option<Arc<Template>> {
    let authors: Vec<_> = room.history.messages.iter().map(|message| message.tag.clone()).collect();
    let own = Some(room.tag.clone()).filter(|tag| authors.contains(tag));
    let for_all = refused.is_none();
    let mark = PlaceholderToken::new();
    let VisitorValues { nonce, form_id, tag, username } = mark.placeholder_values(own.clone(), variant.named);
    let room = RoomView { form_id, tag, username, ..room };
    let _permit = permit(state, network(&request)).await;
    let page = Page::Room(Box::new(room), refused);
    let html = render(state, request, &nonce, page);
    let html = to_bytes(html.await.into_body(), usize::MAX).await.unwrap_or_default();
    let html = with_node_count(&String::from_utf8_lossy(&html));
    let template = Arc::new(Template::parse(&html, &mark)?);
    if for_all {
        state.rendered.put(variant, version, own, authors, template.clone());
    }
    Some(template)
}

impl From<AccessDenied> for PageError {
    fn from(denied: AccessDenied) -> Self {
        let heading = match denied {
            AccessDenied::Missing => return Self::no_room(denied.to_string()),
            AccessDenied::TooManyRooms(_) | AccessDenied::Banned(_) | AccessDenied::Locked => {
                "You can’t come in right now."
            }
            AccessDenied::Unavailable(_) => "Something went wrong.",
        };
        Self { heading, reason: denied.to_string() }
    }
}

/// Renders the front page: the form with these values, or else with the remembered name.
pub(crate) async fn front_page(
    state: &AppState,
    request: Request,
    username: Option<String>,
    room_name: Option<String>,
) -> Response {
    let username = username.or_else(|| remembered_username(&request).map(ToString::to_string));
    let token = request.extensions().get::<Visitor>().map(|visitor| state.form_tokens.of(&visitor.author));
    let is_indexed = state.config.front_page_indexed;
    page(state, request, Page::Front(FrontPageData { username, room_name, token, is_indexed })).await
}

/// Renders a page that shows nothing of a room.
async fn page(state: &AppState, request: Request, page: Page) -> Response {
    let nonce = Nonce::new();
    let _permit = permit(state, network(&request)).await;
    let response = render(state, request, &nonce, page);
    with_csp(response.await, &nonce)
}

/// Answers a request for an unknown address with 404 and a page that states the reason.
pub(crate) async fn not_found(State(state): State<AppState>, request: Request) -> Response {
    let error = PageError::no_room(not_found_reason(request.uri().path()));
    (StatusCode::NOT_FOUND, page(&state, request, Page::Error(error)).await).into_response()
}

fn not_found_reason(path: &str) -> String {
    let mut segments = path.split('/').skip(1);
    let name = percent_decode_str(segments.next().unwrap_or_default()).decode_utf8_lossy();
    match RoomName::parse(&name) {
        Err(reason) => reason.to_string(),
        Ok(_) if segments.count() == 1 => "No message has this number.".into(),
        Ok(_) => "Nothing is kept at this address.".into(),
    }
}

/// Renders the document of a page. No page depends on the request's URI, but Leptos parses it and panics if it has no
/// path. The request therefore gets a fixed one.
async fn render(state: &AppState, request: Request, nonce: &str, page: Page) -> Response {
    let origin = state.config.public_url.clone().unwrap_or_default();
    render_document(state.config.leptos.clone(), state.assets.root(), origin, request, nonce, page).await
}

async fn render_document(
    options: LeptosOptions,
    assets: String,
    origin: String,
    mut request: Request,
    nonce: &str,
    page: Page,
) -> Response {
    *request.uri_mut() = Uri::from_static("/");
    let nonce = nonce.to_owned();
    let context = move || provide_context(Nonce::from_value(nonce.clone()));
    // Rendered at once, because no page waits for anything. Leptos would stream it, by some forty functions for the type
    // of the whole document, whose name alone is a hundred kilobytes long.
    let document = move || {
        InertElement::new(shell(options.clone(), assets.clone(), origin.clone(), page.clone()).to_html())
    };
    leptos_axum::render_app_async_with_context(context, document)(request).await
}

/// Sets the page's Content Security Policy, which allows only the page's own scripts.
fn with_csp(mut response: Response, nonce: &str) -> Response {
    let watched = std::env::var_os("LEPTOS_WATCH").is_some();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, security_headers::page_policy(nonce, watched));
    response
}

/// Returns the visitor's remembered name.
pub(crate) fn remembered_username(request: &Request) -> Option<&Username> {
    request.extensions().get::<RememberedUsername>().and_then(|known| known.0.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::history::Ownership;
    use crate::domain::{AuthorTag, Epoch, EventId, HistoryPage, Message, Timestamp};
    use axum::body::Body;

    async fn rendered(personal: &VisitorValues, tags: [u8; 2]) -> String {
        let text = "<b>&quot;\" data-props=\"x\" `code` https://a.example/?b=1&c";
        let message = |(index, tag): (usize, u8)| Message {
            seq: index as Seq + 1,
            id: EventId::from_trusted(format!("id{index}")),
            username: Username::from_trusted("A \"name\" & <more>".into()),
            tag: AuthorTag::new([tag, 0]),
            text: text.into(),
            sent_at: Timestamp(0),
            edited: index == 0,
        };
        let messages = tags.into_iter().enumerate().map(message).collect();
        let page = RoomView {
            room: RoomName::parse("harbour").unwrap(),
            epoch: Epoch("e".into()),
            head: 2,
            username: personal.username.clone(),
            tag: personal.tag.clone(),
            form_id: personal.form_id.clone(),
            history: HistoryPage { messages, more_before: false, more_after: false },
            ownership: Ownership::Other,
            invitation: "/harbour/".into(),
            ..RoomView::empty()
        };
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = "/harbour/".parse().unwrap();
        let options = LeptosOptions::builder().output_name("parlour").build();
        let page = Page::Room(Box::new(page), None);
        let html = render_document(options, "/assets/x".into(), String::new(), request, &personal.nonce, page);
        String::from_utf8(to_bytes(html.await.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_filled_template_equals_a_direct_rendering() {
        let _ = any_spawner::Executor::init_tokio();
        let tag = AuthorTag::new([7, 0]);
        for (name, tags, own) in [
            (None, [1, 2], None),
            (Some("Ann"), [1, 2], None),
            (Some("\"><script>'&amp;\\u0022{}"), [1, 2], None),
            (Some("Zoë \u{1f600}\u{2028}"), [1, 7], Some(tag.clone())),
        ] {
            let personal = VisitorValues {
                nonce: Nonce::new().to_string(),
                form_id: event_id(),
                tag: tag.clone(),
                username: name.map(|name| Username::from_trusted(name.to_owned())),
            };
            let mark = PlaceholderToken::new();
            let template = rendered(&mark.placeholder_values(own, name.is_some()), tags).await;
            let filled = Template::parse(&template, &mark).unwrap().render(&personal);
            assert_eq!(filled, rendered(&personal, tags).await);
            assert!(filled.contains("message-text") && filled.contains(personal.form_id.as_str()));
            assert_eq!(filled.contains("data-action=\"edit\""), tags.contains(&7));
        }
    }
}
