//! The form of a message's page, which edits or removes the message without JavaScript.

use super::message_body::{ChangeForm, read_change};
use super::middleware::request_limit::TOO_MANY_REQUESTS;
use super::posting::{addressed, refusal, submit};
use super::render::page_request;
use super::room_page::{RoomRequest, room_page};
use crate::domain::{RememberedUsername, RoomName, Seq};
use crate::server::auth::visitor::Visitor;
use crate::server::chat::RoomCommand;
use crate::server::http::problem::Problem;
use crate::server::http::state::AppState;
use crate::server::telemetry::metrics::record_rejection;
use crate::ui::RejectedForm;
use axum::body::to_bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, Request, State};
use axum::response::{IntoResponse, Redirect, Response};

/// `POST /{room_name}/{seq}`: edits an own message, or removes one. Redirects to the message. A rejected text is returned
/// in the page, with the reason.
pub(crate) async fn change_message(
    State(state): State<AppState>,
    path: Result<Path<(String, String)>, PathRejection>,
    Extension(visitor): Extension<Visitor>,
    Extension(known): Extension<RememberedUsername>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let is_program = Problem::is_readable_by(&parts.headers);
    // Before the body is looked at: to a page of another site, every request is refused alike.
    let (name, target) = match addressed(&state, &parts.headers, path) {
        Ok(address) => address,
        Err(problem) => return refusal(problem, is_program),
    };
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let form = match read_change(&parts.headers, &body) {
        Ok(form) => form,
        Err(problem) => return refusal(problem, is_program),
    };
    let command = match &form {
        ChangeForm::Edit(text) => RoomCommand::Edit { target, text },
        ChangeForm::Remove => RoomCommand::Delete { target },
    };
    match (submit(&state, &name, &visitor, None, command).await, form) {
        (Ok(_), _) => Redirect::to(&format!("{}{target}", name.path())).into_response(),
        (Err(problem), ChangeForm::Edit(text)) if !is_program => {
            let again = page_request(parts.uri, visitor, known.clone());
            rejected_edit(&state, again, (name, target), (visitor, known), text, problem).await
        }
        (Err(problem), _) => refusal(problem.of_addressed(), is_program),
    }
}

/// Returns the page of a message with an edit that was rejected.
async fn rejected_edit(
    state: &AppState,
    again: Request,
    (name, target): (RoomName, Seq),
    (visitor, known): (Visitor, RememberedUsername),
    text: String,
    problem: Problem,
) -> Response {
    let problem = problem.of_addressed();
    record_rejection(problem.rejection().code);
    let detail = problem.rejection().detail.clone();
    let refused = RejectedForm { message: text, username: None, detail, edited: Some(target) };
    let wanted = RoomRequest { name, permalink: Some(target), reply_to: None, username: known.0, visitor };
    let _permit = match state.limiter.work(visitor.network).await {
        Ok(permit) => permit,
        Err(limited) => return limited.response(TOO_MANY_REQUESTS),
    };
    let mut page = room_page(state, again, wanted, Some(refused)).await;
    // If the visitor may not enter, that is the reason to show.
    if page.status().is_success() {
        *page.status_mut() = problem.status();
        page.headers_mut().extend(problem.retry_after());
    }
    page
}
