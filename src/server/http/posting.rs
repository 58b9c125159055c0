//! Handlers that write to a room: `POST /{room_name}/` posts a message, as a form, as text or as JSON; `PATCH` and
//! `DELETE /{room_name}/{seq}` change one. Browsers are redirected to the page, programs get the event.

use super::media_type::{HTML, JSON, PLAIN_TEXT, preferred};
use super::message_body::{self, REPLY_TO_NOT_NUMBER, SentMessage, idempotency_key, is_bare};
use super::middleware::authorization::has_token;
use super::middleware::request_limit::TOO_MANY_REQUESTS;
use super::middleware::visitor::{TOO_MANY_VISITORS, create_identity};
use super::problem::Problem;
use super::render::{not_found, page_request};
use super::room_page::{RoomRequest, room_page};
use super::{cookies, origin};
use crate::domain::event::parse_seq;
use crate::domain::{Event, Rejection, RejectionCode, RememberedUsername, RoomName, Seq, Username};
use crate::protocol::ServerFrame;
use crate::server::auth::visitor::Visitor;
use crate::server::chat::{RoomCommand, draining_rejection};
use crate::server::http::state::AppState;
use crate::server::telemetry::metrics::record_rejection;
use crate::ui::RejectedForm;
use axum::body::to_bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};

/// `POST /{room_name}/`: posts a message without a socket. A browser is redirected to the room, or gets the page with its
/// text and the reason; a program gets the event.
pub(crate) async fn post(
    State(state): State<AppState>,
    raw: Result<Path<String>, PathRejection>,
    Extension(visitor): Extension<Visitor>,
    Extension(known): Extension<RememberedUsername>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let is_program = Problem::is_readable_by(&parts.headers) || is_bare(&parts.headers);
    // Before any negotiation: a page of another site can send text, too.
    if !origin::is_same_origin_request(&parts.headers, state.config.public_url.as_deref()) {
        return refusal(Problem::of_foreign_page(), is_program);
    }
    let name = raw.ok().and_then(|Path(raw)| RoomName::parse(&raw).ok());
    let Some(name) = name else {
        return match is_program {
            true => Problem::not_found("There’s no room here.").into_response(),
            false => not_found(State(state), page_request(parts.uri, visitor, known)).await,
        };
    };
    // It was read completely before.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let sent = match message_body::read(&parts.headers, &body) {
        Ok(sent) => sent,
        Err(problem) => return refusal(problem, is_program),
    };
    let offered: &[&str] = if sent.is_form { &[HTML, JSON, PLAIN_TEXT] } else { &[JSON, PLAIN_TEXT] };
    let media_type = preferred(&parts.headers, offered);
    if media_type == HTML {
        return post_form(&state, &name, visitor, known, (parts.uri, parts.headers), sent).await;
    }
    let sent = match sent.checked() {
        Ok(sent) => sent,
        Err(problem) => return refusal(problem, is_program),
    };
    let username = match sent.username.as_deref().filter(|name| !Username::is_blank(name)).map(Username::parse) {
        Some(Err(invalid)) => return refusal(Rejection::from(invalid).into(), true),
        Some(Ok(username)) => Some(username),
        None => known.0,
    };
    let username = username.unwrap_or_else(Username::anonymous);
    let command = RoomCommand::Post { username, message: &sent.message, reply_to: sent.reply_to };
    match submit(&state, &name, &visitor, sent.id.as_deref(), command).await {
        Ok(event) => {
            let mut response = stored(StatusCode::CREATED, &event, media_type);
            let location = HeaderValue::try_from(format!("{}{}", name.path(), event.seq));
            response.headers_mut().insert(header::LOCATION, location.expect("a path is visible ASCII"));
            response
        }
        Err(problem) => refusal(problem, true),
    }
}

/// `PATCH /{room_name}/{seq}`: replaces the text of an own message.
pub(crate) async fn edit(
    State(state): State<AppState>,
    path: Result<Path<(String, String)>, PathRejection>,
    Extension(visitor): Extension<Visitor>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let edited = async {
        let (name, target) = addressed(&state, &parts.headers, path)?;
        let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
        let sent = message_body::read(&parts.headers, &body)?.checked()?;
        let command = RoomCommand::Edit { target, text: &sent.message };
        submit(&state, &name, &visitor, sent.id.as_deref(), command).await
    };
    changed(&parts.headers, edited.await)
}

/// `DELETE /{room_name}/{seq}`: deletes an own message, or any as the owner of the room.
pub(crate) async fn delete(
    State(state): State<AppState>,
    path: Result<Path<(String, String)>, PathRejection>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
) -> Response {
    let deleted = async {
        let (name, target) = addressed(&state, &headers, path)?;
        let id = idempotency_key(&headers)?;
        submit(&state, &name, &visitor, id.as_deref(), RoomCommand::Delete { target }).await
    };
    changed(&headers, deleted.await)
}

