//! Reactions by HTTP: the page with which a visitor reacts to a message without a script, its form, and the people who
//! reacted.

use super::media_type::{HTML, JSON, preferred};
use super::message_body::idempotency_key;
use super::messages::json;
use super::origin;
use super::problem::Problem;
use super::reaction_form::ReactionFields;
use super::render::{not_found, page, page_request};
use crate::domain::event::parse_seq;
use crate::domain::history::Ownership;
use crate::domain::{Emoji, Message, RejectionCode, RememberedUsername, RoomName, Seq, Username};
use crate::protocol::ServerFrame;
use crate::server::auth::visitor::Visitor;
use crate::server::chat::RoomCommand;
use crate::server::chat::access::AccessDenied;
use crate::server::http::state::AppState;
use crate::server::journal::{StoredEvent, SubmitResult};
use crate::server::store::RoomRecord;
use crate::server::telemetry::metrics::record_rejection;
use crate::ui::{Page, ReactPageData};
use axum::body::to_bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};

/// A message that an address names.
type Addressed = Result<Path<(String, String)>, PathRejection>;

/// `GET /{room_name}/{seq}/react`: the page of emoji.
pub(crate) async fn react_page(
    State(state): State<AppState>,
    path: Addressed,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
    request: Request,
) -> Response {
    let Some((name, seq, is_canonical)) = addressed(&path) else { return not_found(State(state), request).await };
    if !is_canonical {
        let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
        return Redirect::permanent(&format!("{}{seq}/react{query}", name.path())).into_response();
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
    let is_program = Problem::is_readable_by(&parts.headers);
    let reacted = async {
        if !origin::is_same_origin_request(&parts.headers, state.config.public_url.as_deref()) {
            return Err(Problem::of_foreign_page());
        }
        let (name, seq, _) = addressed(&path).ok_or_else(|| Problem::not_found("No message has this address."))?;
        let found = state.chat.admit(&name, &visitor).await?;
        let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
        let fields = ReactionFields::read(&parts.headers, &body)?;
        if fields.token.as_ref().is_some_and(|token| !state.form_tokens.proves(&visitor.author, token)) {
            let detail = "This page was out of date. Choose again.";
            return Err(Problem::new(StatusCode::FORBIDDEN, RejectionCode::Forbidden, detail));
        }
        let id = if fields.id.is_some() { fields.id.clone() } else { idempotency_key(&parts.headers)? };
        let username = known.0.clone().unwrap_or_else(Username::anonymous);
        let on = match fields.on {
            Some(on) => on,
            None => {
                let own = state.chat.store.own_reactions(found.room.id, seq, &visitor.author).await;
                let own = own.map_err(AccessDenied::from)?;
                !Emoji::parse(&fields.emoji).is_ok_and(|emoji| own.contains(&emoji))
            }
        };
        let react = |on| {
            let command = RoomCommand::React { target: seq, emoji: &fields.emoji, on, username: username.clone() };
            state.chat.submit_and_wait(&name, &visitor, id.as_deref(), command)
        };
        let stored = change_state(fields.on, on, react).await?;
        Ok((name, seq, stored))
    };
    match reacted.await {
        Ok((_, _, stored)) if is_program => answer(&stored),
        Ok((name, seq, _)) => Redirect::to(&format!("{}{seq}", name.path())).into_response(),
        Err(problem) => refusal(&state, problem, (path, visitor, known), (parts.uri, parts.headers), is_program).await,
    }
}

/// `GET /{room_name}/{seq}/reactions`: the people who reacted to a message.
pub(crate) async fn reactors(
    State(state): State<AppState>,
    path: Addressed,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if !origin::is_same_origin_request(&headers, state.config.public_url.as_deref()) {
        return Err(Problem::of_foreign_page());
    }
    let (name, seq, is_canonical) =
        addressed(&path).ok_or_else(|| Problem::not_found("No message has this address."))?;
    if !is_canonical {
        return Ok(Redirect::permanent(&format!("{}{seq}/reactions", name.path())).into_response());
    }
    let found = state.chat.admit(&name, &visitor).await?;
    message_of(&state, &found, seq).await?.ok_or_else(|| Problem::not_found("No message has this number."))?;
    let reactions = state.chat.store.reactors(found.room.id, seq).await.map_err(AccessDenied::from)?;
    Ok(json(&serde_json::json!({ "seq": seq, "reactions": reactions })))
}

/// Returns the room and the message in an address, and whether the name is spelled as it should be.
pub(super) fn addressed(path: &Addressed) -> Option<(RoomName, Seq, bool)> {
    let Path((raw, seq)) = path.as_ref().ok()?;
    let name = RoomName::parse(raw).ok()?;
    let is_canonical = name.as_str() == raw;
    Some((name, parse_seq(seq)?, is_canonical))
}

/// Changes a state: to `on`, or to `next` if the request toggles it. A repeated id is answered by its event. The first
/// request with it has changed the state, so a repeated toggle would be the opposite event.
pub(super) async fn change_state<F>(on: Option<bool>, next: bool, submit: impl Fn(bool) -> F) -> SubmitResult
where
    F: Future<Output = SubmitResult>,
{
    match submit(next).await {
        Err(rejection) if on.is_none() && rejection.code == RejectionCode::IdConflict => submit(!next).await,
        result => result,
    }
}

/// Returns the response to a program: the event as the socket's frame, or the one that made the state as it is.
pub(super) fn answer(stored: &StoredEvent) -> Response {
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
pub(super) async fn refusal(
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
