//! Reactions by HTTP: the page with which a visitor reacts to a message without a script, its form, and the people who
//! reacted.

use super::annotation_request::{Addressed, AnnotationRequest, addressed};
use super::media_type::{HTML, JSON, preferred};
use super::messages::json;
use super::origin;
use super::problem::Problem;
use super::render::{not_found, page, page_request};
use super::room_address::redirect_to_canonical;
use crate::domain::history::Ownership;
use crate::domain::{Emoji, Message, RememberedUsername, RoomName, Seq};
use crate::protocol::ServerFrame;
use crate::server::auth::visitor::Visitor;
use crate::server::chat::RoomCommand;
use crate::server::chat::access::AccessDenied;
use crate::server::http::state::AppState;
use crate::server::journal::StoredEvent;
use crate::server::store::RoomRecord;
use crate::server::telemetry::metrics::record_rejection;
use crate::ui::{Page, ReactPageData};
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};

/// `GET /{room_name}/{seq}/react`: the page of emoji.
pub(crate) async fn react_page(
    State(state): State<AppState>,
    path: Addressed,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
    request: Request,
) -> Response {
    let Some((name, seq, raw)) = addressed(&path) else { return not_found(State(state), request).await };
    if let Some(redirect) = redirect_to_canonical(&name, raw, &format!("{seq}/react"), &uri) {
        return redirect;
    }
    show(&state, request, (&name, seq), &visitor, None).await
}

/// `POST /{room_name}/{seq}/react`: reacts, or no longer does. A browser is redirected to the message, or gets the page
/// with the reason; a program gets the event.
pub(crate) async fn react(
    State(state): State<AppState>,
    path: Addressed,
    Extension(visitor): Extension<Visitor>,
    Extension(known): Extension<RememberedUsername>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let reacted = async {
        let asked = AnnotationRequest::read(&state, &path, (&visitor, &known), (&parts.headers, body)).await?;
        let on = match asked.fields.on {
            Some(on) => on,
            None => {
                let own = state.chat.store.own_reactions(asked.found.room.id, asked.seq, &visitor.author).await;
                let own = own.map_err(AccessDenied::from)?;
                !Emoji::parse(&asked.fields.emoji).is_ok_and(|emoji| own.contains(&emoji))
            }
        };
        let react = |on| {
            let (target, emoji, username) = (asked.seq, asked.fields.emoji.as_str(), asked.username.clone());
            RoomCommand::React { target, emoji, on, username }
        };
        Ok(asked.submit(&state, &visitor, on, react).await?)
    };
    let reacted = reacted.await;
    respond(&state, reacted, (path, visitor, known), (parts.uri, parts.headers)).await
}

/// `GET /{room_name}/{seq}/reactions`: the people who reacted to a message.
pub(crate) async fn reactors(
    State(state): State<AppState>,
    path: Addressed,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    if !origin::is_same_origin_request(&headers, state.config.public_url.as_deref()) {
        return Err(Problem::of_foreign_page());
    }
    let (name, seq, raw) = addressed(&path).ok_or_else(|| Problem::not_found("No message has this address."))?;
    if let Some(redirect) = redirect_to_canonical(&name, raw, &format!("{seq}/reactions"), &uri) {
        return Ok(redirect);
    }
    let found = state.chat.admit(&name, &visitor).await?;
    message_of(&state, &found, seq).await?.ok_or_else(|| Problem::not_found("No message has this number."))?;
    let reactions = state.chat.store.reactors(found.room.id, seq).await.map_err(AccessDenied::from)?;
    Ok(json(&serde_json::json!({ "seq": seq, "reactions": reactions })))
}

/// Returns the response to a request that changes a reaction or a pin: the event for a program, else a redirect to the
/// message; or what is wrong.
pub(super) async fn respond(
    state: &AppState,
    changed: Result<StoredEvent, Problem>,
    (path, visitor, known): (Addressed, Visitor, RememberedUsername),
    (uri, headers): (Uri, HeaderMap),
) -> Response {
    let is_program = Problem::is_readable_by(&headers);
    match (changed, addressed(&path)) {
        (Ok(_), Some((name, seq, _))) if !is_program => Redirect::to(&format!("{}{seq}", name.path())).into_response(),
        (Ok(stored), _) => answer(&stored),
        (Err(problem), _) => refusal(state, problem, (path, visitor, known), (uri, headers), is_program).await,
    }
}

/// Returns the response to a program: the event as the socket's frame, or the one that made the state as it is.
fn answer(stored: &StoredEvent) -> Response {
    let frame = match stored.repeated() {
        Some(repeated) => repeated.encode(),
        None => ServerFrame::from(stored.event.clone()).encode(),
    };
    (
        [(header::CONTENT_TYPE, HeaderValue::from_static(JSON)), (header::VARY, HeaderValue::from_static("accept"))],
        frame,
    )
        .into_response()
}

/// Returns the response to a refused form: problem details for a program, else the page with the reason.
async fn refusal(
    state: &AppState,
    problem: Problem,
    (path, visitor, known): (Addressed, Visitor, RememberedUsername),
    (uri, headers): (Uri, HeaderMap),
    is_program: bool,
) -> Response {
    record_rejection(problem.rejection().code);
    let problem = problem.of_addressed();
    if is_program {
        return problem.into_response();
    }
    let is_foreign = problem == Problem::of_foreign_page();
    let Some((name, seq, _)) = addressed(&path).filter(|_| !is_foreign) else { return problem.into_text() };
    let mut request = page_request(uri, visitor, known);
    *request.headers_mut() = headers;
    let (status, retry_after) = (problem.status(), problem.retry_after());
    let detail = problem.rejection().detail.clone();
    let mut response = show(state, request, (&name, seq), &visitor, Some(detail)).await;
    if response.status().is_success() {
        *response.status_mut() = status;
        response.headers_mut().extend(retry_after);
    }
    response
}

/// Shows the page, or why the visitor may not see it.
async fn show(
    state: &AppState,
    request: Request,
    (name, seq): (&RoomName, Seq),
    visitor: &Visitor,
    problem: Option<String>,
) -> Response {
    let data = async {
        let found = state.chat.admit(name, visitor).await?;
        let Some(message) = message_of(state, &found, seq).await? else { return Ok::<_, AccessDenied>(None) };
        let own = state.chat.store.own_reactions(found.room.id, seq, &visitor.author).await?;
        let reactors = state.chat.store.reactors(found.room.id, seq).await?;
        Ok(Some(ReactPageData {
            title: found.title().to_owned(),
            is_owner: found.ownership(&visitor.author) == Ownership::Own,
            room: found.room.name,
            token: state.form_tokens.of(&visitor.author),
            message,
            own,
            reactors,
            problem,
        }))
    };
    match data.await {
        Ok(Some(data)) => page(state, request, Page::React(Box::new(data))).await,
        Ok(None) => not_found(State(state.clone()), request).await,
        Err(denied) if preferred(request.headers(), &[HTML, JSON]) == JSON => Problem::from(denied).into_response(),
        Err(denied) => (denied.status(), page(state, request, Page::Error(denied.into())).await).into_response(),
    }
}

/// Returns a message with its reactions, or `None` if there is none or it was deleted.
async fn message_of(state: &AppState, found: &RoomRecord, seq: Seq) -> Result<Option<Message>, AccessDenied> {
    let message = state.chat.store.message(found.room.id, seq).await?.filter(|message| !message.is_deleted());
    let mut messages: Vec<Message> = message.into_iter().collect();
    state.chat.store.annotate(found, &mut messages).await?;
    Ok(messages.pop())
}