/// Returns the room and the number in the address of a message, for a request that may change it.
///
/// # Errors
///
/// Returns a problem if a page of another site has sent the request, or if no message can have this address.
pub(super) fn addressed(
    state: &AppState,
    headers: &HeaderMap,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<(RoomName, Seq), Problem> {
    if !origin::is_same_origin_request(headers, state.config.public_url.as_deref()) {
        return Err(Problem::of_foreign_page());
    }
    let named = path.ok().and_then(|Path((raw, seq))| Some((RoomName::parse(&raw).ok()?, parse_seq(&seq)?)));
    named.ok_or_else(|| Problem::not_found("This message doesn’t exist."))
}

/// Returns the response to a request that changes a message.
fn changed(headers: &HeaderMap, outcome: Result<Event, Problem>) -> Response {
    match outcome {
        Ok(event) => stored(StatusCode::OK, &event, preferred(headers, &[JSON, PLAIN_TEXT])),
        Err(problem) => refusal(problem.of_addressed(), true),
    }
}

/// Submits a command, and returns its event once it is on stable storage.
///
/// # Errors
///
/// Returns the problem to answer with if the visitor may not enter the room, or if the command is rejected.
pub(super) async fn submit(
    state: &AppState,
    name: &RoomName,
    visitor: &Visitor,
    id: Option<&str>,
    command: RoomCommand<'_>,
) -> Result<Event, Problem> {
    let found = state.chat.admit(name, visitor).await?;
    let sender = (visitor.author.of_request(), visitor.network);
    let outcome = state.chat.submit(&found.room, sender, id, command).await?;
    let stored = outcome.await.unwrap_or_else(|_| Err(draining_rejection()))?;
    Ok(stored.event)
}

/// Returns the response to a program: the event as the socket's frame, or its number as text.
fn stored(status: StatusCode, event: &Event, media_type: &'static str) -> Response {
    let (content_type, body) = match media_type {
        PLAIN_TEXT => ("text/plain; charset=utf-8", format!("{}\n", event.seq)),
        _ => (JSON, ServerFrame::from(event.clone()).encode()),
    };
    (status, [(header::CONTENT_TYPE, content_type), (header::VARY, "accept")], body).into_response()
}

/// Returns the response to a refused request: problem details for a program, else the sentence.
pub(super) fn refusal(problem: Problem, is_program: bool) -> Response {
    record_rejection(problem.rejection().code);
    match is_program {
        true => problem.into_response(),
        false => problem.into_text(),
    }
}

/// Posts a message by form, then redirects to the room. A rejected message is returned in the page, with the reason.
///
/// A visitor without an identity gets one with the response, and the message is theirs. If the form has an id, as those
/// of pages do, the message is a guest's instead: the form may be sent again without the cookie, and is then known by its
/// id.
async fn post_form(
    state: &AppState,
    name: &RoomName,
    visitor: Visitor,
    known: RememberedUsername,
    (uri, headers): (Uri, HeaderMap),
    form: SentMessage,
) -> Response {
    let is_new = visitor.author.is_guest() && !has_token(&headers);
    let gets_identity = is_new && (form.id.is_none() || !is_bare(&headers));
    let (shown, cookie) = match gets_identity.then(|| create_identity(state, &visitor)) {
        Some(Ok((created, cookie))) => (created, Some(cookie)),
        Some(Err(limited)) => return limited.response(TOO_MANY_VISITORS),
        None => (visitor, None),
    };
    let author = match form.id {
        // Until the cookie comes back, each post could come from a new author, who counts with the network's guests.
        None if gets_identity => shown.author.among_guests_like(&visitor.author),
        _ => visitor.author.of_request(),
    };
    let again = page_request(uri, shown, known.clone());
    let username = form.username.as_deref().filter(|name| !Username::is_blank(name));
    let stored = async {
        if form.has_bad_reply_to {
            return Err(Rejection::new(RejectionCode::Invalid, REPLY_TO_NOT_NUMBER));
        }
        let parsed = username.map(Username::parse).transpose()?;
        // A form has a field for the name; a token brings its own.
        let default = known.0.clone().filter(|_| visitor.author.is_token());
        let username = parsed.clone().or(default).unwrap_or_else(Username::anonymous);
        let command = RoomCommand::Post { username, message: &form.message, reply_to: form.reply_to };
        let sender = Visitor { author, ..shown };
        state.chat.submit_and_wait(name, &sender, form.id.as_deref(), command).await.map(|_| parsed)
    };
    let mut response = match stored.await {
        Ok(parsed) => {
            let mut response = Redirect::to(&name.path()).into_response();
            if let Some(username) = parsed.filter(|_| !visitor.author.is_token()) {
                cookies::set_username_cookie(&mut response, &username, visitor.cookie_suffix, &state.config);
            }
            response
        }
        Err(rejection) => rejected_form(state, again, name, shown, known, form, rejection).await,
    };
    if let Some(cookie) = cookie {
        cookies::set_identity(&mut response, &cookie, visitor.cookie_suffix, &state.config);
    }
    response
}

/// Returns the room's page with a form that was rejected.
async fn rejected_form(
    state: &AppState,
    again: Request,
    name: &RoomName,
    visitor: Visitor,
    known: RememberedUsername,
    form: SentMessage,
    Rejection { code, detail, retry_after_ms }: Rejection,
) -> Response {
    record_rejection(code);
    // Unless the name was refused, it is filled in again only if it is new.
    let name_refused = matches!(code, RejectionCode::UsernameTaken | RejectionCode::UsernameInvalid);
    let is_new = |name: &str| !Username::is_blank(name) && Username::parse(name).ok() != known.0;
    let username = form.username.filter(|name| name_refused || is_new(name));
    let refused = RejectedForm { message: form.message, username, detail: detail.clone(), edited: None };
    let (name, reply_to) = (name.clone(), form.reply_to);
    let wanted = RoomRequest { name, permalink: None, reply_to, username: known.0, visitor };
    // The commit is complete. The page is like any other now, and takes its network's turn.
    let _permit = match state.limiter.work(visitor.network).await {
        Ok(permit) => permit,
        Err(limited) => return limited.response(TOO_MANY_REQUESTS),
    };
    let mut page = room_page(state, again, wanted, Some(refused)).await;
    // If the visitor may not enter, that is the reason to show, even if the form has other mistakes.
    if page.status().is_success() {
        let problem = Problem::from(Rejection { retry_after_ms, ..Rejection::new(code, detail) });
        *page.status_mut() = problem.status();
        page.headers_mut().extend(problem.retry_after());
    }
    page
}
