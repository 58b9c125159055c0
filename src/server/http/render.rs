//! Page rendering: the document, its policy, and pages that show nothing of a room.

use super::media_type::{self, HTML, JSON};
use super::middleware::security_headers;
use super::problem::Problem;
use crate::domain::{RememberedUsername, RoomName, Username};
use crate::server::auth::visitor::Visitor;
use crate::server::http::state::AppState;
use crate::server::limits::rate_limiter::Rendering;
use crate::server::network::Network;
use crate::ui::{Page, PageError, shell};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use leptos::nonce::Nonce;
use leptos::prelude::{LeptosOptions, RenderHtml, provide_context};
use leptos::tachys::html::InertElement;
use percent_encoding::percent_decode_str;
use std::sync::LazyLock;

/// Returns the network that a request comes from.
pub(super) fn network(request: &Request) -> Option<Network> {
    let extensions = request.extensions();
    let network = extensions.get::<Network>().copied();
    network.or_else(|| extensions.get::<Visitor>().map(|visitor| visitor.network))
}

/// Waits for the network's turn to render, because rendering a page does not yield.
pub(super) async fn permit(state: &AppState, network: Option<Network>) -> Option<Rendering> {
    Some(state.limiter.render(network?).await)
}

/// Renders a page that shows nothing of a room.
pub(super) async fn page(state: &AppState, request: Request, page: Page) -> Response {
    let nonce = Nonce::new();
    let _permit = permit(state, network(&request)).await;
    let response = render(state, request, &nonce, page);
    with_csp(response.await, &nonce)
}

/// Answers a request for an unknown address with 404 and a page that states the reason.
pub(crate) async fn not_found(State(state): State<AppState>, request: Request) -> Response {
    let reason = not_found_reason(request.uri().path());
    if media_type::preferred(request.headers(), &[HTML, JSON]) == JSON {
        return Problem::not_found(reason).into_response();
    }
    let error = PageError::no_room(reason);
    (StatusCode::NOT_FOUND, page(&state, request, Page::Error(error)).await).into_response()
}

fn not_found_reason(path: &str) -> String {
    let mut segments = path.split('/').skip(1);
    let name = percent_decode_str(segments.next().unwrap_or_default()).decode_utf8_lossy();
    match RoomName::parse(&name) {
        Err(reason) => reason.to_string(),
        Ok(_) if segments.count() == 1 => "This message doesn’t exist.".into(),
        Ok(_) => "There’s nothing here.".into(),
    }
}

/// Renders the document of a page. No page depends on the request's URI, but Leptos parses it and panics if it has no
/// path. The request therefore gets a fixed one.
pub(super) async fn render(state: &AppState, request: Request, nonce: &str, page: Page) -> Response {
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
    let document =
        move || InertElement::new(shell(options.clone(), assets.clone(), origin.clone(), page.clone()).to_html());
    leptos_axum::render_app_async_with_context(context, document)(request).await
}

/// Sets the page's Content Security Policy, which allows only the page's own scripts.
pub(super) fn with_csp(mut response: Response, nonce: &str) -> Response {
    static IS_WATCHED: LazyLock<bool> = LazyLock::new(|| std::env::var_os("LEPTOS_WATCH").is_some());
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, security_headers::page_policy(nonce, *IS_WATCHED));
    response
}

/// Returns a request for the page at `uri`, to render it for this visitor.
pub(super) fn page_request(uri: Uri, visitor: Visitor, known: RememberedUsername) -> Request {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = uri;
    request.extensions_mut().insert(visitor);
    request.extensions_mut().insert(known);
    request
}

/// Returns the visitor's remembered name.
pub(crate) fn remembered_username(request: &Request) -> Option<&Username> {
    request.extensions().get::<RememberedUsername>().and_then(|known| known.0.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::history::Ownership;
    use crate::domain::{AuthorTag, Epoch, EventId, HistoryPage, Message, RoomView, Seq, Timestamp};
    use crate::server::http::page_cache::{PlaceholderToken, Template, VisitorValues};
    use crate::server::random::event_id;
    use axum::body::to_bytes;

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
            reply_to: None,
            mentions: Vec::new(),
            reactions: Vec::new(),
            pinned: false,
        };
        let messages = tags.into_iter().enumerate().map(message).collect();
        let page = RoomView {
            room: RoomName::parse("harbour").unwrap(),
            epoch: Epoch("e".into()),
            head: 2,
            username: personal.username.clone(),
            tag: personal.tag.clone(),
            form_id: personal.form_id.clone(),
            history: HistoryPage { messages, ..HistoryPage::default() },
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
            let spaceless = |page: &str| page.replace(' ', "");
            assert_eq!(spaceless(&filled), spaceless(&rendered(&personal, tags).await), "names are padded");
            assert!(filled.contains("message-text") && filled.contains(personal.form_id.as_str()));
            let classes = filled.split("class=\"message ").skip(1).filter_map(|rest| rest.split('"').next());
            assert_eq!(classes.flat_map(str::split_whitespace).any(|class| class == "own"), tags.contains(&7));
        }
    }
}
